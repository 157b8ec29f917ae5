"""Who could be reached nowhere, since when, and which facilitators are to hear of it on their next morning."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Moment, rows
from storage.members import LIVE, MISSED, account, cohort, member
from storage.schedules import timer

_elsewhere = account.alias("elsewhere")
_NOWHERE = ~sa.exists().where(_elsewhere.c.member_id == account.c.member_id, _elsewhere.c.reachable)
_LIVES = sa.exists().where(member.c.id == account.c.member_id, member.c.state.in_(LIVE))
_MISS = (
    sa.update(account)
    .where(account.c.member_id == sa.bindparam("who"), account.c.missed_at.is_(None), _NOWHERE, _LIVES)
    .values(missed_at=sa.bindparam("now", type_=Moment))
)
_SINCE = (
    MISSED,
    account.c.cohort_id == sa.bindparam("cohort"),
    account.c.missed_at > sa.bindparam("since", type_=Moment),
    account.c.missed_at <= sa.bindparam("until", type_=Moment),
    account.c.member_id != sa.bindparam("but"),
    _NOWHERE,
    _LIVES,
)


class Unreached:
    """A member is missed from the first message that reached them nowhere, until they write again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begins(self, member_number: int, now: datetime) -> bool:
        """A message ended unreachable: is it the first since its member can be reached nowhere?"""
        return rows(self._connection.execute(_MISS, {"who": member_number, "now": now})) > 0

    def to_tell(self, cohort_id: int, but: int) -> dict[int, str]:
        """The cohort's active facilitators and their time zones; whoever else asks for them waits until the commit."""
        # Two relays that write to nobody at the same moment set one timer; references to the cohort do not wait.
        one = sa.select(cohort.c.id).where(cohort.c.id == cohort_id).with_for_update(key_share=True)
        self._connection.execute(one)
        found = self._connection.execute(
            sa.select(member.c.id, member.c.time_zone).where(
                member.c.cohort_id == cohort_id,
                member.c.role == "facilitator",
                member.c.state == "active",
                member.c.id != but,
            )
        )
        return {row.id: row.time_zone for row in found}

    def tell_at(self, name: str, mornings: Mapping[int, datetime]) -> None:
        """A timer of this name for each of these members at their moment, unless there is one already."""
        known = self._connection.execute(
            sa.select(timer.c.member_id, timer.c.due_at).where(timer.c.member_id.in_(mornings), timer.c.name == name)
        ).all()
        there = {(number, at) for number, at in known}
        new = [
            {"member_id": number, "name": name, "due_at": at}
            for number, at in mornings.items()
            if (number, at) not in there
        ]
        if new:
            self._connection.execute(sa.insert(timer), new)

    def count(self, cohort_id: int, since: datetime, until: datetime, *, but: int) -> int:
        """How many of a cohort began to be missed after `since` and by `until`, and still are; without one member."""
        counted = sa.select(sa.func.count(account.c.member_id.distinct())).where(*_SINCE)
        which = {"cohort": cohort_id, "since": since, "until": until, "but": but}
        return self._connection.scalar(counted, which) or 0

    def some(self, cohort_id: int, since: datetime, until: datetime, *, but: int, limit: int) -> Sequence[int]:
        """The first of them, by number."""
        wanted = sa.select(account.c.member_id).where(*_SINCE).distinct().order_by(account.c.member_id).limit(limit)
        which = {"cohort": cohort_id, "since": since, "until": until, "but": but}
        return self._connection.scalars(wanted, which).all()
