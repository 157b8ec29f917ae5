"""Time as a port: the only file that asks the machine what time it is."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Aware UTC time."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SetClock:
    """A clock that stands still until somebody moves it: tests, the demo, simulations."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def now(self) -> datetime:
        return self.at

    def passes(self, **amount: float) -> None:
        """Move forward, for example `passes(days=3)`."""
        self.at += timedelta(**amount)


def monotonic() -> float:
    """Seconds for measuring durations; never for dates."""
    return time.perf_counter()
