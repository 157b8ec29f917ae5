"""A message to everybody: how soon its yes is answered, how long it holds the writer, how much memory it takes."""

import argparse
import asyncio
import contextlib
import gc
import tempfile
import threading
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from benchmarks._nowhere import Nowhere
from bot.app import Kawan, build
from bot.content import load
from bot.core.clock import SetClock
from bot.core.events import Address, Message, Press, Sender
from bot.core.ids import button_handle, encode
from bot.core.language import own_language
from bot.core.programme import Programme
from bot.core.replies import Content
from storage import UnitOfWork, open_store
from storage.members import account, member
from storage.migrate import upgrade
from storage.profiles import PURPOSES
from storage.sqlite import SqliteStore

MEMBERS = 100_000
PLATFORM, INSTALLATION = Nowhere.name, Nowhere.installation
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ZONES = ("Asia/Jakarta", "Asia/Manila", "Asia/Bangkok", "Asia/Ulaanbaatar")
LANGUAGES = ("en", "id")
FILLED_AT_ONCE = 5000


class Memory:
    """The most memory that this process held at once, looked at every 10 ms; MiB."""

    def __init__(self) -> None:
        self.before = self.most = _resident()
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.most = max(self.most, _resident())


def _resident() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def run(rest: Sequence[str]) -> dict[str, float]:
    """Seconds, MiB and milliseconds for one message to `--members` people on SQLite: confirmed, let go, stopped."""
    parser = argparse.ArgumentParser(prog="python3 -m bot bench everybody")
    parser.add_argument("--members", type=int, default=MEMBERS)
    args = parser.parse_args(rest)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/everybody.db"
        upgrade(url)
        with contextlib.closing(open_store(url)) as store:
            assert isinstance(store, SqliteStore)
            sender = store.now(lambda unit: _fill(unit, args.members))
            content = load()
            programme = Programme(content=content, understanding=content.understanding())
            clock = SetClock(NOW)
            kawan = build(store, programme, [Nowhere()], clock=clock, a_minute=None)
            own_language().ready()
            gc.freeze()  # as `run` does
            return asyncio.run(_Facilitator(kawan, store, clock, sender).measure())


class _Facilitator:
    """Writes one message to everybody, lets it go, and stops it."""

    def __init__(self, kawan: Kawan, store: SqliteStore, clock: SetClock, number: int) -> None:
        self._kawan, self._store, self._clock, self._number = kawan, store, clock, number
        self._sender = Sender(PLATFORM, INSTALLATION, "sender", "Mirela", "en")
        self._address = Address(PLATFORM, INSTALLATION, "dm:sender")
        self._events = 0

    async def measure(self) -> dict[str, float]:
        """The figures of one message."""
        for said in ("message", "Write a message", "Please read the draft law.", "Everybody", "No answer", "Now"):
            await self._does(Message(id="", sender=self._sender, address=self._address, text=said))
            await self._kawan.settle()
        self._store.longest_hold = 0.0
        with Memory() as memory:
            confirmed = await self._timed(self._press("Send to"))
            written = await self._timed(self._kawan.scheduler.tick())
            self._clock.passes(minutes=11)
            released = await self._timed(self._kawan.scheduler.tick())
            left = await self._states()
            stopped = await self._timed(self._press("Stop"))
            stopped += await self._timed(self._kawan.scheduler.tick())
            ended = await self._states()
        return {
            "recipients": sum(left.values()),
            "let_go": left["queued"],
            "cancelled": ended["cancelled"],
            "confirmed_s": round(confirmed, 3),
            "written_s": round(written, 1),
            "released_s": round(released, 1),
            "stopped_s": round(stopped, 1),
            "memory_mib": round(memory.most - memory.before, 1),
            "longest_writer_ms": round(1000 * self._store.longest_hold, 1),
        }

    async def _timed(self, work: Awaitable[object]) -> float:
        began = time.perf_counter()
        await work
        return time.perf_counter() - began

    async def _does(self, event: Message | Press) -> None:
        self._events += 1
        await self._kawan.dispatcher.receive(replace(event, id=f"e{self._events}"))

    async def _press(self, label: str) -> None:
        handle = await self._store.read(lambda unit: _button(unit, self._number, label))
        await self._does(Press(id="", sender=self._sender, address=self._address, handle=handle))

    async def _states(self) -> dict[str, int]:
        def count(unit: UnitOfWork) -> dict[str, int]:
            one = unit.connection.execute(sa.text("SELECT max(id) FROM broadcast")).scalar_one()
            return unit.contents.states(unit.broadcasts.parts(one).values())

        return await self._store.read(count)


def _button(unit: UnitOfWork, number: int, label: str) -> str:
    """What the newest button of this name carries, also on a message that has not left yet."""
    found = unit.connection.execute(
        sa.text("SELECT seq FROM outbox WHERE member_id = :member ORDER BY seq DESC LIMIT 20"), {"member": number}
    )
    for seq in found.scalars():
        row = unit.outbox.get(seq)
        buttons = Content.from_json(row.body).buttons if row is not None and row.body else ()
        for place, button in enumerate(buttons):
            if row is not None and button.label.startswith(label):
                return button_handle(encode(row.key), place)
    raise LookupError(label)


def _fill(unit: UnitOfWork, members: int) -> int:
    """A cohort of so many people with an account each, and the facilitator who writes to them."""
    cohort = unit.members.add_cohort("everybody", "Everybody", "en", "Asia/Bangkok")
    sender = unit.members.add(
        cohort, NOW, role="facilitator", state="active", language="en", time_zone=ZONES[0], joined_at=NOW
    )
    me = unit.members.lock(sender)
    assert me is not None
    unit.members.add_account(me, PLATFORM, INSTALLATION, "sender", "dm:sender", NOW)
    unit.profiles.write(cohort, sender, name="Mirela")
    unit.profiles.give_consent(cohort, sender, dict.fromkeys(PURPOSES, True), 1, "en", NOW)
    for start in range(sender + 1, sender + 1 + members, FILLED_AT_ONCE):
        numbers = range(start, min(start + FILLED_AT_ONCE, sender + 1 + members))
        people = [
            {"id": n, "cohort_id": cohort, "role": "fellow", "state": "active", "language": LANGUAGES[n % 2],
             "time_zone": ZONES[n % 4], "created_at": NOW, "joined_at": NOW}
            for n in numbers
        ]  # fmt: skip
        accounts = [
            {"cohort_id": cohort, "member_id": n, "platform": PLATFORM, "installation": INSTALLATION,
             "external_id": f"u{n}", "conversation": f"dm:u{n}", "preferred": True, "created_at": NOW}
            for n in numbers
        ]  # fmt: skip
        unit.connection.execute(sa.insert(member), people)
        unit.connection.execute(sa.insert(account), accounts)
    return sender
