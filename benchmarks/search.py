"""How long a search takes among many members: understanding, reading and ranking, on SQLite."""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from benchmarks._cohort import fill
from benchmarks._questions import Question, questions
from bot.bootstrap import say
from bot.content import load
from bot.domain.topics import Understanding
from handlers.finding import WINDOW, Place, gather
from storage import Store, UnitOfWork, open_store
from storage.access import Access, Found, Viewer
from storage.migrate import upgrade
from storage.search import Clause

QUERIES = 2000
A_MEMBER, A_QUESTION = 0.0005, 0.01  # seconds, roughly
WARM = 300  # questions before, as a bot that has run for a minute


def run(rest: Sequence[str]) -> dict[str, Any]:
    """Milliseconds for the first hits of a question, and our median by that of one plain join for the same."""
    parser = argparse.ArgumentParser(prog="bench search", description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(rest)
    with tempfile.TemporaryDirectory(prefix="kawan-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'search.db'}"
        upgrade(url)
        store = open_store(url, inline=True)
        try:
            return _measure(store, args.members, args.queries, args.seed)
        finally:
            store.close()


def _measure(store: Store, members: int, many: int, seed: int) -> dict[str, Any]:
    content = load()
    say(f"Writing {members} invented members and what they are found by: about {members * A_MEMBER:.0f} s.")
    started = time.perf_counter()
    cohort = store.now(lambda unit: fill(unit, content, members, seed))
    filled = time.perf_counter() - started
    understanding = content.understanding()
    say(f"Asking {WARM + many} questions, and the database the same in plain SQL: about {many * A_QUESTION:.0f} s.")
    warm = questions(random.Random(seed + 1), content, cohort, WARM)
    asking = questions(random.Random(seed), content, cohort, many)
    for question in warm:
        store.now(partial(_ask, understanding, cohort.id, question))
    asked = [store.now(partial(_ask, understanding, cohort.id, question)) for question in asking]
    # In a second pass, so that neither reads what the other has just brought into memory.
    both = list(zip(asking, asked, strict=True))
    plain = [store.now(partial(_plain, cohort.id, question.viewer, one.searches)) for question, one in both]
    by_kind: dict[str, list[float]] = {}
    for question, one in both:
        by_kind.setdefault(question.kind, []).append(one.taken)
    taken = [one.taken for one in asked]
    return {
        "members": members,
        "queries": len(asked),
        "found": sum(one.found for one in asked),
        "p50_ms": _milliseconds(taken, 50),
        "p99_ms": _milliseconds(taken, 99),
        "p99_cpu_ms": _milliseconds([one.worked for one in asked], 99),  # without waiting for others' processes
        "ratio_to_sql": round(statistics.median(taken) / statistics.median(plain), 2),
        "fill_s": round(filled, 1),
        "p99_ms_by_kind": {kind: _milliseconds(some, 99) for kind, some in sorted(by_kind.items())},
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: seconds taken and worked, whether anybody was found, and the searches that were made."""

    taken: float
    worked: float
    found: bool
    searches: list[Sequence[Clause]]


class Noted(Access):
    """The access of a viewer, which remembers what was searched for."""

    def __init__(self, connection: Connection, viewer: Viewer) -> None:
        super().__init__(connection, viewer)
        self.searches: list[Sequence[Clause]] = []

    def find(self, clauses: Sequence[Clause], *, after: int | None = None, limit: int = 30) -> Found:
        self.searches.append(clauses)
        return super().find(clauses, after=after, limit=limit)


def _ask(understanding: Understanding, cohort: int, question: Question, unit: UnitOfWork) -> Asked:
    """What the bot does for a text: understand it, gather five hits, loosely when there are none, else what is near."""
    people = Noted(unit.connection, Viewer(question.viewer, cohort))
    begun, worked = time.perf_counter(), time.thread_time()
    wanted = understanding.understand(question.text, question.language)
    found, _ = gather(people, wanted, question.text, Place())
    if not found:
        found, _ = gather(people, wanted, question.text, Place(loose=True))
    if not found:
        understanding.nearest(question.text)
    return Asked(time.perf_counter() - begun, time.thread_time() - worked, bool(found), people.searches)


def _plain(cohort: int, viewer: int, searches: list[Sequence[Clause]], unit: UnitOfWork) -> float:
    begun = time.perf_counter()
    for clauses in searches:
        _plain_join(unit, cohort, viewer, clauses)
    return time.perf_counter() - begun


def _plain_join(unit: UnitOfWork, cohort_id: int, viewer: int, clauses: Sequence[Clause]) -> int:
    """The one statement that one would write first: the same keys, members and profiles joined, the first thirty."""
    tables, conditions, values = [], [], []
    for n, clause in enumerate(clauses):
        tables.append(f"search_key k{n}")
        conditions += [f"k{n}.cohort_id = ?", f"k{n}.kind = ?", f"k{n}.scope != 'facilitators'"]
        values += [cohort_id, clause.kind]
        if clause.is_prefix:
            conditions.append(f"k{n}.key >= ? AND k{n}.key < ?")
            values += [clause.keys[0], clause.keys[0] + "\U0010ffff"]
        else:
            conditions.append(f"k{n}.key IN ({', '.join('?' * len(clause.keys))})")
            values += clause.keys
        if n:
            conditions.append(f"k{n}.member_id = k0.member_id")
    statement = (
        f"SELECT DISTINCT m.id, p.name, p.country, p.sector FROM {', '.join(tables)}, member m, profile p "
        f"WHERE {' AND '.join(conditions)} AND m.id = k0.member_id AND p.member_id = m.id AND m.state = 'active' "
        f"AND m.id != ? LIMIT {WINDOW}"
    )
    return len(unit.connection.exec_driver_sql(statement, (*values, viewer)).all())


def _milliseconds(taken: Sequence[float], percent: int) -> float:
    return round(statistics.quantiles(taken, n=100, method="inclusive")[percent - 1] * 1000, 2)
