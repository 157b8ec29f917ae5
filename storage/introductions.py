"""Requests to meet, and the allies that come of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Json, Moment, insert, insert_new, member_id, rows, same_cohort, table
from storage.prepared import Prepared

introduction = table(
    "introduction",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, sa.ForeignKey("cohort.id"), nullable=False),
    member_id("asker_id", nullable=True),
    member_id("other_id", nullable=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("card", Json, info={"text": True}),  # what the asker confirmed, and so what the other sees
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("closes_at", Moment, nullable=False),
    sa.Column("decided_at", Moment),
    sa.Column("closed_at", Moment),
    sa.Column("request_message", Id),
    sa.Column("asker_message", Id),
    same_cohort("asker_id"),
    same_cohort("other_id"),
    sa.Index("ix_introduction_asker_id", "asker_id", "closed_at"),
    sa.Index("ix_introduction_other_id", "other_id", "closed_at"),
    personal={"asker_id": "blank", "other_id": "blank"},  # counts stay
    # A no and silence look the same to the asker; the card is the asker's.
    own={"asker_id": ("state", "decided_at", "request_message"), "other_id": ("card", "asker_message")},
    sqlite_autoincrement=True,
)

ally = table(
    "ally",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("member_id", Id, primary_key=True),
    sa.Column("other_id", Id, primary_key=True),
    sa.Column("introduction_id", Id),
    sa.Column("since", Moment, nullable=False),
    same_cohort("member_id"),
    same_cohort("other_id"),
    sa.Index("ix_ally_other_id", "other_id"),
    personal={"member_id": "delete", "other_id": "delete"},
    own={"member_id": ()},
)


@dataclass(frozen=True, slots=True)
class Introduction:
    """One request to meet. `declined` is known to nobody but the one who declined."""

    id: int
    cohort_id: int
    asker_id: int | None
    other_id: int | None
    state: str
    card: Mapping[str, Any] | None
    asked_at: datetime
    closes_at: datetime
    decided_at: datetime | None
    closed_at: datetime | None
    request_message: int | None
    asker_message: int | None


_COLUMNS = [introduction.c[name] for name in Introduction.__dataclass_fields__]
_i = introduction.c

_ARE_ALLIES = Prepared(
    sa.select(ally.c.other_id).where(
        ally.c.member_id == sa.bindparam("one"), ally.c.other_id.in_(sa.bindparam("others", expanding=True))
    )
)


class Introductions:
    """Proposed, then accepted, declined, withdrawn or closed; to the asker a declined one is open until it closes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def propose(
        self, cohort_id: int, asker: int, other: int, card: Mapping[str, Any], asked_at: datetime, closes_at: datetime
    ) -> int:
        """The asker's yes."""
        return insert(
            self._connection,
            introduction,
            cohort_id=cohort_id,
            asker_id=asker,
            other_id=other,
            state="proposed",
            card=dict(card),
            asked_at=asked_at,
            closes_at=closes_at,
        )

    def get(self, number: int) -> Introduction | None:
        """One introduction, locked until the transaction ends."""
        found = self._connection.execute(sa.select(*_COLUMNS).where(_i.id == number).with_for_update()).one_or_none()
        return None if found is None else Introduction(*found)

    def change(self, number: int, **values: Any) -> None:
        """Overwrite some values of an introduction."""
        self._connection.execute(sa.update(introduction).where(_i.id == number).values(**values))

    def decide(self, number: int, state: str, now: datetime) -> bool:
        """Move on from `proposed`; False when somebody was first."""
        done = self._connection.execute(
            sa.update(introduction)
            .where(_i.id == number, _i.state == "proposed")
            .values(state=state, decided_at=now, **({"closed_at": now} if state in ("accepted", "withdrawn") else {}))
        )
        return rows(done) == 1

    def open_of(self, asker: int) -> list[Introduction]:
        """What a member asked and has not been told the end of: a declined one counts, as silence does."""
        return self._list(_i.asker_id == asker, _i.closed_at.is_(None))

    def waiting_for(self, other: int, shown_by: datetime | None = None) -> list[Introduction]:
        """Requests that wait for this member's yes or no; with `shown_by` only those that they could see by then."""
        shown = [] if shown_by is None else [_i.asked_at <= shown_by]
        return self._list(_i.other_id == other, _i.closed_at.is_(None), _i.state == "proposed", *shown)

    def received_since(self, other: int, since: datetime) -> list[datetime]:
        """When recent requests were (or will be) shown to a member."""
        return list(
            self._connection.scalars(
                sa.select(_i.asked_at)
                .where(
                    _i.other_id == other,
                    _i.asked_at >= since,
                    sa.or_(_i.closed_at.is_(None), _i.closed_at >= _i.asked_at),  # not taken back before it was shown
                )
                .order_by(_i.asked_at)
            )
        )

    def latest_between(self, one: int, other: int) -> Introduction | None:
        """The newest introduction of a pair, whoever asked."""
        pair = sa.or_(
            sa.and_(_i.asker_id == one, _i.other_id == other), sa.and_(_i.asker_id == other, _i.other_id == one)
        )
        found = self._connection.execute(sa.select(*_COLUMNS).where(pair).order_by(_i.id.desc()).limit(1)).one_or_none()
        return None if found is None else Introduction(*found)

    def close_all(self, of: int, now: datetime) -> list[Introduction]:
        """Withdraw what a member asked and let lapse what they were asked; returns what was still open."""
        mine = self._list(_i.asker_id == of, _i.closed_at.is_(None), limit=None)
        theirs = self._list(_i.other_id == of, _i.closed_at.is_(None), _i.state == "proposed", limit=None)
        for found in mine:
            self.change(found.id, state="withdrawn", decided_at=now, closed_at=now)
        for found in theirs:  # the asker sees what silence looks like: nothing until day 7
            self.change(found.id, state="declined", decided_at=now)
        return [*mine, *theirs]

    def _list(self, *conditions: sa.ColumnElement[bool], limit: int | None = 50) -> list[Introduction]:
        statement = sa.select(*_COLUMNS).where(*conditions).order_by(_i.id).limit(limit)
        return [Introduction(*found) for found in self._connection.execute(statement)]

    def befriend(self, cohort_id: int, one: int, other: int, since: datetime, introduction_id: int | None) -> None:
        """Two people are allies from now on, each of the other."""
        for mine, yours in sorted(((one, other), (other, one))):  # in one order, or two such jobs may lock each other
            insert_new(
                self._connection,
                ally,
                {
                    "cohort_id": cohort_id,
                    "member_id": mine,
                    "other_id": yours,
                    "introduction_id": introduction_id,
                    "since": since,
                },
            )

    def part(self, one: int, other: int) -> None:
        """Two people are no longer allies."""
        self._connection.execute(
            sa.delete(ally).where(
                sa.or_(
                    sa.and_(ally.c.member_id == one, ally.c.other_id == other),
                    sa.and_(ally.c.member_id == other, ally.c.other_id == one),
                )
            )
        )

    def allies_of(self, member_number: int, limit: int = 500) -> list[int]:
        """The people a member was put in touch with, newest first."""
        return list(
            self._connection.scalars(
                sa.select(ally.c.other_id)
                .where(ally.c.member_id == member_number)
                .order_by(ally.c.since.desc(), ally.c.other_id)
                .limit(limit)
            )
        )

    def are_allies(self, one: int, others: Sequence[int]) -> set[int]:
        """Which of these a member was put in touch with."""
        return {row.other_id for row in _ARE_ALLIES.all(self._connection, one=one, others=others)}
