"""The statements of search, as SQL: each reads a limited stretch of an index, and is built once for each shape."""

from collections.abc import Mapping, Sequence
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
TIERS = ("offer", "need", "topic")  # the kinds of a topic's keys, in the order in which they answer a search for it
PREFIXES = ("word", "name")  # stored whole, found by their beginning
START = 3  # letters
LAST = "\U0010ffff"
MOST_PARTS = 32
LOOKED_UP = 8  # pairs of a key and a scope
END = 2**62  # above every member's number
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
    short: bool = False  # a prefix of fewer letters than the index of starts has


class Shape(NamedTuple):
    """What makes two questions the same statement: all but the values.

    A new statement costs more than ten known ones, so there are few shapes: lists are filled up to a few lengths.
    """

    lead: str  # "keys", "many", "narrow" or "wide"
    clauses: tuple[Fit, ...]
    scopes: int
    met: bool
    lazy: bool  # does the database merge ordered parts as it reads them? Else each part is limited.


def start_of(kind: str, key: str) -> str | None:
    """The first letters of a word or name, by which frequent beginnings are read in the order of members."""
    return key[:START] if kind in PREFIXES else None


def fit_of(clause: Clause) -> Fit:
    """The shape of a clause; of a list of keys, its length when filled up."""
    if clause.is_prefix:
        return Fit(True, 1, len(clause.keys[0]) < START)
    return Fit(False, 1 << (len(clause.keys) - 1).bit_length())


def shape_of(reach: Reach, clauses: Sequence[Clause], *, wide: bool, lazy: bool) -> Shape:
    """The shape of a question whose first clause leads; `wide` tells that its prefix fits many rows."""
    lead, fits, scopes = clauses[0], tuple(map(fit_of, clauses)), scopes_of(reach)
    if lead.is_prefix:
        how = "wide" if wide and not fits[0].short else "narrow"
    else:
        how = "keys" if fits[0].keys * scopes <= MOST_PARTS else "many"
    return Shape(how, fits, scopes, reach.met, lazy)


def scopes_of(reach: Reach) -> int:
    """How many scopes a statement has for so many: a multiple of four."""
    return -(-len(reach.scopes) // 4) * 4


def values_of(
    reach: Reach,
    clauses: Sequence[Clause],
    low: int,
    high: int,
    limit: int,
    shown_to: Mapping[Clause, tuple[str, ...]] | None = None,
) -> dict[str, Any]:
    """The values of a question for its statement: members between two numbers.

    `shown_to` are the scopes in which there is anybody for a clause, where that is known. Of what a list is filled up
    with, nothing is read: a part of its own gets "", which nothing has; a list of alternatives one that it has already.
    """
    known = shown_to or {}
    values: dict[str, Any] = {"cohort": reach.cohort_id, "viewer": reach.viewer, "low": low, "high": high}
    values |= {"limit": limit}
    values |= _numbered("scope", known.get(clauses[0], reach.scopes), scopes_of(reach), "")
    values |= _numbered("part", clauses[0].keys, fit_of(clauses[0]).keys, "")
    for n, clause in enumerate(clauses):
        first = clause.keys[0]
        values |= {
            f"kind{n}": clause.kind,
            f"to{n}": first + LAST,
            f"start{n}": first[:START],
            f"letters{n}": len(first),
        }
        values |= _numbered(f"key{n}of", clause.keys, fit_of(clause).keys, first)
        seen = known.get(clause, reach.scopes) or ("",)
        values |= _numbered(f"seen{n}of", seen, scopes_of(reach), seen[0])
    return values


def _numbered(name: str, some: Sequence[str], size: int, filled_with: str) -> dict[str, str]:
    return {f"{name}{n}": some[n] if n < len(some) else filled_with for n in range(size)}


@lru_cache(maxsize=256)
def scan(shape: Shape) -> str:
    """Members who fulfil every clause, by number: one limited index scan a key and scope.

    They are merged as they are read, so that the last scans stop where the page is full. The other clauses are looked
    up for each candidate.
    """
    if shape.lead == "keys":
        pairs = [(key, scope) for key in range(shape.clauses[0].keys) for scope in range(shape.scopes)]
        parts = [_part(shape, f"key = :part{key} AND scope = :scope{scope}") for key, scope in pairs]
    elif shape.lead == "wide":
        begins = f"start = :start0 AND {_begins(0, 'search_key')}"
        parts = [_part(shape, f"{begins} AND scope = :scope{n}", "DISTINCT ") for n in range(shape.scopes)]
    else:
        parts = [_part(shape, f"{_fits(shape.clauses[0], 0)} AND {_seen('search_key', shape.scopes, 0)}", "DISTINCT ")]
    if shape.met:
        parts.append(_met(shape))
    if not shape.lazy:
        ends = "ORDER BY member_id LIMIT :limit"
        parts = [f"SELECT member_id FROM ({part} {ends}) AS anon_{n}" for n, part in enumerate(parts)]
    return f"{' UNION '.join(parts)} ORDER BY member_id LIMIT :limit"


@lru_cache(maxsize=256)
def scan_kinds(shape: Shape, kinds: int) -> str:
    """The same for several kinds of one list of keys, `:kind0` and so on: rows of the kind's place and the member."""
    one = scan(shape)
    parts = (one.replace(":kind0", f":kind{n}") for n in range(kinds))
    return " UNION ALL ".join(f"SELECT {n}, member_id FROM ({part}) AS anon_kind{n}" for n, part in enumerate(parts))


@lru_cache(maxsize=256)
def sizes(fits: tuple[Fit, ...], scopes: int) -> str:
    """How many rows each clause fits, counted up to a limit, and in which scopes there are any: one row of numbers."""
    found = []
    for n, fit in enumerate(fits):
        here = f"cohort_id = :cohort AND kind = :kind{n} AND {_fits(fit, n)}"
        # Of a prefix it is the whole stretch that would have to be read.
        counted = here if fit.prefix else f"{here} AND {_seen('search_key', scopes, n)}"
        found.append(f"(SELECT count(*) FROM (SELECT 1 FROM search_key WHERE {counted} LIMIT :limit) AS anon_{n})")
        if fit.prefix:
            here = f"cohort_id = :cohort AND kind = :kind{n} AND start = :start{n}"
        for m in range(scopes):
            some = f"EXISTS (SELECT 1 FROM search_key WHERE {here} AND scope = :scope{m})"
            found.append("1 = 1" if fit.short else some)
    return f"SELECT {', '.join(found)}"


def _part(shape: Shape, conditions: str, distinct: str = "") -> str:
    return (
        f"SELECT {distinct}member_id FROM search_key WHERE cohort_id = :cohort AND kind = :kind0 AND {conditions} "
        f"AND member_id > :low AND member_id < :high {_others(shape)}"
    )


def _met(shape: Shape) -> str:
    """Those whom the viewer has met, each looked up: without the cohort, so that only their own rows are read.

    The bounds as an expression, so that the index is entered by each of them and not by a range.
    """
    return (
        f"SELECT DISTINCT member_id FROM search_key WHERE member_id IN ({_ALLIES}) AND kind = :kind0 "
        f"AND {_fits(shape.clauses[0], 0)} AND scope = '{MET}' "
        f"AND member_id + 0 > :low AND member_id + 0 < :high {_others(shape)}"
    )


def _others(shape: Shape) -> str:
    return "".join(_also(shape, n) for n in range(1, len(shape.clauses)))


def _also(shape: Shape, n: int) -> str:
    """A further clause holds for the same member.

    It is looked up in the lists of those who fulfil it, which stay in memory as all who search for it read them; a
    clause of many lists in the member's own rows, without the cohort.
    """
    fit, also = shape.clauses[n], f"also{n}"
    same, fits = f"{also}.member_id = search_key.member_id", _fits(fit, n, also)
    if fit.keys * shape.scopes <= LOOKED_UP and not fit.short:
        # As a range, so that the index of members does not look as good.
        bounds = "BETWEEN search_key.member_id AND search_key.member_id"
        same = f"{also}.cohort_id = :cohort AND {also}.member_id {bounds}"
        fits = f"{also}.start = :start{n} AND {_begins(n, also)}" if fit.prefix else _fits(fit, n, also)
    here = f"{same} AND {also}.kind = :kind{n} AND {fits}"
    holds = f"EXISTS (SELECT 1 FROM search_key AS {also} WHERE {here} AND {_seen(also, shape.scopes, n)})"
    if not shape.met:
        return f"AND {holds} "
    met = f"EXISTS (SELECT 1 FROM search_key AS {also} WHERE {here} AND {also}.scope = '{MET}')"
    return f"AND ({holds} OR (search_key.member_id IN ({_ALLIES}) AND {met})) "


def _fits(fit: Fit, n: int, of: str = "search_key") -> str:
    if fit.prefix:
        return f"{of}.key >= :key{n}of0 AND {of}.key < :to{n}"
    return f"{of}.key IN ({', '.join(f':key{n}of{m}' for m in range(fit.keys))})"


def _begins(n: int, of: str) -> str:
    """The beginning as an expression, so that the index of starts is read and not that of whole keys."""
    return f"substr({of}.key, 1, :letters{n}) = :key{n}of0"


def _seen(of: str, scopes: int, n: int) -> str:
    return f"{of}.scope IN ({', '.join(f':seen{n}of{m}' for m in range(scopes))})"


_ALLIES = "SELECT other_id FROM ally WHERE member_id = :viewer"
