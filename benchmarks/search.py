"""How long a search takes among many members: understanding, reading and ranking, on SQLite."""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks._cohort import PROGRAMME, WORDS, Cohort, fill
from bot.content import Content, load
from bot.domain.allies import rank
from bot.domain.topics import Understanding
from handlers.finding import SHOWN, WINDOW, plan
from storage import Store, UnitOfWork, open_store
from storage.access import Access, Viewer
from storage.migrate import upgrade
from storage.search import Clause

QUERIES = 2000
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


def _measure(store: Store, members: int, queries: int, seed: int) -> dict[str, Any]:
    content = load()
    started = time.perf_counter()
    cohort = store.now(lambda unit: fill(unit, content, members, seed))
    filled = time.perf_counter() - started
    understanding = content.understanding()
    warm = _questions(random.Random(seed + 1), content, cohort, WARM)
    questions = _questions(random.Random(seed), content, cohort, queries)
    for question in warm:
        store.now(partial(_ask, understanding, cohort.id, question))
    asked = [store.now(partial(_ask, understanding, cohort.id, question)) for question in questions]
    # In a second pass, so that neither reads what the other has just brought into memory.
    both = list(zip(questions, asked, strict=True))
    plain = [store.now(partial(_plain, cohort.id, viewer, one.steps)) for (_, viewer, _), one in both]
    by_kind: dict[str, list[float]] = {}
    for (kind, _, _), one in both:
        by_kind.setdefault(kind, []).append(one.taken)
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
    steps: list[list[Clause]]


def _ask(understanding: Understanding, cohort: int, question: tuple[str, int, str], unit: UnitOfWork) -> Asked:
    _, viewer, text = question
    people = Access(unit.connection, Viewer(viewer, cohort))
    begun, worked = time.perf_counter(), time.thread_time()
    wanted = understanding.understand(text, "en")
    found, made = 0, []
    for step in plan(wanted, text):
        made.append(step)
        page = people.find(step, limit=WINDOW)
        found += len(rank(page.profiles, people.own(), topics=wanted.topics, words=wanted.words))
        if found >= SHOWN:
            break
    return Asked(time.perf_counter() - begun, time.thread_time() - worked, found > 0, made)


def _plain(cohort: int, viewer: int, steps: list[list[Clause]], unit: UnitOfWork) -> float:
    begun = time.perf_counter()
    for step in steps:
        _plain_join(unit, cohort, viewer, step)
    return time.perf_counter() - begun


def _questions(draw: random.Random, content: Content, cohort: Cohort, many: int) -> list[tuple[str, int, str]]:
    countries = {country.code: country.names["en"] for country in content.countries}
    nearby = [countries[code] for code in PROGRAMME]
    far = [countries[code] for code in cohort.rare_countries]

    def topic() -> str:
        return draw.choice(content.topics).labels["en"]

    kinds: dict[str, Callable[[], str]] = {
        "topic": topic,
        "topic and country": lambda: f"{topic()} {draw.choice(nearby)}",
        "topic and rare country": lambda: f"{topic()} {draw.choice(far)}",
        "word": lambda: draw.choice(WORDS),
        "name": lambda: draw.choice(cohort.names),
        "beginning of a name": lambda: draw.choice(cohort.names)[:4],
        "coalition": lambda: draw.choice(content.coalitions).labels["en"],
        "sector": lambda: draw.choice(content.sectors).labels["en"],
    }
    chosen = (draw.choice(list(kinds)) for _ in range(many))
    return [(kind, draw.choice(cohort.viewers), kinds[kind]()) for kind in chosen]


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
