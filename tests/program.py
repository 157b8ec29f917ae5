"""The real program as a process, beside a local Slack and a local Telegram, for tests."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.core.clock import SystemClock
from bot.core.ids import RandomIds, code_hash
from bot.domain.hours import Hours
from bot.invite import COHORT
from storage import UnitOfWork, open_store
from storage.members import member
from storage.migrate import upgrade
from tests.adapters.slack_people import SlackPerson
from tests.adapters.slack_server import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SlackServer
from tests.adapters.telegram_people import Person
from tests.adapters.telegram_server import TelegramServer

PROJECT = Path(__file__).resolve().parent.parent
TOKEN = "4839574812:AAE-local-token-of-no-bot-0123456789"
STARTS = 60.0  # seconds, on a machine that does other things


@dataclass
class Program:
    """One installation: a folder with a database and a config file; started and stopped at will."""

    folder: Path
    sections: dict[str, dict[str, Any]]
    process: asyncio.subprocess.Process | None = None
    doubt: float = 180.0
    logged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.config.write_text(
            "".join(
                f"[{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in section.items())
                for name, section in {"bot": {"database_url": self.url}, **self.sections}.items()
            )
        )

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'kawan.db'}"

    @property
    def order(self) -> Path:
        """Where to write at which point the program dies."""
        return self.folder / "die"

    def environment(self) -> dict[str, str]:
        known = {name: value for name, value in os.environ.items() if not name.startswith(("KAWAN_", "PYTHON"))}
        return known | {
            "KAWAN_NO_BOOTSTRAP": "1", "KAWAN_TEST_DIE": str(self.order), "PYTHONPATH": str(PROJECT),
            "PYTHONWARNINGS": "error",
        }  # fmt: skip

    async def start(self) -> None:
        words = ["-m", "bot"] if self.doubt == 180.0 else [str(PROJECT / "tests/dying_bot.py"), str(self.doubt)]
        with (self.folder / "log").open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, *words, "run", "--config", str(self.config), cwd=self.folder, env=self.environment(),
                stdout=asyncio.subprocess.DEVNULL, stderr=log,
            )  # fmt: skip

    async def ends(self, seconds: float = STARTS) -> int:
        """The exit code."""
        assert self.process is not None
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    def tell(self, what: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(what)

    async def stop(self) -> int:
        """A graceful stop."""
        self.tell(signal.SIGTERM)
        return await self.ends(16)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def invites(self, count: int = 1, role: str = "fellow") -> list[str]:
        """Codes of new invitations; the program must not have begun, or not mind a second writer."""
        upgrade(self.url)
        store, codes, now = open_store(self.url, inline=True), [RandomIds().code() for _ in range(count)], SystemClock()

        def job(unit: UnitOfWork) -> None:
            cohort = unit.members.cohort_named(COHORT) or unit.members.add_cohort(
                COHORT, "Reform Asia", "en", "Asia/Bangkok"
            )
            for code in codes:
                at = now.now()
                unit.invites.add(cohort, code_hash(code), role, at, at + timedelta(days=14))

        with contextlib.closing(store):
            store.now(job)
        return codes

    def may_be_written_to_at_any_hour(self) -> None:
        """Everybody who has joined: these tests run by the clock of the machine, at night and at weekends, too."""
        always = Hours(time(), time(), frozenset(range(1, 8))).written()
        with contextlib.closing(open_store(self.url, inline=True)) as store:
            store.now(lambda unit: unit.connection.execute(sa.update(member).values(hours=always)).close())

    def counts(self) -> dict[str, int]:
        """Outbox rows that did not end as sent."""
        with contextlib.closing(open_store(self.url, inline=True)) as store:
            return store.now(lambda unit: unit.outbox.depths())


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | int) else f'"{value}"'


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def slack_section(server: SlackServer, mode: str = "socket") -> dict[str, Any]:
    return {
        "enabled": True, "mode": mode, "bot_token": BOT_TOKEN, "app_token": APP_TOKEN,
        "signing_secret": SIGNING_SECRET, "api_url": server.api_url,
    }  # fmt: skip


def telegram_section(server: TelegramServer, mode: str = "polling", port: int = 0) -> dict[str, Any]:
    found = {"enabled": True, "token": TOKEN, "api_url": server.url, "mode": mode}
    if mode == "webhook":
        found |= {"webhook_url": f"http://127.0.0.1:{port}/telegram", "webhook_secret": "s3cret-of-the-tests"}
    return found


@dataclass
class Both:
    """A local Slack, a local Telegram, and the program that serves both."""

    slack: SlackServer
    telegram: TelegramServer
    program: Program
    called: bool = False  # by HTTP and webhook

    async def starts(self) -> None:
        """Start the program and wait until it listens on both."""
        polls = len(self.telegram.called("getUpdates")) + len(self.telegram.called("setWebhook"))
        await self.program.start()
        assert self.program.process is not None

        def listens() -> bool:
            assert self.program.process is not None
            assert self.program.process.returncode is None, self.program.log
            now = len(self.telegram.called("getUpdates")) + len(self.telegram.called("setWebhook"))
            return now > polls and (self.called or len(self.slack.sockets) >= 2)

        await until(listens, STARTS)
        if self.called:
            await until(lambda: "started" in self.program.log, STARTS)

    async def died(self) -> None:
        """Wait until the program has killed itself, and Slack knows."""
        assert await self.program.ends() == -signal.SIGKILL
        await until(lambda: not self.slack.sockets)

    def at_slack(self, user: str) -> SlackPerson:
        return SlackPerson(self.slack, user)

    def at_telegram(self, number: int, name: str) -> Person:
        return self.telegram.person(number, name, "en")


@contextlib.asynccontextmanager
async def both(folder: Path, *, called: bool = False, doubt: float = 180.0) -> AsyncIterator[Both]:
    """Both platforms, and the program not yet started; `called` by HTTP and webhook, else Socket Mode and polling."""
    port = free_port()
    async with SlackServer(pause=0) as slack, TelegramServer(TOKEN).running() as telegram:
        sections = {
            "programme": {"name": "Reform Asia", "operator": "Reform Trust", "default_time_zone": "Asia/Bangkok"},
            "slack": slack_section(slack, "http" if called else "socket"),
            "telegram": telegram_section(telegram, "webhook" if called else "polling", port),
            "web": {"host": "127.0.0.1", "port": port},
        }
        if called:
            slack.events_url = f"http://127.0.0.1:{port}/slack/events"
        program = Program(folder, sections, doubt=doubt)
        try:
            yield Both(slack, telegram, program, called)
        finally:
            if program.process is not None and program.process.returncode is None:
                program.process.kill()
                await program.process.wait()
        assert slack.problems == []
        assert telegram.refused == 0


async def until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


async def sees(person: SlackPerson | Person, text: str, seconds: float = 15.0) -> None:
    """Wait until it stands on somebody's screen."""
    try:
        await until(lambda: any(text in shown.text for shown in person.screen), seconds)
    except TimeoutError:
        raise AssertionError(f"{text!r} is not in {[shown.text for shown in person.screen]}") from None
