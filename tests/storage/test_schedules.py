"""Schedules in the database: claims, pages, the key that asks once, zones, what is put off, holidays, outages."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from bot.domain.recurrence import RefusedRule
from storage import Store, UnitOfWork, open_store
from storage.outages import Outage
from storage.recurring import MOST_TRIES, occurrence, schedule_zone
from tests.storage.people import HOUR, NOW, new_cohort, new_fellow, new_member

DAILY, NINE = "FREQ=DAILY", time(9)
TODAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 24, 1, tzinfo=UTC)  # 09:00 in Manila
DAY = timedelta(days=1)


def add(unit: UnitOfWork, cohort: int, **more: object) -> int:
    return unit.recurring.add(cohort, "ask", DAILY, NINE, TODAY, NOW, object=5, **more)  # type: ignore[arg-type]


def planned(unit: UnitOfWork, cohort: int, **more: object) -> int:
    """A schedule whose zones have their next date."""
    number = add(unit, cohort, **more)
    assert unit.recurring.claim(NOW) is None
    return number


def ask_all(unit: UnitOfWork, now: datetime, limit: int = 500) -> list[tuple[str, list[int]]]:
    """Claim, ask and go on until nothing is due."""
    found = []
    while (claim := unit.recurring.claim(now)) is not None:
        page = unit.recurring.page(claim, limit)
        new = unit.recurring.take(claim.schedule, claim.fire.key, page, late=False)
        found.append((claim.fire.key, [one.member.id for one in new]))
        unit.recurring.go_on(claim, page[-1].member.id if len(page) == limit else None)
    return found


def test_a_date_is_claimed_page_by_page_and_each_member_once(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        people = [new_member(unit, cohort).id for _ in range(5)]
        number = planned(unit, cohort)
        assert unit.recurring.claim(MORNING - timedelta(seconds=1)) is None
        assert ask_all(unit, MORNING, limit=2) == [
            ("2026-11-24", people[:2]),
            ("2026-11-24", people[2:4]),
            ("2026-11-24", people[4:]),
        ]
        assert ask_all(unit, MORNING) == []
        assert unit.recurring.asked(number, "2026-11-24") == people
        assert unit.recurring.asked(number, "2026-11-24", after=people[2], limit=1) == [people[3]]
        assert unit.recurring.count(number, "2026-11-24") == (5, 0)

    store.now(job)


def test_who_was_asked_is_not_asked_again_when_the_dates_are_worked_out_anew(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        first = new_member(unit, cohort).id
        planned(unit, cohort)
        ask_all(unit, MORNING)
        second = new_member(unit, cohort).id
        unit.recurring.plan_anew()
        assert unit.recurring.claim(MORNING - HOUR) is None
        assert ask_all(unit, MORNING) == [("2026-11-24", [second])]
        assert first != second

    store.now(job)


def test_only_members_of_the_cohort_who_are_there_and_agreed_are_in_a_page(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort, other = new_cohort(unit), new_cohort(unit)
        wanted = new_fellow(unit, cohort)
        new_fellow(unit, cohort, agreed=False)
        new_fellow(unit, cohort, state="paused")
        new_fellow(unit, cohort, state="leaving")
        new_fellow(unit, cohort, role="facilitator")
        new_fellow(unit, cohort, account=False)
        new_fellow(unit, cohort, time_zone="Asia/Jakarta")
        new_fellow(unit, other)
        planned(unit, cohort, role="fellow", purpose="questions")
        claim = unit.recurring.claim(MORNING)
        assert claim is not None
        page = unit.recurring.page(claim, 100)
        assert [one.member for one in page] == [wanted]
        assert (page[0].platform, page[0].conversation) == ("console", f"dm:U{wanted.id}")
        assert unit.recurring.page(claim, 100, closed=("ID",)) == []
        assert unit.recurring.page(claim, 100, closed=("PH",)) == page

    store.now(job)


def test_a_zone_whose_last_date_was_asked_is_over(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        new_member(unit, cohort)
        planned(unit, cohort, until=date(2026, 11, 25))
        assert [key for key, _ in ask_all(unit, MORNING)] == ["2026-11-24"]
        assert [key for key, _ in ask_all(unit, MORNING + 30 * DAY)] == ["2026-11-25"]
        assert unit.connection.scalar(sa.select(schedule_zone.c.next_at)) is None

    store.now(job)


def test_a_mover_is_asked_where_the_date_is_still_to_come(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        mover = new_member(unit, cohort, time_zone="Asia/Jakarta").id
        stays = new_member(unit, cohort, time_zone="Asia/Manila").id
        number = planned(unit, cohort)
        assert ask_all(unit, MORNING) == [("2026-11-24", [stays])]
        unit.members.change(mover, time_zone="Asia/Manila")
        assert unit.recurring.waiting(MORNING, 10) == []
        (waiting,) = unit.recurring.waiting(MORNING + HOUR, 10)
        assert (waiting.schedule.id, waiting.key, waiting.members) == (number, "2026-11-24", (mover,))
        assert [one.member.id for one in unit.recurring.again(waiting)] == [mover]
        assert unit.recurring.waiting(MORNING + HOUR, 10) == []
        unit.members.change(mover, time_zone="Asia/Jakarta")
        assert ask_all(unit, MORNING + HOUR) == [("2026-11-24", [])]

    store.now(job)


def test_a_mover_into_the_midst_of_a_zones_pages_is_not_left_out(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        mover = new_member(unit, cohort, time_zone="Asia/Jakarta").id
        people = [new_member(unit, cohort).id for _ in range(3)]
        planned(unit, cohort)
        claim = unit.recurring.claim(MORNING)
        assert claim is not None
        page = unit.recurring.page(claim, 2)
        unit.recurring.take(claim.schedule, claim.fire.key, page, late=False)
        unit.recurring.go_on(claim, page[-1].member.id)
        unit.members.change(mover, time_zone="Asia/Manila")
        assert ask_all(unit, MORNING) == [("2026-11-24", people[2:])]
        assert [one.members for one in unit.recurring.waiting(MORNING + HOUR, 10)] == [(mover,)]

    store.now(job)


def test_who_was_put_off_waits_until_then_and_is_given_up_at_last(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        one = new_member(unit, cohort).id
        number = planned(unit, cohort)
        ask_all(unit, MORNING)
        for tried in range(MOST_TRIES):
            unit.recurring.put_off(number, "2026-11-24", [one], MORNING + HOUR)
            assert unit.recurring.waiting(MORNING, 10) == []
            (waiting,) = unit.recurring.waiting(MORNING + HOUR, 10)
            assert waiting.tries == tried + 1
        unit.recurring.put_off(number, "2026-11-24", [one], MORNING + HOUR)
        assert unit.recurring.waiting(MORNING + DAY, 10) == []

    store.now(job)


def test_who_was_put_off_is_not_asked_when_a_newer_date_has_come_or_the_schedule_rests(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        one = new_member(unit, cohort).id
        number = planned(unit, cohort)
        ask_all(unit, MORNING)
        unit.recurring.put_off(number, "2026-11-24", [one], MORNING + 2 * DAY)
        ask_all(unit, MORNING + DAY)
        (waiting,) = unit.recurring.waiting(MORNING + 2 * DAY, 10)
        assert unit.recurring.again(waiting) == []
        unit.recurring.put_off(number, "2026-11-25", [one], MORNING + 2 * DAY)
        unit.recurring.pause(number)
        assert unit.recurring.waiting(MORNING + 2 * DAY, 10) == []

    store.now(job)


def test_erasing_a_member_takes_their_dates_along_and_dropping_a_schedule_all(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        one, other = new_member(unit, cohort).id, new_member(unit, cohort).id
        number = planned(unit, cohort)
        ask_all(unit, MORNING)
        unit.privacy.erase(one)
        assert unit.recurring.asked(number, "2026-11-24") == [other]
        unit.recurring.drop(number)
        assert unit.recurring.get(number) is None
        left = sa.select(sa.func.count()).select_from(occurrence).where(occurrence.c.schedule_id == number)
        assert unit.connection.scalar(left) == 0

    store.now(job)


def test_a_refused_rule_leaves_nothing(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        with pytest.raises(RefusedRule):
            unit.recurring.add(cohort, "ask", "FREQ=MINUTELY", NINE, TODAY, NOW)
        assert unit.recurring.of(cohort, "ask") == []
        number = add(unit, cohort, every_minute=True)
        with pytest.raises(RefusedRule):
            unit.recurring.change(number, rrule="FREQ=HOURLY", local_time=NINE, starts=TODAY)
        (found,) = unit.recurring.of(cohort, "ask", 5)
        assert (found.id, found.rrule) == (number, "FREQ=MINUTELY")

    store.now(job)


def test_facilitators_changes_of_the_calendar_are_kept_and_taken_back(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort, other = new_cohort(unit), new_cohort(unit)
        mirela = new_member(unit, cohort, role="facilitator").id
        unit.holidays.change(cohort, "PH", TODAY, "Team day", mirela, NOW)
        unit.holidays.change(cohort, "PH", TODAY, "Our day", mirela, NOW)
        unit.holidays.change(cohort, "ID", TODAY, None, mirela, NOW)
        assert unit.holidays.changes(cohort) == {"PH": {TODAY: "Our day"}, "ID": {TODAY: None}}
        assert unit.holidays.changes(other) == {}
        unit.privacy.erase(mirela)
        assert unit.holidays.changes(cohort)["PH"] == {TODAY: "Our day"}
        unit.holidays.forget_change(cohort, "PH", TODAY)
        unit.holidays.forget_change(cohort, "ID", TODAY)
        assert unit.holidays.changes(cohort) == {}

    store.now(job)


def test_a_long_time_without_a_look_is_an_outage(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        assert unit.outages.last_look() is None
        unit.outages.look(NOW)
        unit.outages.look(NOW + timedelta(minutes=5))
        assert unit.outages.since(NOW - DAY) == []
        unit.outages.look(NOW + DAY)
        assert unit.outages.last_look() == NOW + DAY
        assert unit.outages.since(NOW) == [Outage(NOW + timedelta(minutes=5), NOW + DAY)]
        assert unit.outages.since(NOW + DAY) == []
        unit.outages.was_there(NOW + 9 * DAY)
        unit.outages.look(NOW + 9 * DAY + timedelta(minutes=1))
        assert unit.outages.since(NOW + DAY) == []

    store.now(job)


def test_whatever_is_due_next_is_found(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        assert unit.outages.next_due(NOW) is None
        cohort = new_cohort(unit)
        sari = new_member(unit, cohort).id
        unit.schedules.set_timer("away.end", sari, NOW + 2 * DAY)
        unit.schedules.set_timer("away.end", sari, NOW + 5 * DAY)
        assert unit.outages.next_due(NOW) == NOW + 2 * DAY
        assert unit.outages.next_due(NOW + 2 * DAY) == NOW + 5 * DAY
        assert unit.outages.next_due(NOW + 5 * DAY) is None

    store.now(job)


def _in_parallel(url: str, work: Callable[[UnitOfWork], list[tuple[str, list[int]]]]) -> list[tuple[str, list[int]]]:
    """The same on two connections at once, transaction by transaction, until neither finds anything."""

    def drain() -> list[tuple[str, list[int]]]:
        store = open_store(url, inline=True)
        found: list[tuple[str, list[int]]] = []
        try:
            while part := store.now(work):
                found += part
        finally:
            store.close()
        return found

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(drain) for _ in range(2)]
        return [part for one in both for part in one.result()]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_two_schedulers_at_once_ask_everybody_once(store: Store, postgresql_url: str) -> None:
    zones = ("Asia/Manila", "Asia/Jakarta", "Asia/Bangkok", "Asia/Ulaanbaatar")

    def fill(unit: UnitOfWork) -> list[int]:
        cohort = new_cohort(unit)
        people = [new_member(unit, cohort, time_zone=zones[n % 4]).id for n in range(60)]
        planned(unit, cohort)
        return people

    def one_page(unit: UnitOfWork) -> list[tuple[str, list[int]]]:
        claim = unit.recurring.claim(MORNING + 5 * HOUR)
        if claim is None:
            return []
        page = unit.recurring.page(claim, 3)
        new = unit.recurring.take(claim.schedule, claim.fire.key, page, late=False)
        unit.recurring.go_on(claim, page[-1].member.id if len(page) == 3 else None)
        return [(claim.fire.key, [one.member.id for one in new])]

    people = store.now(fill)
    found = _in_parallel(postgresql_url, one_page) + _in_parallel(postgresql_url, one_page)
    assert sorted(number for _, page in found for number in page) == people
