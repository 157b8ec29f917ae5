"""`python3 -m bot bench NAME`: each benchmark measures one thing on data of its own; its figures are JSON."""

import argparse
import importlib
import json
import pkgutil
import sys

from bot.bootstrap import say


def names() -> list[str]:
    """What can be measured."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def main(args: argparse.Namespace) -> int:
    """Run `args.name` with `args.rest`; without a name, list them. The figures are the last line, as a JSON object."""
    if args.name is None:
        for name in names():
            print(f"{name:10} {importlib.import_module(f'benchmarks.{name}').__doc__}")
        return 0
    if args.name not in names():
        print(f"There is no benchmark {args.name}; there are: {', '.join(names())}.", file=sys.stderr)
        return 2
    module = importlib.import_module(f"benchmarks.{args.name}")
    say(f"{module.__doc__} It can take some minutes; the figures come last.")
    print(json.dumps(module.run(args.rest)))
    return 0
