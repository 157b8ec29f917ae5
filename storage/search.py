"""What search knows of each member: keys with the audience that may find them; and who waits for whom to join."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import compress

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.domain.profiles import Audience, Whole, audiences
from bot.domain.words import word_keys
from storage.base import Id, Moment, insert, member_id, read, same_cohort, table, upsert
from storage.members import member
from storage.portraits import pack, portrait, read_whole
from storage.prepared import Prepared
from storage.profiles import GIVEN
from storage.search_scan import (
    COHORT,
    END,
    FACILITATORS,
    MET,
    PREFIXES,
    RAREST,
    START,
    TIERS,
    Clause,
    Reach,
    fit_of,
    scan,
    scan_kinds,
    scopes_of,
    search_key,
    shape_of,
    sizes,
    start_of,
    values_of,
)

watch = table(
    "watch",
    sa.Column("id", Id, primary_key=True),
    sa.Column("cohort_id", Id, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    member_id(),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("cohort_id", "kind", "key", "member_id"),
    sa.Index("ix_watch_member_id", "member_id"),
    same_cohort("member_id"),
    personal={"member_id": "delete"},
    sqlite_autoincrement=True,
)

_WHO = Prepared(
    sa.select(member.c.cohort_id, member.c.role, member.c.state, member.c.preset, member.c.time_zone).where(
        member.c.id == sa.bindparam("number")
    )
)
_KEYS = Prepared(
    sa.select(search_key.c.kind, search_key.c.key, search_key.c.scope).where(
        search_key.c.member_id == sa.bindparam("number")
    )
)
FEW = 64  # rows of a clause up to which all who fit are read at once
MANY = 300  # rows of a clause that are counted; more is "many"
Key = tuple[str, str, str]


class Search:
    """Limited index scans only: a page costs the same among 100 members and among 100,000."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Of the clauses asked for so far, for one viewer: how many rows they fit, and the scopes that have any.
        self._sizes: dict[Clause, int] = {}
        self._shown_to: dict[Clause, tuple[str, ...]] = {}
        self._known: dict[Clause, list[int] | None] = {}  # all who fit, or that they are more than a few

    def renew(self, member_number: int) -> None:
        """Write anew what search knows of a member; nothing, unless they are active and agreed to be found."""
        c = self._connection
        who = _WHO.one(c, number=member_number)
        whole = read_whole(c, member_number, who)
        row = {"cohort_id": who.cohort_id, "member_id": member_number, "whole": pack(whole)}
        upsert(c, portrait, row, ("member_id",))
        agreed = GIVEN.value(c, cohort=who.cohort_id, member=member_number, purpose="introductions")
        is_found = who.state == "active" and who.role == "fellow" and agreed
        self._replace(who.cohort_id, member_number, keys_of(whole) if is_found else set())

    def _replace(self, cohort_id: int, number: int, keys: set[Key]) -> None:
        of = search_key.c
        known = {(kind, key, scope) for kind, key, scope in _KEYS.all(self._connection, number=number)}
        if gone := sorted(known - keys):
            these = [sa.and_(of.kind == kind, of.key == key, of.scope == scope) for kind, key, scope in gone]
            everything = len(gone) == len(known)
            condition = sa.true() if everything else sa.or_(*these)
            self._connection.execute(sa.delete(search_key).where(of.member_id == number, condition))
        if new := sorted(keys - known):
            rows = [key_row(cohort_id, number, *one) for one in new]
            self._connection.execute(sa.insert(search_key), rows)

    def find(self, reach: Reach, clauses: Sequence[Clause], after: int | None, limit: int) -> list[int]:
        """Members who fulfil every clause, in ring order: those who joined after the viewer, then from the beginning.

        So no one stands first for everybody. `after` is the last member of the page before.
        """
        if not clauses:
            return []
        start = reach.viewer
        ordered, size = self._rarest_first(reach, clauses)
        wide = size >= MANY
        alone = len(clauses) == 1 and not clauses[0].is_prefix
        if alone or size <= FEW:
            everybody = self._few(reach, clauses[0]) if alone else self._scan(reach, ordered, wide, 0, END, END)
            if everybody is not None:
                ring = [*(one for one in everybody if one > start), *(one for one in everybody if one < start)]
                place = (False, start) if after is None else (after < start, after)
                return [one for one in ring if (one < start, one) > place][:limit]
        found: list[int] = []
        if after is None or after > start:
            found = self._scan(reach, ordered, wide, after or start, END, limit)
        if len(found) < limit:
            low = after if after is not None and after < start else 0
            found += self._scan(reach, ordered, wide, low, start, limit - len(found))
        return found

    def _rarest_first(self, reach: Reach, clauses: Sequence[Clause]) -> tuple[list[Clause], int]:
        """The clauses with the one first that fits the fewest rows; and how many these are, at most MANY.

        A single list of keys is not counted: to read the first of it costs as much.
        """
        if len(clauses) == 1 and not clauses[0].is_prefix:
            return list(clauses), MANY
        if not any(self._sizes.get(clause, END) <= FEW for clause in clauses):
            self._count(reach, [clause for clause in clauses if clause not in self._sizes], MANY)
        ordered = self._ordered(clauses)
        if self._sizes[ordered[0]] == MANY and not _is_sure(ordered):
            self._count(reach, [clause for clause in clauses if self._sizes[clause] == MANY], MANY * 10)
            ordered = self._ordered(clauses)
        return ordered, self._sizes[ordered[0]]

    def _ordered(self, clauses: Sequence[Clause]) -> list[Clause]:
        return sorted(clauses, key=lambda one: (self._sizes.get(one, END), RAREST.index(one.kind)))

    def _count(self, reach: Reach, clauses: Sequence[Clause], most: int) -> None:
        if clauses:
            statement = sizes(tuple(map(fit_of, clauses)), scopes_of(reach))
            (row,) = read(self._connection, statement, values_of(reach, clauses, 0, END, most))
            step = len(row) // len(clauses)
            for n, clause in enumerate(clauses):
                self._sizes[clause], *is_shown = row[n * step : (n + 1) * step]
                self._shown_to[clause] = tuple(compress(reach.scopes, is_shown))

    def _few(self, reach: Reach, clause: Clause) -> list[int] | None:
        """All who fit one list of keys, by number; None when they are more than a few.

        Who offers help with a topic is looked for first, then who needs it, then who works on it: read at once.
        """
        if clause not in self._known:
            kinds = TIERS if clause.kind in TIERS else (clause.kind,)
            clauses = [Clause(kind, clause.keys) for kind in kinds]
            shape = shape_of(reach, [clause], wide=False, lazy=self._connection.dialect.name == "sqlite")
            values = values_of(reach, [clause], 0, END, FEW + 1)
            values |= {f"kind{n}": kind for n, kind in enumerate(kinds)}
            found: list[list[int]] = [[] for _ in kinds]
            for n, number in read(self._connection, scan_kinds(shape, len(kinds)), values):
                found[n].append(number)
            self._known |= {
                one: sorted(some) if len(some) <= FEW else None for one, some in zip(clauses, found, strict=True)
            }
        return self._known[clause]

    def _scan(self, reach: Reach, clauses: Sequence[Clause], wide: bool, low: int, high: int, limit: int) -> list[int]:
        shape = shape_of(reach, clauses, wide=wide, lazy=self._connection.dialect.name == "sqlite")
        values = values_of(reach, clauses, low, high, limit, self._shown_to)
        return [number for (number,) in read(self._connection, scan(shape), values)]

    def watch(self, cohort_id: int, member_number: int, keys: Iterable[tuple[str, str]], now: datetime) -> int:
        """Tell this member when somebody joins with one of these keys; returns how many are new."""
        known = set(self.watched(member_number))
        new = [pair for pair in dict.fromkeys(keys) if pair not in known]
        for kind, key in new:
            insert(
                self._connection,
                watch,
                cohort_id=cohort_id,
                kind=kind,
                key=key,
                member_id=member_number,
                created_at=now,
            )
        return len(new)

    def watched(self, member_number: int) -> list[tuple[str, str]]:
        """What a member waits for."""
        found = self._connection.execute(
            sa.select(watch.c.kind, watch.c.key).where(watch.c.member_id == member_number).order_by(watch.c.id)
        )
        return [(kind, key) for kind, key in found]

    def unwatch(self, member_number: int) -> None:
        """Stop waiting."""
        self._connection.execute(sa.delete(watch).where(watch.c.member_id == member_number))

    def watchers(self, member_number: int, limit: int = 200) -> list[tuple[int, str, str]]:
        """Who waits for what this member is found by: (watcher, kind, key). Access knows what the watcher may see."""
        of = search_key.c
        mine = self._connection.execute(
            sa.select(of.cohort_id, of.kind, of.key).where(of.member_id == member_number).distinct()
        ).all()
        keys: dict[str, set[str]] = {}
        for row in mine:
            ends = range(START, len(row.key)) if row.kind in PREFIXES else ()
            keys.setdefault(row.kind, set()).update([row.key, *(row.key[:end] for end in ends)])
        if not keys:
            return []
        waited = [sa.and_(watch.c.kind == kind, watch.c.key.in_(sorted(some))) for kind, some in sorted(keys.items())]
        found = self._connection.execute(
            sa.select(watch.c.member_id, watch.c.kind, watch.c.key)
            .where(watch.c.cohort_id == mine[0].cohort_id, sa.or_(*waited), watch.c.member_id != member_number)
            .order_by(watch.c.id)
            .limit(limit)
        )
        return [(row[0], row[1], row[2]) for row in found]


def _is_sure(ordered: Sequence[Clause]) -> bool:
    """Is it known without counting further which clause fits the fewest, as a topic does beside a country?"""
    lead, *others = [clause.kind for clause in ordered]
    return not others or (lead in ("need", "offer", "topic") and {"country", "coalition"}.issuperset(others))


def key_row(cohort_id: int, number: int, kind: str, key: str, scope: str) -> dict[str, int | str | None]:
    """One key of a member as a row."""
    start = start_of(kind, key)
    return {"cohort_id": cohort_id, "kind": kind, "key": key, "scope": scope, "member_id": number, "start": start}


def keys_of(whole: Whole) -> set[Key]:
    """Each (kind, key, scope) under which a member can be found, with the audience of the field that it comes from."""
    of = whole.profile
    seen_by = audiences(whole.preset, whole.own)
    found: set[Key] = set()

    def add(field: str, kind: str, keys: Iterable[str | None]) -> None:
        scopes = _scopes(seen_by[field], of.coalitions)
        found.update((kind, key, scope) for key in keys if key for scope in scopes)

    add("topics", "topic", of.topics)
    add("coalitions", "coalition", of.coalitions)
    add("country", "country", (of.country,))
    add("sector", "sector", (of.sector,))
    add("name", "name", word_keys(of.name or ""))
    add("native_name", "name", word_keys(of.native_name or ""))
    for field, kind, wishes in (("needs", "need", of.needs), ("offers", "offer", of.offers)):
        for wish in wishes:
            add(field, kind, (wish.topic,))
            add("topics", kind, (wish.topic,))  # whoever sees the topics sees these, without the words
            add(field, "word", word_keys(wish.text or ""))
    add("project", "topic", of.project_topics)
    add("project", "word", word_keys(f"{of.project or ''} {of.project_goal or ''}"))
    return found


def _scopes(audience: Audience, coalitions: Sequence[str]) -> tuple[str, ...]:
    """The fewest rows that tell audiences apart: facilitators read those of the cohort and of the met, too."""
    if audience is Audience.COALITIONS:
        return (*coalitions, MET)
    return {Audience.COHORT: (COHORT,), Audience.MET: (MET,), Audience.FACILITATORS: (FACILITATORS,)}.get(audience, ())


_NOT_A_NAME = re.compile(r"[%_*]+")


def is_searchable_name(text: str) -> bool:
    """At least three letters are typed before anybody is found by name."""
    return sum(letter.isalpha() for letter in _NOT_A_NAME.sub("", text)) >= 3


__all__ = [
    "COHORT",
    "FACILITATORS",
    "MET",
    "TIERS",
    "Clause",
    "Reach",
    "Search",
    "is_searchable_name",
    "key_row",
    "keys_of",
    "watch",
]
