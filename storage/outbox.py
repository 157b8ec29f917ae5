"""Every word that the bot says, as rows: how they are written, changed, cancelled and forgotten."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Moment, insert, insert_all_new, insert_of, overwrite, rows
from storage.homes import HOME
from storage.members import member
from storage.outbox_rows import (
    KEPT,
    NEVER_THERE,
    QUEUED,
    ROWS,
    UNNAMED,
    NewRow,
    Row,
    as_row,
    content,
    outbox,
    outbox_about,
)
from storage.prepared import Prepared

__all__ = ["KEPT", "NEVER_THERE", "NewRow", "Outbox", "Row", "content", "outbox", "outbox_about"]

_BY_KEY = Prepared(ROWS.where(outbox.c.key == sa.bindparam("key")))
_BY_SEQ = Prepared(ROWS.where(outbox.c.seq == sa.bindparam("seq")))
_SAID = Prepared(
    sa.select(outbox.c.seq, outbox.c.lane, outbox.c.created_at)
    .where(
        outbox.c.member_id == sa.bindparam("member"),
        outbox.c.state == "sent",
        outbox.c.edits.is_(None),
        outbox.c.conversation.not_like(f"{HOME}%"),
    )
    .order_by(outbox.c.seq.desc())
    .limit(sa.bindparam("limit"))
)
_NEWEST = Prepared(
    ROWS.where(
        outbox.c.edits == sa.bindparam("message"),
        outbox.c.state.not_in(["cancelled", "failed", "expired", "unreachable"]),
    )
    .order_by(outbox.c.seq.desc())
    .limit(1)
)
_WAITING_EDIT = Prepared(
    sa.select(outbox.c.seq, outbox.c.kind).where(outbox.c.edits == sa.bindparam("message"), QUEUED)
)
_ARRIVED = Prepared(
    sa.update(outbox)
    .where(outbox.c.seq == sa.bindparam("row"), outbox.c.state.in_(["sending", "in_doubt", "unconfirmed"]))
    .values(state="sent", settled_at=sa.bindparam("at", type_=Moment), doubt_since=None)
)
_CANCEL = Prepared(
    sa.update(outbox)
    .where(outbox.c.seq.in_(sa.bindparam("rows", expanding=True)), outbox.c.state.in_(["queued", "held"]))
    .values(state="cancelled", settled_at=sa.bindparam("at", type_=Moment))
)
_SETTLED = Prepared(
    sa.select(outbox.c.seq)
    .where(KEPT, outbox.c.settled_at < sa.bindparam("before", type_=Moment))
    .order_by(outbox.c.settled_at)
    .limit(sa.bindparam("limit"))
)
_NAMED = Prepared(sa.select(outbox_about.c.member_id).where(outbox_about.c.outbox_seq == sa.bindparam("message")))
_ON_BEHALF = Prepared(sa.select(outbox.c.on_behalf).where(outbox.c.seq == sa.bindparam("message")))


class Outbox:
    """What is to be said. `woken` collects the lanes that have something new."""

    def __init__(self, connection: Connection, woken: set[str], wipes: Callable[[], None]) -> None:
        self._connection = connection
        self._woken = woken
        self._wipes = wipes

    def add(
        self,
        *,
        idem: str,
        key: bytes,
        lane: str,
        conversation: str,
        member_id: int | None,
        body: Mapping[str, Any] | None,
        cause: str,
        now: datetime,
        about: Collection[int] = (),
        **more: Any,
    ) -> int:
        """Put one visible call in line; returns its number. `more` are the other fields of NewRow.

        `at` holds it back until then; after `not_after` it is not sent any more. `about` are members whom it names.
        """
        row = NewRow(
            idem=idem,
            key=key,
            lane=lane,
            conversation=conversation,
            member_id=member_id,
            body=body,
            cause=cause,
            **more,
        )
        seq = insert(self._connection, outbox, **row.values(now))
        self._names(seq, about)
        self._woken.add(lane)
        return seq

    def add_many(self, new: Sequence[NewRow], now: datetime) -> None:
        """Put many in line in one go; whoever has a row of the same `idem` already gets no second one."""
        if not new:
            return
        statement = (
            insert_of(self._connection.dialect.name)(outbox).inline().on_conflict_do_nothing(index_elements=["idem"])
        )
        values = [row.values(now) for row in new]
        self._connection.execute(statement, values)
        self._woken.update(row["lane"] for row in values if row["state"] == "queued")

    def _names(self, seq: int, about: Collection[int]) -> None:
        insert_all_new(self._connection, outbox_about, [{"outbox_seq": seq, "member_id": whom} for whom in about])

    def change(
        self,
        message: int,
        *,
        idem: str,
        key: bytes,
        body: Mapping[str, Any],
        cause: str,
        now: datetime,
        about: Collection[int] = (),
        anew: bool = False,
    ) -> None:
        """Edit a logical message: overwrite what has not left yet, else queue one edit that replaces waiting ones.

        `about` are members whom the new words name, beside those whom the message named already, unless `anew`.
        """
        root = self.get(message)
        if root is None or root.state in ("cancelled", "failed", "expired", "unreachable"):
            return
        waiting, removed = self._waiting_edit(message)
        if removed:
            return
        if root.state in ("queued", "held"):
            if waiting is not None:  # older words, from before the message came back to the queue
                self.cancel([waiting], now)
            waiting = message
        if waiting is not None:
            # A new key: a button of the overwritten body must not be read as one of the new body.
            overwrite(self._connection, outbox, {"seq": waiting}, body=body, key=key, cause=cause)
            self._names(waiting, about)
            self._woken.add(root.lane)
            return
        named, on_behalf = ((), None) if anew else self._named(message)
        self.add(
            idem=idem,
            key=key,
            lane=root.lane,
            conversation=root.conversation,
            member_id=root.member_id,
            body=body,
            cause=cause,
            now=now,
            on_behalf=on_behalf,
            about={*named, *about},
            edits=message,
        )

    def _named(self, message: int) -> tuple[Sequence[int], int | None]:
        """Whom a message names, and for whom it was sent."""
        named = [found.member_id for found in _NAMED.all(self._connection, message=message)]
        return named, _ON_BEHALF.value(self._connection, message=message)

    def unsay(self, message: int, *, idem: str, key: bytes, cause: str, now: datetime, priority: int = 1) -> None:
        """Take a logical message back: what has not left is cancelled, what was sent is deleted where that can be."""
        root = self.get(message)
        if root is None or root.state in NEVER_THERE or self.cancel([message], now):
            return
        waiting, removed = self._waiting_edit(message)
        if removed:
            return
        if waiting is not None:
            self.cancel([waiting], now)
        self.add(
            idem=idem,
            key=key,
            lane=root.lane,
            conversation=root.conversation,
            member_id=root.member_id,
            body=None,
            cause=cause,
            now=now,
            priority=priority,
            edits=message,
            deletes=True,
        )

    def _waiting_edit(self, message: int) -> tuple[int | None, bool]:
        """The edit of a message that has not left yet, and whether the message was taken back for good."""
        found = _WAITING_EDIT.one(self._connection, message=message)
        if found is not None:
            return found.seq, found.kind == "delete"
        newest = as_row(_NEWEST.one(self._connection, message=message))
        return None, newest is not None and newest.kind == "delete"

    def get(self, seq: int) -> Row | None:
        """A row by its number."""
        return as_row(_BY_SEQ.one(self._connection, seq=seq))

    def by_key(self, key: bytes) -> Row | None:
        """The row that a button's handle names."""
        return as_row(_BY_KEY.one(self._connection, key=key))

    def newest(self, message: int) -> Row | None:
        """What a logical message says now: its newest edit, else itself."""
        return as_row(_NEWEST.one(self._connection, message=message)) or self.get(message)

    def said_to(self, member_number: int, limit: int) -> list[tuple[int, str, datetime]]:
        """The newest messages on a member's screens, newest first: number, lane, and when they were written."""
        found = _SAID.all(self._connection, member=member_number, limit=limit)
        return [(one.seq, one.lane, one.created_at) for one in found]

    def arrived(self, seq: int, now: datetime) -> None:
        """A press proves that a row arrived: doubt about it is settled."""
        _ARRIVED.write(self._connection, row=seq, at=now)

    def cancel(self, seqs: Sequence[int], now: datetime) -> int:
        """Cancel rows that have not left yet."""
        return _CANCEL.write(self._connection, rows=list(seqs), at=now) if seqs else 0

    def cancel_about(self, member_number: int, now: datetime, *, only_to: int | None = None) -> int:
        """Cancel what would name or speak for a member and has not left yet: they hid, left, or are kept apart.

        What is on its way back to the queue is cancelled when it is claimed: see `member.narrowed_seq`.
        """
        named = sa.union_all(
            sa.select(outbox_about.c.outbox_seq).where(outbox_about.c.member_id == member_number),
            sa.select(outbox.c.seq).where(outbox.c.on_behalf == member_number),
        )
        statement = sa.update(outbox).where(
            outbox.c.seq.in_(named),
            outbox.c.state.in_(["queued", "held"]),
            outbox.c.member_id.is_distinct_from(member_number),
        )
        if only_to is not None:
            statement = statement.where(outbox.c.member_id == only_to)
        else:
            last = sa.select(sa.func.max(outbox.c.seq)).scalar_subquery()
            self._connection.execute(sa.update(member).where(member.c.id == member_number).values(narrowed_seq=last))
        return rows(self._connection.execute(statement.values(state="cancelled", settled_at=now)))

    def cancel_to(self, member_number: int, now: datetime) -> int:
        """Cancel what waits for a member."""
        return rows(
            self._connection.execute(
                sa.update(outbox)
                .where(outbox.c.member_id == member_number, outbox.c.state.in_(["queued", "held"]))
                .values(state="cancelled", settled_at=now)
            )
        )

    def readdress(self, member_number: int, old: tuple[str, str], new: tuple[str, str], now: datetime) -> None:
        """What waits for one account of a member, by lane and conversation, goes to another; edits there do not."""
        waits_there = (
            outbox.c.member_id == member_number,
            outbox.c.lane == old[0],
            outbox.c.conversation == old[1],
            outbox.c.state.in_(["queued", "held"]),
        )
        self._connection.execute(
            sa.update(outbox).where(*waits_there, outbox.c.edits.is_not(None)).values(state="cancelled", settled_at=now)
        )
        self._connection.execute(sa.update(outbox).where(*waits_there).values(lane=new[0], conversation=new[1]))
        self._woken.add(new[0])

    def wipe(self, before: datetime, limit: int = 2000) -> int:
        """Empty the bodies of rows that settled before a moment (retention); what was said to a stranger goes whole."""
        old = [row.seq for row in _SETTLED.all(self._connection, before=before, limit=limit)]
        if old:
            self._connection.execute(sa.delete(outbox).where(outbox.c.seq.in_(old), UNNAMED))
            self._connection.execute(sa.update(outbox).where(outbox.c.seq.in_(old)).values(body=sa.null()))
            self._wipes()
        return len(old)

    def wipe_to(self, member_number: int) -> int:
        """Empty the bodies of everything that was said to a member and has left."""
        self._wipes()
        return rows(
            self._connection.execute(
                sa.update(outbox)
                .where(outbox.c.member_id == member_number, outbox.c.state.not_in(["queued", "held", "sending"]))
                .values(body=sa.null())
            )
        )

    def depths(self) -> dict[str, int]:
        """How many rows are in each state that has not ended well, for `doctor`."""
        found = self._connection.execute(
            sa.select(outbox.c.state, sa.func.count()).where(outbox.c.state != "sent").group_by(outbox.c.state)
        )
        return {row[0]: row[1] for row in found}
