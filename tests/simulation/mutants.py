"""Mutants: the bot with one promise taken out of the code; the checker must catch each within 300 seeds.

Each is a small patch over the real code at a narrow place, taken back afterwards.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from bot.core.adapter import Ack, NotSent, Unknown
from bot.core.dispatcher import Dispatcher
from bot.core.events import Due
from bot.core.scheduler import Scheduler
from bot.core.settling import Settler
from bot.domain.recurrence import Fire
from storage import Turn, UnitOfWork
from storage.attention import Attention
from storage.claims import Claims
from storage.inbox import Inbox
from storage.lanes import LEASE, Held, Lanes, Other, Taken
from storage.outbox import Outbox, outbox
from storage.outbox_rows import outbox_about
from storage.recurring import Claim, Recurring
from storage.rights import Rights
from tests.simulation.machine import Disk

Patch = tuple[Any, str, Any]
BULK_ROWS = 500


def _dead_owners_rows_wait_again() -> list[Patch]:
    """M1: what a dead owner was sending goes back to the queue, as if it had not left."""
    real = Lanes.take

    def take(self: Lanes, lane_id: str, *given: Any, **rest: Any) -> Taken | Other:
        sending = sa.update(outbox).where(outbox.c.lane == lane_id, outbox.c.state == "sending")
        self._connection.execute(sending.values(state="queued"))
        return real(self, lane_id, *given, **rest)

    return [(Lanes, "take", take)]


def _timeouts_count_as_not_sent() -> list[Patch]:
    """M2: no answer is taken for a proof that nothing left."""
    real = Settler._settle

    def settle(self: Settler, unit: UnitOfWork, gen: int, row: Any, outcome: Any, now: Any) -> None:
        real(self, unit, gen, row, NotSent(outcome.why) if isinstance(outcome, Unknown) else outcome, now)

    return [(Settler, "_settle", settle)]


def _timers_are_forgotten_first() -> list[Patch]:
    """M3: the fire is written down in one transaction, and what it says in the next."""
    real = Scheduler._handle

    async def handle(self: Scheduler, timer: Any) -> None:
        await self._store.run(lambda unit: unit.schedules.done(timer.id), Turn.TICK)
        await real(self, timer)

    return [(Scheduler, "_handle", handle)]


def _acknowledged_before_the_commit() -> list[Patch]:
    """M4: the platform hears that it arrived before anything was kept."""
    real = Dispatcher.receive

    async def receive(self: Dispatcher, event: Any) -> Ack:
        if isinstance(event, Due):
            return await real(self, event)
        later = asyncio.get_running_loop().create_task(real(self, event))
        later.add_done_callback(lambda task: task.cancelled() or task.exception())
        return Ack()

    return [(Dispatcher, "receive", receive)]


def _repeats_are_not_recognised() -> list[Patch]:
    """M5: every delivery is taken for a new event."""
    real = Inbox.accept

    def accept(self: Inbox, *given: Any, **rest: Any) -> bool:
        real(self, *given, **rest)
        return True

    return [(Inbox, "accept", accept)]


def _words_in_a_transaction_of_their_own() -> list[Patch]:
    """M7: what a handler changed is committed first, what it says afterwards."""
    real = Disk.run

    async def run(self: Disk, job: Callable[[UnitOfWork], Any], turn: Turn = Turn.EVENT) -> Any:
        held: list[tuple[sa.Table, dict[str, Any]]] = []

        def without_words(unit: UnitOfWork) -> Any:
            last = unit.connection.scalar(sa.select(sa.func.max(outbox.c.seq))) or 0
            result = job(unit)
            for of, number in ((outbox, outbox.c.seq), (outbox_about, outbox_about.c.outbox_seq)):
                found = unit.connection.execute(sa.select(of).where(number > last)).mappings().all()
                held.extend((of, dict(row)) for row in found)
            unit.connection.execute(sa.delete(outbox).where(outbox.c.seq > last))
            return result

        result = await real(self, without_words if turn is Turn.EVENT else job, turn)
        if held:
            await real(self, partial(_put_back, held), Turn.BULK)
        return result

    return [(Disk, "run", run)]


def _put_back(held: list[tuple[sa.Table, dict[str, Any]]], unit: UnitOfWork) -> None:
    for of, row in held:
        unit.connection.execute(sa.insert(of), row)
    unit.outbox._woken.update(row["lane"] for of, row in held if of is outbox)


def _lanes_are_not_fenced() -> list[Patch]:
    """M8: who has lost a lane goes on as if nothing had happened, and so does what it writes."""

    def hold(self: Lanes, lane_id: str, owner: str, gen: int) -> Held:
        return Held(gen, LEASE)

    real = Claims.settle

    def settle(self: Claims, seq: int, gen: int, *given: Any, **rest: Any) -> bool:
        now = self._connection.scalar(sa.select(outbox.c.lane_gen).where(outbox.c.seq == seq))
        return real(self, seq, now if now is not None else gen, *given, **rest)

    return [(Lanes, "hold", hold), (Claims, "settle", settle)]


def _dates_are_those_of_greenwich() -> list[Patch]:
    """M9: a date of a check-in is named by the day that it is in UTC."""
    real = Recurring.claim

    def claim(self: Recurring, now: datetime) -> Claim | None:
        found = real(self, now)
        return replace(found, fire=Fire(found.fire.at.date().isoformat(), found.fire.at)) if found else None

    return [(Recurring, "claim", claim)]


def _rights_are_not_asked_again() -> list[Patch]:
    """M10: what waits leaves, whoever hides, leaves or is kept apart meanwhile."""

    def cancels_nothing(self: Outbox, *given: Any, **rest: Any) -> int:
        return 0

    def allow(self: Rights, row: Any) -> bool:
        return True

    return [
        (Outbox, "cancel_about", cancels_nothing),
        (Outbox, "cancel_to", cancels_nothing),
        (Rights, "allow", allow),
    ]


def _a_week_may_bring_any_number() -> list[Patch]:
    """M11: nobody counts what the bot and facilitators begin."""

    def is_over(self: Attention, member: int, time_zone: str) -> bool:
        return False

    return [(Attention, "is_over", is_over)]


MUTANTS: dict[str, Callable[[], list[Patch]]] = {
    "M1": _dead_owners_rows_wait_again,
    "M2": _timeouts_count_as_not_sent,
    "M3": _timers_are_forgotten_first,
    "M4": _acknowledged_before_the_commit,
    "M5": _repeats_are_not_recognised,
    "M6": list,  # a setting of its own: doubts last 20 seconds, though arrivals may be 60 seconds late
    "M7": _words_in_a_transaction_of_their_own,
    "M8": _lanes_are_not_fenced,
    "M9": _dates_are_those_of_greenwich,
    "M10": _rights_are_not_asked_again,
    "M11": _a_week_may_bring_any_number,
}
SETTINGS: dict[str, dict[str, Any]] = {"M6": {"doubt_lasts": timedelta(seconds=20)}}


@contextmanager
def mutated(name: str | None) -> Iterator[dict[str, Any]]:
    """The bot as this mutant, and what it is built with."""
    patches = [patch.object(*one) for one in (MUTANTS[name]() if name else ())]
    for one in patches:
        one.start()
    try:
        yield SETTINGS.get(name or "", {})
    finally:
        for one in reversed(patches):
            one.stop()
