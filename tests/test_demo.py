"""The demo database holds the invented cohort as its file says, and keeps apart whom the file keeps apart."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from bot.content import load
from bot.content.demo import DemoCohort, Fellow, load_demo
from bot.core.clock import SetClock
from bot.demo import DemoClock, fill, installation_of, is_filled, nearest_name, people, person_named
from storage import Store, UnitOfWork, open_store
from storage.access import Access, Viewer
from storage.base import metadata
from storage.members import Member
from storage.migrate import upgrade
from storage.profiles import PURPOSES
from storage.shared_projects import Chosen

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def cohort() -> DemoCohort:
    return load_demo(load())


@pytest.fixture(scope="module")
def store(cohort: DemoCohort, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    upgrade(url)
    store = open_store(url, inline=True)
    store.now(lambda unit: fill(unit, cohort, NOW, offered=("en", "id")))
    yield store
    store.close()


def member(unit: UnitOfWork, person: str) -> Member:
    found = unit.members.recognise("console", installation_of(person), person)
    assert found is not None
    assert found[1] == f"dm:{person}"
    return found[0]


def eyes(unit: UnitOfWork, person: str) -> Access:
    me = member(unit, person)
    return unit.people(Viewer(me.id, me.cohort_id, me.is_facilitator))


def test_every_fellow_has_the_profile_of_the_file(store: Store, cohort: DemoCohort) -> None:
    def check(unit: UnitOfWork) -> None:
        for fellow in cohort.fellows:
            own = eyes(unit, fellow.id).own()
            assert (own.name, own.native_name or "") == (fellow.preferred_name, fellow.native_name)
            assert (own.country, own.sector, own.time_zone) == (fellow.country, fellow.sector, fellow.timezone)
            assert (own.topics, own.coalitions, own.languages) == (fellow.topics, fellow.coalitions, fellow.languages)
            assert [(need.topic, need.text) for need in own.needs] == [(need.topic, need.text) for need in fellow.needs]
            assert len(own.offers) == len(fellow.offers)
            assert (own.project, own.project_goal) == (fellow.project.title, fellow.project.goal)
            assert unit.profiles.consents(own.id) == dict.fromkeys(PURPOSES, True)

    store.now(check)


def test_projects_have_their_milestones_and_teams_and_some_are_overdue(store: Store, cohort: DemoCohort) -> None:
    def check(unit: UnitOfWork) -> None:
        for fellow in cohort.fellows:
            (own,) = unit.projects.all_mine(member(unit, fellow.id).id)
            steps = unit.milestones.of(own.id)
            assert [(one.title, one.status.value, one.blocked) for one in steps] == [
                (one.title, one.status, bool(one.blocker))
                for one in sorted(fellow.project.milestones, key=lambda one: one.due)
            ]
        for project in cohort.collective_projects:
            for person in project.members:
                assert project.title in {of.title for of in unit.teams.of(member(unit, person).id)}
        today = cohort.as_of
        late = eyes(unit, "a01").projects.listed(Chosen(overdue=True), today, limit=50).projects
        assert len(late) == 4

    store.now(check)


def test_the_facilitators_are_there_and_see_everybody(store: Store, cohort: DemoCohort) -> None:
    def check(unit: UnitOfWork) -> None:
        seen = eyes(unit, "a01").roster(limit=100)
        assert {profile.name for profile, _ in seen} >= {fellow.preferred_name for fellow in cohort.fellows}
        names = {one.name for one in eyes(unit, "f01").facilitators()}
        assert names == {facilitator.name for facilitator in cohort.facilitators}

    store.now(check)


@pytest.mark.parametrize(
    ("visibility", "preset"), [("cohort", "open"), ("coalition", "careful"), ("facilitators", "hidden")]
)
def test_who_sees_me_is_as_the_file_says(store: Store, cohort: DemoCohort, visibility: str, preset: str) -> None:
    fellows = [fellow for fellow in cohort.fellows if fellow.visibility == visibility]
    assert fellows
    presets = store.now(lambda unit: {member(unit, fellow.id).preset for fellow in fellows})
    assert presets == {preset}


def test_a_hidden_fellow_is_found_by_nobody_and_an_open_one_by_all(store: Store) -> None:
    def check(unit: UnitOfWork) -> None:
        hidden, open_one = member(unit, "f24").id, member(unit, "f01").id
        assert eyes(unit, "f20").profile(hidden) is None
        seen = eyes(unit, "f20").profile(open_one)
        assert seen is not None
        assert seen.offers
        assert eyes(unit, "a01").profile(hidden) is not None

    store.now(check)


def recused(one: Fellow, other: Fellow) -> bool:
    return any(sector == other.sector and country in ("any", other.country) for sector, country in one.recuse)


def test_whom_the_file_keeps_apart_cannot_be_brought_together_and_others_can(store: Store, cohort: DemoCohort) -> None:
    def check(unit: UnitOfWork) -> None:
        apart = 0
        for one, other in combinations(cohort.fellows, 2):
            together = eyes(unit, one.id).may_bring_together(member(unit, other.id).id)
            tender = {one.sector, other.sector} == {"government", "private_sector"} and one.country == other.country
            expected = recused(one, other) or recused(other, one) or tender
            assert together is not expected, (one.id, other.id)
            apart += expected
        assert apart > 3

    store.now(check)


def test_some_are_allies_already_and_none_of_them_is_kept_apart(store: Store, cohort: DemoCohort) -> None:
    def check(unit: UnitOfWork) -> set[tuple[str, str]]:
        ids = {member(unit, fellow.id).id: fellow.id for fellow in cohort.fellows}
        found = set()
        for number, person in ids.items():
            for other in unit.introductions.allies_of(number):
                assert eyes(unit, person).may_bring_together(other)
                found.add((person, ids[other]))
        return found

    found = store.now(check)
    assert {("f08", "f21"), ("f21", "f08"), ("f02", "f12"), ("f01", "f18")} <= found
    assert len({person for person, _ in found}) >= 15


def test_a_cohort_whose_partners_are_kept_apart_makes_no_allies_of_them(cohort: DemoCohort) -> None:
    first, second, third, *rest = cohort.fellows
    apart_everywhere = replace(first, recuse=((second.sector, "any"),))
    project = replace(cohort.collective_projects[0], members=(first.id, second.id, third.id, rest[0].id))
    fellows = (apart_everywhere, second, third, *rest)
    store = open_store("sqlite://", inline=True)
    metadata.create_all(store.engine)
    changed = replace(cohort, fellows=fellows, collective_projects=(project,))
    store.now(lambda unit: fill(unit, changed, NOW))

    def allies(unit: UnitOfWork, person: str) -> list[int]:
        return unit.introductions.allies_of(member(unit, person).id)

    assert store.now(lambda unit: allies(unit, first.id)) == []
    assert store.now(lambda unit: allies(unit, third.id)) == [store.now(lambda unit: member(unit, rest[0].id).id)]
    store.close()


def test_who_is_paused_is_paused_until_january(store: Store) -> None:
    fon = store.now(lambda unit: member(unit, "f22"))
    returns = store.now(lambda unit: unit.schedules.next_of(fon.id, "away.end"))
    assert fon.state == "paused"
    assert fon.paused_until is not None
    assert (fon.paused_until.year, fon.paused_until.month) == (2027, 1)
    assert returns == fon.paused_until


def test_each_is_spoken_to_in_their_language_if_the_bot_speaks_it_and_else_in_english(store: Store) -> None:
    languages = store.now(lambda unit: [member(unit, person).language for person in ("f01", "f08", "f19", "a02")])
    assert languages == ["id", "en", "en", "en"]


def test_the_database_is_marked_and_filled(cohort: DemoCohort, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    upgrade(url)
    store = open_store(url, inline=True)
    assert not store.now(is_filled)
    store.now(lambda unit: fill(unit, cohort, NOW))
    assert store.now(is_filled)
    store.close()


@pytest.mark.parametrize(
    ("typed", "person"),
    [("Sekar", "f01"), ("sekarwangi", "f01"), ("F02", "f02"), ("ros", "f16"), ("mirela", "a01"), ("A02", "a02")],
)
def test_people_are_known_by_preferred_name_first_name_and_id(cohort: DemoCohort, typed: str, person: str) -> None:
    found = person_named(typed, people(cohort))
    assert found is not None
    assert found.id == person


def test_newcomers_have_no_end_and_a_mistyped_name_has_a_nearest_one(cohort: DemoCohort) -> None:
    found = [person_named(typed, people(cohort)) for typed in ("new", "newcomer", "Newcomer2")]
    assert [one.id for one in found if one] == ["newcomer", "newcomer", "newcomer2"]
    assert person_named("Bonr", people(cohort)) is None
    assert nearest_name("Bonr", people(cohort)) == "Bonar"
    assert nearest_name("qqqq", people(cohort)) is None


def test_the_clock_runs_on_after_it_was_put_forward() -> None:
    underneath = SetClock(NOW)
    clock = DemoClock(underneath)
    clock.ahead += timedelta(days=3)
    underneath.passes(hours=1)
    assert clock.now() == NOW + timedelta(days=3, hours=1)
