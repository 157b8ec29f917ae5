"""What a transaction did, seen at the doors of the store's aggregates: noted without changing it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest.mock import patch

from storage.attention import Attention
from storage.audit import Audit
from storage.broadcasts import Broadcasts
from storage.checkins import Checkins
from storage.claims import Claims
from storage.dialogs import Dialogs
from storage.inbox import Inbox
from storage.introductions import Introductions
from storage.lanes import Lanes, Taken
from storage.outbox import Outbox
from storage.schedules import Schedules
from tests.simulation.loop import START

Args = tuple[Any, ...]
Named = dict[str, Any]
Tell = Callable[["Noted", Any, Args, Named], object]


@dataclass
class Noted:
    """What one transaction did, told to the history only when it was committed."""

    accepted: list[tuple[str, bool]] = field(default_factory=list)
    rows: list[tuple[int, int | None]] = field(default_factory=list)
    changed: int = 0
    audited: int = 0
    settled: int = 0
    claimed: list[int] = field(default_factory=list)
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Did the transaction only look? Most turns and ticks do."""
        return not (self.accepted or self.rows or self.settled or self.claimed or self.lines)

    def line(self, f: str, **values: Any) -> None:
        self.lines.append((f, values))


_now: list[Noted] = []  # the transaction that runs: there is one thread, and one at a time


@contextmanager
def noting(noted: Noted) -> Iterator[None]:
    """What happens in here is of one transaction."""
    _now.append(noted)
    try:
        yield
    finally:
        _now.pop()


@contextmanager
def watched() -> Iterator[None]:
    """In here the doors are watched, also those of a mutant."""
    with ExitStack() as stack:
        for of, name, tell in DOORS:
            stack.enter_context(patch.object(of, name, _seen(getattr(of, name), tell)))
        yield


def _seen(real: Any, tell: Tell) -> Any:
    def door(self: Any, *args: Any, **named: Any) -> Any:
        result = real(self, *args, **named)
        if _now:
            tell(_now[-1], result, args, named)
        return result

    return door


def seconds(at: datetime) -> float:
    """A moment as the history counts, if nobody turns the clock."""
    return (at - START).total_seconds()


def _accepted(noted: Noted, new: bool, args: Args, named: Named) -> None:
    if new:
        noted.accepted.append((args[1], "error_id" in named))


def _added(noted: Noted, seq: int, args: Args, named: Named) -> None:
    noted.rows.append((seq, named.get("member_id")))


def _changed(noted: Noted, none: None, args: Args, named: Named) -> None:
    noted.changed += 1


def _claimed(noted: Noted, found: Any, args: Args, named: Named) -> None:
    if found.taken:
        noted.claimed += [one.row.seq for one in found.taken]
        noted.line("claims", lane=args[0], gen=args[1])


def _held(noted: Noted, found: Any, args: Args, named: Named) -> None:
    if found is None:
        noted.line("fenced", lane=args[0], gen=args[2])


def _recorded(noted: Noted, done: bool, args: Args, named: Named) -> None:
    if done:
        noted.line("answer", answer=args[0], **{name: named[name] for name in ANSWERED if name in named})


def _resolved(noted: Noted, none: None, args: Args, named: Named) -> None:
    noted.line("settle", message=args[0], to=args[1])


def _settled(noted: Noted, done: bool, args: Args, named: Named) -> None:
    noted.settled += 1
    if not done:
        noted.line("fenced", message=args[0])


def _took(noted: Noted, found: Any, args: Args, named: Named) -> None:
    if isinstance(found, Taken):
        noted.line("took over", lane=args[0], gen=found.held.gen, lapsed=found.lapsed)


def _timer_set(noted: Noted, number: int, args: Args, named: Named) -> None:
    noted.line("timer", timer=number, due=seconds(args[2]))


def _timer_done(noted: Noted, none: None, args: Args, named: Named) -> None:
    noted.line("done", timer=args[0])


def _sent_again(noted: Noted, count: int, args: Args, named: Named) -> None:
    noted.line("sent again", count=count)


def _decided(noted: Noted, done: bool, args: Args, named: Named) -> None:
    if done:
        noted.line("decided", to=args[1])


def _moved(noted: Noted, done: bool, args: Args, named: Named) -> None:
    if not done:
        noted.line("version conflict")


def _over(noted: Noted, over: bool, args: Args, named: Named) -> None:
    if over:
        noted.line("at the cap", member=args[0])


def _audited(noted: Noted, none: None, args: Args, named: Named) -> None:
    noted.audited += 1


ANSWERED = ("choice", "words", "day")
DOORS: tuple[tuple[type, str, Tell], ...] = (
    (Inbox, "accept", _accepted),
    (Outbox, "add", _added),
    (Outbox, "change", _changed),
    (Claims, "claim", _claimed),
    (Claims, "resolve", _resolved),
    (Claims, "settle", _settled),
    (Lanes, "take", _took),
    (Lanes, "hold", _held),
    (Checkins, "record", _recorded),
    (Broadcasts, "send_again", _sent_again),
    (Schedules, "set_timer", _timer_set),
    (Schedules, "done", _timer_done),
    (Dialogs, "move", _moved),
    (Introductions, "decide", _decided),
    (Attention, "is_over", _over),
    (Audit, "note", _audited),
)
