"""Somebody could be reached nowhere: the facilitators' timers for their next morning, one each, whoever is missed."""

from datetime import datetime

from bot.core.programme import local_morning
from storage import UnitOfWork

TIMER = "unreached.tell"


def miss(unit: UnitOfWork, member_number: int, now: datetime) -> None:
    """A message to somebody ended unreachable. The first one is told; the next are not, until they were back."""
    if not unit.unreached.begins(member_number, now):
        return
    missed = unit.members.recall(member_number)
    if missed is not None:
        told = unit.unreached.to_tell(missed.cohort_id, but=missed.id)
        unit.unreached.tell_at(TIMER, {number: next_morning(now, zone) for number, zone in told.items()})


def next_morning(now: datetime, time_zone: str) -> datetime:
    """The next 09:00 where somebody is."""
    today = local_morning(now, time_zone)
    return today if today > now else local_morning(now, time_zone, 1)
