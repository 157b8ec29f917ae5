"""Cohorts and members for the tests of storage, written through its own methods."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from bot.domain.profiles import Audience
from storage import Store, UnitOfWork
from storage.members import Member
from storage.profiles import PURPOSES

NOW = datetime(2026, 11, 23, 9, 30, 15, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LANE = "console:test"
_numbers = count(1)


def new_cohort(unit: UnitOfWork) -> int:
    """A cohort of its own."""
    return unit.members.add_cohort(f"cohort-{next(_numbers)}", "Reform Asia", "en", "Asia/Bangkok")


def new_member(unit: UnitOfWork, cohort: int, *, account: bool = True, **settings: Any) -> Member:
    """An active fellow, unless told otherwise, with an account."""
    values = {"role": "fellow", "state": "active", "language": "en", "time_zone": "Asia/Manila"} | settings
    number = unit.members.add(cohort, NOW, **values)
    found = unit.members.recall(number)
    assert found is not None
    if account:
        unit.members.add_account(found, "console", "test", f"U{number}", f"dm:U{number}", NOW)
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """What a member says of themselves."""

    name: str = "Sekar Ayu"
    country: str | None = "ID"
    sector: str | None = None
    side: str | None = None
    topics: Sequence[str] = ()
    coalitions: Sequence[str] = ()
    needs: Sequence[tuple[str | None, str | None]] = ()
    offers: Sequence[tuple[str | None, str | None]] = ()
    project: str | None = None


def new_fellow(
    unit: UnitOfWork,
    cohort: int,
    said: Said | None = None,
    *,
    agreed: bool = True,
    own: Mapping[str, Audience] | None = None,
    **settings: Any,
) -> Member:
    """An active fellow with a profile, who agreed to everything."""
    said = said or Said()
    made = new_member(unit, cohort, **settings)
    profiles = unit.profiles
    profiles.write(cohort, made.id, name=said.name, country=said.country, sector=said.sector, side=said.side)
    profiles.write_list(cohort, made.id, "topics", said.topics)
    profiles.write_list(cohort, made.id, "coalitions", said.coalitions)
    for kind, wishes in (("need", said.needs), ("offer", said.offers)):
        for topic, words in wishes:
            profiles.add_wish(cohort, made.id, kind, topic, words)
    if said.project:
        unit.projects.write(cohort, made.id, title=said.project)
    if own:
        profiles.set_visibility(cohort, made.id, own)
    profiles.give_consent(cohort, made.id, dict.fromkeys(PURPOSES, agreed), 1, "en", NOW)
    return made


def new_row(unit: UnitOfWork, conversation: str = "dm:U1", **values: Any) -> int:
    """A message in line."""
    number = next(_numbers)
    known: dict[str, Any] = {
        "idem": f"re:{number}",
        "key": number.to_bytes(16),
        "lane": LANE,
        "conversation": conversation,
        "member_id": None,
        "body": {"text": f"message {number}"},
        "cause": "test",
        "now": NOW,
    }
    return unit.outbox.add(**known | values)


def in_two_cohorts(store: Store) -> tuple[int, int]:
    """Two cohorts."""
    return store.now(lambda unit: (new_cohort(unit), new_cohort(unit)))


@contextlib.contextmanager
def locked(store: Store) -> Iterator[None]:
    """Another tool keeps the database to itself."""
    if store.engine.dialect.name == "sqlite":
        other = sa.create_engine(store.engine.url, isolation_level="AUTOCOMMIT")
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield
            connection.exec_driver_sql("ROLLBACK")
        other.dispose()
        return
    with store.engine.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE meta, lane IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()
