"""How far a project is: statuses of milestones, what is overdue, and a project's status made from its milestones."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

LONGEST_TITLE = 100
LONGEST_LINK = 500
NOT_PUBLIC = ("localhost", "local", "internal", "lan", "home", "intranet", "corp", "test", "invalid", "onion")


class Status(StrEnum):
    """How far a milestone is; the values are the completion words of OGP's Independent Reporting Mechanism.

    Here they are always self-reported, never a rating of the IRM. Blocked and dropped are flags, not statuses.
    """

    NOT_STARTED = "not_started"
    LIMITED = "limited"
    SUBSTANTIAL = "substantial"
    COMPLETE = "complete"


ORDER = tuple(Status)


@dataclass(frozen=True, slots=True)
class Step:
    """What progress needs to know of a milestone."""

    status: Status
    due: date | None = None
    blocked: bool = False
    dropped: bool = False

    @property
    def is_open(self) -> bool:
        """Is there still something to do?"""
        return self.status is not Status.COMPLETE and not self.dropped


def following(status: Status) -> Status | None:
    """The status that one press leads to; None when it is done."""
    place = ORDER.index(status) + 1
    return ORDER[place] if place < len(ORDER) else None


def is_overdue(step: Step, today: date) -> bool:
    """Is it open, and was its day before today? On the day itself nothing is late."""
    return step.is_open and step.due is not None and step.due < today


def project_status(steps: Iterable[Step]) -> Status:
    """A project's status: done when every milestone is, more than half when more than half of the way is.

    Each milestone counts the same, in thirds from not started to done; dropped ones do not count.
    """
    counted = [ORDER.index(step.status) for step in steps if not step.dropped]
    done, whole = sum(counted), (len(ORDER) - 1) * len(counted)
    if done == 0:
        return Status.NOT_STARTED
    if done == whole:
        return Status.COMPLETE
    return Status.SUBSTANTIAL if 2 * done > whole else Status.LIMITED


def next_due(steps: Iterable[Step]) -> date | None:
    """The earliest date of what is still open."""
    return min((step.due for step in steps if step.is_open and step.due is not None), default=None)


def is_blocked(steps: Iterable[Step]) -> bool:
    """Does something hold back a milestone that is still open?"""
    return any(step.blocked for step in steps if step.is_open)


def title_and_goal(sentence: str) -> tuple[str, str | None]:
    """A project's title from one sentence: the sentence, or its beginning, and then the whole of it is the goal."""
    sentence = " ".join(sentence.split())
    if len(sentence) <= LONGEST_TITLE:
        return sentence.rstrip(".") or sentence, None
    cut = sentence[:LONGEST_TITLE]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,;:.") + "…", sentence


def public_link(text: str) -> str | None:
    """An http or https address that anybody can open, as it will be shown; None for anything else. It is not fetched.

    Refused: names and numbers of private networks, and addresses that carry a user name or password.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_LINK or any(character.isspace() for character in text):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.username or parts.password or "@" in parts.netloc:
        return None
    return urlunsplit(parts) if _is_public(host) else None


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        labels = host.split(".")
        return len(labels) > 1 and all(labels) and labels[-1] not in NOT_PUBLIC and not labels[-1].isdigit()
