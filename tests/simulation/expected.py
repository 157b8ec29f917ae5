"""On which days who is to be asked, worked out from the plan and the calendar alone, not with the code that asks."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.simulation.cohorts import first_date, programme
from tests.simulation.loop import START
from tests.simulation.plan import Checkin

A_DAY = timedelta(days=1)
_FELLOWS = """SELECT m.id, m.time_zone, p.country FROM member m JOIN profile p ON p.member_id = m.id
    JOIN consent c ON c.member_id = m.id AND c.purpose = 'questions' AND c.given
    WHERE m.state = 'active' AND m.role = 'fellow'"""
_SCHEDULE = "SELECT rrule, local_time, starts, paused FROM schedule WHERE id = 1"

Steady = set[tuple[int, str, str]]


class Expected:
    """The fellows for whom nothing changed that matters, from the first morning on: they are asked on every date."""

    def __init__(self, database: sqlite3.Connection, checkin: Checkin | None) -> None:
        self._database = database
        self._checkin = checkin
        self._schedule = self._plan()
        self.steady: Steady = self._fellows() if checkin is not None else set()

    def look(self) -> None:
        """Somebody did something: whoever left, rests, moved or takes no questions is not to be asked from now on."""
        if self.is_unchanged:
            self.steady &= self._fellows()
        if self._checkin is not None and self._plan() != self._schedule:  # a facilitator changed the check-in
            self._checkin, self.steady = None, set()

    @property
    def is_unchanged(self) -> bool:
        """Does the check-in run as the seed began with it, or is there none?"""
        return self._checkin is not None

    def dates(self) -> Iterator[date]:
        """The days of the check-in's rule, without end."""
        day = first_date(self._checkin) if self._checkin else date.max
        while self._checkin:
            yield day
            day += 7 * A_DAY * self._checkin.every

    def due(self, until: datetime) -> Iterator[tuple[int, str]]:
        """(member, day) of every question whose hour came before a moment, where the member is; without holidays."""
        if self._checkin is None:
            return
        holidays = programme().content.calendar.days
        for member, zone, country in sorted(self.steady):
            for day in self.dates():
                if datetime.combine(day, time(self._checkin.hour), tzinfo=ZoneInfo(zone)) >= until:
                    break
                if day not in holidays.get(country or "", {}):
                    yield member, day.isoformat()

    def is_a_date(self, written: str) -> bool:
        """Is this one of the rule's days?"""
        day = date.fromisoformat(written)
        return next(one for one in self.dates() if one >= day) == day

    def _fellows(self) -> Steady:
        return set(self._database.execute(_FELLOWS))

    def _plan(self) -> object:
        return self._database.execute(_SCHEDULE).fetchone()


def moment(seconds: float) -> datetime:
    """A time of the loop as a moment."""
    return START.astimezone(UTC) + timedelta(seconds=seconds)
