"""Questions that wait for an answer: one open dialog a member; it survives a restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import Id, Json, Moment, insert, member_id, overwrite, table
from storage.prepared import Prepared

dialog = table(
    "dialog",
    sa.Column("id", Id, primary_key=True),
    member_id(),
    sa.Column("form", sa.Text, nullable=False),
    sa.Column("about", Json, nullable=False, info={"text": True}),
    sa.Column("answers", Json, nullable=False, info={"text": True}),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("question", Id),
    sa.Column("parked", sa.Boolean, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("ix_dialog_member_id", "member_id"),
    sa.Index("ix_dialog_expires_at", "expires_at"),
    personal={"member_id": "delete"},
    own={"member_id": ("about",)},  # whom it is about is another person
    sqlite_autoincrement=True,
)

WAITING = dialog.c.parked.is_(False)
sa.Index("uq_dialog_waiting", dialog.c.member_id, unique=True, sqlite_where=WAITING, postgresql_where=WAITING)


@dataclass(frozen=True, slots=True)
class Dialog:
    """A form that somebody is filling in: what it is about, the answers so far, and the field now asked."""

    id: int
    member_id: int
    form: str
    about: Mapping[str, Any]
    answers: Mapping[str, Any]
    field: str
    version: int
    question: int | None
    expires_at: datetime


_COLUMNS = [dialog.c[name] for name in Dialog.__dataclass_fields__]
_OPEN = Prepared(sa.select(*_COLUMNS).where(dialog.c.member_id == sa.bindparam("member"), WAITING))
_NEWEST = Prepared(
    sa.select(*_COLUMNS).where(dialog.c.member_id == sa.bindparam("member")).order_by(dialog.c.id.desc()).limit(1)
)
_START_OVER = Prepared(
    sa.delete(dialog).where(dialog.c.member_id == sa.bindparam("member"), dialog.c.form == sa.bindparam("form"))
)
_END = Prepared(sa.delete(dialog).where(dialog.c.id == sa.bindparam("dialog")))
_FORGET = Prepared(sa.delete(dialog).where(dialog.c.expires_at <= sa.bindparam("now", type_=Moment)))


class Dialogs:
    """One open a member; a second parks the first, which comes back when the second ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_of(self, member_number: int, now: datetime) -> Dialog | None:
        """The question that waits for this member, or None."""
        found = _OPEN.one(self._connection, member=member_number)
        return Dialog(*found) if found is not None and found.expires_at > now else None

    def begin(
        self,
        member_number: int,
        form: str,
        about: Mapping[str, Any],
        answers: Mapping[str, Any],
        field: str,
        expires_at: datetime,
    ) -> int:
        """Open a dialog; the same form begun again starts over, another one is parked."""
        _START_OVER.write(self._connection, member=member_number, form=form)
        overwrite(self._connection, dialog, {"member_id": member_number}, parked=True)
        return insert(
            self._connection,
            dialog,
            member_id=member_number,
            form=form,
            about=dict(about),
            answers=dict(answers),
            field=field,
            version=1,
            parked=False,
            expires_at=expires_at,
        )

    def move(
        self, of: Dialog, answers: Mapping[str, Any], field: str, *, question: int | None, expires_at: datetime
    ) -> bool:
        """Keep an answer and ask the next field; False when the dialog moved on meanwhile."""
        here = {"id": of.id, "version": of.version}
        values = {"answers": dict(answers), "field": field, "question": question, "expires_at": expires_at}
        return overwrite(self._connection, dialog, here, version=of.version + 1, **values) == 1

    def asked(self, number: int, question: int) -> None:
        """Remember which message asks the question."""
        overwrite(self._connection, dialog, {"id": number}, question=question)

    def end(self, of: Dialog) -> Dialog | None:
        """Close a dialog; returns the parked one that is open again, if any."""
        _END.write(self._connection, dialog=of.id)
        newest = _NEWEST.one(self._connection, member=of.member_id)
        if newest is None:
            return None
        overwrite(self._connection, dialog, {"id": newest.id}, parked=False)
        return Dialog(*newest)

    def end_all(self, member_number: int) -> None:
        """Forget every question of a member."""
        self._connection.execute(sa.delete(dialog).where(dialog.c.member_id == member_number))

    def forget(self, now: datetime) -> int:
        """Drop dialogs that nobody finished."""
        return _FORGET.write(self._connection, now=now)
