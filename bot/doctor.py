"""`python3 -m bot doctor`: what is wrong, in plain words, and what to do; the exit code is for cron."""

import argparse
import logging
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot import trying
from bot.adapters.trial import Trouble
from bot.content import ContentError
from bot.content import load as load_content
from bot.core.clock import SystemClock
from bot.core.clock_watch import JUMP
from bot.core.language import own_language
from bot.settings import Settings, SettingsError, load
from storage import open_store
from storage.migrate import CannotOpen, sqlite_version, state_of

SAFE_SQLITE = (3, 51, 3)  # before it, WAL can corrupt a file when two connections write or checkpoint at once


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: well, to be aware of, or wrong."""

    level: str
    said: str


def main(args: argparse.Namespace) -> int:
    """Look at everything, the platforms live; 0 when the bot can run, 1 when something must be done first."""
    logging.disable(logging.CRITICAL)  # what a library says of a failed call is said here in plain words
    try:
        return _look(args)
    finally:
        logging.disable(logging.NOTSET)


def _look(args: argparse.Namespace) -> int:
    try:
        settings = load(Path(args.config) if args.config else None)
    except SettingsError as error:
        print(f"wrong: {error}")
        return 78
    findings = [Finding("well", "The settings can be read."), *_versions(), *_content(), *_database(settings)]
    findings += [*_programme(settings), *_platforms(settings)]
    for finding in findings:
        print(f"{finding.level}: {finding.said}")
    return 1 if any(finding.level == "wrong" for finding in findings) else 0


def _versions() -> Iterator[Finding]:
    yield Finding("well", f"Python {platform.python_version()}, {sys.platform}.")
    if sqlite_version() < SAFE_SQLITE:
        version = ".".join(map(str, sqlite_version()))
        yield Finding(
            "aware",
            f"SQLite is {version}. Before 3.51.3 a file can be damaged when two programs write to it at once. "
            "Kawan writes from one place only, so keep other tools away from the file while it runs.",
        )


def _content() -> Iterator[Finding]:
    try:
        content = load_content()
    except ContentError as error:
        yield Finding("wrong", str(error))
        return
    yield Finding(
        "well", f"{len(content.topics)} topics, {len(content.terms)} terms, {len(content.prompts)} questions."
    )
    yield Finding("well", f"Languages offered: {', '.join(own_language().offered)}.")


def _database(settings: Settings) -> Iterator[Finding]:
    url = settings.bot.database_url.get_secret_value()
    try:
        state = state_of(url)
    except (CannotOpen, OSError) as error:
        kind = "PostgreSQL" if url.startswith("postgres") else "the SQLite file"
        yield Finding("wrong", f"{kind} cannot be opened ({error}). Check [bot] database_url.")
        return
    words = {
        "current": Finding("well", "The database is up to date."),
        "empty": Finding("aware", "The database is empty. It is made by: python3 -m bot migrate"),
        "behind": Finding("wrong", "The database is older than this version. Run: python3 -m bot migrate"),
        "newer": Finding("wrong", "The database was made by a newer version. Update Kawan."),
    }
    yield words[state]
    if state == "current":
        yield from _inside(url)


def _inside(url: str) -> Iterator[Finding]:
    store = open_store(url, inline=True)
    try:
        if store.now(lambda unit: unit.members.fact("demo")):
            yield Finding("wrong", "This is the demo's database. Set another one in [bot] database_url.")
        last, now = store.now(lambda unit: unit.outages.last_look()), SystemClock().now()
        if last is not None and abs(now - last) > JUMP:
            yield Finding(
                "wrong",
                f"The bot last ran on {last:%d %B %Y}, and the clock says {now:%d %B %Y}, so nothing is sent. "
                "If the clock is right, run: python3 -m bot resume",
            )
        depths = store.now(lambda unit: unit.outbox.depths())
        for state in ("failed", "unreachable", "unconfirmed", "in_doubt"):
            if depths.get(state):
                yield Finding("aware", f"Messages {WORDS[state]}: {depths[state]}.")
        reports = store.now(lambda unit: unit.audit.reports_to_operator())
        if reports:
            yield Finding("aware", f"Reports that were addressed to the operator: {reports}.")
    finally:
        store.close()


WORDS = {
    "failed": "that a platform refused",
    "unreachable": "to people who cannot be reached",
    "unconfirmed": "that perhaps did not arrive",
    "in_doubt": "that are being checked",
}


def _programme(settings: Settings) -> Iterator[Finding]:
    of = settings.programme
    for key, why in (
        ("operator", "people are not told who runs the bot"),
        ("operator_contact", "people do not know whom to write to"),
        ("host_country", "people are told that their data lies in a country still to be named"),
        ("emergency_contacts", "somebody in danger gets only the general contacts"),
    ):
        if not getattr(of, key):
            yield Finding("aware", f"[programme] {key} is empty: {why}.")


def _platforms(settings: Settings) -> Iterator[Finding]:
    on = [name for name in ("slack", "telegram") if getattr(settings, name).enabled]
    if not on:
        yield Finding("aware", "No platform is enabled. Try the bot in the terminal with: python3 -m bot")
    for name in on:
        yield Finding("well", f"{name.capitalize()} is enabled.")
    for name, found in trying.enabled(settings):
        if isinstance(found, Trouble):
            yield Finding("wrong", f"{name}: {found}")
            continue
        yield Finding("well", f"{name}: works, as {found.who}.")
        for advice in found.advice:
            yield Finding("aware", advice)
