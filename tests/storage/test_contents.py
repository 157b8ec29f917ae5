"""What is told to many: written once, let go, cancelled, taken back and counted in chunks; and forgotten."""

from datetime import timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from storage import Store, UnitOfWork
from storage.contents import STATES
from storage.lanes import Taken
from storage.outbox import NewRow, outbox
from tests.storage.people import DAY, HOUR, LANE, NOW

LATER = NOW + HOUR
_keys = count(10_000)


def key() -> bytes:
    return next(_keys).to_bytes(16)


def told(unit: UnitOfWork, content: int, people: int, **values: Any) -> list[int]:
    """Rows of a content; their numbers."""
    given: dict[str, Any] = {"lane": LANE, "member_id": None, "cause": "broadcast:1", "released": False} | values
    rows = [
        NewRow(idem=f"bc:{content}:{n}", key=key(), conversation=f"dm:U{n}", content_id=content, **given)
        for n in range(people)
    ]
    unit.outbox.add_many(rows, NOW)
    found = unit.connection.scalars(sa.select(outbox.c.seq).where(outbox.c.content_id == content).order_by("seq"))
    return list(found)


def own_lane(unit: UnitOfWork) -> int:
    taken = unit.lanes.take(LANE, "me", NOW)
    assert isinstance(taken, Taken)
    return taken.held.gen


def send(unit: UnitOfWork, gen: int, limit: int = 100) -> list[int]:
    sent = [one.row.seq for one in unit.claims.claim(LANE, gen, NOW, limit).taken]
    for seq in sent:
        assert unit.claims.settle(seq, gen, "sent", NOW, ref=f"r{seq}")
    return sent


def counted(unit: UnitOfWork, *contents: int) -> dict[str, int]:
    """The states that are not empty; together they are all rows."""
    states = unit.contents.states(contents)
    assert list(states) == list(STATES)
    return {state: n for state, n in states.items() if n}


def test_nothing_leaves_before_it_is_let_go_and_then_chunk_by_chunk(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        english, thai = (unit.contents.add(code, {"text": code}, NOW) for code in ("en", "th"))
        rows = [*told(unit, english, 5), *told(unit, thai, 2)]
        assert unit.claims.release_due(LATER) == 0
        assert unit.claims.next_held() is None
        assert unit.claims.claim(LANE, gen, LATER, 9).taken == ()
        assert counted(unit, english, thai) == {"held": 7}
        unit.woken.clear()
        step = unit.contents.release([english, thai], 0, 3, NOW)
        assert (step.count, step.after) == (3, rows[2])
        assert unit.woken == {LANE}
        assert counted(unit, english, thai) == {"held": 4, "queued": 3}
        last = unit.contents.release([english, thai], rows[2], 30, NOW)
        assert (last.count, last.after) == (4, None)
        first = unit.claims.claim(LANE, gen, NOW, 1).taken[0].row
        assert (first.body, first.content_id) == ({"text": "en"}, english)
        assert counted(unit, english, thai) == {"sending": 1, "queued": 6}

    store.now(job)


def test_what_has_a_moment_of_its_own_waits_for_it_after_it_was_let_go(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        content = unit.contents.add("en", {"text": "morning"}, NOW)
        told(unit, content, 2, at=LATER)
        unit.contents.release([content], 0, 9, NOW)
        assert counted(unit, content) == {"held": 2}
        assert unit.claims.next_held() == LATER
        assert unit.claims.release_due(LATER) == 2
        assert counted(unit, content) == {"queued": 2}

    store.now(job)


def test_whoever_has_a_row_already_gets_no_second_one(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        content = unit.contents.add("en", {"text": "once"}, NOW)
        told(unit, content, 3)
        assert len(told(unit, content, 5)) == 5
        unit.outbox.add_many([], NOW)

    store.now(job)


def test_a_stop_cancels_what_has_not_left_and_a_withdrawal_deletes_what_has(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        content = unit.contents.add("en", {"text": "wrong"}, NOW)
        rows = told(unit, content, 6)
        unit.contents.release([content], 0, 4, NOW)
        assert send(unit, gen) == rows[:4]
        unit.outbox.change(rows[0], idem="e", key=key(), body={"text": "better"}, cause="c", now=NOW)
        assert unit.contents.cancel_of([content], 0, 9, NOW).count == 2
        step = unit.contents.unsay_of([content], 0, 3, NOW, key=key, cause="broadcast:1")
        assert (step.count, step.after) == (3, rows[2])
        assert unit.contents.unsay_of([content], rows[2], 3, NOW, key=key, cause="broadcast:1").after is None
        assert counted(unit, content) == {"sent": 4, "cancelled": 2}
        claimed = unit.claims.claim(LANE, gen, NOW, 9).taken
        assert [(one.row.kind, one.root_ref, one.row.body) for one in claimed] == [
            ("delete", f"r{row}", None) for row in rows[:4]
        ]
        again = unit.contents.unsay_of([content], 0, 9, NOW, key=key, cause="broadcast:1")
        assert again.count == 4  # asked for once more, each is deleted once
        assert unit.claims.claim(LANE, gen, NOW, 9).taken == ()

    store.now(job)


def test_one_message_is_taken_back_before_or_after_it_left_and_is_not_changed_any_more(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        content = unit.contents.add("en", {"text": "x"}, NOW)
        rows = told(unit, content, 2)
        unit.contents.release([content], 0, 1, NOW)
        assert send(unit, gen) == rows[:1]
        for row in rows:
            unit.outbox.unsay(row, idem=f"u{row}", key=key(), cause="c", now=NOW)
            unit.outbox.unsay(row, idem=f"v{row}", key=key(), cause="c", now=NOW)
        assert counted(unit, content) == {"sent": 1, "cancelled": 1}
        assert [one.row.kind for one in unit.claims.claim(LANE, gen, NOW, 9).taken] == ["delete"]
        for row in rows:
            unit.outbox.change(row, idem=f"w{row}", key=key(), body={"text": "late"}, cause="c", now=NOW)
        assert unit.connection.scalar(sa.select(sa.func.count()).where(outbox.c.kind == "edit")) == 0

    store.now(job)


def test_a_press_finds_the_buttons_of_the_content_until_it_is_forgotten(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        content = unit.contents.add("en", {"text": "x", "buttons": [["Yes", "a", "1", "plain"]]}, NOW)
        rows = told(unit, content, 2)
        unit.contents.release([content], 0, 9, NOW)
        assert unit.contents.forget(NOW + 40 * DAY) == 0  # it is on its way yet
        assert send(unit, gen) == rows
        row = unit.outbox.get(rows[0])
        assert row is not None
        by_key = unit.outbox.by_key(row.key)
        assert by_key is not None
        assert by_key.body is not None
        assert by_key.body["buttons"][0][1] == "a"
        assert unit.contents.forget(NOW - timedelta(days=1)) == 0
        assert unit.contents.forget(NOW + 40 * DAY) == 1
        assert unit.contents.body(content) is None
        forgotten = unit.outbox.get(rows[0])
        assert forgotten is not None
        assert forgotten.body is None

    store.now(job)
