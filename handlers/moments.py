"""A day with a time of day, as typed in the reader's language: a moment, or Wrong with what to do."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core import Context, Wrong, t
from handlers.away import LONGEST, parsed_day

_TIME = re.compile(r"(?<![\d:.])(\d{1,2})[:.](\d{2})(?![\d:.])")
_HOUR = re.compile(r"(?<!\d)(\d{1,2})\s*(am|pm)\b", re.IGNORECASE)


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
    found = _TIME.search(typed)
    half = None if found else _HOUR.search(typed)
    if found is not None:
        hour, minute = int(found[1]), int(found[2])
    elif half is not None and 1 <= int(half[1]) <= 12:
        hour, minute = int(half[1]) % 12 + (12 if half[2].lower() == "pm" else 0), 0
    else:
        raise Wrong(t("Please write the time, too, as in {example}.", example=example))
    if hour > 23 or minute > 59:
        raise Wrong(t("Please give the time as 09:00 (24-hour), as in {example}.", example=example))
    match = found or half
    assert match is not None
    return hour, minute, f"{typed[: match.start()]} {typed[match.end() :]}".strip(" ,.")
