"""Two programs with one database: one sends, the other stands by; a paused one that wakes up changes nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from bot.app import Kawan, build
from bot.core.adapter import Envelope, Outcome, RateLimited, Sent
from bot.core.listening import listen
from bot.core.pacing import Pace
from storage import Store, open_store
from storage.outbox import outbox
from tests.chat import Chat, Person, Screens
from tests.storage.people import new_row

LANE = "console:test"


class Slow(Screens):
    """A platform that answers when it is told to."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat.platform)
        self.begun = 0
        self.answers = asyncio.Event()

    async def send(self, envelope: Envelope) -> Outcome:
        self.begun += 1
        await self.answers.wait()
        return await super().send(envelope)


def replica(chat: Chat, screens: Screens | None = None) -> Kawan:
    """One of several programs."""
    screens = screens or Screens(chat.platform)
    return build(chat.store, chat.programme, [screens], clock=chat.clock, ids=chat.ids, a_minute=None, alone=False)


def waits(chat: Chat, who: Person, **values: object) -> int:
    """A message in line."""
    given = {"lane": LANE, "member_id": who.member, "now": chat.clock.now(), "body": {"text": "hello"}} | values
    return chat.store.now(lambda unit: new_row(unit, f"dm:{who.name}", **given))


def states(chat: Chat) -> list[str]:
    return chat.store.now(lambda unit: list(unit.connection.scalars(sa.select(outbox.c.state).order_by(outbox.c.seq))))


def sent_by(kawan: Kawan) -> list[str]:
    (screens,) = kawan.adapters
    assert isinstance(screens, Screens)
    return [shown.text for screen in screens.seen.values() for shown in screen]


@asynccontextmanager
async def running(kawan: Kawan) -> AsyncIterator[None]:
    """Its relay, until the end of the block."""
    task = asyncio.create_task(kawan.relays[0].run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


class Polled(Screens):
    """A platform that gives its events to one program only."""

    listens_alone, closed = True, False
    listening = 0

    async def run(self, receive: object) -> None:
        Polled.listening += 1
        try:
            await asyncio.Event().wait()
        finally:
            Polled.listening -= 1


def drain(kawan: Kawan) -> None:
    asyncio.run(kawan.relays[0].drain())


def test_one_sends_and_the_other_takes_over_when_it_is_silent_for_a_lease(chat: Chat) -> None:
    sari = chat.joins("Sari")
    first, second = replica(chat), replica(chat)
    waits(chat, sari)
    drain(first)
    waits(chat, sari)
    drain(second)
    assert (sent_by(first), sent_by(second)) == (["hello"], [])
    chat.clock.passes(seconds=61)
    drain(second)
    assert (sent_by(first), sent_by(second)) == (["hello"], ["hello"])
    assert second.figures.of("take_over", "lapsed") == 1
    waits(chat, sari)
    drain(first)
    assert sent_by(first) == ["hello"]
    assert first.figures.of("lease", "lost") == 1


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_stop_gives_the_lane_back_and_the_other_goes_on_at_once(chat: Chat) -> None:
    sari = chat.joins("Sari")
    first, second = replica(chat), replica(chat)

    async def go() -> None:
        async with running(first):
            await until(lambda: first.relays[0].owns)
            waits(chat, sari)
            await until(lambda: sent_by(first))
        async with running(second):
            await until(lambda: second.relays[0].owns)
            waits(chat, sari)
            await until(lambda: sent_by(second))
        assert second.figures.of("take_over", "clean") == 1

    asyncio.run(go())


def test_what_a_paused_owner_learns_after_its_lease_is_not_written(chat: Chat) -> None:
    sari = chat.joins("Sari")
    slow = Slow(chat)
    first, second = replica(chat, slow), replica(chat)
    row = waits(chat, sari, once=True)

    async def go() -> None:
        async with running(first):
            await until(lambda: slow.begun)
            chat.clock.passes(seconds=121)  # it is stopped for twice the lease
            await second.relays[0].drain()
            assert states(chat) == ["in_doubt"]
            slow.answers.set()  # and wakes up with an answer
            await until(lambda: first.figures.of("lease", "lost"))
            assert states(chat) == ["in_doubt"]
            assert first.figures.of("fenced") == 1
            assert isinstance(second.store.now(lambda unit: unit.lanes.hold(LANE, "nobody", 1)), type(None))
        assert states(chat) == ["in_doubt"]

    asyncio.run(go())
    chat.clock.passes(seconds=200)
    drain(second)
    assert states(chat) == ["unconfirmed"]
    assert chat.store.now(lambda unit: unit.outbox.get(row)) is not None


def test_a_stop_while_a_call_is_under_way_writes_its_answer_down(chat: Chat) -> None:
    sari = chat.joins("Sari")
    slow = Slow(chat)
    kawan = replica(chat, slow)
    waits(chat, sari)

    async def go() -> None:
        task = asyncio.create_task(kawan.relays[0].run())
        await until(lambda: slow.begun)
        task.cancel()
        await asyncio.sleep(0.05)
        slow.answers.set()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(go())
    assert states(chat) == ["sent"]


def test_a_refusal_stops_the_lane_for_its_time_over_a_restart_and_replies_go_first(chat: Chat) -> None:
    sari, bat = chat.joins("Sari"), chat.joins("Bat")
    refusing = Screens(chat.platform)
    refusing.outcome = lambda envelope: RateLimited(600)
    first = replica(chat, refusing)
    waits(chat, sari, priority=2, body={"text": "question"})
    drain(first)
    assert states(chat) == ["queued"]
    second = replica(chat)
    chat.clock.passes(seconds=100)
    drain(second)
    waits(chat, bat, priority=0, body={"text": "reply"})
    chat.clock.passes(seconds=490)
    drain(second)
    assert states(chat) == ["queued", "queued"]
    chat.clock.passes(seconds=20)
    order: list[str] = []
    (screens,) = second.adapters
    assert isinstance(screens, Screens)
    screens.outcome = lambda envelope: order.append(envelope.content.text)
    drain(second)
    assert order == ["reply", "question"]
    attempts = chat.store.now(lambda unit: list(unit.connection.scalars(sa.select(outbox.c.attempts))))
    assert attempts == [1, 1]


def test_a_reply_overtakes_what_was_claimed_before_it(chat: Chat) -> None:
    people = [chat.joins(f"P{number}") for number in range(12)]
    order: list[str] = []

    class Paced(Screens):
        pace = Pace(window=30, chat=1.0)

        async def send(self, envelope: Envelope) -> Outcome:
            order.append(envelope.content.text)
            if len(order) == 2:
                waits(chat, people[-1], body={"text": "reply"})
            return Sent("r")

    kawan = replica(chat, Paced(chat.platform))
    for person in people[:-1]:
        waits(chat, person, priority=3, body={"text": "to all"})
    drain(kawan)
    assert len(order) == 12
    assert order.index("reply") <= 4


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_where_only_one_may_listen_it_is_the_owner_of_the_lane(chat: Chat) -> None:
    Polled.listening = 0
    first, second = (replica(chat, Polled(chat.platform)) for _ in range(2))

    async def go() -> None:
        async with running(first):
            tasks = [asyncio.create_task(listen(one.relays[0], one.dispatcher.receive)) for one in (first, second)]
            await until(lambda: Polled.listening)
            chat.clock.passes(seconds=61)
            await second.relays[0].drain()
            first.relays[0].woken(frozenset({LANE}))  # else it learns it with its next heartbeat
            await until(lambda: second.relays[0].owns and first.figures.of("lease", "lost"))
            await asyncio.sleep(0.05)
            assert Polled.listening == 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert Polled.listening == 0

    asyncio.run(go())


@pytest.mark.parametrize("threaded_store", ["postgresql"], indirect=True)
def test_the_owner_is_woken_by_what_another_process_writes(threaded_store: Store, postgresql_url: str) -> None:
    heard: list[frozenset[str]] = []
    threaded_store.on_commit(heard.append)

    async def go() -> None:
        listening = asyncio.create_task(threaded_store.listen())
        await until(lambda: heard)  # it listens: what was told before is asked for
        heard.clear()
        with contextlib.closing(open_store(postgresql_url, inline=True)) as other:
            other.now(lambda unit: new_row(unit))
        await until(lambda: heard)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(go())
    assert heard == [frozenset({LANE})]
