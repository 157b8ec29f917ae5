"""What becomes of a reply when the bot is killed right after the commit: delivered once, by the next start."""

import argparse
import asyncio
import contextlib
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks._nowhere import Nowhere
from bot.app import build
from bot.content import load
from bot.core.adapter import Ack, Envelope, Outcome, Sent
from bot.core.clock import SystemClock
from bot.core.events import Address, Event, Message, Sender
from bot.core.ids import encode
from bot.core.programme import Programme
from storage import Store, UnitOfWork, open_store
from storage.migrate import upgrade
from storage.outbox import outbox
from storage.profiles import PURPOSES

KILLS = 50
PLATFORM, INSTALLATION = "file", "bench"


class FileAdapter(Nowhere):
    """A platform whose every message is one line of a file, so that no process has to live to tell of it."""

    name = PLATFORM
    lane = f"{PLATFORM}:{INSTALLATION}"

    def __init__(self, file: Path) -> None:
        self._file = file

    async def send(self, envelope: Envelope) -> Outcome:
        written = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(written, f"{envelope.key}\n".encode())
        finally:
            os.close(written)
        return Sent(envelope.key)


def run(rest: Sequence[str]) -> dict[str, Any]:
    """Kills, and how many events had no reply (lost) or more than one (doubled) after the second start."""
    parser = argparse.ArgumentParser(prog="bench kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    args = parser.parse_args(rest)
    content = load()
    programme = Programme(content=content, understanding=content.understanding())
    with tempfile.TemporaryDirectory(prefix="kawan-bench-") as folder:
        url, sent = f"sqlite:///{Path(folder) / 'kill.db'}", Path(folder) / "sent"
        upgrade(url)
        _with(url, _join)
        killed = 0
        for number in range(args.kills):
            given = (url, sent, programme, _event(number))
            status = _in_a_process(partial(_until_killed, *given))
            killed += os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            status = _in_a_process(partial(_once_more, *given))
            if status:
                raise RuntimeError(f"the second start ended with {status}")
        counts = _replies(url, sent)
    return {
        "kills": killed,
        "lost": sum(counts[f"e{number}"] == 0 for number in range(args.kills)),
        "doubled": sum(counts[f"e{number}"] > 1 for number in range(args.kills)),
    }


def _event(number: int) -> Message:
    sender = Sender(PLATFORM, INSTALLATION, "U1", "Sekar", "en")
    return Message(id=f"e{number}", sender=sender, address=Address(PLATFORM, INSTALLATION, "dm:U1"), text="help")


def _join(unit: UnitOfWork) -> None:
    """One fellow, who has an account."""
    now = SystemClock().now()
    cohort = unit.members.add_cohort("bench", "Bench", "en", "Asia/Jakarta")
    number = unit.members.add(
        cohort, now, role="fellow", state="active", language="en", time_zone="Asia/Jakarta", joined_at=now
    )
    member = unit.members.lock(number)
    assert member is not None
    unit.members.add_account(member, PLATFORM, INSTALLATION, "U1", "dm:U1", now)
    unit.profiles.write(cohort, number, name="Sekar")
    unit.profiles.give_consent(cohort, number, dict.fromkeys(PURPOSES, True), 1, "en", now)


def _in_a_process(work: Callable[[], None]) -> int:
    """Run in a fork of this process; its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def _until_killed(url: str, sent: Path, programme: Programme, event: Event) -> None:
    """Take the event in; the first commit is the last thing that this process does."""

    def die(_lanes: frozenset[str]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def take(store: Store) -> None:
        store.on_commit(die)
        kawan = build(store, programme, [FileAdapter(sent)], a_minute=None)
        asyncio.run(_receive(kawan.dispatcher.receive, event))

    _with_store(url, take)


def _once_more(url: str, sent: Path, programme: Programme, event: Event) -> None:
    """Start again: the platform, which got no answer, sends the event again; then everything that is due is done."""

    def take(store: Store) -> None:
        kawan = build(store, programme, [FileAdapter(sent)], a_minute=None)

        async def go() -> None:
            await kawan.dispatcher.receive(event)
            await kawan.settle()

        asyncio.run(go())

    _with_store(url, take)


async def _receive(receive: Callable[[Event], Any], event: Event) -> Ack:
    answer: Ack = await receive(event)
    return answer


def _with(url: str, job: Callable[[UnitOfWork], Any]) -> Any:
    with contextlib.closing(open_store(url, inline=True)) as store:
        return store.now(job)


def _with_store(url: str, work: Callable[[Store], None]) -> None:
    with contextlib.closing(open_store(url, inline=True)) as store:
        work(store)


def _replies(url: str, sent: Path) -> Counter[str]:
    """How many messages left for each event."""
    causes = _with(url, lambda unit: unit.connection.execute(sa.select(outbox.c.key, outbox.c.cause)).all())
    cause_of = {encode(key): cause for key, cause in causes}
    return Counter(cause_of[key] for key in (sent.read_text() if sent.exists() else "").split())
