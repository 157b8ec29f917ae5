"""`python3 -m bot simulate`: so many seeds; the figures are the last line, as a JSON object, the rest goes beside."""

import argparse
import json
import statistics
import sys
import time
from collections import Counter

from bot.bootstrap import say
from tests.simulation.checker import SOMETIMES, sometimes
from tests.simulation.mutants import MUTANTS
from tests.simulation.plan import drawn
from tests.simulation.seeds import Ran, run, run_plan, shortest

A_LINE = 10.0  # seconds between lines of progress
A_MINUTE = 200  # seeds, roughly


def main(args: argparse.Namespace) -> int:
    """Exit code 1 when a seed fails: a promise was broken, or something that must happen sometimes never did."""
    if args.digests:
        print(*(run(seed).history.digest() for seed in args.digests))
        return 0
    if args.mutant is not None and args.mutant not in MUTANTS:
        print(f"There is no mutant {args.mutant}; there are: {', '.join(MUTANTS)}.", file=sys.stderr)
        return 2
    return _one(args) if args.seed is not None else _many(args)


def _one(args: argparse.Namespace) -> int:
    """One seed; with --trace its history, the shortest that breaks the same promise when it is red."""
    say(f"Seed {args.seed}: a community of the bot's, weeks of its time, with faults on every way.")
    ran = run(args.seed, args.mutant)
    if args.trace:
        shown = shortest(ran) if ran.broken else ran
        print(_described(shown))
        for line in shown.history.text():
            print(line)
        _say(shown)
    _say(ran)
    say(_verdict([args.seed] if ran.broken else [], 1, args.mutant))
    print(json.dumps({"seeds": 1, "failing": int(bool(ran.broken)), "events": ran.events,
                      "digest": ran.history.digest()}))  # fmt: skip
    return 1 if ran.broken else 0


def _many(args: argparse.Namespace) -> int:
    minutes = -(-args.seeds // A_MINUTE)
    say(
        f"{args.seeds} seeds: each is a community of the bot's, weeks of its time, with faults on every way. "
        f"About {minutes} minute{'s' if minutes > 1 else ''}."
    )
    run_plan(drawn(args.first))  # what is made once a process is no seed's
    began, said = time.process_time(), time.monotonic()
    events: list[int] = []
    failing: list[int] = []
    found: Counter[str] = Counter()
    for seed in range(args.first, args.first + args.seeds):
        ran = run(seed, args.mutant)
        events.append(ran.events)
        found += sometimes(ran.history.lines)
        if ran.broken:
            failing.append(seed)
            _say(ran)
            if args.mutant is not None:
                break
        if time.monotonic() - said > A_LINE:
            said = time.monotonic()
            say(f"{len(events)} of {args.seeds} seeds, {len(failing)} failing")
    took = max(time.process_time() - began, 1e-9)
    missing = [name for name in SOMETIMES if not found[name]] if args.seeds >= 300 and args.mutant is None else []
    if missing:
        print(f"never happened: {', '.join(missing)}")
    say(_verdict(failing, len(events), args.mutant))
    figures = {
        "seeds": len(events), "failing": len(failing), "events_median": int(statistics.median(events or [0])),
        "seeds_a_minute": round(len(events) / took * 60), "sometimes": {name: found[name] for name in SOMETIMES},
        "never": missing, "first_failing": failing[:10],
    }  # fmt: skip
    print(json.dumps(figures))
    return 1 if failing or missing else 0


def _verdict(failing: list[int], seeds: int, mutant: str | None) -> str:
    if not failing:
        return f"No promise was broken in {seeds} seed{'s' if seeds > 1 else ''}."
    taken_out = f", as it should with {mutant}" if mutant else ""
    return f"A promise was broken in {len(failing)} of {seeds}{taken_out}; the first is seed {failing[0]}."


def _described(ran: Ran) -> str:
    plan = ran.plan
    who = sorted({visit.who for visit in plan.visits})
    return (
        f"seed {plan.seed}: {plan.size} members, {plan.days} days, faults {plan.fault_rate:.0%} "
        f"({', '.join(sorted(plan.faults)) or 'none'}), deaths {plan.death_rate:.0%}; {', '.join(who)}"
    )


def _say(ran: Ran) -> None:
    for broken in ran.broken[:5]:
        print(f"seed {ran.plan.seed}: {broken}", flush=True)
    if ran.broken:
        mutant = f" --mutant {ran.plan.mutant}" if ran.plan.mutant else ""
        print(f"    python3 -m bot simulate --seed {ran.plan.seed}{mutant} --trace", flush=True)
