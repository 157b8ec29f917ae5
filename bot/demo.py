"""The demo: the invented cohort in storage, the people one can speak as, and a clock that can be put forward."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from bot.content.demo import CollectiveProject, DemoCohort, Facilitator, Fellow, Milestone
from bot.core.clock import Clock
from bot.core.programme import Programme
from bot.domain.hours import Hours
from bot.domain.profiles import Preset
from handlers import overdue
from storage import UnitOfWork
from storage.access import Viewer
from storage.members import Member
from storage.milestones import STUCK
from storage.profiles import PURPOSES
from storage.teams import IN

PLATFORM = "console"
DEFAULT = "Pilo"  # as whom one speaks unless one says so; the bot speaks English with her
OTHERS = ("Sekar", "Maral")
MARK = "demo"  # the fact by which a database says that it is a demo's
PRESETS = {"cohort": Preset.OPEN, "coalition": Preset.CAREFUL, "facilitators": Preset.HIDDEN}
SIDES = {"government": "buyer", "private_sector": "bidder"}
NEWCOMER = re.compile(r"new(?:comer)?(\d{0,3})")
ANY_HOUR = Hours(time(), time(), frozenset(range(1, 8))).written()  # whoever tries the demo may do so at night
JOINED, MET = timedelta(days=60), timedelta(days=30)  # before now


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the demo as whom one can speak; `names` are what one can type for them, in lower case."""

    id: str
    called: str
    names: frozenset[str]


class DemoClock:
    """A clock that runs on, and can be put forward."""

    def __init__(self, clock: Clock, ahead: timedelta = timedelta(0)) -> None:
        self._clock = clock
        self.ahead = ahead

    def now(self) -> datetime:
        return self._clock.now() + self.ahead

    def elapsed(self) -> float:
        return self._clock.elapsed()


def people(cohort: DemoCohort) -> list[Person]:
    """Fellows, then facilitators: by preferred name, first name, whole name or id."""
    found = [_person(fellow.id, fellow.preferred_name, fellow.name) for fellow in cohort.fellows]
    return found + [_person(one.id, one.name.split()[0], one.name) for one in cohort.facilitators]


def _person(number: str, called: str, name: str) -> Person:
    parts = (number, called, name, *(part.strip(".,") for part in f"{called} {name}".split() if len(part) > 2))
    return Person(number, called, frozenset(part.casefold() for part in parts))


def person_named(typed: str, known: Sequence[Person]) -> Person | None:
    """Whom a typed name means: the preferred name first, then any other; `newcomer`, `newcomer2` are people to come."""
    typed = typed.strip().casefold()
    if newcomer := NEWCOMER.fullmatch(typed):
        called = f"newcomer{newcomer[1]}"
        return Person(called, called, frozenset((called,)))
    by_call = next((one for one in known if one.called.casefold() == typed), None)
    return by_call or next((one for one in known if typed in one.names), None)


def nearest_name(typed: str, known: Sequence[Person]) -> str | None:
    """How the person is called whom a mistyped name may mean."""
    called = {name: one.called for one in known for name in one.names}
    near = get_close_matches(typed.strip().casefold(), called, n=1, cutoff=0.6)
    return called[near[0]] if near else None


def installation_of(person: str) -> str:
    """Each person has a lane of their own: what is written to somebody who is not at a keyboard waits there."""
    return person


def demo_programme(of: Programme, cohort: DemoCohort) -> Programme:
    """The programme of the settings, as the demo's: named, run by nobody, and fictional."""
    return replace(
        of,
        name=cohort.name,
        operator="the Kawan demo",
        operator_contact="",
        default_language=cohort.default_language,
        default_time_zone=cohort.default_timezone,
        fictional=True,
    )


def is_filled(unit: UnitOfWork) -> bool:
    """Is this database marked as a demo's, and so filled?"""
    return unit.members.fact(MARK) == "yes"


def fill(unit: UnitOfWork, cohort: DemoCohort, now: datetime, *, offered: Collection[str] = ("en",)) -> None:
    """Write the whole cohort and mark the database; `offered` are the languages that the bot speaks."""
    number = unit.members.add_cohort(cohort.slug, cohort.name, cohort.default_language, cohort.default_timezone)
    numbers: dict[str, int] = {}
    for facilitator in cohort.facilitators:
        numbers[facilitator.id] = _add_facilitator(unit, number, facilitator, now)
    host = numbers[cohort.facilitators[0].id]
    for fellow in cohort.fellows:
        language = fellow.language if fellow.language in offered else cohort.default_language
        with unit.profiles.together():
            numbers[fellow.id] = _add_fellow(unit, number, fellow, language, host, now)
        _add_project(unit, number, fellow, numbers[fellow.id], _shift(cohort, now), now)
    for one, other in _pairs(cohort):
        if unit.people(Viewer(numbers[one], number)).may_bring_together(numbers[other]):
            unit.introductions.befriend(number, numbers[one], numbers[other], now - MET, None)
    for project in cohort.collective_projects:
        _add_team(unit, number, project, numbers, _shift(cohort, now), now)
    unit.members.set_fact(MARK, "yes")


def _pairs(cohort: DemoCohort) -> Iterator[tuple[str, str]]:
    """Who met already: the members of each collective project, two by two as they are listed."""
    for project in cohort.collective_projects:
        yield from zip(project.members[::2], project.members[1::2], strict=False)


def _add_facilitator(unit: UnitOfWork, cohort: int, of: Facilitator, now: datetime) -> int:
    number = unit.members.add(
        cohort,
        now - JOINED,
        role="facilitator",
        state="active",
        language="en",
        time_zone=of.timezone,
        preset=Preset.HIDDEN,
        joined_at=now - JOINED,
    )
    unit.profiles.write(cohort, number, name=of.name, role_title=of.role)
    unit.profiles.write_list(cohort, number, "languages", of.languages)
    _bind(unit, number, of.id, "en", now)
    return number


def _add_fellow(unit: UnitOfWork, cohort: int, of: Fellow, language: str, host: int, now: datetime) -> int:
    returns = _january(now, of.timezone) if of.status == "paused" else None
    number = unit.members.add(
        cohort,
        now - JOINED,
        role="fellow",
        state=of.status,
        language=language,
        time_zone=of.timezone,
        preset=PRESETS[of.visibility],
        invited_by=host,
        trusted_id=host,
        joined_at=now - JOINED,
        paused_until=returns,
        hours=ANY_HOUR,
    )
    if returns:
        unit.schedules.set_timer("away.end", number, returns)
    unit.profiles.write(
        cohort,
        number,
        name=of.preferred_name,
        native_name=of.native_name or None,
        country=of.country,
        sector=of.sector,
        side=SIDES.get(of.sector, "neither"),
        organisation=None if of.pseudonymous else of.organisation,
        role_title=of.role,
    )
    for name, values in (("languages", of.languages), ("coalitions", of.coalitions), ("topics", of.topics)):
        unit.profiles.write_list(cohort, number, name, values)
    for kind, wishes in (("need", of.needs), ("offer", of.offers)):
        for wish in wishes:
            unit.profiles.add_wish(cohort, number, kind, wish.topic, wish.text)
    for sector, country in of.recuse:
        unit.profiles.keep_apart(cohort, number, sector=sector, country=None if country == "any" else country)
    _bind(unit, number, of.id, language, now)
    return number


def _shift(cohort: DemoCohort, now: datetime) -> timedelta:
    """By how many whole weeks the dates of the file are moved, so that as much is overdue as on the file's day."""
    return timedelta(weeks=(now.date() - cohort.as_of) // timedelta(weeks=1))


def _add_project(unit: UnitOfWork, cohort: int, of: Fellow, number: int, shift: timedelta, now: datetime) -> None:
    """A fellow's own project with its milestones."""
    plan = of.project
    made = unit.projects.begin(
        cohort, number, plan.title, goal=plan.goal, topics=[plan.topic], coalitions=list(of.coalitions)
    )
    _add_milestones(unit, cohort, made, number, of.timezone, plan.milestones, shift, now)


def _add_team(
    unit: UnitOfWork, cohort: int, of: CollectiveProject, numbers: Mapping[str, int], shift: timedelta, now: datetime
) -> None:
    """A project of several fellows with its team and milestones."""
    made = unit.projects.begin(
        cohort, None, of.title, goal=of.goal, topics=list(of.topics), coalitions=list(of.coalitions)
    )
    for place, person in enumerate(of.members):
        unit.teams.put(cohort, made, numbers[person], IN, now - MET + timedelta(minutes=place))
    unit.projects.change(made, looking=of.looking or None)
    first = unit.members.recall(numbers[of.members[0]])
    assert first is not None
    _add_milestones(unit, cohort, made, first.id, first.time_zone, of.milestones, shift, now)


def _add_milestones(
    unit: UnitOfWork,
    cohort: int,
    project: int,
    by: int,
    time_zone: str,
    some: Sequence[Milestone],
    shift: timedelta,
    now: datetime,
) -> None:
    for one in some:
        due = one.due + shift
        made = unit.milestones.add(
            cohort, project, by, one.title, due=due, status=one.status, blocked=bool(one.blocker)
        )
        if one.blocker:
            unit.milestones.tell(cohort, project, by, STUCK, now - MET, milestone_id=made, words=one.blocker)
        asked_at = overdue.monday_after(due, time_zone)
        if asked_at > now and one.status != "complete":
            unit.schedules.set_timer(overdue.TIMER, by, asked_at, made)


def _bind(unit: UnitOfWork, number: int, person: str, language: str, now: datetime) -> None:
    """The person's account at the console, and their yes to everything."""
    member: Member | None = unit.members.recall(number)
    assert member is not None
    unit.members.add_account(member, PLATFORM, installation_of(person), person, f"dm:{person}", now - JOINED)
    given = dict.fromkeys(PURPOSES, True)
    unit.profiles.give_consent(member.cohort_id, number, given, 1, language, now - JOINED)


def _january(now: datetime, time_zone: str) -> datetime:
    """The morning of the next 11 January, in a person's own zone."""
    zone = ZoneInfo(time_zone)
    january = now.astimezone(zone).replace(month=1, day=11, hour=9, minute=0, second=0, microsecond=0)
    return january if january > now else january.replace(year=january.year + 1)
