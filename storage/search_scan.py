"""The statements of search: each reads a limited stretch of an index, and is built once for each shape of question."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage.base import Id, Ordered, same_cohort, table

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
    """How far a viewer sees: the scopes of their cohort that they belong to, and whom they have met.

    For facilitators all that are met are a scope like any other.
    """

    cohort_id: int
    viewer: int
    scopes: tuple[str, ...]
    met: tuple[int, ...] = ()


class Shape(NamedTuple):
    """What makes two questions the same statement."""

    lead: str  # "keys", "many", "narrow" or "wide"
    keys: int
    scopes: int
    met: bool
    rest: tuple[bool, ...]  # for each further clause: is it a prefix?
    bounded: bool


def start_of(kind: str, key: str) -> str | None:
    """The first letters of a word or name, by which frequent beginnings are read in the order of members."""
    return key[:START] if kind in PREFIXES else None


def shape_of(reach: Reach, clauses: Sequence[Clause], *, wide: bool, bounded: bool) -> Shape:
    """The shape of a question whose first clause leads; `wide` tells that its prefix fits many rows."""
    lead = clauses[0]
    if lead.is_prefix:
        how = "wide" if wide and len(lead.keys[0]) >= START else "narrow"
    else:
        how = "keys" if len(lead.keys) * len(reach.scopes) <= MOST_PARTS else "many"
    keys = len(lead.keys) if how == "keys" else 1
    scopes = len(reach.scopes) if how in ("keys", "wide") else 1
    return Shape(how, keys, scopes, bool(reach.met), tuple(one.is_prefix for one in clauses[1:]), bounded)


def values_of(
    reach: Reach, clauses: Sequence[Clause], low: int, high: int | None, limit: int
) -> dict[str, Any]:
    """The values of a question for its statement."""
    lead = clauses[0]
    values: dict[str, Any] = {"cohort": reach.cohort_id, "low": low, "high": high, "limit": limit}
    met = [other for other in reach.met if low < other and (high is None or other < high)]
    values |= {"scopes": reach.scopes, "met": met, "start": lead.keys[0][:START], "letters": len(lead.keys[0])}
    values |= {f"scope{n}": scope for n, scope in enumerate(reach.scopes)}
    values |= {f"key{n}": key for n, key in enumerate(lead.keys)}
    for n, clause in enumerate(clauses):
        values |= {f"kind_{n}": clause.kind, f"keys_{n}": clause.keys}
        values |= {f"from_{n}": clause.keys[0], f"to_{n}": clause.keys[0] + LAST}
    return values


@lru_cache(maxsize=256)
def scan(shape: Shape) -> sa.Select[Any]:
    """Members who fulfil every clause, by number: one limited index scan a key and scope, merged.

    The other clauses are looked up for each candidate.
    """
    if shape.lead == "keys":
        pairs = [(key, scope) for key in range(shape.keys) for scope in range(shape.scopes)]
        parts = [
            _part(shape, _c.key == _bind(f"key{key}", _c.key), _c.scope == _bind(f"scope{scope}", _c.scope))
            for key, scope in pairs
        ]
    elif shape.lead == "wide":
        begins = [_c.start == _bind("start", _c.start), _beginning() == _bind("from_0", _c.key)]
        scopes = [_c.scope == _bind(f"scope{scope}", _c.scope) for scope in range(shape.scopes)]
        parts = [_part(shape, *begins, scope).distinct() for scope in scopes]
    else:
        fits = _fits(search_key, 0, prefix=shape.lead == "narrow")
        parts = [_part(shape, *fits, _among("scopes", _c.scope)).distinct()]
    if shape.met:
        parts.append(_met(shape))
    merged = sa.union_all(*(sa.select(part.subquery().c.member_id) for part in parts)).subquery()
    return sa.select(merged.c.member_id).distinct().order_by(merged.c.member_id).limit(_limit())


@lru_cache(maxsize=4)
def size(prefix: bool) -> sa.Select[Any]:
    """How many rows a clause fits, counted up to a limit."""
    some = sa.select(sa.literal(1)).where(_c.cohort_id == _bind("cohort", _c.cohort_id), *_fits(search_key, 0, prefix))
    if not prefix:  # of a prefix it is the whole stretch that would have to be read
        some = some.where(_among("scopes", _c.scope))
    return sa.select(sa.func.count()).select_from(some.limit(_limit()).subquery())


def _part(shape: Shape, *conditions: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    statement = sa.select(_c.member_id).where(
        _c.cohort_id == _bind("cohort", _c.cohort_id),
        _c.kind == _bind("kind_0", _c.kind),
        _c.member_id > _bind("low", _c.member_id),
        *conditions,
    )
    if shape.bounded:
        statement = statement.where(_c.member_id < _bind("high", _c.member_id))
    return _limited(shape, statement)


def _met(shape: Shape) -> sa.Select[tuple[int]]:
    """Those whom the viewer has met, each looked up: without the cohort, so that only their own rows are read."""
    fits = _fits(search_key, 0, prefix=shape.lead in ("narrow", "wide"))
    own = sa.select(_c.member_id).where(*fits, _c.scope == MET, _among("met", _c.member_id))
    return _limited(shape, own).distinct()


def _limited(shape: Shape, statement: sa.Select[tuple[int]]) -> sa.Select[tuple[int]]:
    for n, prefix in enumerate(shape.rest, start=1):
        statement = statement.where(_also(shape, n, prefix))
    return statement.order_by(_c.member_id).limit(_limit())


def _also(shape: Shape, n: int, prefix: bool) -> sa.ColumnElement[bool]:
    """A further clause holds for the same member. Without the cohort, so that only the member's own rows are read."""
    also = search_key.alias(f"also{n}")
    seen = _among("scopes", also.c.scope)
    if shape.met:
        seen = sa.or_(seen, sa.and_(also.c.scope == MET, _among("met", _c.member_id)))
    found = sa.select(sa.literal(1)).where(also.c.member_id == _c.member_id, *_fits(also, n, prefix), seen)
    return sa.exists(found.correlate(search_key))


def _fits(of: Any, n: int, prefix: bool) -> list[sa.ColumnElement[bool]]:
    kind = of.c.kind == _bind(f"kind_{n}", _c.kind)
    if prefix:
        return [kind, of.c.key >= _bind(f"from_{n}", _c.key), of.c.key < _bind(f"to_{n}", _c.key)]
    return [kind, _among(f"keys_{n}", of.c.key)]


def _beginning() -> sa.ColumnElement[str]:
    """As an expression, so that the index of starts is read and not that of whole keys."""
    return sa.func.substr(_c.key, 1, sa.bindparam("letters", type_=sa.Integer), type_=Ordered)


def _bind(name: str, like: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=like.type)


def _among(name: str, column: Any) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = column.in_(sa.bindparam(name, expanding=True))
    return found


def _limit() -> sa.BindParameter[int]:
    return sa.bindparam("limit", type_=sa.Integer)
