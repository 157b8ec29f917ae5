"""Whether the clock is to be believed: one that jumps by more than 30 days stops what the bot would send by itself."""

from datetime import datetime, timedelta

from bot.core.clock import Clock

JUMP = timedelta(days=30)


class ClockWatch:
    """Compares each look at the clock with the one before; the scheduler keeps them in the database, for restarts.

    Nobody can tell a clock that was set wrongly from a bot that was away for so long: the operator is asked.
    """

    def __init__(self, clock: Clock, *, believes_all: bool = False) -> None:
        self._clock = clock
        self._believes_all = believes_all  # the demo may be opened after a year
        self._last: datetime | None = None

    def was_right_at(self, last: datetime | None) -> None:
        """The last moment that was believed, by any replica."""
        self._last = last

    def is_right(self) -> bool:
        """May what is due now be sent?"""
        return self._believes_all or self._last is None or abs(self._clock.now() - self._last) <= JUMP
