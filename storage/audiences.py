"""Who gets a message: the members of an audience, a page at a time; each page reads a limited stretch of an index."""

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
COUNTED_AT_MOST = 20_000  # people who are looked at one by one to count some; more is "more than"


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
        who = candidates(of, after).limit(limit).subquery()
        fits = sa.and_(sa.true(), *_narrowed(of, who.c.id))
        found = self._connection.execute(sa.select(who.c.id, fits).order_by(who.c.id)).all()
        return [row[0] for row in found if row[1]], found[-1][0] if len(found) == limit else None

    def count(self, of: Recipients) -> tuple[int, bool]:
        """How many people an audience has now, and whether there are more than were counted."""
        some = candidates(of).limit(COUNTED_AT_MOST) if of.is_narrowed else candidates(of).order_by(None)
        who = some.subquery()
        fits = sa.func.count().filter(sa.true(), *_narrowed(of, who.c.id))
        looked_at, found = self._connection.execute(sa.select(sa.func.count(), fits).select_from(who)).one()
        return found, of.is_narrowed and looked_at == COUNTED_AT_MOST

    def full(self, of: Recipients, since: datetime, cap: int) -> int:
        """How many people of an audience, as far as they are counted, had so many counted messages since then."""
        who = candidates(of).limit(COUNTED_AT_MOST).subquery()
        had = (
            sa.select(sa.func.count())
            .where(outbox.c.member_id == who.c.id, COUNTED, outbox.c.sending_at >= since)
            .scalar_subquery()
        )
        full = sa.select(sa.func.count()).select_from(who).where(had >= cap, *_narrowed(of, who.c.id))
        return int(self._connection.scalar(full) or 0)


def _narrowed(of: Recipients, who: sa.ColumnElement[int]) -> list[sa.ColumnElement[bool]]:
    """What is looked up for each person, in an index; never as EXISTS, for which PostgreSQL might read whole tables."""
    found: list[sa.ColumnElement[bool]] = []
    if of.kind in ("silent", "coming"):
        name = sa.literal(idem_prefix(of.number)) + sa.cast(who, sa.Text)
        state = sa.select(outbox.c.state).where(outbox.c.idem == name).scalar_subquery()
        answer = broadcast_answer.c
        answered = sa.select(answer.choice if of.kind == "coming" else answer.member_id).where(
            answer.broadcast_id == of.number, answer.member_id == who
        )
        found.append(state.in_(HAVE_IT))
        found.append(answered.scalar_subquery().is_distinct_from(DECLINED if of.kind == "coming" else who))
    if of.asks:
        mine = (consent.c.member_id == who, consent.c.purpose == "questions")
        found.append(sa.func.coalesce(sa.select(consent.c.given).where(*mine).scalar_subquery(), sa.false()))
    return found


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
