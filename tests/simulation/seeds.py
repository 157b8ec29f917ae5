"""Seeds: run one, judge it, and make a red one as short as it can be."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.simulation.checker import Broken, check
from tests.simulation.cohorts import Cohorts
from tests.simulation.history import History
from tests.simulation.mutants import mutated
from tests.simulation.plan import Plan, drawn
from tests.simulation.world import World

ROOT = Path(__file__).resolve().parent.parent.parent
NOT_AN_EVENT = (
    "row",
    "erased",
    "waits",
    "privileged",
    "rows",
    "timer",
    "answered",
    "broadcast",
    "due",
    "asked on",
    "claims",
    "card",
    "at the cap",
)  # what the tables say, and details


@dataclass(frozen=True, slots=True)
class Ran:
    """One seed, and what was wrong."""

    plan: Plan
    history: History
    broken: list[Broken]

    @property
    def events(self) -> int:
        """How many things happened: deliveries, calls, arrivals, commits, deaths."""
        return sum(line["f"] not in NOT_AN_EVENT for line in self.history.lines)


@cache
def cohorts() -> Cohorts:
    """One for each process."""
    made = Cohorts()
    gc.collect()
    gc.freeze()  # what is there by now stays: nobody looks through it again
    return made


def run(seed: int, mutant: str | None = None) -> Ran:
    """Run a seed as it was drawn."""
    return run_plan(drawn(seed, mutant))


def run_plan(plan: Plan) -> Ran:
    """Run a plan from its beginning; the same plan gives the same history."""
    of = cohorts()
    with mutated(plan.mutant) as settings, _uncollected():
        history = World(plan, of, settings).run()
    return Ran(plan, history, check(history.lines))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Garbage is collected between seeds, not within one: a sixth of the time went there."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def shortest(red: Ran) -> Ran:
    """The same promise broken by fewer people, fewer visits and fewer kinds of fault, dropped one by one."""
    promise = red.broken[0].invariant
    for _ in range(3):
        before = len(red.history.lines)
        for plan in _smaller(red.plan):
            if not _is_part(plan, red.plan):
                continue
            tried = run_plan(_both(plan, red.plan))
            if any(one.invariant == promise for one in tried.broken):
                red = tried
        if len(red.history.lines) >= before:
            break
    return red


def _smaller(plan: Plan) -> Iterator[Plan]:
    for who in dict.fromkeys(visit.who for visit in plan.visits):
        yield replace(plan, visits=tuple(visit for visit in plan.visits if visit.who != who))
    for fault in sorted(plan.faults):
        yield replace(plan, faults=plan.faults - {fault})
    for visit in reversed(plan.visits):
        yield replace(plan, visits=tuple(one for one in plan.visits if one is not visit))


def _is_part(plan: Plan, of: Plan) -> bool:
    """Is something still there that this plan leaves out?"""
    return not (set(of.visits) <= set(plan.visits) and of.faults <= plan.faults)


def _both(one: Plan, other: Plan) -> Plan:
    """What both plans have."""
    visits = tuple(visit for visit in other.visits if visit in one.visits)
    return replace(other, visits=visits, faults=one.faults & other.faults)


def digests(seeds: list[int], hash_seed: str) -> list[str]:
    """The digests of histories, made by another process whose strings hash otherwise."""
    words = [sys.executable, "-m", "bot", "simulate", "--digests", *map(str, seeds)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()
