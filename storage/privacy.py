"""A person's own data as one file, and its erasure: both made from what each table declares."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.base import metadata
from storage.broadcasts import broadcast
from storage.invites import invite, invite_use
from storage.members import account, member
from storage.outbox import outbox, outbox_about
from storage.outbox_rows import content
from storage.projects import project
from storage.teams import project_member

# What a member's own row says once they are erased: that there was somebody.
NOBODY = {
    "state": "left",
    "language": "en",
    "time_zone": "UTC",
    "preset": "hidden",
    "discreet": False,
    "invited_by": None,
    "trusted_id": None,
    "joined_at": None,
    "paused_until": None,
    "leaving_at": None,
    "hours": None,
    "narrowed_seq": None,
}


class Privacy:
    """Works over the declarations of tables, so that a new one cannot be forgotten: a test refuses one without."""

    def __init__(self, connection: Connection, wipes: Callable[[], None]) -> None:
        self._connection = connection
        self._wipes = wipes

    def own_data(self, member_number: int) -> dict[str, list[dict[str, Any]]]:
        """Everything that is one member's own, by table; other members' numbers are left out."""
        found: dict[str, list[dict[str, Any]]] = {}
        for of in metadata.sorted_tables:
            for column, left_out in of.info["own"].items():
                found.setdefault(of.name, []).extend(self._rows(of, of.c[column] == member_number, left_out))
        prefilled = sa.select(invite.c.prefilled).join(invite_use, invite_use.c.invite_id == invite.c.id)
        for said in self._connection.scalars(prefilled.where(invite_use.c.member_id == member_number)):
            found.setdefault("invite", []).append({"prefilled": said})
        in_teams = sa.select(project_member.c.project_id).where(
            project_member.c.member_id == member_number, project_member.c.state == "in"
        )
        found.setdefault("project", []).extend(self._rows(project, project.c.id.in_(in_teams), ()))
        return {name: listed for name, listed in found.items() if listed}

    def _rows(self, of: sa.Table, condition: sa.ColumnElement[bool], left_out: tuple[str, ...]) -> list[dict[str, Any]]:
        hidden = {*(of.info["personal"] or ()), *left_out}
        shown = [
            column for column in of.columns if column.name not in hidden and not isinstance(column.type, sa.LargeBinary)
        ]
        rows = self._connection.execute(sa.select(*shown).where(condition).order_by(*of.primary_key)).mappings()
        return [{name: value for name, value in row.items() if value is not None} for row in rows]

    def erase(self, member_number: int) -> None:
        """Erase a member as each table says: rows deleted, words blanked, counts kept.

        What still waits to be said about them, or for them, is cancelled.
        """
        self._erase_what_names(member_number)
        for of in reversed(metadata.sorted_tables):
            for column, how in (of.info["personal"] or {}).items():
                mine = of.c[column] == member_number
                if how == "delete":
                    self._connection.execute(sa.delete(of).where(mine))
                elif how == "blank":
                    blanked: dict[str, Any] = {c.name: _empty(c) for c in of.columns if c.info.get("text")}
                    self._connection.execute(sa.update(of).where(mine).values({**blanked, column: None}))
                elif how == "unlink":
                    self._connection.execute(sa.update(of).where(mine).values({column: None}))
        self._connection.execute(sa.update(member).where(member.c.id == member_number).values(NOBODY))
        self._wipes()

    def _erase_what_names(self, member_number: int) -> None:
        """Words about the member in rows that are not theirs; found before the rows that point there are deleted."""
        c = self._connection
        named = sa.union_all(
            sa.select(outbox_about.c.outbox_seq).where(outbox_about.c.member_id == member_number),
            sa.select(outbox.c.seq).where(outbox.c.on_behalf == member_number),
        )
        about = outbox.c.seq.in_(named)
        c.execute(sa.update(outbox).where(about, outbox.c.state.in_(("queued", "held"))).values(state="cancelled"))
        c.execute(sa.update(outbox).where(about).values(body=sa.null()))
        # Read first: SQLite would look through all contents for a subquery.
        sent = c.scalars(sa.select(broadcast.c.id).where(broadcast.c.sender_id == member_number)).all()
        if sent:
            c.execute(sa.update(content).where(content.c.broadcast_id.in_(sent)).values(body=sa.null()))
        # What was said to their accounts before they were anybody: the neutral line, the first question.
        addresses = c.execute(
            sa.select(account.c.platform, account.c.installation, account.c.conversation).where(
                account.c.member_id == member_number
            )
        ).all()
        for platform, installation, conversation in addresses:
            unnamed = outbox.c.member_id.is_(None)
            lane = outbox.c.lane == f"{platform}:{installation}"
            c.execute(sa.delete(outbox).where(unnamed, lane, outbox.c.conversation == conversation))
        used = sa.select(invite_use.c.invite_id).where(invite_use.c.member_id == member_number)
        c.execute(sa.update(invite).where(invite.c.id.in_(used)).values(prefilled={}))


def _empty(column: sa.Column[Any]) -> Any:
    return sa.null() if column.nullable else {}
