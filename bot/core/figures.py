"""Plain counters of what happened in this process, for whoever shows them: no names, no texts, no addresses."""

from collections import Counter

# name -> what its label is
KNOWN = {
    "outcome": "what became of a call: sent, rate_limited, not_sent, unreachable, rejected, unknown, given_back",
    "take_over": "clean: the lane was free; lapsed: its owner had not given it back",
    "lease": "late: a heartbeat came after the lease was over; lost: another process has the lane",
    "fenced": "a write of somebody who no longer owns the lane, which changed nothing",
    "doubt": "begun, found, resent, unconfirmed",
    "poison": "row, update: it ended the program three times, and is not tried again",
}


class Figures:
    """One object a process; each counter only grows."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        """Count one thing. `name` is one of KNOWN."""
        if by:
            self.counts[name, label] += by

    def of(self, name: str, label: str = "") -> int:
        return self.counts[name, label]
