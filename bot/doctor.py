"""`python3 -m bot doctor`: what is wrong, in plain words, and what to do; the exit code is for cron."""

import argparse
import logging
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot import trying
from bot.adapters.trial import Trouble
from bot.content import ContentError
from bot.content import load as load_content
from bot.core.clock import SystemClock
from bot.core.clock_watch import JUMP
from bot.core.language import own_language
from bot.core.log import redact
from bot.core.replies import Urgency
from bot.settings import NOTHING_SET, Settings, SettingsError, load
from storage import UnitOfWork, open_store
from storage.backlog import ENDED_UNWELL, Unwell
from storage.migrate import CannotOpen, sqlite_version, state_of

SAFE_SQLITE = (3, 51, 3)  # before it, WAL can corrupt a file when two connections write or checkpoint at once
LOOKED_BACK = 30  # days
SHOWN = 5  # of each kind
LONGEST_WHY = 100
A_MINUTE, OLD = timedelta(minutes=1), timedelta(minutes=10)
URGENCIES = {
    Urgency.REPLY: "replies",
    Urgency.WELCOME: "welcomes",
    Urgency.QUESTION: "questions",
    Urgency.BROADCAST: "messages to many",
}
WAITING = {"queued": "to leave now", "held": "held until their moment"}
UNSENT = {
    "failed": "that a platform refused",
    "unreachable": "to people who cannot be reached",
    "unconfirmed": "that perhaps did not arrive",
    "in_doubt": "that are being checked",
}
TROUBLES = {
    "refused": "refuses us",
    "silent": "is not reached",
    "doubts": "does not tell what became of many messages",
}


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
    read = Finding("well", "The settings can be read.") if settings.model_fields_set else Finding("aware", NOTHING_SET)
    findings = [read, *_versions(), *_content(), *_database(settings)]
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
        "empty": Finding("aware", "The database is empty. It is made when the bot first runs."),
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
        yield from store.now(lambda unit: [*_lanes(unit, now), *_unsent(unit, now)])
        reports = store.now(lambda unit: unit.audit.reports_to_operator())
        if reports:
            yield Finding("aware", f"Reports that were addressed to the operator: {reports}.")
    finally:
        store.close()


def _lanes(unit: UnitOfWork, now: datetime) -> Iterator[Finding]:
    """Who sends where, until when a platform wants to be left alone, what waits, and what facilitators were told."""
    for lease in unit.lanes.leases():
        if lease.owner is not None and lease.left:
            turn = f"its turn lasts {lease.left.total_seconds():.0f} seconds yet and is renewed"
            yield Finding("well", f"{lease.lane}: program {lease.owner[:6]} sends ({turn}).")
        else:
            yield Finding("aware", f"{lease.lane}: no program sends now. If the bot should run: python3 -m bot run")
        if lease.rest:
            yield Finding("aware", f"{lease.lane}: paused until {_moment(now + lease.rest)}, as the platform asked.")
    for heap in unit.backlog.heaps(now):
        if heap.state in ("queued", "held"):
            is_old = heap.age > OLD and heap.state == "queued"
            age = f", the oldest for {heap.age.total_seconds() / 60:.0f} minutes" if heap.age >= A_MINUTE else ""
            what = f"{URGENCIES[Urgency(heap.priority)]} {WAITING[heap.state]}"
            yield Finding("aware" if is_old else "well", f"{heap.lane}: {what}: {heap.count}{age}.")
    for name in ("slack", "telegram"):
        trouble = unit.troubles.of(name)
        if trouble is not None:
            said = f"{name}: {TROUBLES.get(trouble.kind, trouble.kind)} since {_moment(trouble.since)}."
            yield Finding("aware", f"{said} The facilitators who have another app were told.")


def _unsent(unit: UnitOfWork, now: datetime) -> Iterator[Finding]:
    """What did not arrive, or not surely: how many, and the newest by number, with the platform's word for why."""
    since = now - timedelta(days=LOOKED_BACK)
    for state in ENDED_UNWELL:
        count = unit.backlog.ended(state, since)
        if count:
            yield Finding("aware", f"Messages {UNSENT[state]}, in {LOOKED_BACK} days: {count}.")
            yield from map(_row, unit.backlog.newest_ended(state, since, SHOWN))
    doubts = sum(heap.count for heap in unit.backlog.heaps(now) if heap.state == "in_doubt")
    if doubts:
        yield Finding("aware", f"Messages {UNSENT['in_doubt']}: {doubts}.")
        yield from map(_row, unit.backlog.in_doubt()[:SHOWN])


def _row(row: Unwell) -> Finding:
    why = redact(row.why or "no reason given")[:LONGEST_WHY]
    at = f", {_moment(row.at)}" if row.at is not None else ""
    return Finding("aware", f"  message {row.seq} at {row.lane}: {why}{at}.")


def _moment(at: datetime) -> str:
    return f"{at:%d %B %Y, %H:%M} UTC"


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
    spoken = own_language().offered
    if of.default_language not in spoken:
        yield Finding(
            "aware",
            f"[programme] default_language is not spoken by the bot yet, so it speaks English. "
            f"Write one of: {', '.join(spoken)}.",
        )
    if not settings.bot.heartbeat_url.get_secret_value():
        yield Finding("aware", "[bot] heartbeat_url is empty: nobody is told when this machine is gone.")


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
