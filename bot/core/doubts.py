"""Messages of which nobody knows whether they arrived: whom to ask, how long to wait, and how the doubt ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.adapter import Absent, Sent
from bot.core.figures import Figures
from bot.core.replies import Content
from storage import UnitOfWork
from storage.claims import SETTLE
from storage.outbox import Row

LOOK_AGAIN = timedelta(seconds=1)
ASK_AGAIN = timedelta(seconds=30)
AT_ONCE = 10  # questions to the platform
LOOK_UP = "look_up"  # what they are called among the kinds that are limited by the minute
STOP_ASKING = timedelta(hours=1)
RESENDS = 2  # after the platform said that it is not there
BLIND_RESENDS = 1  # where no platform can say so

Apologise = Callable[[str], str]
Found = Sent | Absent | None
LONG_AGO = datetime.min.replace(tzinfo=UTC)
Question = tuple[Row, datetime]  # asked at, in the database's time


class Doubts:
    """One lane's doubts. `tells`: the platform can be asked. `again` says, in a language, that it may be a repeat."""

    def __init__(
        self,
        *,
        tells: bool = False,
        again: Apologise | None = None,
        settle: timedelta = SETTLE,
        figures: Figures | None = None,
    ) -> None:
        self._tells = tells
        self._again = again
        self._settle = settle
        self._figures = figures or Figures()
        self._asked: dict[int, datetime] = {}
        self._looked: datetime | None = None
        self._open = False

    def begin(self, count: int = 1) -> None:
        """There are new doubts: they are looked at in the next turn."""
        self._figures.add("doubt", "begun", count)
        self._looked = None

    def is_due(self, now: datetime) -> bool:
        """Is it time to look at the doubts again? Not in every turn: there may be many."""
        if self._looked is None or now < self._looked:
            return True
        return self._open and now - self._looked >= min(LOOK_AGAIN, self._settle)

    def pause(self) -> float:
        """For how many seconds nothing needs to be done about a doubt."""
        return min(ASK_AGAIN, self._settle).total_seconds() if self._open else float("inf")

    def due(self, unit: UnitOfWork, lane: str, now: datetime, left: int | None = None) -> list[Question]:
        """End the doubts that need no answer; return those the platform is to be asked about now, at most `left`."""
        at_once = AT_ONCE if left is None else min(AT_ONCE, left)
        at = unit.lanes.now()  # a doubt ages by the database's time, as a lease does: a clock may be turned
        found = unit.claims.doubtful(lane, at)
        self._looked = now
        self._open = bool(found)
        for seq in self._asked.keys() - {row.seq for row in found}:
            del self._asked[seq]
        to_ask: list[Question] = []
        # Who was asked about least lately comes first, since only so many questions may be put in a minute.
        for row in sorted(found, key=lambda row: self._asked.get(row.seq, LONG_AGO)):
            if self._changes_a_message(unit, row):  # it can be repeated
                self._ends(unit, row, "queued", now)
            elif not self._can_be_asked(row):
                if self._is_over(row, at):
                    self._end_blindly(unit, row, now)
            elif len(to_ask) < at_once and self._is_to_be_asked(row, at):
                self._asked[row.seq] = at
                to_ask.append((row, at))
        return to_ask

    def answered(self, unit: UnitOfWork, question: Question, found: Found, now: datetime) -> None:
        """What the platform knows of a row: found, surely not there, or nothing.

        That it was not there counts as of when it was asked: who stood still since then may have missed its arrival.
        """
        (row, asked), at = question, unit.lanes.now()
        if isinstance(found, Sent):
            self._ends(unit, row, "sent", now, ref=found.ref)
        elif isinstance(found, Absent) and self._is_over(row, asked):
            self._ends(unit, row, "queued" if row.resend_count < RESENDS else "unconfirmed", now, doubt=row.doubt_since)
        elif found is None and row.doubt_since is not None and at - row.doubt_since >= STOP_ASKING:
            self._ends(unit, row, "unconfirmed", now, doubt=row.doubt_since)

    def _ends(self, unit: UnitOfWork, row: Row, to: str, now: datetime, **more: Any) -> None:
        """End the doubt, and count how; `more` is what `Claims.resolve` takes."""
        unit.claims.resolve(row.seq, to, now, **more)
        self._figures.add("doubt", {"sent": "found", "queued": "resent"}.get(to, to))

    def _changes_a_message(self, unit: UnitOfWork, row: Row) -> bool:
        """Is it a change of a message whose reference is known? Without one it left as a message of its own."""
        root = unit.outbox.get(row.edits) if row.edits is not None else None
        return root is not None and root.platform_ref is not None

    def _can_be_asked(self, row: Row) -> bool:
        return self._tells and row.conversation.startswith("dm:")

    def _is_over(self, row: Row, now: datetime) -> bool:
        return row.doubt_since is None or now - row.doubt_since >= self._settle

    def _is_to_be_asked(self, row: Row, now: datetime) -> bool:
        """At once, now and then, and when the settle time has just passed."""
        asked = self._asked.get(row.seq)
        if asked is None or now - asked >= ASK_AGAIN:
            return True
        return self._is_over(row, now) and not self._is_over(row, asked)

    def _end_blindly(self, unit: UnitOfWork, row: Row, now: datetime) -> None:
        """What must arrive is said once more, with a word that it may be a repeat; the rest is shown as unconfirmed."""
        if row.once or row.resend_count >= BLIND_RESENDS or self._again is None or not row.body:
            self._ends(unit, row, "unconfirmed", now)
            return
        content = Content.from_json(row.body)
        said = "\n\n".join(part for part in (self._again(content.language), content.text) if part)
        self._ends(unit, row, "queued", now, body=replace(content, text=said).as_json())
