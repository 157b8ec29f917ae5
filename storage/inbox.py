"""Events that were taken in: a repeat is recognised by its id and gets the same answer."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Json, Moment, insert_new, table
from storage.prepared import Prepared

inbox = table(
    "inbox",
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("external_id", sa.Text, primary_key=True),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("ack", Json),
    sa.Column("error_id", sa.Text),
    sa.Index("ix_inbox_received_at", "received_at"),
    personal=None,  # ids of events only, kept 30 days
    sqlite_with_rowid=False,
)

_ACK = Prepared(
    sa.select(inbox.c.ack).where(
        inbox.c.source == sa.bindparam("source"), inbox.c.external_id == sa.bindparam("external_id")
    )
)
_KEEP_ACK = Prepared(
    sa.update(inbox)
    .where(inbox.c.source == sa.bindparam("of"), inbox.c.external_id == sa.bindparam("id"))
    .values(ack=sa.bindparam("ack", type_=Json))
)
_FORGET = Prepared(sa.delete(inbox).where(inbox.c.received_at < sa.bindparam("before", type_=Moment)))


class Inbox:
    """A set of event ids, not a high-water mark: platforms restart and repeat theirs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def accept(self, source: str, external_id: str, now: datetime, *, error_id: str | None = None) -> bool:
        """Take an event in; False when it was taken before."""
        return insert_new(
            self._connection,
            inbox,
            {
                "source": source,
                "external_id": external_id,
                "received_at": now,
                "state": "failed" if error_id else "done",
                "error_id": error_id,
            },
        )

    def keep_ack(self, source: str, external_id: str, ack: dict[str, Any]) -> None:
        """Remember what the event was answered, for its repeats."""
        _KEEP_ACK.write(self._connection, of=source, id=external_id, ack=ack)

    def ack(self, source: str, external_id: str) -> dict[str, Any]:
        """What an event was answered; empty when there was nothing to say."""
        found: dict[str, Any] | None = _ACK.value(self._connection, source=source, external_id=external_id)
        return found or {}

    def forget(self, before: datetime) -> int:
        """Drop ids older than their retention."""
        return _FORGET.write(self._connection, before=before)
