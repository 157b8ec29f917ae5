"""When a person is left in peace: quiet hours in their own time, weekends after an outage; a crowd is spread."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.domain.recurrence import moment

SATURDAY = 5
SPREAD = timedelta(minutes=30)


def next_open(at: datetime, zone: str, quiet: tuple[time, time], *, weekends: bool = True) -> datetime:
    """The first moment from `at` on that lies outside a person's quiet hours and, unless `weekends`, on a weekday.

    `quiet` is from when until when, local; it may pass midnight.
    """
    where = ZoneInfo(zone)
    start, end = quiet
    for _ in range(10):
        local = at.astimezone(where).replace(tzinfo=None)
        if not weekends and local.weekday() >= SATURDAY:
            at = moment(datetime.combine(local.date() + timedelta(days=7 - local.weekday()), end), zone)
        elif _within(local.time(), start, end):
            day = local.date() + timedelta(days=1 if local.time() >= end else 0)
            at = moment(datetime.combine(day, end), zone)
        else:
            break
    return at


def _within(now: time, start: time, end: time) -> bool:
    return start <= now < end if start < end else now >= start or now < end


def spread(member_number: int) -> timedelta:
    """Where in the half hour somebody's late question leaves; neighbours lie far apart."""
    return timedelta(seconds=member_number * 7919 % int(SPREAD.total_seconds()))
