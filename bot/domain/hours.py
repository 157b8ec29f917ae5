"""When somebody may be written to by a programme: their own hours and days, and the next moment that is allowed."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from bot.domain.recurrence import moment

WEEKDAYS = frozenset(range(1, 6))
SPREAD = timedelta(minutes=30)
CARD_DAY, CARD_TIME = 1, time(9)  # the day of the card, as in ISO 8601: Monday is 1
_WRITTEN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d) ([1-7]{1,7})")


@dataclass(frozen=True, slots=True)
class Hours:
    """From when until when, in local time, may pass midnight; the same twice is all day. Days: Monday is 1."""

    start: time = time(8)
    end: time = time(20)
    days: frozenset[int] = WEEKDAYS

    def written(self) -> str:
        """As it is stored: `08:00-20:00 12345`."""
        days = "".join(str(day) for day in sorted(self.days))
        return f"{self.start:%H:%M}-{self.end:%H:%M} {days}"

    def includes(self, local: datetime) -> bool:
        """Is a local time within these hours?"""
        at = local.time().replace(tzinfo=None)
        inside = self.start <= at < self.end if self.start < self.end else at >= self.start or at < self.end
        return inside and local.isoweekday() in self.days


USUAL = Hours()


def read_hours(written: str | None, otherwise: Hours = USUAL) -> Hours:
    """Stored hours; `otherwise` for none, and for what cannot be read."""
    found = _WRITTEN.fullmatch(written or "")
    if found is None:
        return otherwise
    try:
        return Hours(time.fromisoformat(found[1]), time.fromisoformat(found[2]), frozenset(map(int, found[3])))
    except ValueError:
        return otherwise


def next_allowed(hours: Hours, now: datetime, time_zone: str) -> datetime:
    """Now, if the person may be written to; else the first moment at which they may, in UTC."""
    zone = _zone(time_zone)
    local = now.astimezone(zone)
    if hours.includes(local):
        return now
    begins = (hours.start, time(0)) if hours.start >= hours.end else (hours.start,)
    for days in range(9):
        day = local.date() + timedelta(days=days)
        for begin in sorted(begins):
            at = _moment(day, begin, zone)
            if at > now and hours.includes(at.astimezone(zone)):
                return at
    return now  # hours on no day at all: nobody meant that


def next_card(now: datetime, time_zone: str) -> datetime:
    """The person's next card: Monday 09:00 of their own time, after now."""
    zone = _zone(time_zone)
    today = now.astimezone(zone).date()
    for days in range(8):
        day = today + timedelta(days=days)
        at = _moment(day, CARD_TIME, zone)
        if day.isoweekday() == CARD_DAY and at > now:
            return at
    raise AssertionError("eight days hold a Monday whose morning is to come")


def week_began(now: datetime, time_zone: str) -> datetime:
    """When the person's present week began: the midnight before the day of the card."""
    zone = _zone(time_zone)
    today = now.astimezone(zone).date()
    return _moment(today - timedelta(days=(today.isoweekday() - CARD_DAY) % 7), time(0), zone)


def spread(member_number: int) -> timedelta:
    """Where in the half hour somebody's late question leaves; neighbours lie far apart."""
    return timedelta(seconds=member_number * 7919 % int(SPREAD.total_seconds()))


@cache
def _zone(name: str) -> ZoneInfo:
    """A zone by name; UTC for a name that this machine does not know: a message must not stop for it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return moment(datetime.combine(day, at), zone.key)
