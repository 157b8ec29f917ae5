"""The cohorts that seeds begin with: made once, then copied in a tenth of a millisecond."""

import contextlib
import random
import sqlite3
import tempfile
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.content import load
from bot.core.ids import SeededIds, code_hash
from bot.core.programme import Programme
from bot.domain.profiles import Audience
from bot.domain.recurrence import Rule
from handlers.dates import ASK
from handlers.planning import usual
from storage import Store, UnitOfWork, open_store
from storage.members import Members
from storage.migrate import upgrade
from storage.profiles import PURPOSES, Profiles
from storage.projects import Projects
from tests.simulation.loop import START
from tests.simulation.marks import mark
from tests.simulation.plan import Checkin

SLACK, TELEGRAM = ("slack", "T1"), ("telegram", "77")
MALICIOUS = "M"
COUNTRIES = (("ID", "Asia/Jakarta"), ("MN", "Asia/Ulaanbaatar"), ("PH", "Asia/Manila"), ("UA", "Europe/Kyiv"),
             ("PG", "Pacific/Port_Moresby"))  # fmt: skip
TOPICS = ("ocds-publication", "beneficial-ownership", "red-flags", "e-procurement", "integrity-pacts")
OPEN_INVITES = 4
A_WEEK = 1  # messages begun by the bot or a facilitator: fewer than usual, so that many have to wait


def number_of(who: str) -> int:
    """The number that marks somebody: U3 is 3."""
    return {"U": 0, "M": 900, "N": 1000, "X": 2000}[who[0]] + int(who[1:] or 0)


def named(number: int) -> str:
    """The account behind a mark's number."""
    for letter, first in (("X", 2000), ("N", 1000), ("M", 900)):
        if number >= first:
            return letter if letter == "M" else f"{letter}{number - first}"
    return f"U{number}"


@dataclass(frozen=True, slots=True)
class Laid:
    """What a seed begins with: where everybody is, and codes of invitations that nobody has used."""

    homes: dict[str, tuple[str, str]]
    codes: tuple[str, ...]


@cache
def programme() -> Programme:
    content = load()
    return Programme(
        content=content, understanding=content.understanding(), name="Reform Asia", operator="Reform Trust",
        operator_contact="help@reform.example", host_country="SG", emergency_contacts="Call Mirela: 000",
        weekly_cap=A_WEEK,
    )  # fmt: skip


class Cohorts:
    """One store for all seeds of a process, so that every statement is compiled once."""

    def __init__(self) -> None:
        self.store: Store = open_store("sqlite://", inline=True)
        self._folder = tempfile.TemporaryDirectory(prefix="kawan-simulation-")
        self._empty = Path(self._folder.name) / "empty.db"
        upgrade(f"sqlite:///{self._empty}")
        self._made: dict[int, tuple[sqlite3.Connection, tuple[str, ...], tuple[str, ...]]] = {}

    @property
    def database(self) -> sqlite3.Connection:
        """The connection that the store uses, for plain SQL between its transactions."""
        with contextlib.closing(self.store.engine.raw_connection()) as connection:
            found: Any = connection.driver_connection
            assert isinstance(found, sqlite3.Connection)
            return found

    def lay(self, size: int, slack_share: float, checkin: Checkin | None = None) -> Laid:
        """Put a fresh copy of a cohort into the store; so many of its people are on Slack, and a check-in runs."""
        if size not in self._made:
            with contextlib.closing(sqlite3.connect(self._empty)) as empty:
                empty.backup(self.database)
            people, codes = self.store.now(lambda unit: _people(unit, size))
            kept = sqlite3.connect(":memory:")
            self.database.backup(kept)
            self._made[size] = kept, people, codes
        kept, people, codes = self._made[size]
        kept.backup(self.database)
        luck = random.Random(f"homes:{size}:{slack_share}")
        homes = {who: SLACK if luck.random() < slack_share else TELEGRAM for who in people}
        there = [(*SLACK, who) for who, home in homes.items() if home == SLACK]
        self.database.executemany("UPDATE account SET platform = ?, installation = ? WHERE external_id = ?", there)
        if checkin is not None:
            self.store.now(lambda unit: _run_checkin(unit, checkin))
        return Laid(homes, codes)

    def close(self) -> None:
        for kept, *_ in self._made.values():
            kept.close()
        self.store.close()
        self._folder.cleanup()


def first_date(of: Checkin) -> date:
    """The first such weekday after the day on which seeds begin."""
    tomorrow = START.date() + timedelta(days=1)
    return tomorrow + timedelta(days=(of.weekday - tomorrow.weekday()) % 7)


def _run_checkin(unit: UnitOfWork, of: Checkin) -> None:
    """As a facilitator would have started it: the library's questions, and the card of their Mondays."""
    cohort, maker, begins, at = 1, 1, first_date(of), time(of.hour)
    rule = Rule("week", of.every, (of.weekday,)).as_rrule()
    values = usual() | {"rhythm": {"rrule": rule, "time": at.isoformat("minutes")}}
    number = unit.checkins.add(cohort, maker, START, **values)
    schedule = unit.recurring.add(
        cohort, ASK, rule, at, begins, START, object=number, role="fellow", purpose="questions"
    )  # fmt: skip
    unit.checkins.settle(number, state="running", schedule_id=schedule, first_on=begins.isoformat())


def _people(unit: UnitOfWork, size: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A cohort of this size, all on Telegram: who there is, and codes of invitations that nobody has used."""
    luck = random.Random(f"cohort:{size}")
    ids = SeededIds(size)
    cohort = unit.members.add_cohort("simulated", "Reform Asia", "en", "Asia/Bangkok")
    people = (*(f"U{n}" for n in range(size)), MALICIOUS)
    staff = {who for who in people if who == "U0" or (who == "U7" and size > 8)}
    numbers = [_person(unit, luck, cohort, who, facilitator=who in staff) for who in people]
    codes = tuple(ids.code() for _ in range(OPEN_INVITES))
    for code in codes:
        until = START + timedelta(days=60)
        unit.invites.add(cohort, code_hash(code), "fellow", START, until, invited_by=numbers[0])
    return people, codes


def _person(unit: UnitOfWork, luck: random.Random, cohort: int, who: str, *, facilitator: bool) -> int:
    """Somebody who has joined, with a mark in each field; search is told once, at the end."""
    members = Members(unit.connection, lambda number: None, unit.recurring)
    profiles = Profiles(unit.connection, lambda number: None)
    n = number_of(who)
    coalitions = [one.slug for one in programme().content.coalitions][:3]
    country, zone = luck.choice(COUNTRIES)
    number = members.add(
        cohort, START, role="facilitator" if facilitator else "fellow", state="active",
        language="id" if luck.random() < 0.1 else "en", time_zone=zone, joined_at=START,
        preset=luck.choices(("open", "careful", "hidden"), weights=(4, 4, 1))[0],
    )  # fmt: skip
    me = members.lock(number)
    assert me is not None
    members.add_account(me, *TELEGRAM, who, f"dm:{who}", START)
    given = {purpose: facilitator or purpose != "introductions" or luck.random() < 0.9 for purpose in PURPOSES}
    profiles.give_consent(cohort, number, given, 1, "en", START)
    profiles.write(
        cohort, number, name=mark("name", n), country=country, organisation=mark("organisation", n),
        role_title=mark("role_title", n), other_name=mark("other_name", n) if luck.random() < 0.2 else None,
        side=None if facilitator else luck.choices(("buyer", "bidder", "neither"), weights=(1, 1, 4))[0],
    )  # fmt: skip
    if not facilitator:
        profiles.write_list(cohort, number, "coalitions", luck.sample(coalitions, 2))
        profiles.write_list(cohort, number, "topics", luck.sample(TOPICS, 2))
        profiles.write_list(cohort, number, "languages", ["en"])
        for kind, field in (("need", "needs"), ("offer", "offers")):
            profiles.add_wish(cohort, number, kind, luck.choice(TOPICS), f"about {mark(field, n)}")
        title, goal = mark("project", n), mark("project_goal", n)
        Projects(unit.connection, lambda number: None).write(cohort, number, title=title, goal=goal)
        if luck.random() < 0.2:
            hidden = luck.choice(("name", "organisation", "needs", "country"))
            profiles.set_visibility(cohort, number, {hidden: luck.choice((Audience.ME, Audience.MET))})
    unit.search.renew(number)
    return number
