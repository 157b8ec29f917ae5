"""Invitations: the gate. A code is kept only as its hash."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Json, Moment, insert, insert_new, member_id, rows, same_cohort, table
from storage.outbox import outbox
from storage.prepared import Prepared

invite = table(
    "invite",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, sa.ForeignKey("cohort.id"), nullable=False),
    sa.Column("code_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("uses", sa.Integer, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("prefilled", Json, nullable=False, info={"text": True}),
    member_id("invited_by", nullable=True),
    # an invitation for somebody who is a member already: a lost account, a locked one
    member_id("for_member", nullable=True),
    sa.Column("created_at", Moment, nullable=False),
    same_cohort("invited_by"),
    same_cohort("for_member"),
    sa.Index("ix_invite_cohort_id", "cohort_id", "expires_at"),
    sa.Index("ix_invite_expires_at", "expires_at"),
    sa.Index("ix_invite_invited_by", "invited_by"),
    sa.Index("ix_invite_for_member", "for_member"),
    personal={"invited_by": "unlink", "for_member": "delete"},
    own={"for_member": ()},  # what was prefilled is the invited person's, see Privacy
    sqlite_autoincrement=True,
)

invite_use = table(
    "invite_use",
    sa.Column("invite_id", Id, sa.ForeignKey("invite.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("member_id", Id, primary_key=True),
    sa.Index("ix_invite_use_member_id", "member_id"),
    personal={"member_id": "delete"},
)


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation that can still be used."""

    id: int
    cohort_id: int
    role: str
    uses: int
    expires_at: datetime
    prefilled: dict[str, Any]
    invited_by: int | None
    for_member: int | None


_COLUMNS = [invite.c[name] for name in Invite.__dataclass_fields__]

_FIND = Prepared(
    sa.select(*_COLUMNS)
    .where(
        invite.c.code_hash == sa.bindparam("code"),
        invite.c.uses > 0,
        invite.c.expires_at > sa.bindparam("now", type_=Moment),
    )
    .with_for_update()
)
_FORGET = Prepared(
    sa.update(invite)
    .where(
        invite.c.expires_at <= sa.bindparam("now", type_=Moment),
        invite.c.prefilled != sa.literal({}, invite.c.prefilled.type),
    )
    .values(prefilled={})
)


class Invites:
    """Single use unless said otherwise, 14 days, erased with what was prefilled when nobody used it."""

    def __init__(self, connection: Connection, wipes: Callable[[], None]) -> None:
        self._connection = connection
        self._wipes = wipes

    def add(
        self,
        cohort_id: int,
        code_hash: bytes,
        role: str,
        now: datetime,
        expires_at: datetime,
        *,
        uses: int = 1,
        prefilled: dict[str, Any] | None = None,
        invited_by: int | None = None,
        for_member: int | None = None,
    ) -> int:
        """A new invitation's number."""
        return insert(
            self._connection,
            invite,
            cohort_id=cohort_id,
            code_hash=code_hash,
            role=role,
            uses=uses,
            expires_at=expires_at,
            prefilled=prefilled or {},
            invited_by=invited_by,
            for_member=for_member,
            created_at=now,
        )

    def find(self, code_hash: bytes, now: datetime) -> Invite | None:
        """The invitation behind a code; wrong, used, expired and revoked look the same."""
        found = _FIND.one(self._connection, code=code_hash, now=now)
        return None if found is None else Invite(*found)

    def begin_again(self, hashes: Collection[bytes], now: datetime) -> set[bytes]:
        """Make room for new invitations under these hashes; returns those under which one can still be used."""
        mine = invite.c.code_hash.in_(hashes)
        is_open = sa.and_(invite.c.uses > 0, invite.c.expires_at > now)
        found = self._connection.scalars(sa.select(invite.c.code_hash).where(mine, is_open)).all()
        self._connection.execute(sa.delete(invite).where(mine, sa.not_(is_open)))
        return {bytes(one) for one in found}

    def adopt(self, message: int, member_number: int) -> None:
        """The message with which somebody was invited is theirs, now that they came in."""
        self._connection.execute(
            sa.update(outbox)
            .where(outbox.c.seq == message, outbox.c.member_id.is_(None))
            .values(member_id=member_number)
        )

    def could_not_be_told(self, lane: str, conversation: str) -> bool:
        """Did the newest message to somebody who is no member yet surely not reach them?"""
        state = self._connection.scalar(
            sa.select(outbox.c.state)
            .where(outbox.c.member_id.is_(None), outbox.c.conversation == conversation, outbox.c.lane == lane)
            .order_by(outbox.c.seq.desc())
            .limit(1)
        )
        return state in ("unreachable", "failed")

    def used_by(self, code_hash: bytes, member_number: int) -> bool:
        """Did this member come in with this code? They may press Start again and go on."""
        return (
            self._connection.scalar(
                sa.select(invite.c.id)
                .join_from(invite, invite_use, invite_use.c.invite_id == invite.c.id)
                .where(invite.c.code_hash == code_hash, invite_use.c.member_id == member_number)
            )
            is not None
        )

    def use(self, of: Invite, member_number: int) -> None:
        """Take one use of an invitation; a member takes one only."""
        if insert_new(self._connection, invite_use, {"invite_id": of.id, "member_id": member_number}):
            self._connection.execute(sa.update(invite).where(invite.c.id == of.id).values(uses=invite.c.uses - 1))

    def prefilled_for(self, member_number: int) -> dict[str, Any]:
        """What was known of a member when they were invited."""
        found: dict[str, Any] | None = self._connection.scalar(
            sa.select(invite.c.prefilled)
            .join_from(invite, invite_use, invite_use.c.invite_id == invite.c.id)
            .where(invite_use.c.member_id == member_number)
            .order_by(invite.c.id.desc())
            .limit(1)
        )
        return found or {}

    def give_back(self, member_number: int) -> None:
        """Somebody came and did not stay: their invitation can be used again until it expires."""
        used = sa.select(invite_use.c.invite_id).where(invite_use.c.member_id == member_number)
        self._connection.execute(sa.update(invite).where(invite.c.id.in_(used)).values(uses=invite.c.uses + 1))
        self._connection.execute(sa.delete(invite_use).where(invite_use.c.member_id == member_number))

    def open_in(self, cohort_id: int, now: datetime, limit: int = 20) -> list[Invite]:
        """Invitations that nobody has used yet, soonest to expire first; without the codes for one's own other app."""
        found = self._connection.execute(
            sa.select(*_COLUMNS)
            .where(invite.c.cohort_id == cohort_id, invite.c.expires_at > now, invite.c.uses > 0)
            .order_by(invite.c.expires_at)
            .limit(limit)
        )
        return [one for one in (Invite(*row) for row in found) if not one.prefilled.get("link")]

    def change(self, number: int, cohort_id: int, **values: Any) -> bool:
        """Extend (`expires_at`) or revoke (`uses=0`) an invitation of this cohort."""
        return (
            rows(
                self._connection.execute(
                    sa.update(invite).where(invite.c.id == number, invite.c.cohort_id == cohort_id).values(**values)
                )
            )
            == 1
        )

    def revoke_for(self, member_number: int) -> None:
        """Older links for the same person no longer work."""
        self._connection.execute(sa.update(invite).where(invite.c.for_member == member_number).values(uses=0))

    def revoke_links(self, member_number: int) -> None:
        """A member's own codes for their other app no longer work; links that a facilitator made still do."""
        self._connection.execute(
            sa.update(invite)
            .where(invite.c.for_member == member_number, invite.c.invited_by == member_number)
            .values(uses=0)
        )

    def forget(self, now: datetime) -> int:
        """Erase what was prefilled in invitations that have expired; how many had something."""
        done = _FORGET.write(self._connection, now=now)
        if done:
            self._wipes()
        return done
