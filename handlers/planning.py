"""Setting up a check-in, for facilitators: what is asked, of whom, how often, at what hour, and who may read."""

from collections.abc import Callable, Sequence
from datetime import date, time, timedelta
from typing import Any

from bot.core import Choice, Context, Field, Form, Say, Wrong, t
from bot.domain.checkins import Readers
from bot.domain.recurrence import Rule, read_rule
from handlers import cards, wording
from handlers.asking import LIBRARY, rotation
from handlers.me import short
from handlers.readings import read_time
from handlers.rhythm import weekday
from storage.checkins import Checkin

EARLIEST, LATEST = time(8), time(20)  # outside quiet hours
MOST_CHOICES = 8
LONGEST_CHOICE = 40
TEAMS = 20  # that can be chosen

KINDS: dict[str, tuple[Say, str]] = {
    "text": (t("A line of text"), "text"),
    "scale": (t("1 to 5"), "scale 1-5 + optional line"),
    "yes": (t("Yes or no"), "buttons + text"),
    "choice": (t("My own choices"), "choice own + text"),
    "date": (t("A date"), "date"),
}
RHYTHMS: dict[str, Say] = {
    "week": t("Every week"),
    "two": t("Every second week"),
    "month": t("Every month"),
    "other": t("Another rhythm"),
}
OTHERS: dict[str, tuple[Say, str, int]] = {
    "w3": (t("Every 3 weeks"), "week", 3),
    "w4": (t("Every 4 weeks"), "week", 4),
    "w6": (t("Every 6 weeks"), "week", 6),
    "m2": (t("Every 2 months"), "month", 2),
    "m3": (t("Every 3 months"), "month", 3),
}
READERS: dict[str, Say] = {
    LIBRARY: t("As each question says"),
    Readers.MAKER: t("Only me"),
    Readers.FACILITATORS: t("The facilitators"),
    Readers.COHORT: t("The cohort"),
    Readers.COUNTS: t("Counts only"),
}


def _weekdays(ctx: Context) -> Sequence[Choice]:
    return [Choice(str(n), weekday(n)) for n in range(7)]


def _hour(ctx: Context, text: str) -> str:
    """A local time in HH:MM, outside the quiet hours."""
    at = read_time(ctx, text)
    if not EARLIEST <= time.fromisoformat(at) <= LATEST:
        raise Wrong(t("At that hour people rest. Please choose a time from 08:00 to 20:00."))
    return at


def _choices(ctx: Context, text: str) -> list[str]:
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not 2 <= len(found) <= MOST_CHOICES or any(len(one) > LONGEST_CHOICE for one in found):
        raise Wrong(t("Please write 2 to 8 short choices, with commas between them: calm, busy, too much"))
    return found


def _country(ctx: Context, text: str) -> str:
    found = ctx.programme.understanding.understand(text, ctx.me.language).countries
    if len(found) != 1:
        raise Wrong(t("I did not find that country. Please type its name, for example: Indonesia"))
    return found[0]


def _only(*parts: str) -> Callable[[Context], bool]:
    """Asked when everything is set up, or when just this part is changed."""
    return lambda ctx: ctx.about.get("only") in (None, *parts)


def _and(part: str, key: str, value: str) -> Callable[[Context], bool]:
    return lambda ctx: ctx.about.get("only") in (None, part) and ctx.answers.get(key) == value


def _what(ctx: Context) -> Say:
    return t("What shall I ask? The library has {n} questions and takes them in turn.", n=len(rotation(ctx)))


def _audiences(ctx: Context) -> Sequence[Choice]:
    found = [
        Choice("all", t("Everybody")),
        Choice("coalition", t("A coalition")),
        Choice("country", t("A country")),
    ]
    return [*found, Choice("team", t("One project's team"))] if ctx.people.projects.teams(1) else found


def _readers(ctx: Context) -> Sequence[Choice]:
    own = ctx.answers.get("source") == "own" or ctx.about.get("own")
    return [Choice(key, label) for key, label in READERS.items() if not (own and key == LIBRARY)]


def _listed(of: dict[str, Any]) -> tuple[Choice, ...]:
    return tuple(Choice(key, said[0] if isinstance(said, tuple) else said) for key, said in of.items())


SET_UP = Form(
    name="checkins.set_up",
    title=t("Check-in"),
    fields=(
        Field(
            key="source",
            question=_what,
            kind="choice",
            choices=(Choice("library", t("Questions of the library")), Choice("own", t("My own words"))),
            when=_only("question"),
        ),
        Field(
            key="words",
            question=t("Write the question as fellows shall read it. It is not translated."),
            check=short(400),
            when=_and("question", "source", "own"),
        ),
        Field(
            key="kind",
            question=t("How is it answered?"),
            kind="choice",
            choices=_listed(KINDS),
            when=_and("question", "source", "own"),
        ),
        Field(
            key="options",
            question=t("Write the choices, with commas between them: calm, busy, too much"),
            check=_choices,
            when=_and("question", "kind", "choice"),
        ),
        Field(
            key="audience",
            question=t("Who is asked?"),
            kind="choice",
            choices=_audiences,
            when=_only("audience"),
        ),
        Field(
            key="coalition",
            question=t("Which coalition?"),
            kind="choice",
            choices=wording.coalitions,
            when=_and("audience", "audience", "coalition"),
        ),
        Field(
            key="country",
            question=t("Which country? Type its name."),
            check=_country,
            when=_and("audience", "audience", "country"),
        ),
        Field(
            key="project",
            question=t("Which project's team? Everybody in it is asked, and one answer does for all."),
            kind="choice",
            choices=lambda ctx: [Choice(str(one.id), one.title or "…") for one in ctx.people.projects.teams(TEAMS)],
            when=_and("audience", "audience", "team"),
        ),
        Field(
            key="often",
            question=t("How often? Every second week suits most."),
            kind="choice",
            choices=_listed(RHYTHMS),
            when=_only("rhythm"),
        ),
        Field(
            key="other",
            question=t("Which rhythm?"),
            kind="choice",
            choices=_listed(OTHERS),
            when=_and("rhythm", "often", "other"),
        ),
        Field(
            key="weekday",
            question=t("On which day? In a rhythm of months it is the first such day of the month."),
            kind="choice",
            choices=_weekdays,
            when=_only("rhythm"),
        ),
        Field(
            key="hour",
            question=t("At what hour, in each fellow's own time? Press one, or write it: 09:30"),
            kind="choice",
            open=True,
            choices=tuple(Choice(f"{hour:02}:00", f"{hour:02}:00") for hour in (8, 9, 10, 13, 16)),
            check=_hour,
            when=_only("rhythm"),
        ),
        Field(
            key="readers",
            question=t("Who may read the answers? It is said on every question, and holds for what is asked under it."),
            kind="choice",
            choices=_readers,
            when=_only("readers", "question"),
        ),
    ),
    page=False,
)


def as_columns(ctx: Context) -> dict[str, Any]:
    """The answers of the form as a check-in keeps them; only what was asked."""
    said = ctx.answers
    found: dict[str, Any] = {}
    if "source" in said:
        own = said["source"] == "own"
        found |= {
            "words": said["words"] if own else None,
            "answer": KINDS[said["kind"]][1] if own else LIBRARY,
            "options": said.get("options") or [],
        }
    if "audience" in said:
        found["audience"] = {
            "kind": said["audience"],
            "key": said.get("coalition") or said.get("country") or said.get("project"),
        }
    if "often" in said:
        found["rhythm"] = {"rrule": _rule(said).as_rrule(), "time": said["hour"]}
    if "readers" in said:
        found["readers"] = said["readers"]
    return found


def _rule(said: dict[str, Any]) -> Rule:
    day = int(said["weekday"])
    if said["often"] == "other":
        _, unit, every = OTHERS[said["other"]]
    else:
        unit, every = {"week": ("week", 1), "two": ("week", 2), "month": ("month", 1)}[said["often"]]
    return Rule("week", every, (day,)) if unit == "week" else Rule("month", every, (day,), nth=1)


def usual() -> dict[str, Any]:
    """The rhythm of the programme: every second Monday at nine, the library in turn, everybody."""
    return {
        "words": None, "answer": LIBRARY, "options": [], "audience": {"kind": "all", "key": None},
        "rhythm": {"rrule": Rule("week", 2, (0,)).as_rrule(), "time": "09:00"}, "readers": LIBRARY,
    }  # fmt: skip


def rule_of(of: Checkin) -> Rule:
    """The rule that the buttons made."""
    found = read_rule(str(of.rhythm["rrule"]))
    assert found is not None
    return found


def time_of(of: Checkin) -> time:
    """The hour in each fellow's own time."""
    return time.fromisoformat(str(of.rhythm["time"]))


def starts(ctx: Context, of: Checkin) -> date:
    """The first date: the next such weekday after today, so that a rhythm of two weeks begins with it."""
    rule = rule_of(of)
    tomorrow = cards.today(ctx) + timedelta(days=1)
    if rule.unit != "week":
        return tomorrow
    return tomorrow + timedelta(days=(rule.weekdays[0] - tomorrow.weekday()) % 7)
