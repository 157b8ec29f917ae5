"""Check-ins: what is asked of whom and how often, each question as it was asked, and the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storage.access import Viewer
from storage.base import Id, Json, Moment, insert, insert_new, insert_new_id, member_id, rows, same_cohort, table, text
from storage.members import member
from storage.profiles import consent, member_coalition, profile
from storage.teams import IN, project_member

A_TEAM = 50  # people at most

checkin = table(
    "checkin",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id("maker_id", nullable=True),
    sa.Column("state", sa.Text, nullable=False),  # draft, running, paused, ended
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("words", sa.Text),  # own words; None: the library's questions in turn
    sa.Column("answer", sa.Text, nullable=False),  # how own words are answered, as the library says it
    sa.Column("options", Json, nullable=False),  # the facilitator's own choices
    sa.Column("readers", sa.Text, nullable=False),  # or `library`: as each question says
    sa.Column("audience", Json, nullable=False),  # {"kind": "all" | "coalition" | "country" | "team", "key": …}
    sa.Column("rhythm", Json, nullable=False),
    sa.Column("schedule_id", Id),
    sa.Column("first_on", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    same_cohort("maker_id"),
    sa.Index("ix_checkin_cohort_id", "cohort_id", "id"),
    sa.Index("ix_checkin_maker_id", "maker_id"),
    personal={"maker_id": "unlink"},
    sqlite_autoincrement=True,
)

question = table(  # never changed: who may read an answer is what was said when it was asked
    "question",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("checkin_id", Id, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("slug", sa.Text, nullable=False),  # of the library; empty for own words
    sa.Column("words", sa.Text),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("options", Json, nullable=False),
    sa.Column("readers", sa.Text, nullable=False),
    member_id("maker_id", nullable=True),
    same_cohort("maker_id"),
    sa.UniqueConstraint("checkin_id", "revision", "slug"),
    sa.Index("ix_question_maker_id", "maker_id"),
    personal={"maker_id": "unlink"},
    own={},  # the programme's words; the answers are a person's own
    sqlite_autoincrement=True,
)

answer = table(  # one row for each question that somebody was asked, answered or not
    "answer",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    member_id(nullable=True),
    sa.Column("checkin_id", Id, nullable=False),
    sa.Column("question_id", Id, nullable=False),
    sa.Column("on_date", sa.Text, nullable=False),  # in the member's own zone
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("closes_at", Moment, nullable=False),
    text("choice"),
    text("words"),
    text("day"),
    sa.Column("answered_at", Moment),
    sa.Column("skipped_at", Moment),
    same_cohort("member_id"),
    sa.UniqueConstraint("checkin_id", "member_id", "on_date"),
    sa.Index("ix_answer_member_id", "member_id", "id"),
    sa.Index("ix_answer_question_id", "question_id", "id"),
    sa.Index("ix_answer_checkin_id", "checkin_id", "id"),
    sa.Index("ix_answer_closes", "cohort_id", "closes_at"),
    personal={"member_id": "blank"},  # how many were asked and answered stays
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Checkin:
    """What a facilitator set up: the question or the library, for whom, how often, and who may read."""

    id: int
    cohort_id: int
    maker_id: int | None
    state: str
    revision: int
    words: str | None
    answer: str
    options: Sequence[str]
    readers: str
    audience: Mapping[str, Any]
    rhythm: Mapping[str, Any]
    schedule_id: int | None
    first_on: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that a member was asked, with their own answer so far."""

    id: int
    member_id: int | None
    checkin_id: int
    question_id: int
    on_date: str
    asked_at: datetime
    closes_at: datetime
    choice: str | None
    words: str | None
    day: str | None
    answered_at: datetime | None
    skipped_at: datetime | None
    slug: str
    question: str | None  # own words
    shape: str
    options: Sequence[str]
    readers: str
    maker_id: int | None


_c, _q, _a = checkin.c, question.c, answer.c
_CHECKIN = [_c[name] for name in Checkin.__dataclass_fields__]
_ASKED = (
    sa.select(
        *(_a[name] for name in list(Asked.__dataclass_fields__)[:12]),
        _q.slug,
        _q.words.label("question"),
        _q.answer.label("shape"),
        _q.options,
        _q.readers,
        _q.maker_id,
    )
).join_from(answer, question, _q.id == _a.question_id)


_MINE = _ASKED.where(_a.id == sa.bindparam("id"), _a.member_id == sa.bindparam("member"))
_LAST = _ASKED.where(_a.member_id == sa.bindparam("member")).order_by(_a.id.desc()).limit(sa.bindparam("limit"))
_GET = sa.select(*_CHECKIN).where(_c.id == sa.bindparam("id"))


def _one(row: Any) -> Asked:
    return Asked(*row)


class Checkins:
    """Set up by facilitators, answered by fellows; others' answers are read through `readable` alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Read once a transaction: a page of 500 fellows is asked the same question in one.
        self._known: dict[int, Checkin] = {}
        self._questions: dict[tuple[int, int, str], int] = {}
        self._mine: dict[int, Asked] = {}

    def add(self, cohort_id: int, maker: int, now: datetime, **values: Any) -> int:
        """A new check-in's number; it is a draft."""
        return insert(
            self._connection, checkin, cohort_id=cohort_id, maker_id=maker, state="draft", revision=1, created_at=now,
            **values,
        )  # fmt: skip

    def get(self, number: int) -> Checkin | None:
        """One check-in."""
        if number not in self._known:
            found = self._connection.execute(_GET, {"id": number}).one_or_none()
            if found is None:
                return None
            self._known[number] = Checkin(*found)
        return self._known[number]

    def listed(self, cohort_id: int, *, before: int | None = None, limit: int = 6) -> list[Checkin]:
        """A cohort's check-ins without drafts, the newest first, a page at a time."""
        older = [] if before is None else [_c.id < before]
        found = self._connection.execute(
            sa.select(*_CHECKIN)
            .where(_c.cohort_id == cohort_id, _c.state != "draft", *older)
            .order_by(_c.id.desc())
            .limit(limit)
        )
        return [Checkin(*row) for row in found]

    def running(self, cohort_id: int) -> list[Checkin]:
        """The check-ins that ask; at most 50."""
        found = self._connection.execute(
            sa.select(*_CHECKIN).where(_c.cohort_id == cohort_id, _c.state == "running").order_by(_c.id).limit(50)
        )
        return [Checkin(*row) for row in found]

    def change(self, number: int, **values: Any) -> None:
        """Overwrite some of a check-in; what was asked already stays as it was asked."""
        self._known.pop(number, None)
        self._connection.execute(sa.update(checkin).where(_c.id == number).values(revision=_c.revision + 1, **values))

    def settle(self, number: int, **values: Any) -> None:
        """Set a check-in's state, schedule or first date; the question stays the same one."""
        self._known.pop(number, None)
        self._connection.execute(sa.update(checkin).where(_c.id == number).values(**values))

    def drop(self, number: int) -> None:
        """Forget a draft."""
        self._known.pop(number, None)
        self._connection.execute(sa.delete(checkin).where(_c.id == number, _c.state == "draft"))

    def reached(self, cohort_id: int, audience: Mapping[str, Any]) -> int:
        """How many fellows a check-in of this audience asks: those who are here and agreed to questions."""
        agreed = sa.and_(
            consent.c.cohort_id == cohort_id,
            consent.c.member_id == member.c.id,
            consent.c.purpose == "questions",
            consent.c.given,
        )
        kind, key = audience.get("kind"), audience.get("key")
        among = sa.join(member, consent, agreed)
        chosen: list[sa.ColumnElement[bool]] = []
        if kind == "coalition":
            among = among.join(member_coalition, member_coalition.c.member_id == member.c.id)
            chosen.append(member_coalition.c.coalition == key)
        if kind == "country":
            among = among.join(profile, profile.c.member_id == member.c.id)
            chosen.append(profile.c.country == key)
        if kind == "team":
            among = among.join(project_member, project_member.c.member_id == member.c.id)
            chosen += [project_member.c.project_id == int(key or 0), project_member.c.state == IN]
        return (
            self._connection.scalar(
                sa.select(sa.func.count())
                .select_from(among)
                .where(member.c.cohort_id == cohort_id, member.c.role == "fellow", member.c.state == "active", *chosen)
            )
            or 0
        )

    def question_of(self, of: Checkin, slug: str, shape: str, readers: str) -> int:
        """The number of a question as it is asked from now on: the library's `slug`, or own words ("")."""
        key = (of.id, of.revision, slug)
        if key not in self._questions:
            mine = sa.select(_q.id).where(_q.checkin_id == of.id, _q.revision == of.revision, _q.slug == slug)
            found = self._connection.scalar(mine)
            if found is None:
                values = {
                    "cohort_id": of.cohort_id, "checkin_id": of.id, "revision": of.revision, "slug": slug,
                    "words": None if slug else of.words, "answer": shape, "options": list(of.options),
                    "readers": readers, "maker_id": of.maker_id,
                }  # fmt: skip
                insert_new(self._connection, question, values)
                found = self._connection.scalar(mine)
            assert found is not None
            self._questions[key] = int(found)
        return self._questions[key]

    def ask(
        self, of: Checkin, question_id: int, member_number: int, on: date, asked_at: datetime, closes_at: datetime
    ) -> int | None:
        """Ask a member on a date; the answer's number, or None when they were asked for that date already."""
        values = {
            "cohort_id": of.cohort_id, "member_id": member_number, "checkin_id": of.id, "question_id": question_id,
            "on_date": on.isoformat(), "asked_at": asked_at, "closes_at": closes_at,
        }  # fmt: skip
        return insert_new_id(self._connection, answer, values)

    def was_asked(self, of: int, member_number: int, on: date) -> bool:
        """Was a member asked for a date already, perhaps early?"""
        mine = sa.and_(_a.checkin_id == of, _a.member_id == member_number, _a.on_date == on.isoformat())
        return self._connection.scalar(sa.select(_a.id).where(mine)) is not None

    def asked(self, number: int, member_number: int) -> Asked | None:
        """One question that this member was asked, with their answer; None for anybody else's."""
        if number not in self._mine:
            found = self._connection.execute(_MINE, {"id": number, "member": member_number}).one_or_none()
            if found is None:
                return None
            self._mine[number] = _one(found)
        mine = self._mine[number]
        return mine if mine.member_id == member_number else None

    def last_asked(self, member_number: int, limit: int = 1) -> list[Asked]:
        """What a member was asked last, the newest first."""
        found = self._connection.execute(_LAST, {"member": member_number, "limit": limit})
        return [_one(row) for row in found]

    def record(self, number: int, member_number: int, **values: Any) -> bool:
        """Keep a member's own answer, or that they skipped; False when the question is not theirs."""
        self._mine.pop(number, None)
        done = self._connection.execute(
            sa.update(answer).where(_a.id == number, _a.member_id == member_number).values(**values)
        )
        return rows(done) == 1

    def withdraw(self, number: int, member_number: int) -> None:
        """Forget a question that was not shown to its member after all."""
        self._mine.pop(number, None)
        self._connection.execute(
            sa.delete(answer).where(_a.id == number, _a.member_id == member_number, _a.answered_at.is_(None))
        )

    def each_of(self, of: int, on: str) -> list[tuple[int, int, bool]]:
        """Who was asked for a date, as (number of the question, member, answered?): for a team, which is small."""
        date_of = sa.and_(_a.checkin_id == of, _a.on_date == on, _a.member_id.is_not(None))
        found = self._connection.execute(
            sa.select(_a.id, _a.member_id, _a.answered_at).where(date_of).order_by(_a.id).limit(A_TEAM)
        )
        return [(number, whose, answered is not None) for number, whose, answered in found]

    def readable(self, viewer: Viewer, of: int, *, before: int | None = None, limit: int = 10) -> list[Asked]:
        """The answers to a check-in that this viewer may read, by what was said when they were asked; newest first.

        Nobody ever reads an answer of which only counts are given; whose it is, the caller asks of the access layer.
        """
        may = [_q.readers == "cohort", sa.and_(_q.readers == "maker", _q.maker_id == viewer.id)]
        if viewer.facilitator:
            may.append(_q.readers == "facilitators")
        older = [] if before is None else [_a.id < before]
        found = self._connection.execute(
            _ASKED.where(
                _a.checkin_id == of,
                _a.cohort_id == viewer.cohort_id,
                _a.answered_at.is_not(None),
                _a.member_id.is_not(None),
                sa.or_(*may),
                *older,
            )
            .order_by(_a.id.desc())
            .limit(limit)
        )
        return [_one(row) for row in found]

    def counted(self, cohort_id: int, of: int, since: datetime, *, least: int) -> list[tuple[str, str, int]]:
        """How often each choice was given since a moment, as (slug, choice, how often).

        Questions with fewer than `least` answers are left out, so that no count is one person's answer.
        """
        whole = (
            sa.select(_a.question_id)
            .where(_a.checkin_id == of, _a.cohort_id == cohort_id, _a.asked_at >= since, _a.choice.is_not(None))
            .group_by(_a.question_id)
            .having(sa.func.count() >= least)
        )
        found = self._connection.execute(
            sa.select(_q.slug, _a.choice, sa.func.count())
            .join_from(answer, question, _q.id == _a.question_id)
            .where(
                _a.checkin_id == of,
                _a.asked_at >= since,
                _a.choice.is_not(None),
                _q.readers != "self",
                _a.question_id.in_(whole),
            )
            .group_by(_q.slug, _a.choice)
            .order_by(_q.slug, _a.choice)
        )
        return [(slug, choice, n) for slug, choice, n in found]
