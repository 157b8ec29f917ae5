"""The verbs of `python3 -m bot`: what each takes and where it lives; imported when called.

Only the standard library here, in words that Python 3.6 can read: this file runs before anything is installed.
"""

import argparse
import gc
import importlib
import os
import sys
from typing import Any, List, NamedTuple, Optional, Tuple

from bot import bootstrap

Option = Tuple[Tuple[str, ...], Any]

CONFIG: Option = (("--config",), {"metavar": "FILE", "help": "the settings to use (config.toml if there is one)"})
ROLES = ("fellow", "facilitator")


class Verb(NamedTuple):
    """A word after `python3 -m bot`; `where` is "module:function", which takes the Namespace and gives an exit code.

    With `passes_on`, what the verb does not know is handed over as `args.rest`.
    """

    name: str
    help: str
    where: str
    options: Tuple[Option, ...] = ()
    passes_on: bool = False


CHAT = Verb(
    "chat",
    "talk to the bot here, as members of the demo cohort",
    "bot.terminal:main",
    ((("--as",), {"dest": "speak_as", "metavar": "NAME[,NAME]", "help": "whom you speak as"}),),
)
VERBS = (
    CHAT,
    Verb(
        "setup",
        "make a bot, one question at a time, and write the settings",
        "bot.setup:main",
        (
            (("--telegram-api-url",), {"help": argparse.SUPPRESS}),  # for tests, and for a Bot API server of one's own
            (("--slack-api-url",), {"help": argparse.SUPPRESS}),
        ),
    ),
    Verb("run", "the bot, with the platforms of the settings", "bot.run:main"),
    Verb(
        "invite",
        "print an invitation",
        "bot.invite:main",
        (
            (("--role",), {"choices": ROLES, "default": "fellow", "help": "what the invited person will be (fellow)"}),
            (("--uses",), {"type": int, "default": 1, "metavar": "N", "help": "how many people may use it (1)"}),
            (("--days",), {"type": int, "default": 14, "metavar": "N", "help": "how long it holds (14)"}),
        ),
    ),
    Verb("doctor", "what is wrong, in plain words, and what to do", "bot.doctor:main"),
    Verb(
        "manifest",
        "print what Slack wants to know of the app",
        "bot.manifest:main",
        (
            (("platform",), {"choices": ("slack",), "help": "the platform"}),
            (("--admin",), {"action": "store_true", "help": "what a Slack admin wants to read before saying yes"}),
            (
                ("--request-url",),
                {"metavar": "URL", "help": "for mode http: the address at which Slack reaches /slack/events"},
            ),
        ),
    ),
    Verb("resume", "the clock is right: go on after it jumped, or after a month away", "bot.resume:main"),
    Verb("migrate", "bring the database to this version", "bot.migrate:main"),
    Verb(
        "bench",
        "measure one thing, on a database of its own",
        "benchmarks:main",
        ((("name",), {"metavar": "NAME", "nargs": "?", "help": "what to measure; without it, the list"}),),
        passes_on=True,
    ),
    Verb(
        "simulate",
        "the whole bot under simulated time, with faults: seed by seed",
        "tests.simulation.command:main",
        (
            (("--seeds",), {"type": int, "default": 300, "metavar": "N", "help": "how many seeds (300)"}),
            (("--first",), {"type": int, "default": 0, "metavar": "K", "help": "the first of them (0)"}),
            (("--seed",), {"type": int, "metavar": "K", "help": "this one only"}),
            (
                ("--trace",),
                {"action": "store_true", "help": "print what happened; of a red seed, the shortest"},
            ),
            (("--mutant",), {"metavar": "NAME", "help": "with a promise taken out of the code: M1 to M11"}),
            (("--digests",), {"type": int, "nargs": "+", "help": argparse.SUPPRESS}),
        ),
    ),
    Verb(
        "test",
        "install what the tests need and run them; more words go to pytest",
        "bot.bootstrap:run_tests",
        ((("--all",), {"action": "store_true", "dest": "all_tests", "help": "the long ones too"}),),
        passes_on=True,
    ),
)


def read_words(words: List[str]) -> Tuple[argparse.Namespace, Verb]:
    """What was asked for; no verb means the demo chat."""
    parser = argparse.ArgumentParser(
        prog="python3 -m bot", description="Kawan finds reformers their allies. Without a verb: the demo chat."
    )
    parser.add_argument(*CONFIG[0], default=None, **CONFIG[1])
    parser.set_defaults(verb=None, speak_as=None)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb")
    for verb in VERBS:
        one = verbs.add_parser(verb.name, help=verb.help, description=verb.help)
        # Suppressed, or it would wipe a --config written before the verb.
        one.add_argument(*CONFIG[0], default=argparse.SUPPRESS, **CONFIG[1])
        for names, details in verb.options:
            one.add_argument(*names, **details)
    args, rest = parser.parse_known_args(words)
    chosen = next((verb for verb in VERBS if verb.name == args.verb), CHAT)
    if rest and not chosen.passes_on:
        parser.error("I do not know " + " ".join(rest))
    args.rest = rest
    return args, chosen


def call(verb: Verb, args: argparse.Namespace) -> int:
    """Import the verb and do it; gives the exit code."""
    module, _, function = verb.where.partition(":")
    try:
        gc.disable()  # to look for what can go while modules are made takes a fifth of the start, and nothing can
        do = getattr(importlib.import_module(module), function)
        gc.freeze()  # nor will it until the end
        gc.enable()
        code = do(args)
        sys.stdout.flush()
        return int(code or 0)
    except BrokenPipeError:
        # Whoever read us has gone (`| head`). Python would complain once more on its way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return bootstrap.EXIT_READER_GONE
    except Exception as error:
        from bot.settings import SettingsError

        if not isinstance(error, SettingsError):
            raise
        print(error, file=sys.stderr)
        return bootstrap.EXIT_SETTINGS


def main(words: Optional[List[str]] = None) -> int:
    """The command line, from words to exit code."""
    words = sys.argv[1:] if words is None else words
    try:
        args, verb = read_words(words)
        for_tests = verb.name in ("test", "bench", "simulate")
        bootstrap.ensure(words, for_tests=for_tests)
        if not for_tests:
            os.umask(0o077)  # what is written from here on holds people's words, and tokens: for this user only
        return call(verb, args)
    except bootstrap.SetupError as error:
        print(error, file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return bootstrap.EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
