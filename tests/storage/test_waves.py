"""Check-ins in the database: every query has its index, counts are true, and nobody reads what is not theirs."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from storage import Store, UnitOfWork
from storage.access import Viewer
from storage.base import metadata
from storage.cards import Part
from storage.waves import Wave
from tests.storage.people import DAY, HOUR, NOW, new_cohort, new_member
from tests.storage.test_plans import plans, whole_tables

MANY = 3000
A_DAY = date(2026, 11, 30)


def fill(unit: UnitOfWork) -> tuple[int, list[int]]:
    """A cohort in which everybody was asked, and another one, so that reading everything would be dearer."""
    cohort = new_cohort(unit)
    first = new_member(unit, cohort).id + 1
    everybody = range(first, first + MANY)

    def add(table: str, make: Callable[[int], dict[str, Any]]) -> None:
        unit.connection.execute(sa.insert(metadata.tables[table]), [{"cohort_id": cohort} | make(n) for n in everybody])

    add("member", lambda n: {"id": n, "role": "fellow", "state": "active", "language": "en", "time_zone": "UTC",
        "preset": "careful", "created_at": NOW})  # fmt: skip
    elsewhere = new_cohort(unit)
    others = [
        {"id": first + MANY + n, "cohort_id": elsewhere, "role": "fellow", "state": "left", "language": "en",
         "time_zone": "UTC", "created_at": NOW}
        for n in range(5 * MANY)
    ]  # fmt: skip
    unit.connection.execute(sa.insert(metadata.tables["member"]), others)
    add("account", lambda n: {"member_id": n, "platform": "console", "installation": "test", "external_id": f"U{n}",
        "conversation": f"dm:U{n}", "preferred": True, "created_at": NOW})  # fmt: skip
    add("profile", lambda n: {"member_id": n, "name": "x", "country": "ID" if n % 50 == 0 else "MN"})
    add("consent", lambda n: {"member_id": n, "purpose": "questions", "version": 1, "language": "en", "given": True,
        "at": NOW})  # fmt: skip
    add("member_coalition", lambda n: {"member_id": n, "coalition": f"c{n % 40}", "place": 0})
    add("checkin", lambda n: {"id": n, "maker_id": first, "state": "running", "revision": 1, "words": "x",
        "answer": "text", "options": [], "readers": "facilitators", "audience": {}, "rhythm": {},
        "created_at": NOW})  # fmt: skip
    add("question", lambda n: {"id": n, "checkin_id": n, "revision": 1, "slug": "", "answer": "text", "options": [],
        "readers": "facilitators", "maker_id": first})  # fmt: skip
    add("answer", lambda n: {"member_id": n, "checkin_id": first + n % 30, "question_id": first + n % 30,
        "on_date": A_DAY.isoformat(), "asked_at": NOW, "closes_at": NOW + n % 100 * DAY, "choice": "4",
        "answered_at": NOW if n % 3 else None})  # fmt: skip
    add("card", lambda n: {"member_id": n, "week": A_DAY.isoformat(), "parts": [], "message": n, "opens_at": NOW,
        "closes_at": NOW + n % 100 * DAY})  # fmt: skip
    add("promise", lambda n: {"member_id": n, "words": "x", "state": "open", "made_at": NOW})
    add("stuck", lambda n: {"member_id": n, "what": "x", "readers": "self", "opened_at": NOW,
        "told_to": first + n % 40})  # fmt: skip
    add("silence", lambda n: {"member_id": n, "unanswered": 0, "state": "usual", "rested": False, "chosen": False})
    add("talk", lambda n: {"introduction_id": n, "member_id": n, "other_id": first, "ask_from": NOW, "times": 0,
        "said": "yes" if n % 20 == 0 else None})  # fmt: skip
    add("project", lambda n: {"id": n, "member_id": n, "topics": [], "coalitions": [], "state": "open",
        "blocked": n % 300 == 0})  # fmt: skip
    add("milestone", lambda n: {"id": n, "project_id": n, "title": "x", "status": "started", "blocked": n % 300 == 0,
        "dropped": False})  # fmt: skip
    add("project_update", lambda n: {"project_id": n, "milestone_id": n, "member_id": n, "kind": "stuck",
        "told": True, "at": NOW})  # fmt: skip
    return cohort, list(everybody)


def one_fellow(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    """Everything that a question, an answer and a card do for one member."""
    me = some[5]
    of = unit.checkins.get(some[7])
    assert of is not None
    question = unit.checkins.question_of(of, "pulse-step", "text", "self")
    number = unit.checkins.ask(of, question, me, A_DAY + DAY, NOW, NOW + DAY)
    assert number is not None
    assert unit.checkins.ask(of, question, me, A_DAY + DAY, NOW, NOW + DAY) is None
    assert unit.checkins.was_asked(of.id, me, A_DAY + DAY)
    assert unit.checkins.asked(number, me)
    assert unit.checkins.each_of(of.id, (A_DAY + DAY).isoformat())
    assert unit.checkins.asked(number, some[6]) is None
    assert unit.checkins.last_asked(me)
    assert unit.checkins.record(number, me, words="x", answered_at=NOW)
    assert not unit.checkins.record(number, some[6], words="y")
    unit.checkins.withdraw(number, me)
    found = unit.cards.open(cohort, me, A_DAY + timedelta(days=7), NOW, NOW + 7 * DAY)
    unit.cards.change(found.id, parts=(Part("answering.question", number),), message=1)
    assert unit.cards.recent(me)[0] == unit.cards.get(found.id, me)
    unit.cards.promise(me)
    unit.cards.change_promise(unit.cards.make_promise(cohort, me, "x", None, NOW), me, state="done")
    held = unit.cards.add_stuck(cohort, me, NOW, what="x")
    assert unit.cards.stuck(held, some[6]) is None
    assert unit.cards.open_stuck(me)
    unit.cards.change_stuck(held, me, told_at=NOW)
    unit.cards.free(me, NOW)
    unit.cards.keep_silence(cohort, me, unit.cards.silence(me))
    unit.talks.expect(cohort, 1, me, some[6], NOW)
    waiting = unit.talks.waiting(me, NOW)
    assert waiting is not None
    assert unit.talks.get(waiting.id, some[6]) is None
    unit.talks.change(waiting.id, me, said="yes")
    unit.talks.put_off(1, NOW)
    unit.talks.both_met(1)


def facilitators(unit: UnitOfWork, cohort: int, some: list[int]) -> None:
    """What is listed and counted."""
    unit.checkins.listed(cohort, before=some[100])
    unit.checkins.readable(Viewer(some[0], cohort, facilitator=True), some[7])
    unit.checkins.counted(cohort, some[7], NOW, least=5)
    unit.waves.of_week(cohort, NOW + DAY, NOW + 3 * DAY)
    unit.waves.silent(cohort, NOW + DAY, NOW + 3 * DAY)
    unit.waves.stuck(cohort, some[3])
    unit.talks.connections(cohort)


def test_no_query_of_check_ins_reads_a_whole_table(store: Store) -> None:
    cohort, some = store.now(fill)
    store.now(lambda unit: unit.connection.exec_driver_sql("ANALYZE").close())
    for act in (one_fellow, facilitators):

        def job(unit: UnitOfWork, act: Callable[[UnitOfWork, int, list[int]], None] = act) -> list[Any]:
            with plans(unit) as found:
                act(unit, cohort, some)
            return found

        bad = [(statement, plan) for statement, plan in store.now(job) if whole_tables(plan)]
        assert not bad, "\n\n".join("\n".join([statement, *plan]) for statement, plan in bad)


def test_a_week_is_counted_by_people_and_only_in_its_cohort(store: Store) -> None:
    def job(unit: UnitOfWork) -> tuple[Wave, Wave]:
        cohort, other = new_cohort(unit), new_cohort(unit)
        people = [new_member(unit, cohort).id for _ in range(3)]
        number = unit.checkins.add(
            cohort, people[0], NOW, words="x", answer="text", options=[], readers="self", audience={}, rhythm={}
        )
        of = unit.checkins.get(number)
        assert of is not None
        question = unit.checkins.question_of(of, "", "text", "self")
        for person in people:
            for day in (A_DAY, A_DAY + DAY):
                unit.checkins.ask(of, question, person, day, NOW, NOW + HOUR)
        first = unit.checkins.last_asked(people[0])[0]
        unit.checkins.record(first.id, people[0], words="x", answered_at=NOW)
        skipped = unit.checkins.last_asked(people[1])[0]
        unit.checkins.record(skipped.id, people[1], skipped_at=NOW)
        return tuple(unit.waves.of_week(one, NOW, NOW + DAY) for one in (cohort, other))  # type: ignore[return-value]

    mine, theirs = store.now(job)
    assert mine == Wave(asked=3, answered=1, skipped=1, silent=1, silent_twice=0, late=0)
    assert theirs == Wave(asked=0, answered=0, skipped=0, silent=0, silent_twice=0, late=0)


@pytest.mark.parametrize("readers", ["self", "maker", "facilitators", "cohort", "counts"])
def test_answers_are_given_to_their_readers_alone(store: Store, readers: str) -> None:
    def job(unit: UnitOfWork) -> dict[str, bool]:
        cohort, other = new_cohort(unit), new_cohort(unit)
        maker, staff, me, fellow = (new_member(unit, cohort).id for _ in range(4))
        number = unit.checkins.add(
            cohort, maker, NOW, words="x", answer="text", options=[], readers=readers, audience={}, rhythm={}
        )
        of = unit.checkins.get(number)
        assert of is not None
        asked = unit.checkins.ask(of, unit.checkins.question_of(of, "", "text", readers), me, A_DAY, NOW, NOW + HOUR)
        assert asked is not None
        unit.checkins.record(asked, me, words="secret", answered_at=NOW)
        viewers = {
            "maker": Viewer(maker, cohort, facilitator=True),
            "facilitator": Viewer(staff, cohort, facilitator=True),
            "fellow": Viewer(fellow, cohort),
            "elsewhere": Viewer(maker, other, facilitator=True),
        }
        return {name: bool(unit.checkins.readable(viewer, number)) for name, viewer in viewers.items()}

    assert store.now(job) == {
        "maker": readers in ("maker", "facilitators", "cohort"),
        "facilitator": readers in ("facilitators", "cohort"),
        "fellow": readers == "cohort",
        "elsewhere": False,
    }
