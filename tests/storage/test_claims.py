"""What is asked again when a message is about to leave: rights, consent, hours, the weekly cap; allowed and refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.adapter import Absent, Sent
from bot.core.doubts import Doubts
from storage import Store, UnitOfWork
from storage.attention import Limits, over_cap
from storage.claims import Claim
from storage.lanes import DEATHS, Taken
from storage.members import Member
from tests.storage.people import DAY, HOUR, LANE, Said, new_cohort, new_fellow, new_row

MONDAY = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # 11:00 in Manila
NIGHT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # 22:00 there
MORNING = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
NEXT_CARD = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
LATER = MONDAY + HOUR


class People:
    """Two fellows of one cohort, and a lane to write to them."""

    def __init__(self, unit: UnitOfWork) -> None:
        self.unit = unit
        self.cohort = new_cohort(unit)
        self.sari = self.fellow(country="ID", sector="government", side="buyer")
        self.bat = self.fellow(country="MN")
        taken = unit.lanes.take(LANE, "me", MONDAY)
        assert isinstance(taken, Taken)
        self.gen = taken.held.gen

    def fellow(self, cohort: int | None = None, role: str = "fellow", **said: Any) -> Member:
        return new_fellow(self.unit, cohort or self.cohort, Said(**said), role=role)

    def claim(self, now: datetime = LATER, limits: Limits | None = None, limit: int = 30) -> Claim:
        return self.unit.claims.claim(LANE, self.gen, now, limit, limits=limits or Limits())

    def claimed(self, now: datetime = LATER, limits: Limits | None = None) -> list[int]:
        return [one.row.seq for one in self.claim(now, limits).taken]

    def to(self, whom: Member, **values: Any) -> int:
        return new_row(self.unit, f"dm:U{whom.id}", **{"member_id": whom.id, "now": MONDAY} | values)

    def state(self, seq: int) -> str:
        row = self.unit.outbox.get(seq)
        assert row is not None
        return row.state


Change = Callable[[People], None]


def hides(people: People) -> None:
    people.unit.outbox.cancel_about(people.sari.id, LATER)
    people.unit.members.change(people.sari.id, preset="hidden")


def leaves(people: People) -> None:
    people.unit.members.change(people.sari.id, state="left")


def is_locked(people: People) -> None:
    people.unit.members.change(people.sari.id, state="locked")


def keeps_apart(people: People) -> None:
    people.unit.profiles.keep_apart(people.cohort, people.sari.id, other=people.bat.id)


def is_kept_apart(people: People) -> None:
    people.unit.profiles.keep_apart(people.cohort, people.bat.id, sector="government")


def bids_where_the_other_buys(people: People) -> None:
    people.unit.profiles.write(people.cohort, people.bat.id, country="ID", side="bidder")


def is_left_by_the_reader(people: People) -> None:
    people.unit.members.change(people.bat.id, state="locked")


@pytest.mark.parametrize(
    "change", [hides, leaves, is_locked, keeps_apart, is_kept_apart, bids_where_the_other_buys, is_left_by_the_reader]
)
@pytest.mark.parametrize("how", ["about", "on_behalf"])
def test_what_was_in_doubt_and_comes_back_is_not_sent_when_its_right_is_gone(
    store: Store, change: Change, how: str
) -> None:
    def job(unit: UnitOfWork, changed: bool) -> None:
        people = People(unit)
        named: dict[str, Any] = {"about": (people.sari.id,)} if how == "about" else {"on_behalf": people.sari.id}
        row = people.to(people.bat, once=True, priority=0, **named)
        bystander = people.to(people.fellow(), about=(people.fellow().id,))
        assert people.claimed() == [row, bystander]
        unit.claims.settle(row, people.gen, "in_doubt", LATER)
        if changed:
            change(people)
        unit.claims.resolve(row, "queued", LATER)
        refused = changed and not (change is is_left_by_the_reader and how == "about")
        assert people.claimed(LATER + HOUR) == ([] if refused else [row])
        assert people.state(row) == ("cancelled" if refused else "sending")

    for changed in (False, True):
        store.now(lambda unit, changed=changed: job(unit, changed))  # type: ignore[misc]


def test_nothing_crosses_cohorts_and_nobody_is_told_of_themselves_in_vain(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        stranger = people.fellow(new_cohort(unit))
        across = people.to(people.bat, about=(stranger.id,))
        own = people.to(people.sari, about=(people.sari.id,))
        assert people.claimed() == [own]
        assert people.state(across) == "cancelled"

    store.now(job)


def test_a_reply_reaches_somebody_who_has_just_locked_their_account_and_a_question_does_not(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        unit.members.change(people.sari.id, state="locked")
        ok, question = people.to(people.sari), people.to(people.sari, priority=2)
        assert people.claimed() == [ok]
        unit.claims.settle(ok, people.gen, "sent", LATER, ref="r")
        assert people.claimed() == []
        assert people.state(question) == "cancelled"

    store.now(job)


def test_what_was_on_its_way_when_somebody_locked_their_account_does_not_come_again(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        found = people.to(people.sari)
        assert people.claimed() == [found]
        unit.outbox.cancel_about(people.sari.id, LATER)
        unit.members.change(people.sari.id, state="locked")
        ok = people.to(people.sari, now=LATER)
        unit.claims.settle(found, people.gen, "in_doubt", LATER)
        unit.claims.resolve(found, "queued", LATER)
        assert people.claimed() == []  # the old one was first in line, and ended
        assert people.state(found) == "cancelled"
        assert people.claimed() == [ok]

    store.now(job)


def test_a_facilitator_may_be_told_of_everybody_and_writes_to_many_only_while_being_one(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        mirela = people.fellow(role="facilitator")
        keeps_apart(people)
        told = people.to(mirela, about=(people.sari.id, people.bat.id))
        content = unit.contents.add("en", {"text": "to all"}, MONDAY)
        first = people.to(people.sari, body=None, content_id=content, on_behalf=mirela.id, priority=3)
        second = people.to(people.bat, body=None, content_id=content, on_behalf=mirela.id, priority=3)
        assert [one.row.body for one in people.claim(limit=2).taken][1] == {"text": "to all"}
        assert [people.state(row) for row in (told, first, second)] == ["sending", "sending", "queued"]
        unit.members.change(mirela.id, role="fellow")
        assert people.claimed() == []
        assert people.state(second) == "cancelled"

    store.now(job)


def test_a_question_is_sent_only_to_those_who_agreed_to_be_asked(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        unit.profiles.give_consent(people.cohort, people.bat.id, {"questions": False}, 1, "en", MONDAY)
        asked, spared = (people.to(one, priority=2, purpose="questions") for one in (people.sari, people.bat))
        assert people.claimed() == [asked]
        assert people.state(spared) == "cancelled"

    store.now(job)


def test_at_night_questions_wait_for_the_morning_and_replies_do_not(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        rows = [people.to(people.sari, priority=priority) for priority in (0, 1)]
        question = people.to(people.bat, priority=2)
        unit.members.change(people.fellow().id, hours="00:00-00:00 1234567")
        owl = people.fellow()
        unit.members.change(owl.id, hours="20:00-23:00 1")
        late = people.to(owl, priority=3)
        assert people.claimed(NIGHT) == [rows[0], late]
        unit.claims.settle(rows[0], people.gen, "sent", NIGHT, ref="r")
        assert people.claimed(NIGHT) == [rows[1]]
        assert people.state(question) == "held"
        assert unit.claims.next_held() == MORNING
        assert unit.claims.release_due(MORNING) == 1
        assert people.claimed(MORNING) == [question]

    store.now(job)


def test_a_message_that_ended_the_program_counts_since_it_may_have_arrived(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people, once = People(unit), Limits(weekly_cap=1)
        deadly = people.to(people.sari, priority=2, counted=True, cause="c1")
        for owner in range(DEATHS):
            assert people.claimed(limits=once) == [deadly]
            taken = unit.lanes.take(LANE, f"next{owner}", LATER, alone=True)
            assert isinstance(taken, Taken)
            people.gen = taken.held.gen
            if owner < DEATHS - 1:
                unit.claims.resolve(deadly, "queued", LATER)
        assert people.state(deadly) == "failed"
        people.to(people.sari, priority=2, counted=True, cause="c2")
        assert people.claimed(limits=once) == []
        assert unit.claims.next_held() == NEXT_CARD

    store.now(job)


def test_a_message_that_was_refused_when_it_was_sent_once_more_counts_since_it_may_have_arrived(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people, once = People(unit), Limits(weekly_cap=1)
        asked = people.to(people.sari, priority=2, counted=True, cause="c1")
        assert people.claimed(limits=once) == [asked]
        unit.claims.settle(asked, people.gen, "in_doubt", LATER)
        unit.claims.resolve(asked, "queued", LATER)
        assert people.claimed(limits=once) == [asked]
        unit.claims.settle(asked, people.gen, "failed", LATER)
        people.to(people.sari, priority=2, counted=True, cause="c2")
        assert people.claimed(limits=once) == []

    store.now(job)


def test_the_fourth_message_of_a_week_waits_for_the_card(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        for number in range(5):
            people.to(people.sari, priority=2, counted=True, cause=f"c{number}")
            people.to(people.sari, priority=2, counted=True, cause=f"c{number}")  # the second part of the same
        free = people.to(people.bat, priority=2, counted=True)
        sent = []
        for _ in range(12):
            for row in people.claimed():
                unit.claims.settle(row, people.gen, "sent", LATER, ref="r")
                sent.append(row)
        assert len(sent) == 7
        assert free in sent
        assert unit.claims.next_held() == NEXT_CARD
        assert list(over_cap(unit.connection, {people.sari.id: "Asia/Manila", people.bat.id: "Asia/Manila"}, LATER,
                             Limits())) == [people.sari.id]  # fmt: skip
        urgent = people.to(people.sari, priority=1)
        assert people.claimed() == [urgent]
        assert unit.claims.release_due(NEXT_CARD) == 4
        unit.claims.settle(urgent, people.gen, "sent", LATER, ref="r")
        assert len(people.claimed(NEXT_CARD)) == 1

    store.now(job)


def test_whoever_is_away_gets_no_question_until_they_are_back(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        unit.members.change(people.sari.id, state="paused", paused_until=MONDAY + 2 * DAY)
        unit.members.change(people.bat.id, state="paused", paused_until=None)
        rows = [people.to(one, priority=2) for one in (people.sari, people.bat)]
        assert people.claimed() == []
        assert [people.state(row) for row in rows] == ["held", "held"]
        assert unit.claims.next_held() == MONDAY + 2 * DAY
        assert unit.claims.release_due(NEXT_CARD) == 2
        unit.members.change(people.sari.id, state="active", paused_until=None)
        assert people.claimed(NEXT_CARD) == [rows[0]]

    store.now(job)


def test_many_that_may_not_leave_now_do_not_stop_one_that_may(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        sleeping = [people.to(people.fellow(), priority=2, lane=LANE) for _ in range(90)]
        owl = people.fellow()
        unit.members.change(owl.id, hours="20:00-23:00 1")
        awake = people.to(owl, priority=3)
        assert [one.row.seq for one in people.claim(NIGHT, limit=2).taken] == [awake]
        assert {people.state(row) for row in sleeping} == {"held"}

    store.now(job)


def test_what_an_owner_claimed_without_knowing_it_goes_back_into_line(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        row, known = people.to(people.sari), people.to(people.bat)
        assert people.claimed() == [row, known]
        found = unit.claims.claim(LANE, people.gen, LATER, 9, in_hand={known})
        assert [one.row.seq for one in found.taken] == [row]
        again = unit.outbox.get(row)
        assert again is not None
        assert again.attempts == 1

    store.now(job)


@pytest.mark.parametrize("how", ["refused", "in doubt", "unknown to its owner"])
@pytest.mark.parametrize("deletes", [False, True])
def test_a_change_that_comes_back_gives_way_to_a_newer_one_and_a_deletion_does_not(
    store: Store, how: str, deletes: bool
) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        message = people.to(people.sari)
        people.claim()
        unit.claims.settle(message, people.gen, "sent", LATER, ref="r")
        words: dict[str, Any] = {"cause": "test", "now": LATER}
        if deletes:
            unit.outbox.unsay(message, idem="older", key=b"o" * 16, **words)
        else:
            unit.outbox.change(message, idem="older", key=b"o" * 16, body={"text": "older"}, **words)
        [older] = people.claimed()
        new_row(unit, f"dm:U{people.sari.id}", member_id=people.sari.id, edits=message, now=LATER)
        newer = older + 1
        if how == "refused":
            unit.claims.settle(older, people.gen, "queued", LATER, due=LATER)
        elif how == "in doubt":
            unit.claims.settle(older, people.gen, "in_doubt", LATER)
            unit.claims.resolve(older, "queued", LATER)
        else:
            unit.claims.claim(LANE, people.gen, LATER, 9, in_hand=())
        stays, ends = (older, newer) if deletes else (newer, older)
        assert people.state(ends) == "cancelled"
        assert people.state(stays) in ("queued", "sending")

    store.now(job)


def test_a_conversation_that_rests_is_passed_over_and_said_to_be(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        people.to(people.sari)
        other = people.to(people.bat)
        found = unit.claims.claim(LANE, people.gen, LATER, 9, resting={f"dm:U{people.sari.id}"})
        assert [one.row.seq for one in found.taken] == [other]
        assert found.rests

    store.now(job)


def test_changes_beyond_those_of_the_minute_wait_and_hold_nobody_back(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        said = [people.to(whom) for whom in (people.sari, people.bat)]
        for row in said:
            people.claim()
            unit.claims.settle(row, people.gen, "sent", LATER, ref=f"D/{row}")
        changes = [people.to(whom, edits=row) for whom, row in zip((people.sari, people.bat), said, strict=True)]
        new = [people.to(whom) for whom in (people.sari, people.bat)]

        def claimed(left: int) -> tuple[list[int], bool]:
            found = unit.claims.claim(LANE, people.gen, LATER, 9, left={"edit": left})
            for one in found.taken:
                unit.claims.settle(one.row.seq, people.gen, "sent", LATER, ref="D/1")
            return [one.row.seq for one in found.taken], found.rests

        assert claimed(1) == ([changes[0], new[1]], True)
        assert claimed(0) == ([new[0]], True)
        assert claimed(1) == ([changes[1]], False)

    store.now(job)


def test_erased_words_are_not_sent_as_nothing(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people = People(unit)
        row = people.to(people.bat, about=(people.sari.id,))
        people.claim()
        unit.claims.settle(row, people.gen, "in_doubt", LATER)
        unit.privacy.erase(people.sari.id)
        unit.claims.resolve(row, "queued", LATER + timedelta(minutes=5))
        assert people.claimed(LATER + HOUR) == []
        assert people.state(row) == "cancelled"

    store.now(job)


def test_a_slow_answer_about_an_earlier_doubt_does_not_end_a_later_one(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        people, doubts = People(unit), Doubts(tells=True)
        row = people.to(people.bat)
        people.claimed()
        unit.claims.settle(row, people.gen, "in_doubt", LATER)
        (earlier,) = unit.claims.doubtful(LANE, LATER)
        over = LATER + timedelta(minutes=4)
        slow, quick = (earlier, over), (earlier, over)
        doubts.answered(unit, quick, Absent(), over)
        assert people.claimed(over) == [row]
        unit.claims.settle(row, people.gen, "in_doubt", over)
        doubts.answered(unit, slow, Absent(), over)
        assert people.state(row) == "in_doubt"
        doubts.answered(unit, slow, Sent("D/1"), over)
        assert people.state(row) == "sent"

    store.now(job)
