"""The statements of search: each reads a limited stretch of an index, and is built once for each shape of question."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage.base import Id, Ordered, same_cohort, table
from storage.introductions import ally

search_key = table(
    "search_key",
    sa.Column("cohort_id", Id, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", Ordered, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("member_id", Id, primary_key=True),
    sa.Column("start", Ordered),  # the first letters of a word or name
    same_cohort("member_id"),
    personal={"member_id": "delete"},
    own={},  # made from the member's other rows
    sqlite_with_rowid=False,
)
_c = search_key.c
STARTS = _c.start.is_not(None)
sa.Index("ix_search_key_member_id", _c.member_id, _c.kind, _c.key, _c.scope)
sa.Index(
    "ix_search_key_start", _c.cohort_id, _c.kind, _c.scope, _c.start, _c.member_id, _c.key,
    sqlite_where=STARTS, postgresql_where=STARTS,
)  # fmt: skip

COHORT, MET, FACILITATORS = "cohort", "met", "facilitators"
PREFIXES = ("word", "name")  # stored whole, found by their beginning
START = 3  # letters
LAST = "\U0010ffff"
MOST_PARTS = 24
ONE: sa.ColumnElement[int] = sa.literal_column("1", sa.Integer)
# Of two frequent clauses, the kind leads that most people show to fewer others, then the one that fits fewer people:
# else a candidate after candidate would be looked up whose sector, say, the viewer may not know.
RAREST = ("sector", "word", "need", "offer", "topic", "name", "country", "coalition")


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that must be true of a hit: any of these keys of one kind (a word or name is one prefix)."""

    kind: str
    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.keys or (self.is_prefix and len(self.keys) > 1):
            raise ValueError(f"a clause of {self.kind} cannot have {len(self.keys)} keys")

    @property
    def is_prefix(self) -> bool:
        return self.kind in PREFIXES


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a viewer sees: the scopes of their cohort that they belong to, and whether they have met anybody.

    For facilitators all that is shown to the met is a scope like any other.
    """

    cohort_id: int
    viewer: int
    scopes: tuple[str, ...]
    met: bool = False


class Fit(NamedTuple):
    """The shape of one clause."""

    prefix: bool
    keys: int


class Shape(NamedTuple):
    """What makes two questions the same statement: all but the values. Lists of a known length are quickest to bind."""

    lead: str  # "keys", "many", "narrow" or "wide"
    clauses: tuple[Fit, ...]
    scopes: int
    met: bool
    bounded: bool


def start_of(kind: str, key: str) -> str | None:
    """The first letters of a word or name, by which frequent beginnings are read in the order of members."""
    return key[:START] if kind in PREFIXES else None


def fit_of(clause: Clause) -> Fit:
    return Fit(clause.is_prefix, len(clause.keys))


def shape_of(reach: Reach, clauses: Sequence[Clause], *, wide: bool, bounded: bool) -> Shape:
    """The shape of a question whose first clause leads; `wide` tells that its prefix fits many rows."""
    lead = clauses[0]
    if lead.is_prefix:
        how = "wide" if wide and len(lead.keys[0]) >= START else "narrow"
    else:
        how = "keys" if len(lead.keys) * len(reach.scopes) <= MOST_PARTS else "many"
    return Shape(how, tuple(map(fit_of, clauses)), len(reach.scopes), reach.met, bounded)


def values_of(reach: Reach, clauses: Sequence[Clause], low: int, high: int | None, limit: int) -> dict[str, Any]:
    """The values of a question for its statement."""
    first = clauses[0].keys[0]
    values: dict[str, Any] = {"cohort": reach.cohort_id, "viewer": reach.viewer, "low": low, "high": high}
    values |= {"limit": limit, "start": first[:START], "letters": len(first)}
    values |= {f"scope{n}": scope for n, scope in enumerate(reach.scopes)}
    for n, clause in enumerate(clauses):
        values |= {f"kind{n}": clause.kind, f"to{n}": clause.keys[0] + LAST}
        values |= {f"key{n}of{m}": key for m, key in enumerate(clause.keys)}
    return values


@lru_cache(maxsize=256)
def scan(shape: Shape) -> sa.Select[Any]:
    """Members who fulfil every clause, by number: one limited index scan a key and scope, merged.

    The other clauses are looked up for each candidate.
    """
    if shape.lead == "keys":
        pairs = [(key, scope) for key in range(shape.clauses[0].keys) for scope in range(shape.scopes)]
        parts = [
            _part(shape, _c.key == _bind(f"key0of{key}", _c.key), _c.scope == _bind(f"scope{scope}", _c.scope))
            for key, scope in pairs
        ]
    elif shape.lead == "wide":
        begins = [_c.start == _bind("start", _c.start), _beginning() == _bind("key0of0", _c.key)]
        scopes = [_c.scope == _bind(f"scope{scope}", _c.scope) for scope in range(shape.scopes)]
        parts = [_part(shape, *begins, scope).distinct() for scope in scopes]
    else:
        parts = [_part(shape, *_fits(search_key, shape.clauses[0], 0), _seen(search_key, shape.scopes)).distinct()]
    if shape.met:
        parts.append(_met(shape))
    merged = sa.union_all(*(sa.select(part.subquery().c.member_id) for part in parts)).subquery()
    return sa.select(merged.c.member_id).distinct().order_by(merged.c.member_id).limit(_limit())


@lru_cache(maxsize=256)
def sizes(fits: tuple[Fit, ...], scopes: int) -> sa.Select[Any]:
    """How many rows each clause fits, counted up to a limit: one row of numbers."""
    counts = []
    for n, fit in enumerate(fits):
        here = _c.cohort_id == _bind("cohort", _c.cohort_id)
        some = sa.select(ONE).where(here, *_fits(search_key, fit, n))
        if not fit.prefix:  # of a prefix it is the whole stretch that would have to be read
            some = some.where(_seen(search_key, scopes))
        counts.append(sa.select(sa.func.count()).select_from(some.limit(_limit()).subquery()).scalar_subquery())
    return sa.select(*(count.label(f"size{n}") for n, count in enumerate(counts)))


def _part(shape: Shape, *conditions: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    statement = sa.select(_c.member_id).where(
        _c.cohort_id == _bind("cohort", _c.cohort_id), _c.kind == _bind("kind0", _c.kind), *conditions
    )
    return _limited(shape, statement, _c.member_id)


def _met(shape: Shape) -> sa.Select[tuple[int]]:
    """Those whom the viewer has met, each looked up: without the cohort, so that only their own rows are read."""
    fits = _fits(search_key, shape.clauses[0], 0)
    own = sa.select(_c.member_id).where(*fits, _c.scope == MET, _c.member_id.in_(_allies()))
    # As an expression, so that the index is entered by each of them and not by a range.
    return _limited(shape, own, _c.member_id + sa.literal_column("0")).distinct()


def _limited(shape: Shape, statement: sa.Select[tuple[int]], number: sa.ColumnElement[int]) -> sa.Select[tuple[int]]:
    statement = statement.where(number > _bind("low", _c.member_id))
    if shape.bounded:
        statement = statement.where(number < _bind("high", _c.member_id))
    for n in range(1, len(shape.clauses)):
        statement = statement.where(_also(shape, n))
    return statement.order_by(_c.member_id).limit(_limit())


def _also(shape: Shape, n: int) -> sa.ColumnElement[bool]:
    """A further clause holds for the same member. Without the cohort, so that only the member's own rows are read."""
    also = search_key.alias(f"also{n}")
    seen = _seen(also, shape.scopes)
    if shape.met:
        seen = sa.or_(seen, sa.and_(also.c.scope == MET, _c.member_id.in_(_allies())))
    fits = _fits(also, shape.clauses[n], n)
    found = sa.select(ONE).where(also.c.member_id == _c.member_id, *fits, seen)
    return sa.exists(found.correlate(search_key))


def _fits(of: Any, fit: Fit, n: int) -> list[sa.ColumnElement[bool]]:
    kind = of.c.kind == _bind(f"kind{n}", _c.kind)
    if fit.prefix:
        return [kind, of.c.key >= _bind(f"key{n}of0", _c.key), of.c.key < _bind(f"to{n}", _c.key)]
    return [kind, of.c.key.in_([_bind(f"key{n}of{m}", _c.key) for m in range(fit.keys)])]


def _seen(of: Any, scopes: int) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = of.c.scope.in_([_bind(f"scope{n}", _c.scope) for n in range(scopes)])
    return found


def _allies() -> sa.Select[tuple[int]]:
    return sa.select(ally.c.other_id).where(ally.c.member_id == _bind("viewer", ally.c.member_id))


def _beginning() -> sa.ColumnElement[str]:
    """As an expression, so that the index of starts is read and not that of whole keys."""
    return sa.func.substr(_c.key, 1, sa.bindparam("letters", type_=sa.Integer), type_=Ordered)


def _bind(name: str, like: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=like.type)


def _limit() -> sa.BindParameter[int]:
    return sa.bindparam("limit", type_=sa.Integer)
