"""Inbox, dialogs, invitations, introductions, timers and the audit, each through its own methods."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage import Store, UnitOfWork
from storage.dialogs import Dialog, dialog
from storage.invites import Invite
from tests.storage.people import DAY, HOUR, NOW, new_cohort, new_member

LATER = NOW + HOUR
CODE = bytes(range(32))


def begin(unit: UnitOfWork, member: int, form: str, **answers: str) -> Dialog:
    unit.dialogs.begin(member, form, {"to": 5}, answers, "first", NOW + DAY)
    found = unit.dialogs.open_of(member, NOW)
    assert found is not None
    assert found.form == form
    return found


def invite(unit: UnitOfWork, cohort: int, code: bytes = CODE, **more: object) -> Invite:
    unit.invites.add(cohort, code, "fellow", NOW, NOW + 14 * DAY, prefilled={"name": "Sari"}, **more)  # type: ignore[arg-type]
    found = unit.invites.find(code, NOW)
    assert found is not None
    return found


def test_an_event_is_taken_once_and_its_repeat_gets_the_same_answer(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        assert unit.inbox.accept("telegram:bot", "7", NOW)
        unit.inbox.keep_ack("telegram:bot", "7", {"toast": "Saved.", "problems": {}})
        assert not unit.inbox.accept("telegram:bot", "7", LATER)
        assert unit.inbox.ack("telegram:bot", "7") == {"toast": "Saved.", "problems": {}}
        assert unit.inbox.accept("slack:T1", "7", NOW)  # another platform's 7
        assert unit.inbox.ack("slack:T1", "7") == {}
        assert unit.inbox.ack("slack:T1", "never came") == {}
        assert unit.inbox.accept("slack:T1", "8", LATER, error_id="ab12")
        assert unit.inbox.forget(LATER) == 2
        assert not unit.inbox.accept("slack:T1", "8", LATER)

    store.now(job)


def test_a_second_dialog_parks_the_first_which_comes_back(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me = new_member(unit, new_cohort(unit)).id
        first = begin(unit, me, "joining", name="Sari")
        second = begin(unit, me, "away")
        back = unit.dialogs.end(second)
        assert back is not None
        assert (back.id, back.answers) == (first.id, {"name": "Sari"})
        assert unit.dialogs.open_of(me, NOW) == back
        assert unit.dialogs.end(back) is None
        assert unit.dialogs.open_of(me, NOW) is None

    store.now(job)


def test_the_same_form_begun_again_starts_over(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me, other = (new_member(unit, new_cohort(unit)).id for _ in range(2))
        begin(unit, other, "joining", name="Bat")
        begin(unit, me, "joining", name="Sari")
        assert begin(unit, me, "joining").answers == {}
        assert unit.connection.scalar(sa.select(sa.func.count()).where(dialog.c.member_id == me)) == 1
        unit.dialogs.end_all(me)
        assert unit.dialogs.open_of(me, NOW) is None
        assert unit.dialogs.open_of(other, NOW) is not None

    store.now(job)


def test_an_answer_to_a_question_that_moved_on_is_not_kept(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me = new_member(unit, new_cohort(unit)).id
        seen = begin(unit, me, "joining")
        assert unit.dialogs.move(seen, {"name": "Sari"}, "second", question=4, expires_at=NOW + DAY)
        assert not unit.dialogs.move(seen, {"name": "Bat"}, "second", question=None, expires_at=NOW + DAY)
        now = unit.dialogs.open_of(me, NOW)
        assert now is not None
        assert (now.answers, now.field, now.version, now.question) == ({"name": "Sari"}, "second", 2, 4)
        unit.dialogs.asked(now.id, 9)
        again = unit.dialogs.open_of(me, NOW)
        assert again is not None
        assert again.question == 9

    store.now(job)


def test_a_question_that_nobody_answered_ends(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me = new_member(unit, new_cohort(unit)).id
        begin(unit, me, "joining")
        assert unit.dialogs.open_of(me, NOW + DAY) is None
        assert unit.dialogs.forget(NOW) == 0
        assert unit.dialogs.forget(NOW + DAY) == 1

    store.now(job)


def test_an_invitation_is_used_once_and_its_owner_may_come_again(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        me = new_member(unit, cohort).id
        found = invite(unit, cohort)
        unit.invites.use(found, me)
        unit.invites.use(found, me)  # Start pressed twice
        assert unit.invites.find(CODE, NOW) is None
        assert unit.invites.used_by(CODE, me)
        assert not unit.invites.used_by(CODE, me + 1)
        assert unit.invites.prefilled_for(me) == {"name": "Sari"}
        unit.invites.give_back(me)
        again = unit.invites.find(CODE, NOW)
        assert again is not None
        assert again.uses == 1
        assert unit.invites.prefilled_for(me) == {}

    store.now(job)


def test_wrong_used_expired_and_revoked_codes_look_the_same(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort, other = new_cohort(unit), new_cohort(unit)
        found = invite(unit, cohort)
        assert unit.invites.find(bytes(32), NOW) is None
        assert unit.invites.find(CODE, NOW + 14 * DAY) is None
        assert not unit.invites.change(found.id, other, uses=0)
        assert [one.id for one in unit.invites.open_in(cohort, NOW)] == [found.id]
        assert unit.invites.open_in(other, NOW) == []
        assert unit.invites.change(found.id, cohort, expires_at=NOW + 20 * DAY)
        assert unit.invites.find(CODE, NOW + 14 * DAY) is not None
        assert unit.invites.change(found.id, cohort, uses=0)
        assert unit.invites.find(CODE, NOW) is None

    store.now(job)


def test_older_links_for_the_same_person_stop_working(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        me = new_member(unit, cohort).id
        invite(unit, cohort, for_member=me)
        invite(unit, cohort, code=bytes(32))
        unit.invites.revoke_for(me)
        assert unit.invites.find(CODE, NOW) is None
        assert unit.invites.find(bytes(32), NOW) is not None

    store.now(job)


def test_what_was_prefilled_goes_with_an_expired_invitation(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        found = invite(unit, new_cohort(unit))
        assert unit.invites.forget(NOW) == 0
        assert not unit.wiped
        assert unit.invites.forget(NOW + 15 * DAY) == 1
        assert unit.wiped
        assert unit.invites.forget(NOW + 15 * DAY) == 0
        unit.invites.change(found.id, found.cohort_id, expires_at=NOW + 30 * DAY)
        again = unit.invites.find(CODE, NOW)
        assert again is not None
        assert again.prefilled == {}

    store.now(job)


def test_an_introduction_is_decided_once(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari, bat = (new_member(unit, cohort).id for _ in range(2))
        number = unit.introductions.propose(cohort, sari, bat, {"text": "Meet"}, NOW, NOW + 7 * DAY)
        assert [one.id for one in unit.introductions.waiting_for(bat, NOW)] == [number]
        assert [one.id for one in unit.introductions.open_of(sari)] == [number]
        assert unit.introductions.received_since(bat, NOW) == [NOW]
        assert unit.introductions.received_since(bat, LATER) == []
        assert unit.introductions.decide(number, "accepted", LATER)
        assert not unit.introductions.decide(number, "declined", LATER)
        found = unit.introductions.get(number)
        assert found is not None
        assert (found.state, found.closed_at, found.card) == ("accepted", LATER, {"text": "Meet"})
        assert unit.introductions.open_of(sari) == []
        assert unit.introductions.latest_between(bat, sari) == found
        unit.introductions.change(number, request_message=12)
        changed = unit.introductions.latest_between(sari, bat)
        assert changed is not None
        assert changed.request_message == 12

    store.now(job)


def test_a_no_looks_like_silence_to_the_asker(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari, bat = (new_member(unit, cohort).id for _ in range(2))
        number = unit.introductions.propose(cohort, sari, bat, {}, NOW, NOW + 7 * DAY)
        unit.introductions.decide(number, "declined", LATER)
        assert [one.id for one in unit.introductions.open_of(sari)] == [number]
        assert unit.introductions.waiting_for(bat, NOW) == []
        silent, said_no = ({"asked_at", "closes_at", "cohort_id", "id"},) * 2
        (mine,) = unit.privacy.own_data(sari)["introduction"]
        assert set(mine) - {"card"} == said_no == silent

    store.now(job)


def test_closing_all_withdraws_what_was_asked_and_lets_lapse_what_waits(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari, bat, pilo = (new_member(unit, cohort).id for _ in range(3))
        asked = unit.introductions.propose(cohort, sari, bat, {}, NOW, NOW + 7 * DAY)
        waiting = unit.introductions.propose(cohort, pilo, sari, {}, NOW, NOW + 7 * DAY)
        others = unit.introductions.propose(cohort, pilo, bat, {}, NOW, NOW + 7 * DAY)
        assert {one.id for one in unit.introductions.close_all(sari, LATER)} == {asked, waiting}
        states = [unit.introductions.get(number) for number in (asked, waiting, others)]
        assert [one.state for one in states if one] == ["withdrawn", "declined", "proposed"]
        assert {one.id for one in unit.introductions.open_of(pilo)} == {waiting, others}

    store.now(job)


def test_allies_are_allies_of_each_other_until_they_part(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        sari, bat, pilo = (new_member(unit, cohort).id for _ in range(3))
        unit.introductions.befriend(cohort, sari, bat, NOW, None)
        unit.introductions.befriend(cohort, bat, sari, LATER, None)
        unit.introductions.befriend(cohort, pilo, sari, LATER, None)
        assert unit.introductions.allies_of(sari) == [pilo, bat]
        assert unit.introductions.are_allies(bat, [sari, pilo]) == {sari}
        unit.introductions.part(bat, sari)
        assert unit.introductions.allies_of(sari) == [pilo]
        assert unit.introductions.allies_of(bat) == []

    store.now(job)


def test_timers_come_due_oldest_first_and_can_be_cancelled(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me = new_member(unit, new_cohort(unit)).id
        late = unit.schedules.set_timer("remind", me, LATER, 3)
        soon = unit.schedules.set_timer("close", me, NOW, 3)
        unit.schedules.set_timer("close", me, NOW + DAY, 4)
        assert [one.id for one in unit.schedules.due(NOW)] == [soon]
        assert [one.id for one in unit.schedules.due(LATER)] == [soon, late]
        assert [one.id for one in unit.schedules.due(LATER, 1)] == [soon]
        assert unit.schedules.next_of(me, "close") == NOW
        assert unit.schedules.next_of(me, "erase") is None
        unit.schedules.done(soon)
        unit.schedules.cancel(me, ("remind", "close"), 3)
        assert [one.object for one in unit.schedules.due(NOW + DAY)] == [4]
        unit.schedules.cancel(me, ("close",))
        assert unit.schedules.due(NOW + DAY) == []

    store.now(job)


def test_looks_at_a_profile_are_kept_newest_first(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        staff, me = new_member(unit, cohort, role="facilitator").id, new_member(unit, cohort).id
        for hours in (1, 3, 2):
            unit.audit.note(cohort, staff, "people.look", NOW + timedelta(hours=hours), me)
        unit.audit.note(cohort, staff, "people.lock", NOW, me)
        looks = unit.audit.looks_at(me)
        assert [look.at - NOW for look in looks] == [timedelta(hours=hours) for hours in (3, 2, 1)]
        assert {look.actor_id for look in looks} == {staff}
        assert unit.audit.looks_at(staff) == []
        assert unit.audit.reports_to_operator() == 0
        unit.audit.report(cohort, me, None, "words", NOW)
        unit.audit.report(cohort, me, staff, "words", NOW)
        assert unit.audit.reports_to_operator() == 1

    store.now(job)


def test_only_one_question_can_wait_for_a_member(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me = new_member(unit, new_cohort(unit)).id
        begin(unit, me, "joining")
        begin(unit, me, "away")
        unit.connection.execute(sa.update(dialog).values(parked=False))

    with pytest.raises(sa.exc.IntegrityError):
        store.now(job)
