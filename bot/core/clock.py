"""Time as a port: the only file that asks the machine what time it is."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Aware UTC time; and seconds that only pass, for pauses and leases."""

    def now(self) -> datetime: ...

    def elapsed(self) -> float: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return monotonic()


class SetClock:
    """A clock that stands still until somebody moves it: tests, the demo, simulations."""

    def __init__(self, start: datetime) -> None:
        self.at = start

    def now(self) -> datetime:
        return self.at

    def elapsed(self) -> float:
        return monotonic()

    def passes(self, **amount: float) -> None:
        """Move forward, for example `passes(days=3)`."""
        self.at += timedelta(**amount)


def monotonic() -> float:
    """Seconds for measuring durations; never for dates. An event loop's own time may be that of its last turn."""
    return time.monotonic()
