"""What a row of the outbox holds: one visible call, whom it names, and the contents that many share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.base import Id, Json, Key, Moment, table

# What is told to many: stored once a language, not once a recipient.
content = table(
    "content",
    sa.Column("id", Id, primary_key=True),
    sa.Column("broadcast_id", Id),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("body", Json),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_content_broadcast_id", "broadcast_id"),
    personal=None,  # a programme's words; whose they are is written with the broadcast
    sqlite_autoincrement=True,
)
WRITTEN = content.c.body.is_not(None)
sa.Index("ix_content_created_at", content.c.created_at, sqlite_where=WRITTEN, postgresql_where=WRITTEN)

outbox = table(
    "outbox",
    sa.Column("seq", Id, primary_key=True),
    sa.Column("idem", sa.Text, nullable=False, unique=True),
    sa.Column("key", Key, nullable=False, unique=True),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("member_id", Id),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("body", Json, info={"text": True}),
    sa.Column("content_id", Id),  # instead of a body: what many are told
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("on_behalf", Id),
    sa.Column("purpose", sa.Text),  # the consent without which it is not sent
    sa.Column("edits", Id),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("released", sa.Boolean, nullable=False, server_default=sa.true()),  # else held until somebody lets it go
    sa.Column("counted", sa.Boolean, nullable=False, server_default=sa.false()),  # for the weekly cap
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("not_after", Moment),
    sa.Column("sending_at", Moment),
    sa.Column("lane_gen", sa.Integer),
    sa.Column("doubt_since", Moment),
    sa.Column("resend_count", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("deaths", sa.Integer, nullable=False, server_default=sa.text("0")),  # owners that died while sending it
    sa.Column("platform_ref", sa.Text),
    sa.Column("last_error", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    personal={"member_id": "delete", "on_behalf": "blank"},
    # What the bot said may name others; what it said of the member is in the tables that it came from.
    own={"member_id": ("body", "content_id", "idem", "cause", "edits", "lane_gen", "last_error")},
    sqlite_autoincrement=True,
)
# Each index has exactly the predicate of the claim that it serves (measured: 96 ms a claim without, 0.015 with).
QUEUED = outbox.c.state == sa.literal_column("'queued'")
WAITING = outbox.c.state == sa.literal_column("'held'")
HELD = sa.and_(WAITING, outbox.c.released.is_(True))  # until its moment
OF_MANY = outbox.c.content_id.is_not(None)
COUNTED = outbox.c.counted.is_(True)
OPEN = outbox.c.state.in_([sa.literal_column("'sending'"), sa.literal_column("'in_doubt'")])
KEPT = outbox.c.body.is_not(None)
UNWELL = outbox.c.state.in_(
    [sa.literal_column("'failed'"), sa.literal_column("'unreachable'"), sa.literal_column("'unconfirmed'")]
)
sa.Index(
    "ix_outbox_claim", outbox.c.lane, outbox.c.priority, outbox.c.seq, sqlite_where=QUEUED, postgresql_where=QUEUED
)
sa.Index("ix_outbox_held", outbox.c.due_at, sqlite_where=HELD, postgresql_where=HELD)
sa.Index("ix_outbox_unwell", outbox.c.state, outbox.c.settled_at, sqlite_where=UNWELL, postgresql_where=UNWELL)
sa.Index("ix_outbox_open", outbox.c.lane, outbox.c.conversation, sqlite_where=OPEN, postgresql_where=OPEN)
EDITS = sa.and_(QUEUED, outbox.c.edits.is_not(None))
sa.Index("uq_outbox_edits_queued", outbox.c.edits, unique=True, sqlite_where=EDITS, postgresql_where=EDITS)
# Most rows change nothing and speak for nobody, and what is queued has not settled: those are left out.
CHANGES = outbox.c.edits.is_not(None)
SPEAKS = outbox.c.on_behalf.is_not(None)
SETTLED = sa.and_(KEPT, outbox.c.settled_at.is_not(None))
sa.Index("ix_outbox_edits", outbox.c.edits, sqlite_where=CHANGES, postgresql_where=CHANGES)
sa.Index("ix_outbox_member_id", outbox.c.member_id, outbox.c.seq)
sa.Index("ix_outbox_on_behalf", outbox.c.on_behalf, sqlite_where=SPEAKS, postgresql_where=SPEAKS)
sa.Index("ix_outbox_settled_at", outbox.c.settled_at, sqlite_where=SETTLED, postgresql_where=SETTLED)
sa.Index(
    "ix_outbox_content_id",
    outbox.c.content_id,
    outbox.c.state,
    outbox.c.seq,
    sqlite_where=OF_MANY,
    postgresql_where=OF_MANY,
)
sa.Index("ix_outbox_counted", outbox.c.member_id, outbox.c.sending_at, sqlite_where=COUNTED, postgresql_where=COUNTED)
# What was said to somebody who is nobody's account; erased with what was said.
UNNAMED = outbox.c.member_id.is_(None)
sa.Index("ix_outbox_unnamed", outbox.c.conversation, sqlite_where=UNNAMED, postgresql_where=UNNAMED)

outbox_about = table(
    "outbox_about",
    sa.Column("outbox_seq", Id, sa.ForeignKey("outbox.seq", ondelete="CASCADE"), primary_key=True),
    sa.Column("member_id", Id, primary_key=True),
    sa.Index("ix_outbox_about_member_id", "member_id"),
    personal={"member_id": "delete"},
    own={},  # which messages to others name them
    sqlite_with_rowid=False,
)

NEVER_THERE = ("failed", "unreachable", "cancelled", "expired", "unconfirmed")


@dataclass(frozen=True, slots=True)
class Row:
    """One visible call as the relay and the dispatcher need it; `body` is its own, else that of its content."""

    seq: int
    key: bytes
    lane: str
    conversation: str
    member_id: int | None
    once: bool
    kind: str
    priority: int
    body: Mapping[str, Any] | None
    content_id: int | None
    edits: int | None
    state: str
    attempts: int
    resend_count: int
    platform_ref: str | None
    sending_at: datetime | None
    created_at: datetime
    doubt_since: datetime | None

    @property
    def message(self) -> int:
        """The logical message: an edit belongs to the one it changes."""
        return self.edits or self.seq


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """One of many rows that are written at once, with a body of its own or a content that many share.

    `released=False` holds it until `Contents.release`; `counted` rows count for the weekly cap.
    """

    idem: str
    key: bytes
    lane: str
    conversation: str
    member_id: int | None
    cause: str
    body: Mapping[str, Any] | None = None
    content_id: int | None = None
    once: bool = False
    priority: int = 0
    on_behalf: int | None = None
    purpose: str | None = None
    counted: bool = False
    released: bool = True
    at: datetime | None = None
    not_after: datetime | None = None
    edits: int | None = None
    deletes: bool = False

    def values(self, now: datetime) -> dict[str, Any]:
        """The row as the table has it."""
        waits = not self.released or (self.at is not None and self.at > now)
        return {
            "idem": self.idem,
            "key": self.key,
            "lane": self.lane,
            "conversation": self.conversation,
            "member_id": self.member_id,
            "class": "once" if self.once else "must-arrive",
            "kind": "delete" if self.deletes else "edit" if self.edits else "message",
            "priority": self.priority,
            "body": self.body,
            "content_id": self.content_id,
            "cause": self.cause,
            "on_behalf": self.on_behalf,
            "purpose": self.purpose,
            "edits": self.edits,
            "state": "held" if waits else "queued",
            "released": self.released,
            "counted": self.counted,
            "due_at": self.at or now,
            "not_after": self.not_after,
            "created_at": now,
        }


BODY = sa.func.coalesce(outbox.c.body, content.c.body, type_=Json)
WITH_CONTENT = outbox.outerjoin(content, content.c.id == outbox.c.content_id)
COLUMNS = (
    outbox.c.seq,
    outbox.c.key,
    outbox.c.lane,
    outbox.c.conversation,
    outbox.c.member_id,
    (outbox.c["class"] == "once").label("once"),
    outbox.c.kind,
    outbox.c.priority,
    BODY.label("body"),
    outbox.c.content_id,
    outbox.c.edits,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.resend_count,
    outbox.c.platform_ref,
    outbox.c.sending_at,
    outbox.c.created_at,
    outbox.c.doubt_since,
)
ROWS = sa.select(*COLUMNS).select_from(WITH_CONTENT)


def as_row(found: Any) -> Row | None:
    """A Row of the columns that COLUMNS names, which come first."""
    return None if found is None else Row(*found[: len(COLUMNS)])
