"""Who gets a message: the members of an audience as statements that read a limited stretch of an index."""

from dataclasses import dataclass

import sqlalchemy as sa

from storage.broadcast_answers import broadcast_answer
from storage.members import member
from storage.outbox_rows import outbox
from storage.profiles import consent, member_coalition, member_topic, profile
from storage.projects import project

ROLES = ("fellow", "facilitator")
# An audience by what people say of themselves: the table and the column, both in an index with the member.
BY = {
    "coalition": member_coalition.c.coalition,
    "topic": member_topic.c.topic,
    "country": profile.c.country,
    "sector": profile.c.sector,
}
KINDS = ("all", *BY, "project", "silent", "coming")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """An audience: its kind, what it is about, whose message it is, and whether it asks something.

    `key` is a slug or a code; for `project` a project's number; for `silent` (has not answered), `coming` (has not
    declined) the number of an earlier message. Who agreed to no questions is not asked any.
    """

    cohort: int
    sender: int
    kind: str
    key: str = ""
    asks: bool = False


def members_of(of: Recipients, after: int = 0) -> sa.Select[int]:
    """The active members of an audience after a number, without the sender, by number."""
    who, narrowed = _source(of)
    statement = (
        sa.select(member.c.id)
        .where(
            member.c.state == "active",
            member.c.role.in_(ROLES),
            member.c.id != of.sender,
            who > after,
            *narrowed,
        )
        .order_by(who)
    )
    if of.asks:
        statement = statement.where(
            sa.exists().where(
                consent.c.member_id == member.c.id, consent.c.purpose == "questions", consent.c.given.is_(sa.true())
            )
        )
    return statement


def _source(of: Recipients) -> tuple[sa.ColumnElement[int], list[sa.ColumnElement[bool]]]:
    """The column by whose order the members are read, and what narrows them."""
    if of.kind in BY:
        column = BY[of.kind]
        found = column.table.c
        return found.member_id, [found.cohort_id == of.cohort, column == of.key, member.c.id == found.member_id]
    in_cohort = member.c.cohort_id == of.cohort
    if of.kind == "all":
        return member.c.id, [in_cohort]
    number = int(of.key) if of.key.isdigit() else 0
    if of.kind == "project":
        mine = sa.exists().where(project.c.member_id == member.c.id, project.c.id == number)
        return member.c.id, [in_cohort, mine]
    if of.kind in ("silent", "coming"):
        return member.c.id, [in_cohort, _has(number), ~_answered(number, declined=of.kind == "coming")]
    raise ValueError(f"no such audience: {of.kind}")


def _has(number: int) -> sa.ColumnElement[bool]:
    """Members who have a message, or may have it: found by the unique name of their row."""
    name = idem_prefix(number) + sa.cast(member.c.id, sa.Text)
    return sa.exists().where(outbox.c.idem == name, outbox.c.state.in_(("sent", "unconfirmed", "in_doubt")))


def _answered(number: int, *, declined: bool) -> sa.ColumnElement[bool]:
    of = broadcast_answer.c
    condition = [of.broadcast_id == number, of.member_id == member.c.id]
    return sa.exists().where(*condition, *([of.choice == 1] if declined else []))


def idem_prefix(number: int) -> str:
    """What the name of each row of a message begins with; the member's number follows."""
    return f"bc:{number}:"
