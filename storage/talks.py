"""Did you talk? What each of two people who were put in touch says of it; a connection counts when both say yes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Moment, insert_new, member_id, rows, same_cohort, table

talk = table(
    "talk",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("introduction_id", Id, nullable=False),
    member_id(nullable=True),
    member_id("other_id", nullable=True),
    sa.Column("ask_from", Moment, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),  # how often it was put off
    sa.Column("said", sa.Text),  # yes or no
    sa.Column("why", sa.Text),  # of a no: silence, time, mind
    sa.Column("value", sa.Integer),  # 1 to 5: was it worth the time?
    sa.Column("said_at", Moment),
    same_cohort("member_id"),
    same_cohort("other_id"),
    sa.UniqueConstraint("introduction_id", "member_id"),
    sa.Index("ix_talk_member_id", "member_id", "said", "ask_from"),
    sa.Index("ix_talk_other_id", "other_id"),
    sa.Index("ix_talk_cohort_id", "cohort_id", "said", "introduction_id"),
    personal={"member_id": "unlink", "other_id": "unlink"},  # how many met stays
    own={"member_id": ("introduction_id",)},
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Talk:
    """One side of an introduction, as its member told it."""

    id: int
    introduction_id: int
    other_id: int | None
    times: int
    said: str | None
    why: str | None


_t = talk.c
_TALK = [_t[name] for name in Talk.__dataclass_fields__]


_WAITING = (
    sa.select(*_TALK)
    .where(
        _t.member_id == sa.bindparam("member"),
        _t.said.is_(None),
        _t.ask_from <= sa.bindparam("now", type_=Moment),
    )
    .order_by(_t.ask_from, _t.id)
    .limit(1)
)


class Talks:
    """Each side says for itself, in private; the other learns nothing of it but a yes of both."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def expect(self, cohort_id: int, introduction_id: int, one: int, other: int, ask_from: datetime) -> None:
        """Two people are in touch: each is asked from a moment on whether they talked."""
        for mine, yours in ((one, other), (other, one)):
            values = {
                "cohort_id": cohort_id, "introduction_id": introduction_id, "member_id": mine, "other_id": yours,
                "ask_from": ask_from, "times": 0,
            }  # fmt: skip
            insert_new(self._connection, talk, values)

    def waiting(self, member_number: int, now: datetime) -> Talk | None:
        """The oldest introduction of which this member has not said yet whether they talked."""
        found = self._connection.execute(_WAITING, {"member": member_number, "now": now}).one_or_none()
        return None if found is None else Talk(*found)

    def get(self, number: int, member_number: int) -> Talk | None:
        """One of a member's own."""
        found = self._connection.execute(
            sa.select(*_TALK).where(_t.id == number, _t.member_id == member_number)
        ).one_or_none()
        return None if found is None else Talk(*found)

    def change(self, number: int, member_number: int, **values: Any) -> bool:
        """Overwrite what a member said themselves."""
        done = self._connection.execute(
            sa.update(talk).where(_t.id == number, _t.member_id == member_number).values(**values)
        )
        return rows(done) == 1

    def put_off(self, introduction_id: int, ask_from: datetime) -> None:
        """Ask both later, where they have not said anything yet."""
        self._connection.execute(
            sa.update(talk)
            .where(_t.introduction_id == introduction_id, _t.said.is_(None))
            .values(ask_from=ask_from, times=_t.times + 1)
        )

    def both_met(self, introduction_id: int) -> bool:
        """Did both sides say yes?"""
        found = self._connection.scalar(
            sa.select(sa.func.count()).where(_t.introduction_id == introduction_id, _t.said == "yes")
        )
        return found == 2

    def connections(self, cohort_id: int) -> int:
        """How many introductions of a cohort both sides call a meeting."""
        both = (
            sa.select(_t.introduction_id)
            .where(_t.cohort_id == cohort_id, _t.said == "yes")
            .group_by(_t.introduction_id)
            .having(sa.func.count() == 2)
            .subquery()
        )
        return self._connection.scalar(sa.select(sa.func.count()).select_from(both)) or 0
