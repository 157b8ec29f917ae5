"""Thirty minutes of refusals, in simulated time: the lane sleeps as it is told, loses nothing, and then makes up."""

import asyncio
import random

import pytest
import sqlalchemy as sa

from bot.adapters.telegram.adapter import PACE
from bot.core.adapter import Absent, Envelope, Outcome, RateLimited, Sent
from bot.core.ids import RandomIds
from bot.core.relay import Relay
from storage import Store
from storage.outbox import outbox
from tests.simulation.loop import LoopClock, VirtualLoop, run_in
from tests.storage.people import new_row

STORM = 1800.0
MESSAGES = 450
TOOK = 0.05


class Stormy:
    """Refuses every call until the storm is over, each time for one second to ten minutes; then takes what it gets."""

    name, lane, pace = "console", "console:test", PACE
    trouble = None

    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self._loop, self._draw = loop, random.Random(seed)
        self._until = 0.0
        self.in_vain = 0  # calls of the window now
        self.most_in_vain = 0
        self.taken: list[tuple[float, str]] = []

    async def send(self, envelope: Envelope) -> Outcome:
        now = self._loop.time()
        await asyncio.sleep(TOOK)
        if now < self._until:
            self.in_vain += 1
            self.most_in_vain = max(self.most_in_vain, self.in_vain)
            return RateLimited(self._until - now)
        if now < STORM:
            self._until, self.in_vain = now + self._draw.choice((1, 3, 30, 600)), 1
            return RateLimited(self._until - now)
        self.taken.append((now, envelope.content.text))
        return Sent(envelope.key)

    async def look_up(self, envelope: Envelope) -> Absent:
        return Absent()


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 2))])
def test_a_storm_of_refusals_is_slept_through_and_replies_go_first(store: Store, seed: int) -> None:
    loop = VirtualLoop()
    clock, stormy = LoopClock(loop), Stormy(loop, seed)
    store.time = clock.now
    for n in range(MESSAGES):
        body, priority = ({"text": "reply"}, 0) if n % 30 == 29 else ({"text": "to all"}, 3)
        store.now(lambda unit, n=n, body=body, priority=priority: new_row(  # type: ignore[misc]
            unit, f"dm:{n}", lane=stormy.lane, now=clock.now(), body=body, priority=priority))  # fmt: skip
    relay = Relay(stormy, store, clock, RandomIds(), {}, alone=True)  # type: ignore[arg-type]

    async def go() -> None:
        sending = asyncio.create_task(relay.run())
        while loop.time() < STORM + 700:
            await asyncio.sleep(10)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    run_in(loop, go)
    assert store.now(lambda unit: set(unit.connection.scalars(sa.select(outbox.c.state)))) == {"sent"}
    assert len(stormy.taken) == MESSAGES
    assert stormy.most_in_vain <= 2
    assert {text for _, text in stormy.taken[: MESSAGES // 30]} == {"reply"}
    first, last = stormy.taken[0][0], stormy.taken[-1][0]
    assert MESSAGES / (30 * (last - first)) >= 0.9
