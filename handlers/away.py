"""Time away: stop until a date, come back by itself, and a word on the day it ends."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from bot.core import Button, Card, Choice, Context, Field, Form, Reply, Role, Router, Say, When, Wrong, lines, t
from bot.core.forms import begin, question
from bot.domain.topics import Wanted
from handlers import privacy
from storage.members import LIVE

router = Router()

LONGEST = relativedelta(years=2)
OPEN, BACK = "open", "back"  # answers that are neither a span nor a day
UNTIL = re.compile(
    r"^(until|till|from now until|for|selama|sampai|hingga|s/d|hanggang(?: sa)?|จนถึง|ถึง)[\s:]+|\s*(хүртэл)$", re.I
)
DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.?")  # a day and a month
MONGOLIAN = re.compile(r"(?:(\d{4})\s*оны\s*)?(\d{1,2})[\s-]*р?\s*сарын\s*(\d{1,2})")
BUDDHIST_ERA = 543
SHORT: dict[str, tuple[Say, relativedelta]] = {
    "week": (t("1 week"), relativedelta(weeks=1)),
    "two": (t("2 weeks"), relativedelta(weeks=2)),
    "month": (t("A month"), relativedelta(months=1)),
}


@router.word("stop", takes_text=True, anytime=True, role=Role.MEMBER)
def stop(ctx: Context) -> Reply:
    """Pause everything at once; until when is asked after that, or said with the word. On the way in it is leaving."""
    if ctx.me.state not in LIVE:
        return ctx.engine.router.words["leave"].handler(ctx)
    if _says_more(ctx) or ctx.me.state == "paused":
        return _away(ctx)
    return _until_when(ctx, go(ctx, None).text)


def _says_more(ctx: Context) -> bool:
    """Does a day stand behind the word, or anything else? "stop please" says no more than stop."""
    is_dated = any(sign.isdigit() for sign in ctx.text)
    return is_dated or ctx.programme.understanding.understand(ctx.text, ctx.me.language) != Wanted()


@router.word("away", takes_text=True, role=Role.MEMBER)
def away(ctx: Context) -> Reply:
    """The same: `away until 7 Dec`."""
    return _away(ctx)


@router.press("away.open", role=Role.MEMBER)
def open_away(ctx: Context) -> Reply:
    """From a button."""
    return UNTIL_WHEN.begin()


@router.word("returned", role=Role.MEMBER)
def returned(ctx: Context) -> Reply:
    """I am back."""
    return back(ctx)


def _away(ctx: Context) -> Reply:
    if not ctx.text.strip():
        return UNTIL_WHEN.begin()
    try:
        return go(ctx, read_day(ctx, ctx.text))
    except Wrong as wrong:
        return _until_when(ctx, wrong.sentence)


def _until_when(ctx: Context, before: Say) -> Card:
    dialog, _ = begin(ctx, UNTIL_WHEN.begin())
    return question(ctx, dialog, before)


def _spans(ctx: Context) -> Sequence[Choice]:
    found = [Choice(key, label) for key, (label, _) in SHORT.items()]
    found.append(Choice(OPEN, t("Until I come back")))
    return [*found, Choice(BACK, t("I am back"))] if ctx.me.state == "paused" else found


def _read(ctx: Context, text: str) -> str:
    """A span, a day in ISO form, or Wrong; the word itself may stand before it: "away until 7 Dec"."""
    if text in {choice.value for choice in _spans(ctx)}:
        return text
    word = ctx.word_of(text)
    if word in ("returned", "undo") and ctx.me.state == "paused":
        return BACK
    parts = text.split(" ", 3)
    for length in range(min(3, len(parts) - 1), 0, -1):
        if ctx.word_of(" ".join(parts[:length])) in ("stop", "away"):
            return read_day(ctx, " ".join(parts[length:])).isoformat()
    return read_day(ctx, text).isoformat()


def _as_it_was(ctx: Context) -> Reply:
    """After a cancel: who is away stays away."""
    if ctx.me.state != "paused":
        return t("Cancelled. Nothing was changed.")
    end, word = ctx.me.paused_until, ctx.programme.content.word_label("undo", ctx.me.language)
    said = (
        t("You stay away until {when}.", when=When(end, "moment"))
        if end
        else t("You stay away until you come back. Press the button then, or type {word}.", word=word)
    )
    return Card(said, buttons=(Button(t("I am back"), "away.back"),))


UNTIL_WHEN = Form(
    name="away.day",
    title=t("Away"),
    fields=(
        Field(
            key="day",
            question=t("Until when shall I leave you in peace? Press one, or write a day, for example: until 7 Dec"),
            kind="choice",
            open=True,
            choices=_spans,
            check=_read,
        ),
    ),
    page=False,
    keeps=timedelta(days=1),
    cancelled=_as_it_was,
)


@router.form(UNTIL_WHEN, role=Role.MEMBER)
def chosen(ctx: Context) -> Reply:
    """Away for the span or until the day; or back."""
    day = ctx.answers["day"]
    if day == BACK:
        return back(ctx)
    if day == OPEN:
        return go(ctx, None)
    return go(ctx, _today(ctx) + SHORT[day][1] if day in SHORT else date.fromisoformat(day))


def _today(ctx: Context) -> date:
    return ctx.now.astimezone(ZoneInfo(ctx.me.time_zone)).date()


def go(ctx: Context, until: date | None) -> Card:
    """Pause until 09:00 local of that day; None is until they say so."""
    end = None if until is None else datetime.combine(until, time(9), tzinfo=ZoneInfo(ctx.me.time_zone))
    ctx.store.members.change(ctx.me.id, state="paused", paused_until=end)
    ctx.store.profiles.renew(ctx.me.id)
    ctx.store.schedules.cancel(ctx.me.id, ("away.end",))
    if end is not None:
        ctx.store.schedules.set_timer("away.end", ctx.me.id, end)
    ctx.refresh()
    word = ctx.programme.content.word_label("undo", ctx.me.language)
    text = lines(
        t("You are away until {when}.", when=When(end, "moment")) if end else t("You are away until you come back."),
        t("From now on nobody finds you, you are not introduced, and I ask you nothing. People you met still see you."),
        t("I write to you that morning. To come back sooner, type {word}.", word=word)
        if end
        else t("To come back, type {word} or press the button.", word=word),
    )
    return Card(text, buttons=(Button(t("I am back"), "away.back"), Button(t("Another day"), "away.open")))


@router.press("away.back", role=Role.MEMBER)
def press_back(ctx: Context) -> Reply:
    """Back before the day."""
    return back(ctx)


def back(ctx: Context) -> Card:
    """Active again."""
    if ctx.me.state != "paused":
        return Card(t("You are not away. Nothing changed."))
    _return(ctx)
    unseen = privacy.why_unseen(ctx)
    text: Say = t("Welcome back. From now on you are found and introduced again, as far as you let others see you.")
    if unseen is not None:
        text = lines(t("Welcome back."), unseen)
    buttons = (Button(t("Away again"), "away.open"), Button(t("Who sees me"), "privacy.who"))
    return Card(text, buttons=(*buttons, *privacy.to_be_found(ctx)))


def _return(ctx: Context) -> None:
    ctx.store.members.change(ctx.me.id, state="active", paused_until=None)
    ctx.store.schedules.cancel(ctx.me.id, ("away.end",))
    ctx.store.profiles.renew(ctx.me.id)
    ctx.refresh()
    waiting = ctx.store.dialogs.open_of(ctx.me.id, ctx.now)
    if waiting is not None and waiting.form == UNTIL_WHEN.name:  # nobody is asked until when they are away
        parked = ctx.store.dialogs.end(waiting)
        if parked is not None:
            ctx.after(lambda: question(ctx, parked, t("Now back to the earlier question.")))


@router.due("away.end")
def end(ctx: Context) -> Reply:
    """The morning of the day."""
    if ctx.me.state != "paused" or ctx.me.paused_until is None or ctx.me.paused_until > ctx.now:
        return None
    _return(ctx)
    unseen = privacy.why_unseen(ctx)
    text = lines(
        t("Good morning. Your time away ends today.")
        if unseen
        else t("Good morning. Your time away ends today: from now on you are found and introduced again."),
        unseen,
        t("Just write what you are looking for. If you need more time, press Away again."),
    )
    return Card(text, buttons=(Button(t("Away again"), "away.open"), *privacy.to_be_found(ctx)))


def read_day(ctx: Context, text: str) -> date:
    """A day within the next two years, as typed in the reader's language, or Wrong with what to do."""
    typed = UNTIL.sub("", text.strip()[:80]).strip()
    today = _today(ctx)
    example = (today + timedelta(days=14)).isoformat()
    found = parsed_day(typed, ctx.me.language, today)
    if found is None and any(character.isdecimal() for character in typed):
        raise Wrong(
            t("That date does not exist. Please use a date in the next two years, like {example}.", example=example)
        )
    if found is None:
        raise Wrong(t("I did not understand that date. Please use a date in the next two years, like {example}.",
                      example=example))  # fmt: skip
    if found <= today:
        raise Wrong(
            t("That day is over, or today. Please use a date in the next two years, like {example}.", example=example)
        )
    if found > today + LONGEST:
        raise Wrong(
            t("That date is too far away. Please use a date in the next two years, like {example}.", example=example)
        )
    return found


def parsed_day(typed: str, language: str, today: date) -> date | None:
    """A day as typed in a language or in English; an ambiguous one is the next; None for what is none."""
    try:
        return date.fromisoformat(typed)
    except ValueError:
        pass
    if (spelt := MONGOLIAN.search(typed)) is not None:
        return _next(int(spelt[2]), int(spelt[3]), int(spelt[1]) if spelt[1] else None, today)
    if (dotted := DOTTED.fullmatch(typed)) is not None:  # "7.12", which would be read as a time of today
        typed = f"{dotted[1]}/{dotted[2]}"
    # Loaded when the first date is typed: it takes a fifth of a second, and most people press a button.
    import dateparser  # type: ignore[import-untyped]

    settings = {
        "PREFER_DATES_FROM": "future",
        "PREFER_DAY_OF_MONTH": "first",
        "DATE_ORDER": "DMY",
        "RELATIVE_BASE": datetime.combine(today, time(12)),
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    languages = list(dict.fromkeys([language, "en"]))
    found: datetime | None = dateparser.parse(typed, languages=languages, settings=settings)
    if found is None:
        return None
    if language == "th" and found.year > today.year + BUDDHIST_ERA - 100:
        return found.date() + relativedelta(years=-BUDDHIST_ERA)
    if typed.isdecimal() and found.date() <= today:
        return found.date() + relativedelta(months=1)
    return found.date()


def _next(month: int, day: int, year: int | None, today: date) -> date | None:
    try:
        found = date(year or today.year, month, day)
    except ValueError:
        return None
    return found if year or found > today else found + relativedelta(years=1)
