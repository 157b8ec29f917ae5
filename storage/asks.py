"""Asks: a question of one fellow, who got it, what they did, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Moment, insert, insert_new, member_id, rows, same_cohort, table, text
from storage.members import member
from storage.profiles import consent

ask = table(
    "ask",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    text("text"),
    sa.Column("topic", sa.Text),
    sa.Column("state", sa.Text, nullable=False),  # open, solved, thanked, closed
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, server_default=sa.text("1")),  # how often it was asked of others
    sa.Column("stuck_id", Id),  # the asker's blocker that it shall remove,
    sa.Column("milestone_id", Id),  # or the milestone
    same_cohort("member_id"),
    sa.Index("ix_ask_member_id", "member_id", "state"),
    personal={"member_id": "delete"},
    sqlite_autoincrement=True,
)

asked = table(
    "asked",
    sa.Column("ask_id", Id, sa.ForeignKey("ask.id", ondelete="CASCADE"), primary_key=True),
    member_id(primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # waiting, helping, answered, declined
    text("answer"),
    sa.Column("message", Id),
    same_cohort("member_id"),
    sa.Index("ix_asked_member_id", "member_id", "asked_at"),
    personal={"member_id": "delete"},
)

OPEN, SOLVED, THANKED, CLOSED = "open", "solved", "thanked", "closed"
WAITING, HELPING, ANSWERED, DECLINED = "waiting", "helping", "answered", "declined"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, in its owner's words."""

    id: int
    cohort_id: int
    member_id: int
    text: str
    topic: str | None
    state: str
    asked_at: datetime
    times: int
    stuck_id: int | None
    milestone_id: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One fellow who got a question; `declined` is known to nobody else."""

    ask_id: int
    member_id: int
    asked_at: datetime
    state: str
    answer: str | None
    message: int | None


_ASK = [ask.c[name] for name in Ask.__dataclass_fields__]
_ASKED = [asked.c[name] for name in Asked.__dataclass_fields__]


class Asks:
    """Questions to peers, and those who got them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, cohort_id: int, asker: int, words: str, topic: str | None, now: datetime, **because: int | None
    ) -> int:
        """A new question's number. `because`: stuck_id or milestone_id, where something of the asker's is stuck."""
        return insert(
            self._connection, ask, cohort_id=cohort_id, member_id=asker, text=words, topic=topic, state=OPEN,
            asked_at=now, **because,
        )  # fmt: skip

    def get(self, number: int) -> Ask | None:
        """One question, locked until the transaction ends."""
        found = self._connection.execute(sa.select(*_ASK).where(ask.c.id == number).with_for_update()).one_or_none()
        return None if found is None else Ask(*found)

    def change(self, number: int, **values: Any) -> None:
        """Overwrite some values of a question."""
        self._connection.execute(sa.update(ask).where(ask.c.id == number).values(**values))

    def open_of(self, asker: int, limit: int = 10) -> list[Ask]:
        """A member's open questions, oldest first."""
        of_mine = sa.select(*_ASK).where(ask.c.member_id == asker, ask.c.state == OPEN)
        return [Ask(*found) for found in self._connection.execute(of_mine.order_by(ask.c.id).limit(limit))]

    def ask_of(self, cohort_id: int, number: int, receiver: int, now: datetime) -> bool:
        """Write down who gets a question; False when they got it before."""
        values = {"ask_id": number, "member_id": receiver, "cohort_id": cohort_id, "asked_at": now, "state": WAITING}
        return insert_new(self._connection, asked, values)

    def sent(self, number: int, receiver: int, message: int | None) -> None:
        """Remember which message asks."""
        self._connection.execute(sa.update(asked).where(_is(number, receiver)).values(message=message))

    def settle(self, number: int, receiver: int, state: str, answer: str | None = None) -> bool:
        """What a receiver did; False when they had said no already, or helped. An answer may follow an answer."""
        done = self._connection.execute(
            sa.update(asked)
            .where(_is(number, receiver), asked.c.state.in_((WAITING, ANSWERED)))
            .values(state=state, answer=answer)
        )
        return rows(done) == 1

    def receiver(self, number: int, receiver: int) -> Asked | None:
        """One fellow's part in a question, or None: it was not asked of them."""
        found = self._connection.execute(sa.select(*_ASKED).where(_is(number, receiver))).one_or_none()
        return None if found is None else Asked(*found)

    def receivers(self, number: int) -> list[Asked]:
        """Everybody who got a question: five at a time, three times at most."""
        those = sa.select(*_ASKED).where(asked.c.ask_id == number).order_by(asked.c.asked_at, asked.c.member_id)
        return [Asked(*found) for found in self._connection.execute(those.limit(50))]

    def askable(self, cohort_id: int, numbers: Sequence[int], since: datetime) -> set[int]:
        """Those of these fellows who are here, agreed to be asked, and were not asked anything since a moment."""
        recent = sa.exists().where(asked.c.member_id == member.c.id, asked.c.asked_at > since)
        agreed = sa.exists().where(
            consent.c.member_id == member.c.id, consent.c.purpose == "questions", consent.c.given
        )
        found = self._connection.scalars(
            sa.select(member.c.id).where(
                member.c.cohort_id == cohort_id,
                member.c.id.in_(numbers),
                member.c.role == "fellow",
                member.c.state == "active",
                agreed,
                ~recent,
            )
        )
        return set(found)

    def close_all(self, asker: int) -> list[int]:
        """Close a member's open questions; returns the messages that still ask."""
        numbers = [one.id for one in self.open_of(asker, limit=1000)]
        if not numbers:
            return []
        self._connection.execute(sa.update(ask).where(ask.c.id.in_(numbers)).values(state=CLOSED))
        waiting = sa.select(asked.c.message).where(asked.c.ask_id.in_(numbers), asked.c.state == WAITING)
        return [message for message in self._connection.scalars(waiting) if message is not None]


def _is(number: int, receiver: int) -> sa.ColumnElement[bool]:
    return sa.and_(asked.c.ask_id == number, asked.c.member_id == receiver)
