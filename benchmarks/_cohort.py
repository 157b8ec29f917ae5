"""A large cohort of invented people, written in bulk: what each says of themselves, and who may see it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bot.content import Content
from bot.domain.profiles import Audience, Help, Preset, Profile, Whole
from storage import UnitOfWork
from storage.introductions import ally
from storage.members import member
from storage.portraits import pack, portrait
from storage.profiles import apart, profile
from storage.search import key_row, keys_of
from storage.search_scan import search_key

AT_ONCE = 5000
_KEY = tuple(key_row(0, 0, "", "", ""))
NOW = datetime(2026, 11, 23, tzinfo=UTC)
PROGRAMME = ("ID", "MN", "PH", "TH")
RARE = 0.04  # of the people are from one of all other countries
PRESETS = ((Preset.CAREFUL, 70), (Preset.OPEN, 20), (Preset.HIDDEN, 10))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "Ayu Sari Sekar Dewi Putri Indra Budi Joko Agus Rina Bat Bold Ganbat Otgon Saran Tuya Enkh Naran Temuulen Oyun "
    "Maria Jose Juan Ana Rosa Carlo Pilo Jek Liza Ramon Somchai Anong Niran Kanya Prasert Malee Arthit Suda Chai Ploy"
)
SYLLABLES = _words("ba ra san do ku wi ja ya ma ni ro del cruz ta na chai wong sri pong yar suren jav khan dor ji")
WORDS = _words(
    "need support from the minister to sign the decree publish contracts data citizens monitor budgets village school "
    "repair road hospital medicine tender bidders feedback journalists training portal standard law draft review pilot "
    "district governor council vendors beneficial owners register audit committee savings indicators dashboard"
)


@dataclass(frozen=True, slots=True)
class Cohort:
    """What the questions need to know."""

    id: int
    viewers: tuple[int, ...]
    names: tuple[str, ...]
    rare_countries: tuple[str, ...]


def fill(unit: UnitOfWork, content: Content, members: int, seed: int) -> Cohort:
    """Write a cohort of so many members. The indexes of search are made anew afterwards: that is quicker."""
    draw = random.Random(seed)
    cohort_id = unit.members.add_cohort("large", "Large", "en", "Asia/Bangkok")
    rare = tuple(country.code for country in content.countries if country.code not in PROGRAMME)
    surnames = ["".join(draw.choices(SYLLABLES, k=draw.choice((2, 3)))).capitalize() for _ in range(2000)]
    connection = unit.connection
    for index in search_key.indexes:
        index.drop(connection)
    for first in range(1, members + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, members + 1))
        wholes = [_invent(draw, content, number, rare, surnames) for number in numbers]
        _write(connection, cohort_id, wholes)
    viewers = tuple(draw.sample(range(1, members + 1), min(500, members)))
    connection.execute(sa.insert(ally), list(_allies(draw, cohort_id, viewers, members)))
    wishes = [_apart(draw, cohort_id, number) for number in draw.sample(range(1, members + 1), members // 50)]
    connection.execute(sa.insert(apart), wishes)
    for index in search_key.indexes:
        index.create(connection)
    return Cohort(cohort_id, viewers, (*FIRST, *surnames), rare)


def _invent(draw: random.Random, content: Content, number: int, rare: tuple[str, ...], surnames: list[str]) -> Whole:
    topics = [content.topics[int(draw.triangular(0, len(content.topics), 0))].slug for _ in range(5)]
    own = {"organisation": Audience.COHORT} if draw.random() < 0.1 else {}
    return Whole(
        profile=Profile(
            id=number,
            name=f"{draw.choice(FIRST)} {draw.choice(surnames)}",
            country=draw.choice(rare) if draw.random() < RARE else draw.choice(PROGRAMME),
            sector=draw.choice(content.sectors).slug,
            side=draw.choice((None, None, None, "buyer", "bidder")),
            organisation="Ministry of Plans",
            time_zone="Asia/Bangkok",
            languages=("en", draw.choice(("id", "mn", "fil", "th"))),
            coalitions=tuple(one.slug for one in draw.sample(content.coalitions, draw.choice((1, 2, 3)))),
            topics=tuple(dict.fromkeys(topics[: draw.choice((1, 2, 3))])),
            needs=(Help(topics[3], " ".join(draw.choices(WORDS, k=6)), number * 2),),
            offers=(Help(topics[4], " ".join(draw.choices(WORDS, k=5)), number * 2 + 1),),
            project=" ".join(draw.choices(WORDS, k=4)),
        ),
        preset=draw.choices([preset for preset, _ in PRESETS], [weight for _, weight in PRESETS])[0],
        own=own,
    )


def _write(connection: sa.Connection, cohort_id: int, wholes: list[Whole]) -> None:
    members, profiles, portraits, keys = [], [], [], []
    for whole in wholes:
        of = whole.profile
        members.append(
            {"id": of.id, "cohort_id": cohort_id, "role": "fellow", "state": "active", "language": "en",
             "time_zone": of.time_zone, "preset": whole.preset.value, "created_at": NOW}
        )  # fmt: skip
        shared = {"cohort_id": cohort_id, "member_id": of.id}
        profiles.append(shared | {"name": of.name, "country": of.country, "sector": of.sector, "side": of.side})
        portraits.append(shared | {"whole": pack(whole)})
        keys += [tuple(key_row(cohort_id, of.id, *key).values()) for key in keys_of(whole)]
    for table, rows in ((member, members), (profile, profiles), (portrait, portraits)):
        connection.execute(sa.insert(table), rows)
    # Millions: past SQLAlchemy's handling of each, and in the order of the table.
    connection.exec_driver_sql(f"INSERT INTO search_key ({', '.join(_KEY)}) VALUES (?, ?, ?, ?, ?, ?)", sorted(keys))


def _allies(draw: random.Random, cohort_id: int, viewers: tuple[int, ...], members: int) -> Iterator[dict[str, Any]]:
    for viewer in viewers:
        for other in {draw.randint(1, members) for _ in range(draw.randint(0, 20))} - {viewer}:
            yield {"cohort_id": cohort_id, "member_id": viewer, "other_id": other, "since": NOW}


def _apart(draw: random.Random, cohort_id: int, number: int) -> dict[str, Any]:
    sector = draw.choice(("government", "private_sector"))
    return {"cohort_id": cohort_id, "member_id": number, "sector": sector, "country": draw.choice(PROGRAMME)}
