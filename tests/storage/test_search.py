"""Search finds whom the viewer may know to fit, each once, nobody else: compared with a plain reading of the rules."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bot.domain.profiles import FIELDS, Audience
from bot.domain.words import word_keys
from storage import Store, UnitOfWork
from storage.access import Access, Viewer
from storage.search import Clause, is_searchable_name
from tests.storage.people import NOW, Said, new_cohort, new_fellow, new_member

TOPICS = ("ocds", "audit", "budget", "health")
COALITIONS = ("citizens", "donors", "leaders")
COUNTRIES = ("ID", "MN", "PH", "KI")
SECTORS = ("government", "media", "private_sector")
NAMES = ("Sari Dewi", "Saran Bold", "Bat Saran", "Pilo", "Сарангэрэл", "สมชาย ใจดี", "Jose %like_ Cruz")
TEXTS = ("open the contracts", "contract data", "budget of schools", "ทำข้อมูลงบประมาณ", "100%_sure contracting", None)
PRESETS = ("careful", "careful", "careful", "open", "open", "hidden")
STATES = ("active",) * 8 + ("paused", "left", "leaving", "locked", "joining")


@dataclass(slots=True)
class Person:
    """Somebody as the oracle knows them: what was written, never what storage made of it."""

    id: int
    said: Said
    preset: str
    own: dict[str, Audience]
    state: str = "active"
    role: str = "fellow"
    agreed: bool = True
    cohort: int = 0


@dataclass(slots=True)
class World:
    """A cohort, a stranger's cohort, who has met whom and who is to be kept apart."""

    people: dict[int, Person]
    met: set[tuple[int, int]]
    apart: list[tuple[int, int | None, str | None, str | None]]


def build(unit: UnitOfWork, draw: random.Random, many: int) -> World:
    """A random cohort of so many, and a few of another."""
    mine, theirs = new_cohort(unit), new_cohort(unit)
    world = World({}, set(), [])
    for n in range(many + 5):
        person = invent(draw, mine if n < many else theirs)
        made = new_fellow(
            unit, person.cohort, person.said, agreed=person.agreed, own=person.own, account=False,
            preset=person.preset, state=person.state, role=person.role,
        )  # fmt: skip
        person.id = made.id
        world.people[made.id] = person
    numbers = [one.id for one in world.people.values() if one.cohort == mine]
    for _ in range(many):
        one, other = draw.sample(numbers, 2)
        unit.introductions.befriend(mine, one, other, NOW, None)
        world.met |= {(one, other), (other, one)}
    for _ in range(many // 4):
        one, other = draw.sample(numbers, 2)
        rule = draw.choice(((other, None, None), (None, draw.choice(SECTORS), None), (None, "media", "ID")))
        unit.profiles.keep_apart(mine, one, other=rule[0], sector=rule[1], country=rule[2])
        world.apart.append((one, *rule))
    return world


def invent(draw: random.Random, cohort: int) -> Person:
    def some(of: Sequence[str]) -> tuple[str, ...]:
        return tuple(draw.sample(of, draw.randint(0, 2)))

    said = Said(
        name=draw.choice(NAMES),
        country=draw.choice((*COUNTRIES, None)),
        sector=draw.choice((*SECTORS, None)),
        side=draw.choice(("buyer", "bidder", None, None)),
        topics=some(TOPICS),
        coalitions=some(COALITIONS),
        needs=[(draw.choice((*TOPICS, None)), draw.choice(TEXTS)) for _ in range(draw.randint(0, 2))],
        offers=[(draw.choice((*TOPICS, None)), draw.choice(TEXTS)) for _ in range(draw.randint(0, 1))],
        project=draw.choice((None, "budget portal", "contracts")),
    )
    own = {draw.choice(FIELDS): draw.choice(list(Audience)) for _ in range(draw.choice((0, 0, 1, 3)))}
    role = "facilitator" if draw.random() < 0.1 else "fellow"
    return Person(0, said, draw.choice(PRESETS), own, draw.choice(STATES), role, draw.random() < 0.9, cohort)


def audience(person: Person, field: str) -> Audience:
    """PRODUCT: careful shows name, country, topics (and what opens them) to coalitions, the rest to the met."""
    if person.preset == "hidden":
        return min(person.own.get(field, Audience.FACILITATORS), Audience.FACILITATORS)
    if person.preset == "open":
        return person.own.get(field, Audience.COHORT)
    near = Audience.COALITIONS if field in ("name", "country", "topics", "coalitions") else Audience.MET
    return person.own.get(field, near)


def sees(world: World, viewer: Person, person: Person, field: str) -> bool:
    allowed = audience(person, field)
    if viewer.role == "facilitator":
        return allowed >= Audience.FACILITATORS
    if (viewer.id, person.id) in world.met:
        return allowed >= Audience.MET
    if set(viewer.said.coalitions) & set(person.said.coalitions):
        return allowed >= Audience.COALITIONS
    return allowed >= Audience.COHORT


def fits(world: World, viewer: Person, person: Person, clause: Clause) -> bool:
    def see(field: str) -> bool:
        return sees(world, viewer, person, field)

    said, keys = person.said, set(clause.keys)
    if clause.kind == "topic":
        return see("topics") and bool(keys & set(said.topics))
    if clause.kind == "coalition":
        return see("coalitions") and bool(keys & set(said.coalitions))
    if clause.kind in ("country", "sector"):
        return see(clause.kind) and getattr(said, clause.kind) in keys
    if clause.kind in ("need", "offer"):
        wishes = said.needs if clause.kind == "need" else said.offers
        return (see("topics") or see(clause.kind + "s")) and any(topic in keys for topic, _ in wishes)
    (prefix,) = clause.keys
    if clause.kind == "name":
        return see("name") and begins(said.name, prefix)
    texts = [text for field, wishes in (("needs", said.needs), ("offers", said.offers)) if see(field)
             for _, text in wishes]  # fmt: skip
    texts += [said.project] if see("project") else []
    return any(begins(text, prefix) for text in texts)


def begins(text: str | None, prefix: str) -> bool:
    return any(key.startswith(prefix) for key in word_keys(text or ""))


def is_there(world: World, viewer: Person, person: Person) -> bool:
    said = person.said
    helps = [*said.needs, *said.offers]
    return (viewer.id, person.id) in world.met or any((
        sees(world, viewer, person, "name"),
        sees(world, viewer, person, "country") and said.country,
        sees(world, viewer, person, "topics") and (said.topics or any(topic for topic, _ in helps)),
        sees(world, viewer, person, "needs") and said.needs,
        sees(world, viewer, person, "offers") and said.offers,
        viewer.role == "facilitator",
    ))  # fmt: skip


def are_apart(world: World, one: Person, other: Person) -> bool:
    if one.role == "facilitator":
        return False
    sides = {one.said.side, other.said.side} == {"buyer", "bidder"}
    if sides and one.said.country and one.said.country == other.said.country:
        return True
    for owner, person, sector, country in world.apart:
        for mine, yours in ((one, other), (other, one)):
            if owner != mine.id:
                continue
            if person == yours.id:
                return True
            if person is None and sector == yours.said.sector and country in (None, yours.said.country):
                return True
    return False


def oracle(world: World, viewer: Person, clauses: Sequence[Clause]) -> set[int]:
    return {
        person.id
        for person in world.people.values()
        if person.id != viewer.id
        and person.cohort == viewer.cohort
        and (person.state, person.role, person.agreed) == ("active", "fellow", True)
        and is_there(world, viewer, person)
        and all(fits(world, viewer, person, clause) for clause in clauses)
        and not are_apart(world, viewer, person)
    }


def pages(people: Access, clauses: Sequence[Clause], limit: int) -> list[int]:
    """Everybody, page after page; fails if the pages do not end."""
    found: list[int] = []
    after: int | None = None
    for _ in range(500):
        page = people.find(clauses, after=after, limit=limit)
        assert page == people.find(clauses, after=after, limit=limit)
        found += [profile.id for profile in page.profiles]
        after = page.after
        if after is None:
            return found
    raise AssertionError("the pages do not end")


PREFIXES = ("sar", "saran", "bat", "pil", "сар", "สมช", "con", "contract", "budget", "งบป", "100", "jos", "%li", "zzz")
KEYS = {
    "topic": TOPICS, "need": TOPICS, "offer": TOPICS, "coalition": COALITIONS, "country": COUNTRIES, "sector": SECTORS,
    "word": PREFIXES, "name": PREFIXES,
}  # fmt: skip


def a_clause(draw: random.Random) -> Clause:
    kind = draw.choice(list(KEYS))
    many = 1 if kind in ("word", "name") else draw.randint(1, 3)
    return Clause(kind, tuple(draw.sample(KEYS[kind], many)))


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))])
def test_all_pages_together_are_who_fits_by_what_the_viewer_may_know(
    store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    # Every way of reading a list, whatever the size of these small cohorts.
    few, many = draw.choice(((-1, 1), (3, 20), (64, 300)))
    monkeypatch.setattr("storage.search.FEW", few)
    monkeypatch.setattr("storage.search.MANY", many)

    def job(unit: UnitOfWork) -> int:
        world = build(unit, draw, 40)
        first = next(iter(world.people.values()))
        viewers = [one for one in world.people.values() if one.cohort == first.cohort and one.state != "left"]
        hits = 0
        for _ in range(150):
            viewer, clauses = draw.choice(viewers), [a_clause(draw) for _ in range(draw.choice((1, 1, 2, 2, 3)))]
            people = Access(unit.connection, Viewer(viewer.id, viewer.cohort, viewer.role == "facilitator"))
            found = pages(people, clauses, draw.randint(1, 12))
            assert len(found) == len(set(found))
            assert set(found) == oracle(world, viewer, clauses), (viewer, clauses)
            hits += len(found)
        return hits

    assert store.now(job) > 100  # not nothing compared with nothing


def test_hits_stand_in_a_ring_that_begins_after_the_viewer(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        numbers = [new_fellow(unit, cohort, Said(topics=("ocds",)), preset="open").id for _ in range(7)]
        for place, viewer in enumerate(numbers):
            people = unit.people(Viewer(viewer, cohort))
            wanted = numbers[place + 1 :] + numbers[:place]
            for limit in (1, 2, 3, 6, 7, 30):
                assert pages(people, [Clause("topic", ("ocds",))], limit) == wanted

    store.now(job)


def test_people_who_are_kept_apart_fill_no_page_and_hide_nobody(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        me = new_fellow(unit, cohort, preset="open")
        for n in range(60):
            sector = "media" if n < 50 else "government"
            new_fellow(unit, cohort, Said(sector=sector, topics=("ocds",)), preset="open")
        unit.profiles.keep_apart(cohort, me.id, sector="media")
        assert len(pages(unit.people(Viewer(me.id, cohort)), [Clause("topic", ("ocds",))], 4)) == 10

    store.now(job)


def test_no_clause_finds_nobody_and_a_wrong_one_is_refused(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        me = new_fellow(unit, cohort)
        new_fellow(unit, cohort)
        assert unit.people(Viewer(me.id, cohort)).find([]).profiles == ()

    store.now(job)
    for kind, keys in (("topic", ()), ("word", ("one", "two"))):
        with pytest.raises(ValueError, match=kind):
            Clause(kind, keys)


def test_changes_of_state_preset_role_and_consent_change_who_is_found_at_once(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        me = new_fellow(unit, cohort, preset="open")
        other = new_fellow(unit, cohort, Said(topics=("ocds",)), preset="open")

        def found() -> bool:
            people = unit.people(Viewer(me.id, cohort))
            return bool(people.find([Clause("topic", ("ocds",))]).profiles)

        assert found()
        for off, on in (
            ({"state": "paused"}, {"state": "active"}),
            ({"preset": "hidden"}, {"preset": "open"}),
            ({"role": "facilitator"}, {"role": "fellow"}),
        ):
            unit.members.change(other.id, **off)
            assert not found()
            unit.members.change(other.id, **on)
            assert found()
        unit.profiles.give_consent(cohort, other.id, {"introductions": False}, 1, "en", NOW)
        assert not found()
        unit.profiles.give_consent(cohort, other.id, {"introductions": True}, 1, "en", NOW)
        assert found()
        unit.privacy.erase(other.id)
        assert not found()

    store.now(job)


def test_another_name_alone_makes_nobody_appear(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        me, ally = new_fellow(unit, cohort, preset="open"), new_fellow(unit, cohort, preset="open")
        hidden = new_fellow(unit, cohort, preset="hidden")
        unit.profiles.write(cohort, hidden.id, other_name="Heron")
        unit.introductions.befriend(cohort, ally.id, hidden.id, NOW, None)
        assert unit.people(Viewer(me.id, cohort)).profile(hidden.id) is None
        met = unit.people(Viewer(ally.id, cohort)).profile(hidden.id)
        assert met is not None
        assert met.name == "Heron"
        mine = unit.people(Viewer(hidden.id, cohort))
        assert mine.as_seen_by(Audience.COHORT) is None
        assert mine.as_member_sees_me(me.id) is None
        assert mine.as_member_sees_me(ally.id) == met

    store.now(job)


def test_another_cohorts_people_are_not_there_whatever_is_asked(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        mine, theirs = new_cohort(unit), new_cohort(unit)
        me = new_fellow(unit, mine, preset="open")
        them = new_fellow(unit, theirs, Said(topics=("ocds",)), preset="open")
        staff = new_fellow(unit, mine, role="facilitator")
        for viewer in (Viewer(me.id, mine), Viewer(staff.id, mine, facilitator=True)):
            people = unit.people(viewer)
            assert people.profile(them.id) is None
            assert people.profile(10**9) is None
            assert people.profiles([them.id, me.id, me.id, 10**9])[0].id == me.id
            assert people.find([Clause("topic", ("ocds",))]).profiles == ()
            assert not people.agreed_to(them.id, "introductions")
            assert not people.may_bring_together(them.id)
            assert people.profile_name(them.id) is None

    store.now(job)


def test_facilitators_are_known_by_name_and_see_the_roster_alone(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        staff = new_fellow(unit, cohort, Said(name="Mirela", side="buyer"), role="facilitator", preset="hidden")
        me = new_fellow(unit, cohort, Said(name="Sari", side="bidder"), preset="hidden")
        new_member(unit, cohort, state="arriving")
        unit.profiles.keep_apart(cohort, me.id, sector=None, country="ID")
        (known,) = unit.people(Viewer(me.id, cohort)).facilitators()
        assert (known.name, known.country) == ("Mirela", None)
        assert unit.people(Viewer(me.id, cohort)).roster() == []
        boss = unit.people(Viewer(staff.id, cohort, facilitator=True))
        assert [(one.name, state) for one, state in boss.roster()] == [("Mirela", "active"), ("Sari", "active")]
        assert [one.name for one, _ in boss.roster(after=staff.id)] == ["Sari"]
        assert [one.name for one, _ in boss.roster(limit=1)] == ["Mirela"]

    store.now(job)


def test_watchers_are_told_by_exact_keys_and_by_the_beginnings_of_words(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        mine, theirs = new_cohort(unit), new_cohort(unit)
        me, other = new_member(unit, mine).id, new_member(unit, theirs).id
        keys = [("topic", "ocds"), ("word", "contr"), ("word", "zzz")]
        assert unit.search.watch(mine, me, keys, NOW) == 3
        assert unit.search.watch(mine, me, keys[:1], NOW) == 0
        unit.search.watch(theirs, other, keys, NOW)
        came = new_fellow(unit, mine, Said(topics=("ocds",), project="open contracts"))
        assert unit.search.watchers(came.id) == [(me, "topic", "ocds"), (me, "word", "contr")]
        quiet = new_fellow(unit, mine, Said(topics=("ocds",)), agreed=False)
        assert unit.search.watchers(quiet.id) == []
        assert unit.search.watched(me) == keys
        unit.search.unwatch(me)
        assert unit.search.watched(me) == []

    store.now(job)


def test_a_name_has_at_least_three_letters() -> None:
    assert is_searchable_name("Sar")
    assert is_searchable_name("สมช")
    assert not any(map(is_searchable_name, ("%%%", "a_b", "Jo", "Jo%", "")))
