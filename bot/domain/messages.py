"""Messages to many: what to warn of before one leaves, the buttons under it, and the sums that always add up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST = 2000  # characters: with the bot's own lines it is one visible message on every platform
MOST_LINKS = 3
MOST_LABELS = 6
LONGEST_LABEL = 30  # characters
MORNING = time(9)

# What each state of a row in the outbox is to the sender.
ENDS = {
    "sent": "delivered",
    "unreachable": "unreachable",
    "failed": "failed",
    "unconfirmed": "unconfirmed",
    "cancelled": "cancelled",
    "expired": "expired",
}
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_EVERYBODY = re.compile(r"(?<!\w)@(here|channel|everyone|all)\b|<!(here|channel|everyone)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Warnings:
    """What the sender should know before it leaves: how many links it has, and the words that would call everybody."""

    links: int
    calls: tuple[str, ...]

    @property
    def many_links(self) -> bool:
        return self.links > MOST_LINKS


def warnings(text: str) -> Warnings:
    """What to warn of in a text."""
    calls = (f"@{found[1] or found[2]}".lower() for found in _EVERYBODY.finditer(text))
    return Warnings(len(_LINK.findall(text)), tuple(dict.fromkeys(calls)))


def too_long_by(text: str) -> int:
    """How many characters are too many, counted as platforms do (a rare one is two); 0 when it fits."""
    return max(0, len(text.encode("utf-16-le")) // 2 - LONGEST)


def labels(text: str) -> tuple[str, ...]:
    """The buttons that a sender typed: one a line, or with commas between."""
    parts = text.split("\n") if "\n" in text.strip() else text.replace(";", ",").split(",")
    return tuple(dict.fromkeys(label for part in parts if (label := " ".join(part.split()))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of a message: every number but `recipients` is a part of it, and together they are all of it.

    `delivered` are those who have it and have not answered; `gone` have left the bot since, and everything with them.
    """

    recipients: int
    answered: int = 0
    delivered: int = 0
    unreachable: int = 0
    failed: int = 0
    unconfirmed: int = 0
    cancelled: int = 0
    expired: int = 0
    waiting: int = 0
    gone: int = 0

    @property
    def sent(self) -> int:
        """How many have it for certain."""
        return self.answered + self.delivered

    @property
    def parts(self) -> dict[str, int]:
        """Each part by its name, in the order in which they are shown."""
        names = [name for name in self.__dataclass_fields__ if name != "recipients"]
        return {name: getattr(self, name) for name in names}


def tally(recipients: int, states: Mapping[str, int], answered: int) -> Tally:
    """The sums of a message from the states of its rows.

    Whatever has not ended is waiting; whoever has no row any more has left. Who answered, has it.
    """
    ended = dict.fromkeys(ENDS.values(), 0)
    waiting = 0
    for state, count in states.items():
        if state in ENDS:
            ended[ENDS[state]] += count
        else:
            waiting += count
    known = sum(states.values())
    answered = min(answered, ended["delivered"])
    ended["delivered"] -= answered
    whole = max(recipients, known)
    return Tally(recipients=whole, answered=answered, waiting=waiting, gone=whole - known, **ended)


def bar(done: int, of: int, width: int = 12) -> str:
    """A bar of so many squares; full only when all is done, and not empty once something is."""
    if of <= 0:
        return "░" * width
    full = min(width, done * width // of)
    full = max(full, 1) if done else 0
    return "█" * full + "░" * (width - full)


def next_morning(after: datetime, time_zone: str) -> datetime:
    """The first 09:00 in a zone that is not before a moment."""
    local = after.astimezone(ZoneInfo(time_zone))
    at = datetime.combine(local.date(), MORNING, tzinfo=local.tzinfo)
    return at if at >= local else datetime.combine(local.date() + timedelta(days=1), MORNING, tzinfo=local.tzinfo)
