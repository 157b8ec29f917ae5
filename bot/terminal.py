"""Talking to the bot in a terminal, as people of the demo cohort, on a database of its own."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from bot.chat import Chat
from bot.configure import programme
from bot.content.demo import load_demo
from bot.demo import DEFAULT, OTHERS, Person, nearest_name, people, person_named
from bot.settings import Settings, load
from storage import open_store
from storage.engine import file_of
from storage.migrate import Newer, upgrade

NOT_POSSIBLE = 2


def main(args: argparse.Namespace) -> int:
    """`python3 -m bot chat`: 0 at the end of the chat, 2 for a name that nobody has."""
    settings = load(Path(args.config) if args.config else None)
    of = programme(settings)
    cohort = load_demo(of.content)
    known = people(cohort)
    wanted = [name for name in (args.speak_as or DEFAULT).split(",") if name.strip()] or [DEFAULT]
    talkers: dict[str, Person] = {}
    for name in wanted:
        person = person_named(name, known)
        if person is None:
            print(_nobody(name, known), file=sys.stderr)
            return NOT_POSSIBLE
        talkers[person.id] = person
    path = settings.bot.data_dir / "demo.db"
    if _is_configured(settings, path):
        print(f"{path} is the database of your settings. The demo does not touch it.", file=sys.stderr)
        return NOT_POSSIBLE
    settings.bot.data_dir.mkdir(parents=True, exist_ok=True)
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    _log_to(settings.bot.data_dir / "demo.log")
    url = f"sqlite:///{path}"
    try:
        upgrade(url)
    except Newer:
        print(f"{path} was made by a later version. Remove it, and the demo begins anew.", file=sys.stderr)
        return NOT_POSSIBLE
    store = open_store(url, inline=True)
    try:
        asyncio.run(Chat(store, of, cohort, list(talkers.values()), settings.bot.data_dir).talk())
    finally:
        store.close()
    return 0


def _nobody(name: str, known: Sequence[Person]) -> str:
    near = nearest_name(name, known)
    hint = f"Did you mean {near}?" if near else f"Try {DEFAULT}, {', '.join(OTHERS)} or newcomer."
    return f"Nobody in the demo is called {name.strip()}. {hint}"


def _is_configured(settings: Settings, path: Path) -> bool:
    configured = file_of(settings.bot.database_url.get_secret_value())
    return configured is not None and configured.resolve() == path.resolve()


def _log_to(path: Path) -> None:
    """What goes wrong is written down beside the database, not into the chat."""
    file = path.open("a", encoding="utf-8")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=file),
    )
    logging.basicConfig(stream=file, level=logging.WARNING)
