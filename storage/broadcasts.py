"""Messages of facilitators to many: what was written, for whom, in which parts it leaves, and how far it has come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.audiences import Audiences, Recipients, idem_prefix
from storage.base import Id, Json, Moment, insert, member_id, rows, same_cohort, table, text
from storage.broadcast_answers import BroadcastAnswers
from storage.members import account, member
from storage.outbox_rows import outbox
from storage.prepared import Prepared

broadcast = table(
    "broadcast",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id("sender_id", nullable=True),
    sa.Column("root_id", Id),  # a reminder's message, which its answers belong to
    sa.Column("kind", sa.Text, nullable=False),  # message, session, reminder
    sa.Column("state", sa.Text, nullable=False),  # see STATES
    text("text"),
    sa.Column("said", Json, info={"text": True}),  # the answers of the form, to change a draft by
    sa.Column("answer", sa.Text, nullable=False),  # none, buttons, text
    sa.Column("labels", Json, info={"text": True}),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("audience_key", sa.Text),
    sa.Column("timing", sa.Text, nullable=False),  # now, at, morning
    sa.Column("at", Moment),
    sa.Column("session_at", Moment),
    sa.Column("session_minutes", sa.Integer),
    text("place"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("confirmed_at", Moment),
    sa.Column("leaves_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("recipients", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("cursor", Id, nullable=False, server_default=sa.text("0")),
    sa.Column("card", Id),  # the sender's live card, in the outbox
    sa.Column("shown", sa.Text),  # what it says now
    sa.Index("ix_broadcast_cohort_id", "cohort_id", "id"),
    sa.Index("ix_broadcast_sender_id", "sender_id"),
    sa.Index("ix_broadcast_root_id", "root_id"),
    same_cohort("sender_id"),
    personal={"sender_id": "blank"},
    own={"sender_id": ("card", "shown", "cursor")},
    sqlite_autoincrement=True,
)
# draft -> writing (its rows, held) -> waiting (to leave) -> leaving -> out; from each of them stopping -> stopped,
# and withdrawing -> unsaying -> withdrawn.
TAKEN_BACK = ("withdrawing", "unsaying", "withdrawn")
ENDED = ("stopping", "stopped", *TAKEN_BACK)  # nothing of it leaves any more

broadcast_part = table(
    "broadcast_part",
    sa.Column("broadcast_id", Id, sa.ForeignKey("broadcast.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),
    sa.Column("time_zone", sa.Text, primary_key=True),  # empty where the words are the same in every zone
    sa.Column("content_id", Id, nullable=False),
    sa.Index("ix_broadcast_part_content_id", "content_id"),
    personal=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """One message to many, or its draft."""

    id: int
    cohort_id: int
    sender_id: int | None
    root_id: int | None
    kind: str
    state: str
    text: str | None
    said: Mapping[str, Any] | None
    answer: str
    labels: Sequence[str] | None
    audience: str
    audience_key: str | None
    timing: str
    at: datetime | None
    session_at: datetime | None
    session_minutes: int | None
    place: str | None
    created_at: datetime
    confirmed_at: datetime | None
    leaves_at: datetime | None
    ended_at: datetime | None
    recipients: int
    cursor: int
    card: int | None
    shown: str | None

    @property
    def root(self) -> int:
        """The message that its answers belong to."""
        return self.root_id or self.id

    @property
    def asks(self) -> bool:
        """Is it a question, which only those get who agreed to questions? A session is an invitation."""
        return self.answer != "none" and self.session_at is None

    @property
    def addressed(self) -> Recipients:
        return replace(self.addressed_without_question, asks=self.asks)

    @property
    def addressed_without_question(self) -> Recipients:
        """The audience with those who agreed to no questions."""
        return Recipients(
            cohort=self.cohort_id, sender=self.sender_id or 0, kind=self.audience, key=self.audience_key or ""
        )


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person to write to, and where."""

    member_id: int
    language: str
    time_zone: str
    lane: str
    conversation: str


_BROADCAST = [broadcast.c[name] for name in Broadcast.__dataclass_fields__]
_GET = Prepared(
    sa.select(*_BROADCAST)
    .where(broadcast.c.id == sa.bindparam("number"), broadcast.c.cohort_id == sa.bindparam("cohort"))
    .with_for_update(of=broadcast)
)
_ADDRESSES = (
    sa.select(
        account.c.member_id,
        member.c.language,
        member.c.time_zone,
        account.c.platform,
        account.c.installation,
        account.c.conversation,
    )
    .join_from(account, member, member.c.id == account.c.member_id)
    .where(account.c.member_id.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(account.c.reachable, account.c.preferred, account.c.id)  # the best one last
)


class Broadcasts:
    """Messages to many, a chunk at a time: each call reads and writes a limited number of rows."""

    def __init__(self, connection: Connection, woken: set[str]) -> None:
        self._connection = connection
        self._woken = woken

    @property
    def audiences(self) -> Audiences:
        return Audiences(self._connection)

    @property
    def answers(self) -> BroadcastAnswers:
        return BroadcastAnswers(self._connection)

    def draft(self, cohort_id: int, sender: int, now: datetime, **values: Any) -> int:
        """A message that nobody gets yet; returns its number."""
        values = {"state": "draft", "kind": "message", "answer": "none", "timing": "now"} | values
        return insert(self._connection, broadcast, cohort_id=cohort_id, sender_id=sender, created_at=now, **values)

    def change(self, number: int, **values: Any) -> None:
        """Overwrite some of a message."""
        self._connection.execute(sa.update(broadcast).where(broadcast.c.id == number).values(**values))

    def discard(self, number: int) -> bool:
        """Forget a draft; False when it is none any more."""
        of = sa.and_(broadcast.c.id == number, broadcast.c.state == "draft")
        return rows(self._connection.execute(sa.delete(broadcast).where(of))) == 1

    def get(self, number: int, cohort_id: int) -> Broadcast | None:
        """A message of a cohort, locked until the transaction ends; or None."""
        found = _GET.one(self._connection, number=number, cohort=cohort_id)
        return None if found is None else Broadcast(**found._asdict())

    def page(self, cohort_id: int, before: int | None, limit: int) -> list[Broadcast]:
        """The cohort's messages that were sent, newest first; without drafts."""
        statement = sa.select(*_BROADCAST).where(broadcast.c.cohort_id == cohort_id, broadcast.c.state != "draft")
        if before is not None:
            statement = statement.where(broadcast.c.id < before)
        found = self._connection.execute(statement.order_by(broadcast.c.id.desc()).limit(limit))
        return [Broadcast(**row._mapping) for row in found]

    def reminders(self, root: int, limit: int) -> list[int]:
        """The newest reminders of a message that were not withdrawn, drafts too."""
        of = broadcast.c
        these = sa.select(of.id).where(of.root_id == root, of.state.not_in(TAKEN_BACK))
        return list(self._connection.scalars(these.order_by(of.id.desc()).limit(limit)))

    def asking(self, cohort_id: int, limit: int) -> list[Broadcast]:
        """The newest messages that can be answered and are out."""
        found = self._connection.execute(
            sa.select(*_BROADCAST)
            .where(
                broadcast.c.cohort_id == cohort_id,
                broadcast.c.answer != "none",
                broadcast.c.root_id.is_(None),
                broadcast.c.state.in_(("leaving", "out")),
            )
            .order_by(broadcast.c.id.desc())
            .limit(limit)
        )
        return [Broadcast(**row._mapping) for row in found]

    def arrived(self, number: int, member_number: int, now: datetime) -> None:
        """Who answered a message has it, whatever the platform said."""
        row = self.row_of(number, member_number)
        if row is not None and row[1] not in ("sent", "queued", "held", "sending"):
            self._connection.execute(
                sa.update(outbox).where(outbox.c.seq == row[0]).values(state="sent", settled_at=now)
            )

    def send_again(
        self, contents: Collection[int], limit: int, now: datetime, *, not_after: datetime | None = None
    ) -> int:
        """Queue rows once more that failed, or of which nobody knows: somebody decided so, knowing of doubles."""
        found = self._connection.execute(
            sa.select(outbox.c.seq, outbox.c.lane)
            .where(outbox.c.content_id.in_(contents), outbox.c.state.in_(("unconfirmed", "failed")))
            .limit(limit)
        ).all()
        if found:
            these = outbox.c.seq.in_([row.seq for row in found])
            values = {"state": "queued", "due_at": now, "not_after": not_after, "settled_at": None, "last_error": None}
            self._connection.execute(sa.update(outbox).where(these).values(values))
            self._woken.update(row.lane for row in found)
        return len(found)

    def next_recipients(self, of: Recipients, after: int, limit: int) -> tuple[list[Recipient], int | None]:
        """The next people of an audience who can be written to, and the number to go on after; None at the end."""
        numbers, last = self.audiences.page(of, after, limit)
        if not numbers:
            return [], last
        best = {row[0]: row for row in self._connection.execute(_ADDRESSES, {"numbers": numbers})}
        found = [
            Recipient(number, row.language, row.time_zone, f"{row.platform}:{row.installation}", row.conversation)
            for number in numbers
            if (row := best.get(number)) is not None
        ]
        return found, last

    def parts(self, number: int) -> dict[tuple[str, str], int]:
        """The contents of a message by language and zone."""
        of = broadcast_part.c
        found = self._connection.execute(
            sa.select(of.language, of.time_zone, of.content_id).where(of.broadcast_id == number)
        )
        return {(row[0], row[1]): row[2] for row in found}

    def add_part(self, number: int, language: str, time_zone: str, content_id: int) -> None:
        """The words for one language and zone."""
        self._connection.execute(
            sa.insert(broadcast_part).values(
                broadcast_id=number, language=language, time_zone=time_zone, content_id=content_id
            )
        )

    def row_of(self, number: int, member_number: int) -> tuple[int, str] | None:
        """A person's row of a message in the outbox, and its state; None for somebody who was not written to."""
        found = self._connection.execute(
            sa.select(outbox.c.seq, outbox.c.state).where(outbox.c.idem == f"{idem_prefix(number)}{member_number}")
        ).one_or_none()
        return None if found is None else (found[0], found[1])
