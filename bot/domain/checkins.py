"""Check-ins: how an answer is shaped, whose turn a question has, who may read it, and what silence leads to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum


class Readers(StrEnum):
    """Who may read an answer, as it was said when the question was asked."""

    SELF = "self"  # the one who answers, and nobody else
    MAKER = "maker"  # and the facilitator who made the check-in
    FACILITATORS = "facilitators"
    COHORT = "cohort"
    COUNTS = "counts"  # how often each answer was given, never whose or in what words


# What the question library says, in our words; anything unknown is the fellow's own.
LIBRARY_READERS = {
    "self": Readers.SELF,
    "facilitators": Readers.FACILITATORS,
    "aggregate": Readers.COUNTS,
    "facilitators (aggregate)": Readers.COUNTS,
    "facilitators (without names)": Readers.COUNTS,
    "circle": Readers.COHORT,
}


def readers_of(default_privacy: str) -> Readers:
    """Who may read the answers to a question of the library."""
    return LIBRARY_READERS.get(default_privacy, Readers.SELF)


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer consists of: perhaps one of `choices`, perhaps words (`line`), perhaps a `day`."""

    choices: tuple[str, ...] = ()
    line: str = "needed"  # needed, optional, or none
    day: bool = False

    @property
    def is_quick(self) -> bool:
        """Does the answer begin with a button?"""
        return bool(self.choices)


SCALE = re.compile(r"^scale (\d)-(\d)")
CHOICE = re.compile(r"^choice ([^+]+)")
YES_NO = ("yes", "no")
COALITIONS = ("five coalitions",)  # stands for the coalitions of the programme


def shape_of(answer: str) -> Shape:
    """Read the library's way of saying it: `scale 1-5 + optional line`, `choice a/b + text`, `text + date`."""
    rest = "needed" if "+ text" in answer else "optional" if "optional" in answer or "link" in answer else "none"
    if (scale := SCALE.match(answer)) is not None:
        return Shape(tuple(str(n) for n in range(int(scale[1]), int(scale[2]) + 1)), rest)
    if (choice := CHOICE.match(answer)) is not None:
        named = choice[1].strip()
        if "coalitions" in named:
            return Shape(COALITIONS, "optional")
        return Shape(tuple(one.strip() for one in named.split("/")), "optional" if rest == "needed" else rest)
    if answer.startswith("buttons"):
        return Shape(YES_NO, "optional")
    if answer == "date":
        return Shape(line="none", day=True)
    return Shape(day="date" in answer)


def turn(slugs: Sequence[str], number: int) -> str:
    """The question of the library whose turn it is on the date with this number."""
    return slugs[number % len(slugs)]


def number_of(first: date, on: date, *, days: int) -> int:
    """How many dates came before `on` in a rhythm of so many days; 28 and more are counted in months."""
    if days >= 28:
        months = (on.year - first.year) * 12 + on.month - first.month
        return max(0, months) // max(1, round(days / 30))
    return max(0, (on - first).days) // max(days, 1)


class Step(StrEnum):
    """What to do for somebody on a date of a check-in."""

    ASK = "ask"
    ASK_LESS = "ask less"  # ask, and say that it is every second time now
    REST = "rest"  # leave this date out
    WHETHER = "whether"  # ask whether to go on
    STOP = "stop"  # stop asking, and say so
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Silence:
    """How somebody answered lately. `state` is usual, slow, asked (whether to go on) or paused; `chosen`: by them."""

    unanswered: int = 0  # cards in a row
    state: str = "usual"
    rested: bool = False
    chosen: bool = False
    judged: str | None = None  # the week of the last silent card that was counted
    week: str | None = None  # the week for which `step` was decided, for every check-in that comes due in it
    step: str | None = None


SLOWS_AFTER, ASKS_AFTER = 2, 3


def next_step(now: Silence) -> tuple[Step, Silence]:
    """What a date that has come means for somebody: two silent cards make it every second date, a third asks."""
    if now.state == "paused":
        return Step.NOTHING, now
    if now.state == "asked":
        return Step.STOP, replace(now, state="paused", rested=False)
    if now.state == "usual" and now.unanswered < SLOWS_AFTER:
        return Step.ASK, now
    if now.state == "usual" or not now.rested:
        return Step.REST, replace(now, state="slow", rested=True)
    if now.unanswered >= ASKS_AFTER:
        return Step.WHETHER, replace(now, state="asked", rested=False)
    told = now.chosen or now.unanswered != SLOWS_AFTER
    return (Step.ASK if told else Step.ASK_LESS), replace(now, rested=False)


def after_answer(now: Silence) -> Silence:
    """Any answer counts as being there; a slower rhythm that they chose themselves stays."""
    return Silence(state="slow", rested=now.rested, chosen=True) if now.chosen and now.state == "slow" else Silence()


def after_silence(now: Silence, week: str) -> Silence:
    """The card of a week went by without an answer."""
    return replace(now, unanswered=now.unanswered + 1, judged=week)


def week_of(day: date) -> date:
    """The Monday of a day's week: one card a week."""
    return day - timedelta(days=day.weekday())


def reminder_day(opened: date) -> date | None:
    """Three days after a card, else the Friday of its week: one reminder, on a working day, before the week is over."""
    friday = week_of(opened) + timedelta(days=4)
    day = min(opened + timedelta(days=3), friday)
    return day if day > opened else None
