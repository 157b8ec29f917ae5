"""Who gets a message: the members of an audience, a page at a time; each page reads a limited stretch of an index."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.broadcast_answers import broadcast_answer
from storage.members import member
from storage.outbox_rows import COUNTED, outbox
from storage.profiles import consent, member_coalition, member_topic, profile
from storage.teams import IN, project_member

ROLES = ("fellow", "facilitator")
# An audience by what people say of themselves: the column, which is in an index with the cohort and the member.
BY = {
    "coalition": member_coalition.c.coalition,
    "topic": member_topic.c.topic,
    "country": profile.c.country,
    "sector": profile.c.sector,
}
HAVE_IT = ("sent", "unconfirmed", "in_doubt")
DECLINED = 1  # the second button of a session
A_PAGE = 1000
COUNTED_AT_MOST = 20_000  # people who are counted one by one; more is "more than"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """An audience: its kind, what it is about, whose message it is, and whether it asks something.

    `key` is a slug or a code; for `project` a project's number; for `silent` (has it and has not answered) and
    `coming` (has it and has not declined) the number of an earlier message. Who agreed to no questions is not asked.
    """

    cohort: int
    sender: int
    kind: str
    key: str = ""
    asks: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Must each person be looked at, beyond what the index says?"""
        return self.asks or self.kind in ("silent", "coming")

    @property
    def number(self) -> int:
        return int(self.key) if self.key.isdigit() else 0


class Audiences:
    """Numbers of members only. Nobody who is away, joining or gone is in any audience, nor is the sender."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, of: Recipients, after: int, limit: int) -> tuple[list[int], int | None]:
        """The members among the next `limit` candidates, by number, and the number to go on after; None at the end."""
        found = list(self._connection.scalars(candidates(of, after).limit(limit)))
        return self._narrowed(of, found), found[-1] if len(found) == limit else None

    def count(self, of: Recipients) -> tuple[int, bool]:
        """How many people an audience has now, and whether there are more than were counted."""
        if not of.is_narrowed:
            whole = candidates(of).order_by(None).subquery()
            return int(self._connection.scalar(sa.select(sa.func.count()).select_from(whole)) or 0), False
        count = 0
        for page in self._pages(of):
            count += len(page)
            if count > COUNTED_AT_MOST:
                return COUNTED_AT_MOST, True
        return count, False

    def full(self, of: Recipients, since: datetime, cap: int) -> int:
        """How many people of an audience, as far as they are counted, had so many counted messages since then."""
        return sum(len(self._have_had(page, since, cap)) for page in self._pages(of))

    def _pages(self, of: Recipients) -> Iterator[list[int]]:
        after: int | None = 0
        for _ in range(COUNTED_AT_MOST // A_PAGE + 1):
            if after is None:
                return
            page, after = self.page(of, after, A_PAGE)
            yield page

    def _have_had(self, numbers: Sequence[int], since: datetime, cap: int) -> Sequence[int]:
        return self._connection.scalars(
            sa.select(outbox.c.member_id)
            .where(outbox.c.member_id.in_(numbers), COUNTED, outbox.c.sending_at >= since)
            .group_by(outbox.c.member_id)
            .having(sa.func.count() >= cap)
        ).all()

    def _narrowed(self, of: Recipients, numbers: list[int]) -> list[int]:
        if of.kind in ("silent", "coming") and numbers:
            here = self._have_it(of.number, numbers) - self._answered(of, numbers)
            numbers = [number for number in numbers if number in here]
        if of.asks and numbers:
            agreed = self._agreed(numbers)
            numbers = [number for number in numbers if number in agreed]
        return numbers

    def _agreed(self, numbers: Sequence[int]) -> set[int]:
        mine = (consent.c.member_id.in_(numbers), consent.c.purpose == "questions", consent.c.given.is_(sa.true()))
        return set(self._connection.scalars(sa.select(consent.c.member_id).where(*mine)))

    def _have_it(self, message: int, numbers: Sequence[int]) -> set[int]:
        """Who has a message, or may have it: found by the unique names of the rows."""
        names = [f"{idem_prefix(message)}{number}" for number in numbers]
        rows = sa.select(outbox.c.member_id).where(outbox.c.idem.in_(names), outbox.c.state.in_(HAVE_IT))
        return set(self._connection.scalars(rows))

    def _answered(self, of: Recipients, numbers: Sequence[int]) -> set[int]:
        answer = broadcast_answer.c
        conditions = [answer.broadcast_id == of.number, answer.member_id.in_(numbers)]
        if of.kind == "coming":
            conditions.append(answer.choice == DECLINED)
        return set(self._connection.scalars(sa.select(answer.member_id).where(*conditions)))


def candidates(of: Recipients, after: int = 0) -> sa.Select[int]:
    """The active members who may be in an audience, after a number, by number."""
    who, conditions = _source(of)
    return (
        sa.select(member.c.id)
        .where(
            member.c.state == "active",
            member.c.role.in_(ROLES),
            member.c.id != of.sender,
            who > after,
            *conditions,
        )
        .order_by(who)
    )


def _source(of: Recipients) -> tuple[sa.ColumnElement[int], list[sa.ColumnElement[bool]]]:
    """The column by whose order the members are read, and what narrows them."""
    if of.kind in BY:
        column = BY[of.kind]
        found = column.table.c
        return found.member_id, [found.cohort_id == of.cohort, column == of.key, member.c.id == found.member_id]
    if of.kind == "project":
        team = project_member.c
        in_it = [team.cohort_id == of.cohort, team.project_id == of.number, team.state == IN]
        return team.member_id, [*in_it, member.c.id == team.member_id]
    if of.kind in ("all", "silent", "coming"):
        return member.c.id, [member.c.cohort_id == of.cohort]
    raise ValueError(f"no such audience: {of.kind}")


def idem_prefix(number: int) -> str:
    """What the name of each row of a message begins with; the member's number follows."""
    return f"bc:{number}:"
