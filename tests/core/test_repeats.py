"""Deliveries that come again, some of them to another replica, at the same moment: one effect, and the same answer."""

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from benchmarks._nowhere import Nowhere
from bot.app import build
from bot.content import load
from bot.core.adapter import Ack
from bot.core.clock import SetClock
from bot.core.events import Address, Message, Sender
from bot.core.programme import Programme
from storage import Store, UnitOfWork, open_store
from tests.storage.people import new_cohort, new_member

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
HERE = (Nowhere.name, Nowhere.installation)


def joins(unit: UnitOfWork) -> None:
    me = new_member(unit, new_cohort(unit), account=False)
    unit.members.add_account(me, *HERE, "U1", "dm:U1", NOW)


def effects(unit: UnitOfWork) -> tuple[int, int, int]:
    """Events taken in, replies, and events that have a reply."""
    c = unit.connection
    return (
        int(c.scalar(sa.text("SELECT count(*) FROM inbox")) or 0),
        int(c.scalar(sa.text("SELECT count(*) FROM outbox")) or 0),
        int(c.scalar(sa.text("SELECT count(DISTINCT cause) FROM outbox")) or 0),
    )


@pytest.mark.parametrize("events", [20, pytest.param(500, marks=pytest.mark.long)])
@pytest.mark.parametrize("threaded_store", ["postgresql"], indirect=True)
def test_four_deliveries_to_two_replicas_have_one_effect(
    threaded_store: Store, postgresql_url: str, events: int
) -> None:
    threaded_store.now(joins)
    content = load()
    programme = Programme(content=content, understanding=content.understanding())
    sender, address = Sender(*HERE, "U1", "Sekar", "en"), Address(*HERE, "dm:U1")

    async def go(stores: tuple[Store, Store]) -> None:
        clock = SetClock(NOW)
        replicas = [build(store, programme, [Nowhere()], clock=clock, a_minute=None).dispatcher for store in stores]
        for n in range(events):
            event = Message(id=f"Ev{n}", sender=sender, address=address, text="help")
            found: list[Ack] = await asyncio.gather(*(replicas[m % 2].receive(event) for m in range(4)))
            assert found == [found[0]] * 4

    with contextlib.closing(open_store(postgresql_url)) as other:
        asyncio.run(go((threaded_store, other)))
    assert threaded_store.now(effects) == (events, events, events)
