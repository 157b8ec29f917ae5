"""A day with a time of day, as typed in the reader's language: a moment, or Wrong with what to do."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core import Context, Wrong, t
from handlers.away import LONGEST, parsed_day

_HALF = r"\s*([ap])\.?m\b\.?"
_TIME = re.compile(rf"(?<![\d:.])(\d{{1,2}})[:.](\d{{2}})(?![\d:.])(?:{_HALF})?", re.IGNORECASE)
_HOUR = re.compile(rf"(?<![\d:.])(\d{{1,2}})(){_HALF}", re.IGNORECASE)


def check_moment(ctx: Context, text: str) -> str:
    """A moment to come within two years, in ISO form and UTC; it was typed in the person's own time."""
    zone = ZoneInfo(ctx.me.time_zone)
    now = ctx.now.astimezone(zone)
    example = f"{(now + timedelta(days=14)).date().isoformat()} 14:30"
    typed = " ".join(text.split())[:80]
    hour, minute, rest = _time_in(typed, example)
    today = now.date()
    day = today if not rest else parsed_day(rest, ctx.me.language, today)
    if day is None:
        raise Wrong(t("I did not understand that day. Please write a day and a time, like {example}.", example=example))
    if day > today + LONGEST:
        raise Wrong(t("That date is too far away. Please use a date in the next two years, like {example}.",
                      example=example))  # fmt: skip
    at = datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)
    if at <= ctx.now:
        raise Wrong(t("That time is over. Please write a later one, like {example}.", example=example))
    return at.isoformat()


def _time_in(typed: str, example: str) -> tuple[int, int, str]:
    """The hour and minute in a text, and what is left of it."""
    times = list(_TIME.finditer(typed))
    with_colon = [time for time in times if ":" in time[0]]  # in "7.12 14:30", the other one is the day
    found = next(iter([*with_colon, *times]), None) or _HOUR.search(typed)
    if found is None:
        raise Wrong(t("Please write the time, too, as in {example}.", example=example))
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "").lower()
    if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
        raise Wrong(t("Please give the time as 09:00 (24-hour), as in {example}.", example=example))
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return hour, minute, f"{typed[: found.start()]} {typed[found.end() :]}".strip(" ,.")
