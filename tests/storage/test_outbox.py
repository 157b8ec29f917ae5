"""What the bot says: order, edits, doubt, holding back, cancelling and forgetting, on both databases."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from storage import Store, UnitOfWork
from storage.claims import LONGEST_WAIT, Claimed, waits
from storage.lanes import Taken
from storage.outbox import outbox, outbox_about
from tests.storage.people import DAY, HOUR, LANE, NOW, new_cohort, new_member, new_row

LATER = NOW + HOUR


def own_lane(unit: UnitOfWork) -> int:
    taken = unit.lanes.take(LANE, "me", NOW)
    assert isinstance(taken, Taken)
    return taken.held.gen


def claim(unit: UnitOfWork, gen: int, limit: int = 30) -> list[Claimed]:
    return list(unit.claims.claim(LANE, gen, NOW, limit).taken)


def claimed(unit: UnitOfWork, gen: int, limit: int = 30) -> list[int]:
    return [one.row.seq for one in claim(unit, gen, limit)]


def sent(unit: UnitOfWork, gen: int, seq: int, ref: str = "ref") -> None:
    assert unit.claims.settle(seq, gen, "sent", NOW, ref=ref)


def state(unit: UnitOfWork, seq: int) -> str:
    row = unit.outbox.get(seq)
    assert row is not None
    return row.state


def body(unit: UnitOfWork, seq: int) -> Any:
    row = unit.outbox.get(seq)
    assert row is not None
    return row.body


def edit(unit: UnitOfWork, message: int, text: str, n: int, **more: Any) -> None:
    unit.outbox.change(
        message, idem=f"edit:{message}:{n}", key=f"edit {message} {n}".encode().ljust(16)[:16], body={"text": text},
        cause="test", now=NOW, **more,
    )  # fmt: skip


def edits_of(unit: UnitOfWork, message: int) -> list[tuple[str, Any]]:
    found = unit.connection.execute(
        sa.select(outbox.c.state, outbox.c.body).where(outbox.c.edits == message).order_by(outbox.c.seq)
    )
    return [(row[0], row[1]) for row in found]


def test_one_message_a_conversation_at_a_time_in_their_order(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        first, second = new_row(unit, "dm:A"), new_row(unit, "dm:A")
        other = new_row(unit, "dm:B")
        assert claimed(unit, gen) == [first, other]
        assert claimed(unit, gen) == []
        sent(unit, gen, first)
        assert claimed(unit, gen) == [second]

    store.now(job)


def test_what_is_more_urgent_goes_first_and_not_more_than_asked_for(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        low = new_row(unit, "dm:A", priority=3)
        high = new_row(unit, "dm:B", priority=0)
        elsewhere = new_row(unit, "dm:C", lane="console:other")
        assert claimed(unit, gen, limit=1) == [high]
        assert claimed(unit, gen, limit=0) == []
        assert claimed(unit, gen, limit=5) == [low]
        assert state(unit, elsewhere) == "queued"

    store.now(job)


def test_many_rows_that_wait_for_one_conversation_do_not_hide_the_others(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        first, *_ = [new_row(unit, "dm:A") for _ in range(300)]
        other = new_row(unit, "dm:B")
        assert claimed(unit, gen) == [first, other]

    store.now(job)


def test_a_row_that_was_refused_waits_and_so_do_the_later_ones_of_its_conversation(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        first, second = new_row(unit, "dm:A"), new_row(unit, "dm:A")
        assert claimed(unit, gen) == [first]
        assert unit.claims.settle(first, gen, "queued", NOW, why="no connection", due=LATER)
        assert claimed(unit, gen) == []
        assert [one.row.seq for one in unit.claims.claim(LANE, gen, LATER, 30).taken] == [first]
        row = unit.outbox.get(first)
        assert row is not None
        assert row.attempts == 2
        assert unit.claims.settle(first, gen, "queued", NOW, due=NOW, counted=False)
        assert claimed(unit, gen) == [first]
        assert state(unit, second) == "queued"
        again = unit.outbox.get(first)
        assert again is not None
        assert again.attempts == 2

    store.now(job)


def test_a_message_in_doubt_holds_back_what_follows_but_not_a_reply(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        doubtful = new_row(unit, "dm:A", priority=2)
        assert claimed(unit, gen) == [doubtful]
        assert unit.claims.settle(doubtful, gen, "in_doubt", NOW, why="timeout")
        question = new_row(unit, "dm:A", priority=2)
        assert claimed(unit, gen) == []
        reply = new_row(unit, "dm:A", priority=0)
        assert claimed(unit, gen) == [reply]
        sent(unit, gen, reply)
        assert [row.seq for row in unit.claims.doubtful(LANE, NOW)] == [doubtful]
        assert unit.claims.doubtful(LANE, NOW - HOUR) == []
        unit.claims.resolve(doubtful, "unconfirmed", LATER)
        assert state(unit, doubtful) == "unconfirmed"
        assert claimed(unit, gen) == [question]

    store.now(job)


def test_a_doubt_may_end_found_or_be_sent_once_more(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        found, lost = new_row(unit, "dm:A"), new_row(unit, "dm:B")
        for seq in claimed(unit, gen):
            unit.claims.settle(seq, gen, "in_doubt", NOW)
        unit.claims.resolve(found, "sent", LATER, ref="r1")
        unit.claims.resolve(lost, "queued", LATER, body={"text": "In case this did not reach you: hello"})
        rows = [unit.outbox.get(found), unit.outbox.get(lost)]
        assert rows[0] is not None
        assert rows[1] is not None
        assert (rows[0].state, rows[0].platform_ref) == ("sent", "r1")
        assert (rows[1].state, rows[1].resend_count) == ("queued", 1)
        unit.claims.resolve(found, "queued", LATER)  # no longer in doubt: nothing happens
        assert state(unit, found) == "sent"

    store.now(job)


def test_who_lost_the_lane_cannot_settle_and_what_it_was_sending_is_in_doubt(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        old = own_lane(unit)
        row = new_row(unit)
        assert claimed(unit, old) == [row]
        new = own_lane(unit)
        assert new == old + 1
        assert state(unit, row) == "in_doubt"
        assert not unit.claims.settle(row, old, "sent", NOW, ref="late")
        assert state(unit, row) == "in_doubt"
        unit.claims.resolve(row, "queued", NOW)
        assert claimed(unit, new) == [row]
        assert not unit.claims.settle(row, old, "failed", NOW)  # sending again, and not by the one who asks
        assert state(unit, row) == "sending"
        sent(unit, new, row)

    store.now(job)


def test_a_settled_row_is_not_settled_again(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        row = new_row(unit)
        claim(unit, gen)
        sent(unit, gen, row)
        assert not unit.claims.settle(row, gen, "failed", NOW)
        assert state(unit, row) == "sent"

    store.now(job)


def test_a_press_that_is_faster_than_the_platforms_answer_keeps_the_reference(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        row = new_row(unit)
        claim(unit, gen)
        unit.outbox.arrived(row, NOW)
        assert state(unit, row) == "sent"
        assert unit.claims.settle(row, gen, "sent", NOW, ref="r9")
        edit(unit, row, "changed", 1)
        assert [one.root_ref for one in claim(unit, gen)] == ["r9"]

    store.now(job)


def test_a_press_settles_a_doubt(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        row = new_row(unit)
        claim(unit, gen)
        unit.claims.settle(row, gen, "in_doubt", NOW)
        unit.outbox.arrived(row, NOW)
        assert state(unit, row) == "sent"
        queued = new_row(unit)
        unit.outbox.arrived(queued, NOW)
        assert state(unit, queued) == "queued"

    store.now(job)


def test_an_edit_of_what_has_not_left_overwrites_it_under_a_new_key(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        row = new_row(unit)
        before = unit.outbox.get(row)
        edit(unit, row, "better", 1)
        after = unit.outbox.get(row)
        assert before is not None
        assert after is not None
        assert after.body == {"text": "better"}
        assert before.key != after.key
        assert unit.outbox.by_key(before.key) is None
        assert unit.outbox.by_key(after.key) == after
        assert edits_of(unit, row) == []

    store.now(job)


def test_edits_of_a_sent_message_coalesce_into_one_that_replaces_what_waits(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        row = new_row(unit)
        claim(unit, gen)
        sent(unit, gen, row, "r1")
        for n, text in enumerate(("one", "two", "three")):
            edit(unit, row, text, n)
        assert edits_of(unit, row) == [("queued", {"text": "three"})]
        newest = unit.outbox.newest(row)
        assert newest is not None
        assert newest.message == row
        assert newest.body == {"text": "three"}
        (one,) = claim(unit, gen)
        assert one.root_ref == "r1"
        assert one.row.kind == "edit"
        edit(unit, row, "four", 9)
        assert edits_of(unit, row) == [("sending", {"text": "three"}), ("queued", {"text": "four"})]

    store.now(job)


def test_an_edit_waits_while_its_message_is_sending_and_blocks_nobody(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        row = new_row(unit, "dm:A")
        claim(unit, gen)
        edit(unit, row, "changed", 1)
        assert claim(unit, gen) == []
        sent(unit, gen, row, "r1")
        later = new_row(unit, "dm:A")
        assert [one.row.edits for one in claim(unit, gen)] == [row]
        assert state(unit, later) == "queued"

    store.now(job)


def test_a_message_that_came_back_to_the_queue_says_the_newest_words_once(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        row = new_row(unit)
        claim(unit, gen)
        edit(unit, row, "old edit", 1)
        unit.claims.settle(row, gen, "queued", NOW, due=NOW)
        edit(unit, row, "newest", 2)
        assert body(unit, row) == {"text": "newest"}
        claim(unit, gen)
        sent(unit, gen, row)
        assert claim(unit, gen) == []
        assert [one[0] for one in edits_of(unit, row)] == ["cancelled"]

    store.now(job)


def test_an_edit_of_what_never_arrived_is_cancelled(store: Store) -> None:
    for end in ("failed", "unreachable"):

        def job(unit: UnitOfWork, end: str = end) -> None:
            gen = own_lane(unit)
            row = new_row(unit, f"dm:{end}")
            claim(unit, gen)
            edit(unit, row, "changed", 1)
            unit.claims.settle(row, gen, end, NOW)
            assert claim(unit, gen) == []
            assert [one[0] for one in edits_of(unit, row)] == ["cancelled"]
            edit(unit, row, "again", 2)
            assert len(edits_of(unit, row)) == 1

        store.now(job)


def test_what_is_held_leaves_when_its_time_has_come(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        held = new_row(unit, "dm:A", at=LATER)
        now = new_row(unit, "dm:B", at=NOW)
        assert claimed(unit, gen) == [now]
        unit.woken.clear()
        assert unit.claims.release_due(NOW) == 0
        assert unit.woken == set()
        assert unit.claims.release_due(LATER) == 1
        assert unit.woken == {LANE}
        assert claimed(unit, gen) == [] or state(unit, held) == "queued"
        assert [one.row.seq for one in unit.claims.claim(LANE, gen, LATER, 5).taken] == [held]

    store.now(job)


def test_what_is_too_late_is_not_sent(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        gen = own_lane(unit)
        late = new_row(unit, "dm:A", not_after=NOW - HOUR)
        good = new_row(unit, "dm:A", not_after=LATER)
        assert claimed(unit, gen) == [good]
        assert state(unit, late) == "expired"

    store.now(job)


def test_what_names_or_speaks_for_a_member_is_cancelled_unless_it_is_to_them(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari, bat, pilo = (new_member(unit, cohort).id for _ in range(3))
        names = new_row(unit, member_id=bat, about=(sari, pilo))
        speaks = new_row(unit, member_id=pilo, on_behalf=sari, at=LATER)
        to_herself = new_row(unit, member_id=sari, about=(sari,))
        other = new_row(unit, member_id=bat, about=(pilo,))
        assert unit.outbox.cancel_about(sari, NOW, only_to=bat) == 1
        assert [state(unit, one) for one in (names, speaks)] == ["cancelled", "held"]
        assert unit.outbox.cancel_about(sari, NOW) == 1
        assert [state(unit, one) for one in (speaks, to_herself, other)] == ["cancelled", "queued", "queued"]
        assert unit.outbox.cancel_to(bat, NOW) == 1
        assert state(unit, other) == "cancelled"

    store.now(job)


def test_an_edit_names_whom_its_message_named_and_whom_it_names_itself(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari, bat, pilo = (new_member(unit, cohort).id for _ in range(3))
        gen = own_lane(unit)
        row = new_row(unit, member_id=bat, about=(sari,), on_behalf=sari)
        claim(unit, gen)
        sent(unit, gen, row)
        edit(unit, row, "changed", 1, about=(pilo,))
        edit(unit, row, "again", 2, about=(bat,))
        waiting = unit.connection.scalar(sa.select(outbox.c.seq).where(outbox.c.edits == row))
        named = unit.connection.scalars(
            sa.select(outbox_about.c.member_id).where(outbox_about.c.outbox_seq == waiting)
        ).all()
        assert set(named) == {sari, bat, pilo}
        assert unit.outbox.cancel_about(sari, NOW) == 1

    store.now(job)


def test_old_words_are_wiped_and_those_to_strangers_go_whole(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari = new_member(unit, cohort).id
        gen = own_lane(unit)
        mine, stranger = new_row(unit, "dm:A", member_id=sari), new_row(unit, "dm:B")
        for seq in claimed(unit, gen):
            sent(unit, gen, seq)
        waiting = new_row(unit, "dm:A", member_id=sari)
        assert unit.outbox.wipe(NOW) == 0
        assert unit.outbox.wipe(NOW + DAY) == 2
        assert body(unit, mine) is None
        assert unit.outbox.get(stranger) is None
        assert body(unit, waiting) is not None
        assert unit.outbox.wipe(NOW + DAY) == 0

    store.now(job)


def test_everything_said_to_somebody_can_be_emptied_at_once(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari = new_member(unit, cohort).id
        gen = own_lane(unit)
        said = new_row(unit, member_id=sari)
        claim(unit, gen)
        sent(unit, gen, said)
        waiting = new_row(unit, member_id=sari)
        assert unit.outbox.wipe_to(sari) == 1
        assert body(unit, said) is None
        assert body(unit, waiting) is not None
        assert unit.outbox.depths() == {"queued": 1}

    store.now(job)


def test_a_refused_row_waits_longer_each_time_and_never_more_than_ten_minutes() -> None:
    assert waits(0, 0.5) == timedelta(seconds=2)
    assert waits(3, 0.0) == timedelta(seconds=8)
    assert waits(3, 1.0) == timedelta(seconds=24)
    assert waits(50, 1.0) == LONGEST_WAIT
