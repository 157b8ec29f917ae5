"""Prepared statements: the same on both databases, with lists of any length, and what they are told to write."""

import sqlalchemy as sa

from storage import Store, UnitOfWork
from storage.members import member
from storage.prepared import Prepared
from tests.storage.people import new_cohort, new_member

THESE = Prepared(sa.select(member.c.id).where(member.c.id.in_(sa.bindparam("some", expanding=True))))
PAUSE = Prepared(
    sa.update(member)
    .where(member.c.id.in_(sa.bindparam("some", expanding=True)), member.c.state.in_(["active", "paused"]))
    .values(language=sa.bindparam("tongue"))
)


def test_a_list_means_the_same_whatever_its_length(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        numbers = [new_member(unit, cohort, account=False).id for _ in range(9)]
        for length in (0, 1, 2, 3, 5, 9, 3):
            found = THESE.all(unit.connection, some=numbers[:length])
            assert sorted(row.id for row in found) == numbers[:length]
        assert THESE.one(unit.connection, some=[]) is None

    store.now(job)


def test_a_write_counts_each_row_once(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        cohort = new_cohort(unit)
        numbers = [new_member(unit, cohort, account=False).id for _ in range(3)]
        locked = new_member(unit, cohort, account=False, state="locked").id
        assert PAUSE.write(unit.connection, some=[*numbers, locked], tongue="mn") == 3
        assert PAUSE.write(unit.connection, some=[], tongue="mn") == 0

    store.now(job)
