"""The simulation: no seed breaks a promise, the same seed does the same, and each mutant is caught."""

import argparse
import json
from collections.abc import Iterable

import pytest

from tests.simulation import command, seeds
from tests.simulation.checker import SOMETIMES, Broken, check, sometimes
from tests.simulation.mutants import MUTANTS
from tests.simulation.plan import FAULTS

QUICK, LONG, WITHIN = range(1, 11), 2_000, 300


def red(numbers: Iterable[int], mutant: str | None = None) -> seeds.Ran | None:
    """The first failing seed."""
    return next((ran for seed in numbers if (ran := seeds.run(seed, mutant)).broken), None)


def said(ran: seeds.Ran | None) -> list[str]:
    """What a red seed says, and how to see it."""
    return [] if ran is None else [f"--seed {ran.plan.seed} --trace", *map(str, ran.broken)]


def test_no_promise_is_broken() -> None:
    assert said(red(QUICK)) == []


def test_the_same_seed_does_the_same_wherever_it_runs() -> None:
    assert seeds.digests([2, 3], "1") == seeds.digests([2, 3], "2") == [seeds.run(n).history.digest() for n in (2, 3)]


@pytest.mark.parametrize(
    ("asked", "code", "first", "last"),
    [
        ({"seeds": 2}, 0, "2 seeds: each is", "No promise was broken in 2 seeds."),
        ({"seed": 3}, 0, "Seed 3: a community", "No promise was broken in 1 seed."),
        ({"seeds": 9, "mutant": "M2"}, 1, "9 seeds: each is", "as it should with M2; the first is seed 1."),
    ],
)
def test_the_verb_says_what_it_does_and_found_beside_its_figures(
    asked: dict[str, int | str], code: int, first: str, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"digests": None, "mutant": None, "seed": None, "first": 0, "trace": False, **asked}
    assert command.main(argparse.Namespace(**given)) == code
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1])["failing"] == code
    assert said.err.startswith(first)
    assert said.err.endswith(f"{last}\n")


@pytest.mark.parametrize("mutant", ["M2", "M4"])
def test_a_mutant_is_caught(mutant: str) -> None:
    ran = red(QUICK, mutant)
    assert ran is not None
    assert ran.plan.mutant == mutant


def test_a_red_seed_is_made_shorter_and_stays_red() -> None:
    ran = red(QUICK, "M2")
    assert ran is not None
    less = seeds.shortest(ran)
    assert less.broken[0].invariant == ran.broken[0].invariant
    assert len(less.history.lines) < len(ran.history.lines)
    assert len(less.plan.faults) < len(FAULTS)


def line(kind: str, f: str, **values: object) -> dict[str, object]:
    return {"type": kind, "f": f, "at": 0.0, **values}


def test_the_checker_sees_what_is_lost_doubled_and_left_over() -> None:
    row = {"answered": False, "deaths": 0, "lane": "slack:T", "once": False, "edit": False, "member": 1, "waits": False}
    send = {"message": 1, "to": "dm:U", "hidden": [], "own": True, "again": False, "cause": "e1", **row}
    seen = line("info", "seen", message=1, edit=False)
    history = [line("invoke", "send", **send), seen, seen, line("info", "row", message=1, state="sent", **row),
               line("info", "row", message=2, state="sent", **row),
               line("info", "row", message=3, state="queued", **row),
               line("ok", "deliver", event="e9"), line("info", "rows", rows=[[4, 1]])]  # fmt: skip
    assert {(one.invariant, one.about) for one in check(history)} == {
        ("I1", 2), ("I1", 3), ("I2", 1), ("I3", "e9"), ("I12", 4)
    }  # fmt: skip
    assert Broken("I5", 1, "to dm:U at 0.0: [['name', 'U2']]") in check(
        [line("invoke", "send", **{**send, "hidden": [["name", "U2"]]})]
    )


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_thousand_seeds_keep_every_promise() -> None:
    found = dict.fromkeys(SOMETIMES, 0)
    failing = []
    for seed in range(LONG):
        ran = seeds.run(seed)
        failing += said(ran) if ran.broken else []
        for name, n in sometimes(ran.history.lines).items() if seed < WITHIN else ():
            found[name] = found.get(name, 0) + n
    assert failing == []
    assert [name for name in SOMETIMES if not found[name]] == []


@pytest.mark.long
def test_twenty_seeds_do_the_same_under_another_hash_seed() -> None:
    numbers = list(range(20))
    assert seeds.digests(numbers, "1") == seeds.digests(numbers, "4711")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutant", list(MUTANTS))
def test_each_mutant_is_caught_within_three_hundred_seeds(mutant: str) -> None:
    assert red(range(WITHIN), mutant) is not None
