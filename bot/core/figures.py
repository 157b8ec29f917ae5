"""Plain figures of what happened in this process, for whoever shows them: no names, no texts, no addresses."""

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

# Seconds: from what a handler takes to what a platform no longer waits for.
LIMITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Known:
    """What is counted or timed under a name, and every label that it can have; no other is ever shown."""

    what: str
    label: str
    labels: tuple[str, ...]


KINDS = (
    *("message", "command", "press", "submit", "due", "opened", "edited", "deleted", "reachable", "unreadable"),
    "disconnected",
)
COUNTED = {
    "outcome": Known(
        "What became of a call to a platform; rate_limited is its 429, given_back a call that never began.",
        "outcome",
        ("sent", "rate_limited", "not_sent", "unreachable", "rejected", "unknown", "given_back"),
    ),
    "take_over": Known(
        "Lanes taken; clean: the lane was free, lapsed: its owner before had not given it back.",
        "lease",
        ("clean", "lapsed"),
    ),
    "lease": Known(
        "Leases in trouble; late: a heartbeat came after the lease was over, lost: another process has the lane.",
        "trouble",
        ("late", "lost"),
    ),
    "fenced": Known("Writes of a process that no longer owned the lane, which changed nothing.", "", ("",)),
    "doubt": Known(
        "Messages of which it was not known whether they arrived: begun, and how that ended.",
        "step",
        ("begun", "found", "resent", "unconfirmed"),
    ),
    "poison": Known(
        "What ended the program three times and is not tried again: a row that was sent, an update that came in.",
        "what",
        ("row", "update"),
    ),
    "event": Known(
        "What came in; repeat: it was there before and had no second effect, failed: its handler raised, "
        "put_off: the database could not take it.",
        "end",
        ("taken", "repeat", "failed", "put_off"),
    ),
}
TIMED = {
    "handler": Known("One event's work inside its transaction, by kind of event.", "kind", KINDS),
    "taken_in": Known("From an event's arrival to its commit, by kind of event.", "kind", KINDS),
    "writer_hold": Known("For how long a transaction held the database's writer.", "", ("",)),
}


@dataclass(slots=True)
class Times:
    """How often something took how long: `counts` by the LIMITS, and one more for what took longer."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(LIMITS) + 1))
    seconds: float = 0.0


class Figures:
    """One object a process; each figure only grows. May be used from several threads."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.times: dict[tuple[str, str], Times] = {}
        self._lock = threading.Lock()

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        """Count one thing. `name` is one of COUNTED, `label` one of its labels."""
        if by:
            with self._lock:
                self.counts[name, label] += by

    def took(self, name: str, seconds: float, label: str = "") -> None:
        """Note how long one thing took. `name` is one of TIMED, `label` one of its labels."""
        with self._lock:
            times = self.times.setdefault((name, label), Times())
            times.counts[bisect_left(LIMITS, seconds)] += 1
            times.seconds += seconds

    def of(self, name: str, label: str = "") -> int:
        return self.counts[name, label]
