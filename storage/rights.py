"""What is asked again when a message is about to leave: may it still be sent to this person, and about those?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.profiles import Apart, Standing, kept_apart
from storage.broadcasts import ENDED, broadcast
from storage.members import LIVE, member
from storage.outbox_rows import content, outbox_about
from storage.prepared import Prepared
from storage.profiles import apart, consent, profile

_ABOUT = Prepared(
    sa.select(outbox_about.c.outbox_seq, outbox_about.c.member_id).where(
        outbox_about.c.outbox_seq.in_(sa.bindparam("rows", expanding=True))
    )
)
_THESE: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_MEMBERS = Prepared(
    sa.select(
        member.c.id,
        member.c.cohort_id,
        member.c.role,
        member.c.state,
        member.c.time_zone,
        member.c.hours,
        member.c.paused_until,
        member.c.narrowed_seq,
        profile.c.country,
        profile.c.sector,
        profile.c.side,
    )
    # The list once more: without it PostgreSQL reads all profiles as soon as there are some dozens of members.
    .select_from(member.outerjoin(profile, (profile.c.member_id == member.c.id) & profile.c.member_id.in_(_THESE)))
    .where(member.c.id.in_(_THESE))
)
_CONSENT = Prepared(
    sa.select(consent.c.member_id, consent.c.purpose).where(consent.c.member_id.in_(_THESE), consent.c.given.is_(True))
)
_WISHES = Prepared(
    sa.select(apart.c.member_id, apart.c.other_id, apart.c.sector, apart.c.country).where(apart.c.member_id.in_(_THESE))
)
_ENDED = Prepared(
    sa.select(content.c.id)
    .join_from(content, broadcast, broadcast.c.id == content.c.broadcast_id)
    .where(content.c.id.in_(sa.bindparam("contents", expanding=True)), broadcast.c.state.in_(ENDED))
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A row that could leave now, as far as its rights go."""

    seq: int
    member_id: int | None
    on_behalf: int | None
    purpose: str | None
    priority: int
    content: int | None  # what it shares with others


class Rights:
    """The people of one claim, read in five statements at most, however many rows it has."""

    def __init__(self, connection: Connection, pending: Sequence[Pending], *, buyers_and_bidders_apart: bool) -> None:
        self._connection = connection
        self._default_apart = buyers_and_bidders_apart
        self.about = self._named(pending)
        recipients = {one.member_id for one in pending if one.member_id is not None}
        named = {number for numbers in self.about.values() for number in numbers}
        self.members: Mapping[int, Any] = self._read_members(recipients | named)
        self._given = self._read_consents({one.member_id for one in pending if one.purpose and one.member_id})
        self._wishes = self._read_wishes(recipients | named) if named else {}
        self._ended = self._read_ended({one.content for one in pending if one.content is not None})

    def allow(self, row: Pending) -> bool:
        """May this row still be sent? What was on its way when its message was stopped may have come back since."""
        if row.content in self._ended:
            return False
        named = self.about.get(row.seq, ())
        if row.member_id is None:  # a stranger, or several people at once
            return all(self._is_there(number, row) for number in named) and not any(
                self._apart(one, other) for one in named for other in named if one < other
            )
        to = self.members.get(row.member_id)
        if to is None or not self._may_get(row, to):
            return False
        return all(self._may_be_named(row, to, number) for number in named if number != row.member_id)

    def _may_get(self, row: Pending, to: Any) -> bool:
        """Answers to one's own presses are always given; what others or the programme say needs a member."""
        if to.state == "left":
            return False
        # Whoever locked their account wants nothing on their screen of what was said before.
        if to.state == "locked" and to.narrowed_seq is not None and row.seq <= to.narrowed_seq:
            return False
        if row.purpose and (to.id, row.purpose) not in self._given:
            return False
        from_others = row.on_behalf not in (None, to.id) or row.priority >= 2
        return to.state in LIVE or not from_others

    def _may_be_named(self, row: Pending, to: Any, number: int) -> bool:
        of = self.members.get(number)
        if of is None or of.cohort_id != to.cohort_id:
            return False
        if row.content is not None and number == row.on_behalf and of.role != "facilitator":
            return False
        if not self._is_there(number, row):
            return False
        if "facilitator" in (to.role, of.role):  # everybody may know and reach the people who run the programme
            return True
        return not self._apart(number, to.id)

    def _is_there(self, number: int, row: Pending) -> bool:
        """Still a member, and not hidden, locked or leaving since the row was written."""
        of = self.members.get(number)
        if of is None or of.state in ("left", "locked"):
            return False
        return of.narrowed_seq is None or row.seq > of.narrowed_seq

    def _apart(self, one: int, other: int) -> bool:
        rules = [*self._wishes.get(one, ()), *self._wishes.get(other, ())]
        return kept_apart(self._standing(one), self._standing(other), rules, buyers_and_bidders=self._default_apart)

    def _standing(self, number: int) -> Standing:
        of = self.members.get(number)
        return Standing(number, None, None, None) if of is None else Standing(number, of.country, of.sector, of.side)

    def _named(self, pending: Sequence[Pending]) -> dict[int, set[int]]:
        about: dict[int, set[int]] = {one.seq: {one.on_behalf} for one in pending if one.on_behalf is not None}
        for seq, number in _ABOUT.all(self._connection, rows=[one.seq for one in pending]):
            about.setdefault(seq, set()).add(number)
        return about

    def _read_members(self, numbers: Collection[int]) -> Mapping[int, Any]:
        found = _MEMBERS.all(self._connection, members=sorted(numbers)) if numbers else ()
        return {row.id: row for row in found}

    def _read_consents(self, numbers: Collection[int]) -> set[tuple[int, str]]:
        found = _CONSENT.all(self._connection, members=sorted(numbers)) if numbers else ()
        return {(row[0], row[1]) for row in found}

    def _read_wishes(self, numbers: Collection[int]) -> dict[int, list[Apart]]:
        found: dict[int, list[Apart]] = {}
        for row in _WISHES.all(self._connection, members=sorted(numbers)):
            found.setdefault(row[0], []).append(Apart(*row))
        return found

    def _read_ended(self, contents: Collection[int]) -> set[int]:
        """Those of messages to many that were stopped or withdrawn."""
        found = _ENDED.all(self._connection, contents=sorted(contents)) if contents else ()
        return {row.id for row in found}
