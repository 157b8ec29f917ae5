"""A date of a schedule for the members who are due: its route is run for each, in one transaction."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date as day
from datetime import datetime, timedelta
from pathlib import Path

from bot.core.adapter import Ack
from bot.core.context import Context, Engine
from bot.core.events import Address, Due, Occurrence
from bot.core.log import get_logger
from bot.core.replies import Reply
from bot.core.router import Handler
from bot.domain.holidays import Calendar
from bot.domain.hours import Hours, next_allowed, read_hours, spread
from bot.domain.recurrence import Fire
from storage import UnitOfWork
from storage.recurring import Asked, Schedule

log = get_logger("kawan.asking")

LATE = timedelta(minutes=15)
DATES_BACK = 8  # so many holidays in a row are told


@dataclass(frozen=True, slots=True)
class Date:
    """One date of a schedule, as it stands in one zone."""

    schedule: Schedule
    fire: Fire
    following: Fire | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the questions of one date share; `before` are the rule's dates before it, newest first."""

    date: Date
    event: Due
    handler: Handler
    calendar: Calendar
    before: tuple[day, ...]
    now: datetime


class Asking:
    """Makes what a schedule says. `say` is how the dispatcher puts a reply into the outbox."""

    def __init__(self, engine: Engine, say: Callable[[Context, Reply], Ack]) -> None:
        self._engine = engine
        self._say = say

    def calendar(self, unit: UnitOfWork, cohort_id: int) -> Calendar:
        """The cohort's holidays: the content's, as its facilitators changed them."""
        return self._engine.programme.content.calendar.changed(unit.holidays.changes(cohort_id))

    def is_late(self, fire: Fire, now: datetime) -> bool:
        """Did something keep us from asking in time?"""
        return now - fire.at > LATE

    def ask(
        self, unit: UnitOfWork, date: Date, members: Sequence[Asked], calendar: Calendar, now: datetime
    ) -> list[int]:
        """Run the route for each; returns those whose handler failed, of whom nothing was kept."""
        of, key = date.schedule, date.fire.key
        route = self._engine.router.dues.get(of.name)
        if route is None:
            log.error("no_route", name=of.name, schedule=of.id)
            return []
        numbers = tuple(one.member.id for one in members)
        event = Due(id=f"due:{of.id}:{key}", name=of.name, members=numbers, at=date.fire.at, object=of.object)
        said = Said(date, event, route.handler, calendar, of.recurrence.before(key, DATES_BACK), now)
        if unit.attempt(lambda: self._ask_all(unit, said, members)) is None:
            return []
        # Somebody's failed, and nothing of it was kept: each by itself, so that the others are asked all the same.
        return [one.member.id for one in members if self._fails(unit, said, one)]

    def _ask_all(self, unit: UnitOfWork, said: Said, members: Sequence[Asked]) -> None:
        for one in members:
            self._ask_one(unit, said, one)

    def _fails(self, unit: UnitOfWork, said: Said, one: Asked) -> bool:
        error = unit.attempt(lambda: self._ask_one(unit, said, one))
        if error is not None:
            log.error("question_failed", of=said.event.id, kind=type(error).__name__, at=_places(error))
        return error is not None

    def _ask_one(self, unit: UnitOfWork, said: Said, one: Asked) -> None:
        ctx = self._context(unit, said, one)
        self._say(ctx, said.handler(ctx))

    def _context(self, unit: UnitOfWork, said: Said, one: Asked) -> Context:
        of, date, now = said.date.schedule, said.date, said.now
        here = Address(one.platform, one.installation, one.conversation)
        ctx = Context(self._engine, unit, said.event, one.member, now, here=here, object=of.object)
        ctx.not_before = self._held_until(one, date, now)
        ctx.occurrence = Occurrence(
            schedule=of.id,
            key=date.fire.key,
            local_date=date.fire.date,
            late=self.is_late(date.fire, now),
            next=date.following.date if date.following else None,
            skipped=() if of.on_holidays else said.calendar.skipped(one.country, said.before),
        )
        return ctx

    def _held_until(self, one: Asked, date: Date, now: datetime) -> datetime | None:
        """Until when what is said waits: the person's own hours; after an outage also a place in the half hour."""
        programme, zone = self._engine.programme, one.member.time_zone
        hours = read_hours(one.member.hours, Hours(programme.quiet_until, programme.quiet_from))
        open_at = next_allowed(hours, now, zone)
        if self.is_late(date.fire, now):
            return next_allowed(hours, open_at + spread(one.member.id), zone)
        return None if open_at == now else open_at


def _places(error: BaseException) -> list[str]:
    """Where it went wrong, innermost last; not what it said, which may hold somebody's words."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
