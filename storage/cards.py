"""The weekly card of each member: its parts, the promise, what somebody is stuck on, and how silent they are."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.checkins import Silence
from storage.base import Id, Json, Moment, insert, insert_new_id, member_id, overwrite, same_cohort, table, text, upsert
from storage.prepared import Prepared

card = table(
    "card",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    sa.Column("week", sa.Text, nullable=False),  # its Monday in the member's own zone
    sa.Column("parts", Json, nullable=False),  # [name of the rider, number of its object, done?], in order
    sa.Column("message", Id),
    sa.Column("opens_at", Moment, nullable=False),
    sa.Column("closes_at", Moment, nullable=False),
    sa.Column("answered_at", Moment),  # the first answer on it
    sa.Column("reminded_at", Moment),
    same_cohort("member_id"),
    sa.UniqueConstraint("member_id", "week"),
    personal={"member_id": "delete"},
    own={"member_id": ("parts", "message")},
    sqlite_autoincrement=True,
)

promise = table(
    "promise",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    text("words"),
    text("day"),
    sa.Column("state", sa.Text, nullable=False),  # open, done, dropped
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("said", sa.Text),  # the last time it was asked about: moving or stuck
    sa.Column("said_at", Moment),
    same_cohort("member_id"),
    sa.Index("ix_promise_member_id", "member_id", "state", "id"),
    personal={"member_id": "delete"},
    sqlite_autoincrement=True,
)

stuck = table(
    "stuck",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(),
    sa.Column("promise_id", Id),
    text("what"),
    text("who"),
    text("day"),
    sa.Column("readers", sa.Text, nullable=False),  # self, or facilitators
    member_id("told_to", nullable=True),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("told_at", Moment),
    sa.Column("closed_at", Moment),
    same_cohort("member_id"),
    same_cohort("told_to"),
    sa.Index("ix_stuck_member_id", "member_id", "closed_at"),
    sa.Index("ix_stuck_told_to", "told_to", "closed_at", "id"),
    personal={"member_id": "delete", "told_to": "unlink"},
    own={"member_id": ()},
    sqlite_autoincrement=True,
)

silence = table(
    "silence",
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("member_id", Id, primary_key=True),
    sa.Column("unanswered", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("rested", sa.Boolean, nullable=False),
    sa.Column("chosen", sa.Boolean, nullable=False),
    sa.Column("judged", sa.Text),
    sa.Column("week", sa.Text),
    sa.Column("step", sa.Text),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a card: the rider that shows it, what it is about, and whether it is done."""

    rider: str
    object: int
    done: bool = False


@dataclass(frozen=True, slots=True)
class WeekCard:
    """One member's card of one week."""

    id: int
    week: str
    parts: tuple[Part, ...]
    message: int | None
    opens_at: datetime
    closes_at: datetime
    answered_at: datetime | None
    reminded_at: datetime | None

    @property
    def current(self) -> Part | None:
        """The first part that waits."""
        return next((part for part in self.parts if not part.done), None)


@dataclass(frozen=True, slots=True)
class Promise:
    """What a member said they would do; `day` is an ISO date or None."""

    id: int
    words: str | None
    day: str | None
    state: str
    made_at: datetime
    said: str | None


@dataclass(frozen=True, slots=True)
class Stuck:
    """What holds a member up, in their words."""

    id: int
    promise_id: int | None
    what: str | None
    who: str | None
    day: str | None
    readers: str
    told_at: datetime | None
    closed_at: datetime | None


_c, _p, _s = card.c, promise.c, stuck.c
_CARD = [_c[name] for name in WeekCard.__dataclass_fields__]
_PROMISE = [_p[name] for name in Promise.__dataclass_fields__]
_STUCK = [_s[name] for name in Stuck.__dataclass_fields__]


_OF_WEEK = Prepared(sa.select(*_CARD).where(_c.member_id == sa.bindparam("member"), _c.week == sa.bindparam("week")))
_GET = Prepared(sa.select(*_CARD).where(_c.id == sa.bindparam("number"), _c.member_id == sa.bindparam("member")))
_RECENT = Prepared(
    sa.select(*_CARD)
    .where(_c.member_id == sa.bindparam("member"), _c.message.is_not(None))
    .order_by(_c.week.desc())
    .limit(6)
)
_OPEN_PROMISE = Prepared(
    sa.select(*_PROMISE)
    .where(_p.member_id == sa.bindparam("member"), _p.state == "open")
    .order_by(_p.id.desc())
    .limit(1)
)
_SILENCE = Prepared(
    sa.select(*(silence.c[name] for name in Silence.__dataclass_fields__)).where(
        silence.c.member_id == sa.bindparam("member")
    )
)


def _card(found: Any) -> WeekCard | None:
    if found is None:
        return None
    values = found._asdict()
    return WeekCard(**{**values, "parts": tuple(Part(*part) for part in values["parts"])})


class Cards:
    """A member's own cards, promises and blockers; everything here is read for its owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_week(self, member_number: int, week: date) -> WeekCard | None:
        """The card of the week that begins on this Monday."""
        return _card(_OF_WEEK.one(self._connection, member=member_number, week=week.isoformat()))

    def open(self, cohort_id: int, member_number: int, week: date, opens_at: datetime, closes_at: datetime) -> WeekCard:
        """The card of a week, made when there is none: one a member and week, however often it is asked for."""
        values = {
            "cohort_id": cohort_id, "member_id": member_number, "week": week.isoformat(), "parts": [],
            "opens_at": opens_at, "closes_at": closes_at,
        }  # fmt: skip
        number = insert_new_id(self._connection, card, values)
        if number is not None:
            return WeekCard(number, week.isoformat(), (), None, opens_at, closes_at, None, None)
        found = self.of_week(member_number, week)
        assert found is not None
        return found

    def recent(self, member_number: int) -> list[WeekCard]:
        """The last cards that a member was shown, the newest first; at most six."""
        found = _RECENT.all(self._connection, member=member_number)
        return [card for row in found if (card := _card(row)) is not None]

    def shown(self, member_number: int, rider: str) -> set[int]:
        """What a member was shown of one rider, on their last hundred cards: it is done, or the card stands there."""
        mine = sa.select(*_CARD).where(_c.member_id == member_number, _c.message.is_not(None))
        found = [_card(row) for row in self._connection.execute(mine.order_by(_c.week.desc()).limit(100))]
        parts = [(part, one.current) for one in found if one is not None for part in one.parts]
        return {part.object for part, current in parts if part.rider == rider and (part.done or part == current)}

    def get(self, number: int, member_number: int) -> WeekCard | None:
        """One of a member's own cards."""
        return _card(_GET.one(self._connection, number=number, member=member_number))

    def change(self, number: int, **values: Any) -> None:
        """Overwrite some of a card; `parts` are given as `Part`."""
        if "parts" in values:
            values["parts"] = [[part.rider, part.object, part.done] for part in values["parts"]]
        overwrite(self._connection, card, {"id": number}, **values)

    def promise(self, member_number: int) -> Promise | None:
        """A member's open promise."""
        found = _OPEN_PROMISE.one(self._connection, member=member_number)
        return None if found is None else Promise(*found)

    def make_promise(self, cohort_id: int, member_number: int, words: str, day: str | None, now: datetime) -> int:
        """A new promise; one that was still open is dropped for it."""
        self._connection.execute(
            sa.update(promise).where(_p.member_id == member_number, _p.state == "open").values(state="dropped")
        )
        return insert(
            self._connection, promise, cohort_id=cohort_id, member_id=member_number, words=words, day=day,
            state="open", made_at=now,
        )  # fmt: skip

    def change_promise(self, number: int, member_number: int, **values: Any) -> None:
        """Say how a member's own promise stands."""
        overwrite(self._connection, promise, {"id": number, "member_id": member_number}, **values)

    def add_stuck(self, cohort_id: int, member_number: int, now: datetime, **values: Any) -> int:
        """What holds a member up; private until they say otherwise."""
        return insert(
            self._connection, stuck, cohort_id=cohort_id, member_id=member_number, opened_at=now, readers="self",
            **values,
        )  # fmt: skip

    def stuck(self, number: int, member_number: int) -> Stuck | None:
        """One of a member's own blockers."""
        found = self._connection.execute(
            sa.select(*_STUCK).where(_s.id == number, _s.member_id == member_number)
        ).one_or_none()
        return None if found is None else Stuck(*found)

    def open_stuck(self, member_number: int) -> Stuck | None:
        """A member's own open blocker."""
        found = self._connection.execute(
            sa.select(*_STUCK)
            .where(_s.member_id == member_number, _s.closed_at.is_(None))
            .order_by(_s.id.desc())
            .limit(1)
        ).one_or_none()
        return None if found is None else Stuck(*found)

    def change_stuck(self, number: int, member_number: int, **values: Any) -> None:
        """Overwrite some of a member's own blocker."""
        overwrite(self._connection, stuck, {"id": number, "member_id": member_number}, **values)

    def free(self, member_number: int, now: datetime) -> None:
        """Nothing holds a member up any more."""
        self._connection.execute(
            sa.update(stuck).where(_s.member_id == member_number, _s.closed_at.is_(None)).values(closed_at=now)
        )

    def unblock(self, number: int, member_number: int, now: datetime) -> Promise | None:
        """One blocker is over, if it is still open; the open promise that it held up is asked about as before."""
        held = self.stuck(number, member_number)
        if held is None or held.closed_at is not None:
            return None
        self.change_stuck(number, member_number, closed_at=now)
        found = self.promise(member_number)
        if found is None or found.id != held.promise_id:
            return None
        self.change_promise(found.id, member_number, said=None, said_at=None)
        return found

    def silence(self, member_number: int) -> Silence:
        """How a member answered lately."""
        found = _SILENCE.one(self._connection, member=member_number)
        return Silence() if found is None else Silence(*found)

    def keep_silence(self, cohort_id: int, member_number: int, now: Silence) -> None:
        """Remember how a member answered lately."""
        values = {"cohort_id": cohort_id, "member_id": member_number, **asdict(now)}
        upsert(self._connection, silence, values, ("member_id",))
