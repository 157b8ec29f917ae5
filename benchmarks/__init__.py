"""`python3 -m bot bench NAME`: each benchmark measures one thing on data of its own; its figures are JSON."""

import argparse
import importlib
import json
import pkgutil
import sys


def names() -> dict[str, str]:
    """The benchmarks and the first sentence of each."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return {name: (importlib.import_module(f"benchmarks.{name}").__doc__ or "").split("\n")[0] for name in found}


def main(args: argparse.Namespace) -> int:
    """Run `args.name` with `args.rest`; without a name, list them. The figures are the last line, as a JSON object."""
    if args.name is None:
        for name, about in names().items():
            print(f"{name:10} {about}")
        return 0
    if args.name not in names():
        print(f"There is no benchmark {args.name}; there are: {', '.join(names())}.", file=sys.stderr)
        return 2
    print(json.dumps(importlib.import_module(f"benchmarks.{args.name}").run(args.rest)))
    return 0
