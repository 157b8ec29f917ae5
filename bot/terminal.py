"""Talking to the bot in a terminal, as people of the demo cohort, on a database of its own."""

import argparse
import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import structlog

from bot.adapters.console import ConsoleAdapter, Screen, open_console
from bot.app import Kawan, build
from bot.configure import programme
from bot.content.demo import DemoCohort, load_demo
from bot.core.clock import SystemClock
from bot.core.ids import Ids, RandomIds, code_hash, decode, encode
from bot.core.language import Reader
from bot.core.programme import Programme
from bot.core.replies import Content, When
from bot.demo import (
    PLATFORM,
    DemoClock,
    Person,
    demo_programme,
    fill,
    installation_of,
    is_filled,
    nearest_name,
    people,
    person_named,
)
from bot.settings import Settings, load
from storage import Store, UnitOfWork, open_store
from storage.engine import file_of
from storage.migrate import upgrade

DEFAULT = "Sekar"
OTHERS = ("Bonar", "Nasaa", "Pilo")
NOT_POSSIBLE = 2
INVITATION_LASTS = timedelta(days=14)
LOOKS_EVERY = 1.0  # seconds: what the other terminals of the demo wrote
TICKS_EVERY = 30  # looks
LATER = re.compile(r"/later(?:\s+(?P<n>\d{1,4})\s*(?P<unit>minute|hour|day|week)s?)?\s*", re.IGNORECASE)
LONGEST_LATER = timedelta(days=366)
STEPS = 120  # /later goes in steps, so that what is due on the way happens in its order
LEAVING = ("exit", "quit")
AHEAD = "demo.ahead"  # the fact that holds how far the demo's clock was put forward, in seconds


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
    upgrade(url)
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
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=file),
    )
    logging.basicConfig(stream=file, level=logging.WARNING)


class Chat:
    """Several people at one keyboard, one screen, and a clock that `/later` puts forward."""

    def __init__(
        self, store: Store, of: Programme, cohort: DemoCohort, talkers: Sequence[Person], folder: Path
    ) -> None:
        self._store = store
        self._cohort = cohort
        self._folder = folder
        self._ids: Ids = RandomIds()
        self._screen = Screen(open_console(), folder / "files", several=len(talkers) > 1)
        self._clock = DemoClock(SystemClock())
        self._talkers = {
            person.id: ConsoleAdapter(
                person.id, person.called, self._screen, self._ids, installation=installation_of(person.id)
            )
            for person in talkers
        }
        self._names = {name: person.id for person in reversed(talkers) for name in person.names}
        self._speaker = self._talkers[talkers[0].id]
        self._kawan: Kawan = build(
            store,
            demo_programme(of, cohort),
            list(self._talkers.values()),
            clock=self._clock,
            ids=self._ids,
            a_minute=None,
        )
        self._remembered: dict[str, tuple[str, ...]] = {}
        self._busy = asyncio.Lock()

    async def talk(self) -> None:
        """From the first line to the last."""
        self._store.now(self._open)
        self._introduce()
        listening = [
            asyncio.create_task(adapter.run(self._kawan.dispatcher.receive)) for adapter in self._talkers.values()
        ]
        try:
            self._show_last()
            await self._kawan.settle()
            for adapter in self._talkers.values():
                if code := self._store.now(lambda unit, adapter=adapter: self._invitation(unit, adapter)):
                    self._speaker = adapter
                    await self._hear(f"/start {code}", echo=True)
            await (self._converse() if sys.stdin.isatty() and sys.stdout.isatty() else self._read_pipe())
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)

    def _open(self, unit: UnitOfWork) -> None:
        self._clock.ahead = timedelta(seconds=float(unit.members.fact(AHEAD) or 0))
        if not is_filled(unit):
            fill(unit, self._cohort, self._clock.now(), offered=self._kawan.engine.language.offered)

    def _introduce(self) -> None:
        called = [adapter.called for adapter in self._talkers.values()]
        host = self._cohort.facilitators[0].name.split()[0]
        others = [name for name in (DEFAULT, *OTHERS, host, "newcomer") if name not in called]
        self._screen.say("This is Kawan, on this computer only. Everybody in this demo is fictional.", "bold")
        self._screen.say(f"You are {' and '.join(called)}. Others: --as {', '.join(others)}. {host} is a facilitator.")
        self._screen.say(
            "Try: who knows about beneficial ownership? · allies · help · /later 3 days (moves the clock) · exit"
        )
        if self._clock.ahead:
            self._screen.say(f"The demo's clock was put forward: it is {self._moment()}.")
        self._screen.end()

    async def _converse(self) -> None:
        from prompt_toolkit.patch_stdout import patch_stdout  # only a terminal needs it, and it is slow to import

        with patch_stdout(raw=True):
            looking = asyncio.create_task(self._look())
            try:
                async for line in self._prompts():
                    await self._hear(line)
            finally:
                looking.cancel()
                with suppress(asyncio.CancelledError):
                    await looking

    async def _prompts(self) -> AsyncIterator[str]:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import FileHistory

        session: PromptSession[str] = PromptSession(history=FileHistory(str(self._folder / "demo.history")))
        while True:
            try:
                line = await session.prompt_async(f"{self._speaker.called}> ")
            except EOFError:
                return
            except KeyboardInterrupt:  # as in a shell: the line is dropped, the chat goes on
                self._screen.say("Ctrl-D or exit ends the chat.", "dim")
                continue
            if self._leaves(line):
                return
            yield line

    async def _read_pipe(self) -> None:
        for line in sys.stdin:
            line = line.rstrip("\n")
            if self._leaves(line):
                return
            await self._hear(line, echo=True)

    def _leaves(self, line: str) -> bool:
        """`exit` and `quit`, unless the bot has a use for them."""
        content = self._kawan.engine.programme.content
        return line.strip().casefold() in LEAVING and content.word_of(line) is None

    async def _look(self) -> None:
        """Show what others write meanwhile, and do what comes due."""
        looks = 0
        while True:
            await asyncio.sleep(LOOKS_EVERY)
            looks += 1
            async with self._busy:
                if looks % TICKS_EVERY:
                    for relay in self._kawan.relays:
                        await relay.drain()
                else:
                    await self._kawan.settle()
                self._remember()

    async def _hear(self, line: str, *, echo: bool = False) -> None:
        """One line: from whom it is, what it is, and everything that follows from it."""
        async with self._busy:
            line = self._turned_to(line)
            if echo:
                self._screen.say(f"{self._speaker.called}> {line}" if len(self._talkers) > 1 else f"> {line}", "dim")
            if line.strip() or not echo:
                if later := LATER.fullmatch(line):
                    await self._later(later)
                elif line.strip():
                    await self._speaker.take(line)
            await self._kawan.settle()
            self._remember()

    def _turned_to(self, line: str) -> str:
        """`Bonar: text` makes Bonar the one who speaks, from now on."""
        name, colon, rest = line.partition(":")
        person = self._names.get(name.strip().casefold()) if colon and len(self._talkers) > 1 else None
        if person is None:
            return line
        self._speaker = self._talkers[person]
        return rest.strip()

    async def _later(self, asked: re.Match[str]) -> None:
        amount = timedelta(**{f"{asked['unit'].lower()}s": int(asked["n"])}) if asked["n"] else timedelta(0)
        if not timedelta(0) < amount <= LONGEST_LATER:
            self._screen.say("Say how much later, at most a year: /later 3 days, /later 2 weeks, /later 5 hours.")
            self._screen.end()
            return
        step = max(timedelta(hours=1), amount / STEPS)
        until = self._clock.ahead + amount
        while self._clock.ahead < until:
            self._clock.ahead = min(until, self._clock.ahead + step)
            await self._kawan.settle()
        self._store.now(lambda unit: unit.members.set_fact(AHEAD, str(until.total_seconds())))
        self._screen.say(f"It is {self._moment()} now.")
        self._screen.end()

    def _moment(self) -> str:
        """The demo's time where the speaker is."""
        found = self._store.now(lambda unit: unit.members.recognise(*self._account(self._speaker)))
        zone = found[0].time_zone if found else self._cohort.default_timezone
        said = self._kawan.engine.language.say(When(self._clock.now(), "moment"), Reader("en", zone))
        return f"{said} in {zone.rpartition('/')[2].replace('_', ' ')}"

    def _invitation(self, unit: UnitOfWork, adapter: ConsoleAdapter) -> str | None:
        """A code for somebody whom the bot does not know yet, from the first facilitator."""
        if unit.members.recognise(*self._account(adapter)) is not None:
            return None
        cohort = unit.members.cohort_named(self._cohort.slug)
        assert cohort is not None
        code, now = self._ids.code(), self._clock.now()
        inviter = unit.members.facilitators(cohort)[0]
        unit.invites.add(cohort, code_hash(code), "fellow", now, now + INVITATION_LASTS, invited_by=inviter)
        return code

    def _account(self, adapter: ConsoleAdapter) -> tuple[str, str, str]:
        return PLATFORM, installation_of(adapter.person), adapter.person

    def _remember(self) -> None:
        """Keep which messages each person still has before them, for the next start."""
        changed = {
            person: adapter.on_screen
            for person, adapter in self._talkers.items()
            if adapter.on_screen != self._remembered.get(person, ())
        }

        def keep(unit: UnitOfWork) -> None:
            for person, refs in changed.items():
                unit.members.set_fact(f"screen.{person}", " ".join(refs))

        if changed:
            self._store.now(keep)
            self._remembered |= changed

    def _show_last(self) -> None:
        """What each person had before them when the chat ended, as it reads now, and its buttons work."""
        for person, adapter in self._talkers.items():
            for ref, key, content in self._store.now(lambda unit, person=person: _before(unit, person)):
                adapter.show(ref, key, content, mark="earlier")
                self._screen.end()


def _before(unit: UnitOfWork, person: str) -> list[tuple[str, str, Content]]:
    """Messages by reference, with the key and content of their newest edit."""
    found = []
    for ref in (unit.members.fact(f"screen.{person}") or "").split():
        key = decode(ref)
        row = unit.outbox.by_key(key) if key else None
        newest = unit.outbox.newest(row.message) if row is not None else None
        if newest is not None and newest.state == "sent" and newest.body:
            found.append((ref, encode(newest.key), Content.from_json(newest.body)))
    return found
