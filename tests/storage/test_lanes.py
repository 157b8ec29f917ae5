"""Lanes: one owner at a time by the database's clock, fenced by generations, and what a dead owner leaves behind."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from storage import Store, UnitOfWork
from storage.lanes import LEASE, Held, Other, Taken
from tests.storage.people import LANE, NOW, new_row

SECOND = timedelta(seconds=1)


class Time:
    """The database's clock, which only the test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def time(store: Store) -> Iterator[Time]:
    clock = Time()
    store.time = clock.now
    yield clock
    store.time = None


def take(store: Store, owner: str, *, alone: bool = False) -> Taken | Other:
    return store.now(lambda unit: unit.lanes.take(LANE, owner, NOW, alone=alone))


def taken(store: Store, owner: str, *, alone: bool = False) -> Taken:
    found = take(store, owner, alone=alone)
    assert isinstance(found, Taken)
    return found


def test_a_lane_has_one_owner_until_its_lease_is_over(store: Store, time: Time) -> None:
    first = taken(store, "one")
    assert not first.lapsed
    time.at += 20 * SECOND
    assert take(store, "two") == Other(LEASE - 20 * SECOND)
    time.at += 41 * SECOND
    second = taken(store, "two")
    assert second.lapsed
    assert second.held.gen == first.held.gen + 1
    assert store.now(lambda unit: unit.lanes.hold(LANE, "one", first.held.gen)) is None
    assert not store.now(lambda unit: unit.lanes.keep(LANE, "one", first.held.gen))
    assert isinstance(take(store, "one"), Other)


def test_a_heartbeat_keeps_the_lane_and_giving_it_back_frees_it_at_once(store: Store, time: Time) -> None:
    gen = taken(store, "one").held.gen
    for _ in range(5):
        time.at += 50 * SECOND
        assert store.now(lambda unit: unit.lanes.keep(LANE, "one", gen))
        assert isinstance(take(store, "two"), Other)
    assert store.now(lambda unit: unit.lanes.hold(LANE, "one", gen)) == Held(gen, LEASE)

    def give_back(unit: UnitOfWork) -> set[str]:
        unit.lanes.release(LANE, "one", gen)
        return unit.woken

    assert store.now(give_back) == {LANE}
    assert not taken(store, "two").lapsed


def test_whoever_is_alone_waits_for_no_dead_owner(store: Store, time: Time) -> None:
    taken(store, "killed")
    assert taken(store, "next", alone=True).lapsed


def test_the_rest_that_a_platform_wants_is_known_to_the_next_owner(store: Store, time: Time) -> None:
    gen = taken(store, "one").held.gen
    store.now(lambda unit: unit.lanes.rest(LANE, gen, 600 * SECOND))
    time.at += 100 * SECOND
    assert taken(store, "two").held.rest == 500 * SECOND
    store.now(lambda unit: unit.lanes.rest(LANE, gen, 9000 * SECOND))  # too late: another has the lane
    time.at += 501 * SECOND
    held = store.now(lambda unit: unit.lanes.hold(LANE, "two", gen + 1))
    assert held is not None
    assert held.rest == timedelta(0)


def test_a_row_that_kills_three_owners_fails_and_the_others_are_in_doubt(store: Store, time: Time) -> None:
    row, other = store.now(lambda unit: (new_row(unit, "dm:A"), new_row(unit, "dm:B")))
    failed: list[int] = []
    for death in range(3):
        found = taken(store, "same", alone=True)
        gen = found.held.gen

        def send(unit: UnitOfWork, gen: int = gen) -> None:
            for doubtful in unit.claims.doubtful(LANE, NOW):
                unit.claims.resolve(doubtful.seq, "queued", NOW)
            unit.claims.claim(LANE, gen, NOW, 9)
            unit.claims.settle(other, gen, "sent", NOW, ref="r")

        store.now(send)
        failed += found.failed
        assert failed == [] or death == 3
    last = taken(store, "same", alone=True)
    assert last.failed == [row]
    assert last.doubtful == 0
    found_row = store.now(lambda unit: unit.outbox.get(row))
    assert found_row is not None
    assert found_row.state == "failed"


def test_the_databases_own_clock_is_the_time_of_leases(store: Store) -> None:
    first = store.now(lambda unit: unit.lanes.now())
    assert abs((store.now(lambda unit: unit.lanes.now()) - first).total_seconds()) < 60
    assert first.year >= 2025
    assert isinstance(take(store, "one"), Taken)
    assert isinstance(take(store, "two"), Other)
