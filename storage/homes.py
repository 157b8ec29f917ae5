"""A person's page in an app (Slack's App Home): what stands there, what waits to, and what was said beside it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.outbox_rows import KEPT, ROWS, Row, as_row, outbox
from storage.prepared import Prepared

HOME = "home:"  # how the address of such a page begins
NEVER_SHOWN = ("cancelled", "failed", "expired", "unreachable", "unconfirmed")
_BESIDE = Prepared(
    ROWS.where(
        outbox.c.seq
        == sa.select(outbox.c.seq)
        .where(
            outbox.c.member_id == sa.bindparam("member"),
            outbox.c.state == "sent",
            outbox.c.conversation.not_like(f"{HOME}%"),
        )
        .order_by(outbox.c.seq.desc())
        .limit(1)
        .correlate(None)
        .scalar_subquery()
    )
)
_PAGE = (
    sa.select(outbox.c.seq, outbox.c.state, outbox.c.body)
    .where(
        outbox.c.member_id == sa.bindparam("member"),
        outbox.c.conversation == sa.bindparam("conversation"),
        outbox.c.state.not_in(NEVER_SHOWN),
        KEPT,
    )
    .order_by(outbox.c.seq.desc())
    .limit(8)
)


class Homes:
    """Pages are rows of the outbox like every word that the bot says; the newest one replaces those before."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def stands(self, member_number: int, conversation: str) -> tuple[list[int], Mapping[str, Any] | None]:
        """Pages that wait to be shown, by number, and the body of the one that stands there, if that is sure."""
        found = self._connection.execute(_PAGE, {"member": member_number, "conversation": conversation}).all()
        waiting = [page.seq for page in found if page.state == "queued"]
        newest = next((page for page in found if page.state != "queued"), None)
        return waiting, newest.body if newest is not None and newest.state == "sent" else None

    def last_said(self, member_number: int) -> Row | None:
        """The newest message to a member, or change of one, that is no page."""
        return as_row(_BESIDE.one(self._connection, member=member_number))
