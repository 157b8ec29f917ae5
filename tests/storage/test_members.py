"""Members, accounts and what belongs to them: recognised, locked, counted, on both databases."""

import asyncio
import threading
from datetime import timedelta

import pytest

from storage import Store, UnitOfWork
from storage.access import Viewer
from storage.members import Member, Reachable
from tests.storage.people import DAY, HOUR, NOW, new_cohort, new_fellow, new_member


def test_an_account_is_recognised_and_anybody_elses_is_not(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me = new_member(unit, new_cohort(unit))
        assert unit.members.recognise("console", "test", f"U{me.id}") == (me, f"dm:U{me.id}")
        assert unit.members.recognise("console", "other", f"U{me.id}") is None
        assert unit.members.lock(me.id) == me
        assert unit.members.lock(me.id + 1000) is None
        assert unit.members.recall(me.id + 1000) is None
        unit.members.close_accounts(me.id)
        assert unit.members.recognise("console", "test", f"U{me.id}") is None
        assert unit.members.where(me.id) is None

    store.now(job)


def test_people_are_written_to_where_they_can_be_reached_and_were_last(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        me = new_member(unit, new_cohort(unit))
        unit.members.add_account(me, "telegram", "bot", "T1", "dm:T1", NOW)
        assert unit.members.where(me.id) == Reachable(me.id, "telegram", "bot", "dm:T1", "en", "Asia/Manila", "active")
        unit.members.moved("telegram", "bot", "T1", "dm:T2")
        unit.members.set_reachable("telegram", "bot", "T1", False)
        found = unit.members.where(me.id)
        assert found is not None
        assert found.platform == "console"
        unit.members.set_reachable("telegram", "bot", "T1", True)
        found = unit.members.where(me.id)
        assert found is not None
        assert found.conversation == "dm:T2"

    store.now(job)


@pytest.mark.parametrize("threaded_store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("how", ["recognise", "lock"])
def test_one_persons_events_go_one_after_the_other(threaded_store: Store, how: str) -> None:
    me = threaded_store.now(lambda unit: new_member(unit, new_cohort(unit)))
    inside, order = threading.Event(), []

    def take(unit: UnitOfWork) -> Member | None:
        if how == "lock":
            return unit.members.lock(me.id)
        found = unit.members.recognise("console", "test", f"U{me.id}")
        return found[0] if found else None

    def first(unit: UnitOfWork) -> None:
        take(unit)
        inside.set()
        waited.wait(0.3)
        unit.members.change(me.id, language="th")
        order.append("first")

    def second(unit: UnitOfWork) -> None:
        assert inside.wait(5)
        found = take(unit)
        order.append("second")
        assert found is not None
        assert found.language == "th"  # as the first one left it

    waited = threading.Event()

    async def go() -> None:
        await asyncio.gather(threaded_store.run(first), threaded_store.run(second))

    asyncio.run(go())
    assert order == ["first", "second"]


def test_facilitators_are_known_longest_first_while_they_are_there(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort, other = new_cohort(unit), new_cohort(unit)
        one, two, gone = (new_member(unit, cohort, role="facilitator").id for _ in range(3))
        new_member(unit, cohort)
        new_member(unit, other, role="facilitator")
        unit.members.change(gone, state="left")
        unit.members.change(two, state="paused")
        assert unit.members.facilitators(cohort) == [one, two]

    store.now(job)


def test_tries_are_counted_in_a_window_that_begins_with_the_first(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        count = unit.members.count_try
        assert [count("a", "code", NOW, 3600) for _ in range(3)] == [1, 2, 3]
        assert count("b", "code", NOW, 3600) == 1
        assert count("a", "find", NOW, 3600) == 1
        assert count("a", "code", NOW + HOUR - timedelta(seconds=1), 3600) == 4
        assert unit.members.tries_since("a", "code") == NOW
        assert count("a", "code", NOW + HOUR, 3600) == 1
        assert unit.members.tries_since("a", "code") == NOW + HOUR
        assert unit.members.tries_since("nobody", "code") is None
        assert unit.members.forget_tries(NOW + HOUR) == 2
        assert count("a", "code", NOW + HOUR, 3600) == 2

    store.now(job)


def test_a_window_ends_when_the_clock_is_put_back_but_not_when_two_machines_differ_a_little(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        count = unit.members.count_try
        assert [count("a", "code", NOW, 3600) for _ in range(2)] == [1, 2]
        assert count("a", "code", NOW - timedelta(seconds=30), 3600) == 3
        assert count("a", "code", NOW - HOUR, 3600) == 1
        assert unit.members.tries_since("a", "code") == NOW - HOUR

    store.now(job)


@pytest.mark.parametrize("threaded_store", ["postgresql"], indirect=True)
def test_tries_at_the_same_moment_all_count(threaded_store: Store) -> None:
    async def go() -> list[int]:
        jobs = [threaded_store.run(lambda unit: unit.members.count_try("a", "code", NOW, 3600)) for _ in range(20)]
        return await asyncio.gather(*jobs)

    assert sorted(asyncio.run(go())) == list(range(1, 21))


def test_a_cohort_is_found_by_its_name_in_addresses(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        number = unit.members.add_cohort("asia", "Reform Asia", "id", "Asia/Jakarta")
        assert unit.members.cohort_named("asia") == number
        assert unit.members.cohort_named("africa") is None
        assert unit.members.cohort_defaults(number) == ("Reform Asia", "id", "Asia/Jakarta")

    store.now(job)


def test_facts_about_the_database_are_kept_once(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        assert unit.members.fact("demo") is None
        unit.members.set_fact("demo", "yes")
        unit.members.set_fact("demo", "no")
        assert unit.members.fact("demo") == "no"

    store.now(job)


def test_ended_pauses_are_found(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        ended = new_member(unit, cohort, state="paused", paused_until=NOW)
        new_member(unit, cohort, state="paused", paused_until=NOW + DAY)
        new_member(unit, cohort, state="active", paused_until=NOW)
        assert unit.members.ended_pauses(NOW, 10) == [ended.id]

    store.now(job)


def test_a_profile_is_written_as_it_was_said_and_read_back(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        me = new_fellow(unit, cohort)
        unit.profiles.write_list(cohort, me.id, "topics", ["b", "a", "b"])
        need = unit.profiles.add_wish(cohort, me.id, "need", "b", "a signature")
        unit.profiles.change_wish(me.id, need, text="two signatures")
        offer = unit.profiles.add_wish(cohort, me.id, "offer", "a", None)
        unit.profiles.drop_wish(new_fellow(unit, cohort).id, offer)  # not theirs: nothing happens
        assert [(one.kind, one.text) for one in unit.profiles.wishes(me.id)] == [
            ("need", "two signatures"), ("offer", None),
        ]  # fmt: skip
        unit.projects.write(cohort, me.id, title="Open contracts")
        unit.projects.write(cohort, me.id, goal="all of them")
        mine = unit.projects.mine(me.id)
        assert mine is not None
        assert (mine.title, mine.goal) == ("Open contracts", "all of them")
        own = unit.people(Viewer(me.id, cohort)).own()
        assert (own.topics, own.project, own.needs[0].text) == (("b", "a"), "Open contracts", "two signatures")
        number = unit.profiles.keep_apart(cohort, me.id, sector="media")
        assert [one for one, _ in unit.profiles.aparts(me.id)] == [number]
        unit.profiles.drop_apart(me.id, number)
        assert unit.profiles.aparts(me.id) == []
        assert unit.profiles.consents(me.id)["introductions"] is True

    store.now(job)
