"""What an operator sees of the outbox and of the lanes: numbers, ages and reasons."""

from datetime import timedelta

import sqlalchemy as sa

from storage import Store, UnitOfWork
from storage.backlog import ENDED_UNWELL
from storage.lanes import LEASE, Taken
from storage.outbox import outbox
from tests.storage.people import DAY, HOUR, LANE, NOW, new_row

ELSEWHERE = "slack:T1"


def set_row(unit: UnitOfWork, seq: int, **values: object) -> None:
    unit.connection.execute(sa.update(outbox).where(outbox.c.seq == seq).values(**values))


def heaps(store: Store) -> set[tuple[str, str, int, int, timedelta]]:
    found = store.now(lambda unit: unit.backlog.heaps(NOW))
    return {(heap.lane, heap.state, heap.priority, heap.count, heap.age) for heap in found}


def test_what_waits_is_counted_by_lane_state_and_urgency_with_its_age(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        for number in range(3):
            new_row(unit, f"dm:{number}", priority=3, now=NOW - number * HOUR)
        new_row(unit, "dm:a", lane=ELSEWHERE)
        new_row(unit, "dm:b", at=NOW + HOUR)
        set_row(unit, new_row(unit, "dm:c", at=NOW + HOUR), due_at=NOW - HOUR)
        set_row(unit, new_row(unit, "dm:d", lane=ELSEWHERE), state="in_doubt", doubt_since=NOW - DAY)
        set_row(unit, new_row(unit, "dm:e"), state="sending", sending_at=NOW - timedelta(seconds=2))
        set_row(unit, new_row(unit, "dm:f"), state="sent")

    store.now(job)
    assert heaps(store) == {
        (LANE, "queued", 3, 3, 2 * HOUR),
        (ELSEWHERE, "queued", 0, 1, timedelta(0)),
        (LANE, "held", 0, 2, HOUR),
        (ELSEWHERE, "in_doubt", 0, 1, DAY),
        (LANE, "sending", 0, 1, timedelta(seconds=2)),
    }
    assert store.now(lambda unit: unit.backlog.doubted(ELSEWHERE, NOW - HOUR)) == 1
    assert store.now(lambda unit: unit.backlog.doubted(ELSEWHERE, NOW - 2 * DAY)) == 0
    assert store.now(lambda unit: unit.backlog.doubted(LANE, NOW)) == 0


def test_an_empty_outbox_has_no_heaps(store: Store) -> None:
    assert heaps(store) == set()


def test_what_ended_unwell_is_counted_and_named_by_its_number_and_reason(store: Store) -> None:
    def job(unit: UnitOfWork) -> list[int]:
        numbers = [new_row(unit, f"dm:{state}") for state in ("failed", "unreachable", "sent", "unconfirmed")]
        set_row(unit, numbers[0], state="failed", last_error="message_too_long", settled_at=NOW - HOUR)
        set_row(unit, numbers[1], state="unreachable", last_error="user_is_blocked", settled_at=NOW)
        set_row(unit, numbers[2], state="sent", settled_at=NOW)
        set_row(unit, numbers[3], state="unconfirmed", settled_at=NOW - 9 * DAY)
        doubted = new_row(unit, "dm:x")
        set_row(unit, doubted, state="in_doubt", doubt_since=NOW, last_error="TimeoutError")
        return [*numbers, doubted]

    failed, _, _, old, doubted = store.now(job)
    since = NOW - 7 * DAY
    counts = store.now(lambda unit: [unit.backlog.ended(state, since) for state in ENDED_UNWELL])
    assert counts == [1, 1, 0]
    (newest,) = store.now(lambda unit: unit.backlog.newest_ended("failed", since))
    assert (newest.seq, newest.why, newest.at) == (failed, "message_too_long", NOW - HOUR)
    (older,) = store.now(lambda unit: unit.backlog.newest_ended("unconfirmed", NOW - 10 * DAY))
    assert older.seq == old
    assert [(row.seq, row.why) for row in store.now(lambda unit: unit.backlog.in_doubt())] == [
        (doubted, "TimeoutError")
    ]


def test_the_lanes_say_who_holds_them_how_long_yet_and_what_they_rest(store: Store) -> None:
    store.time = lambda: NOW
    try:
        taken = store.now(lambda unit: unit.lanes.take(LANE, "me", NOW))
        assert isinstance(taken, Taken)
        gen = taken.held.gen
        store.now(lambda unit: unit.lanes.rest(LANE, gen, timedelta(minutes=5)))
        store.now(lambda unit: unit.lanes.take(ELSEWHERE, "me", NOW))
        store.now(lambda unit: unit.lanes.release(ELSEWHERE, "me", 1))
        store.time = lambda: NOW + timedelta(seconds=20)
        held, free = store.now(lambda unit: unit.lanes.leases())
    finally:
        store.time = None
    assert (held.lane, held.owner) == (LANE, "me")
    assert (held.left, held.rest) == (LEASE - timedelta(seconds=20), timedelta(minutes=4, seconds=40))
    assert (free.lane, free.owner, free.left) == (ELSEWHERE, None, timedelta(0))
