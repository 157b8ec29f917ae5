"""Answers to messages of facilitators: one a person and message, for the sender's eyes; others get counts."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Moment, member_id, same_cohort, table, text, upsert

broadcast_answer = table(
    "broadcast_answer",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("broadcast_id", Id, primary_key=True),
    member_id(primary_key=True),
    sa.Column("choice", sa.Integer),
    text("text"),
    sa.Column("at", Moment, nullable=False),
    sa.Index("ix_broadcast_answer_member_id", "member_id"),
    sa.Index("ix_broadcast_answer_choice", "broadcast_id", "choice", "member_id"),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person answered: the number of the button, or their own words."""

    member_id: int
    choice: int | None
    text: str | None
    at: datetime


_COLUMNS = [broadcast_answer.c[name] for name in Answer.__dataclass_fields__]


class BroadcastAnswers:
    """One answer a person and message; a later one replaces it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(
        self,
        cohort_id: int,
        broadcast: int,
        member_number: int,
        now: datetime,
        *,
        choice: int | None,
        words: str | None,
    ) -> None:
        """Keep an answer instead of an earlier one."""
        row = {"cohort_id": cohort_id, "broadcast_id": broadcast, "member_id": member_number}
        values = row | {"choice": choice, "text": words, "at": now}
        upsert(self._connection, broadcast_answer, values, ("broadcast_id", "member_id"))

    def of(self, broadcast: int, member_number: int) -> Answer | None:
        """A person's own answer, or None."""
        found = self._connection.execute(
            sa.select(*_COLUMNS).where(
                broadcast_answer.c.broadcast_id == broadcast, broadcast_answer.c.member_id == member_number
            )
        ).one_or_none()
        return None if found is None else Answer(*found)

    def counts(self, broadcast: int) -> dict[int | None, int]:
        """How many chose each button; None stands for own words."""
        found = self._connection.execute(
            sa.select(broadcast_answer.c.choice, sa.func.count())
            .where(broadcast_answer.c.broadcast_id == broadcast)
            .group_by(broadcast_answer.c.choice)
        )
        return {row[0]: row[1] for row in found}

    def page(self, broadcast: int, after: int, limit: int, *, choice: int | None = None) -> list[Answer]:
        """Answers by the number of who gave them, a page at a time; of one button only, if it is named."""
        statement = sa.select(*_COLUMNS).where(
            broadcast_answer.c.broadcast_id == broadcast, broadcast_answer.c.member_id > after
        )
        if choice is not None:
            statement = statement.where(broadcast_answer.c.choice == choice)
        found = self._connection.execute(statement.order_by(broadcast_answer.c.member_id).limit(limit))
        return [Answer(*row) for row in found]
