"""A chat with the demo: several people at one keyboard, their lines one after the other, and what follows from each."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot.adapters.console import ConsoleAdapter, Screen, open_console
from bot.app import Kawan, build
from bot.content.demo import DemoCohort
from bot.core.clock import SystemClock
from bot.core.ids import Ids, RandomIds, code_hash, decode, encode
from bot.core.language import Reader
from bot.core.programme import Programme
from bot.core.replies import Content, Tongue, When
from bot.demo import DEFAULT, OTHERS, PLATFORM, DemoClock, Person, demo_programme, fill, installation_of, is_filled
from storage import Busy, Store, UnitOfWork
from storage.members import Member

INVITATION_LASTS = timedelta(days=14)
LOOKS_EVERY = 1.0  # seconds: what the other terminals of the demo wrote
TICKS_EVERY = 30  # looks
LATER = "/later"
AMOUNT = re.compile(r"(\d{1,4})\s*(minute|hour|day|week)s?", re.IGNORECASE)
LONGEST_LATER = timedelta(days=366)
LEAVING = ("exit", "quit")
AHEAD = "demo.ahead"  # the fact that holds how far the demo's clock was put forward, in seconds


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
            self._remember()
            for adapter in self._talkers.values():
                if code := self._store.now(partial(self._invitation, adapter)):
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
        absent = [name for name in (DEFAULT, *OTHERS, "newcomer") if name not in called]
        others = ", ".join(absent)
        leader = "" if host in called else f", or {host}, who facilitates"
        self._screen.say("This is Kawan on this computer. Everybody in this demo is fictional. exit ends.", "bold")
        self._screen.say(f"You are {' and '.join(called)}. Others: --as {others}{leader}.")
        both = ",".join([*called, absent[0]])
        self._screen.say(f"Who is not at the keyboard gets their messages when they come, or now with --as {both}.")
        first = "manage" if host in called else "who knows about beneficial ownership?"
        self._screen.say(f"Try: {first} · allies · help. Time: /later 3 days")
        again = f"To begin anew: exit, then rm {self._folder}/demo.*"
        self._screen.say(f"After safe, a facilitator makes a new link. {again}")
        self._hint_at_language()
        if self._clock.ahead:
            self._screen.say(f"The demo's clock was put forward: it is {self._moment()}.")
        self._screen.end()

    def _hint_at_language(self) -> None:
        """Who starts the demo may not read the language of the person they speak as."""
        for adapter in self._talkers.values():
            found = self._member(adapter)
            if found and found.language != "en":
                name = self._kawan.engine.language.say(Tongue(found.language), Reader("en"))
                self._screen.say(f"{adapter.called} reads {name}. To change that, type: language")

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
                with suppress(Busy):
                    await self._look_once(tick=looks % TICKS_EVERY == 0)

    async def _look_once(self, *, tick: bool) -> None:
        if tick:
            await self._kawan.settle()
        else:
            for relay in self._kawan.relays:
                await relay.drain()
        self._remember()

    async def _hear(self, line: str, *, echo: bool = False) -> None:
        """One line: from whom it is, what it is, and everything that follows from it."""
        async with self._busy:
            line = self._turned_to(line)
            if echo:
                self._screen.say(f"{self._speaker.called}> {line}" if len(self._talkers) > 1 else f"> {line}", "dim")
            try:
                word, _, rest = line.strip().partition(" ")
                if word.casefold() == LATER:
                    await self._later(rest)
                elif word:
                    await self._speaker.take(line)
                await self._kawan.settle()
                self._remember()
            except Busy:
                self._screen.say("The database is busy with something else. Please type it once more.")

    def _turned_to(self, line: str) -> str:
        """`Bonar: text` makes Bonar the one who speaks, from now on."""
        name, colon, rest = line.partition(":")
        person = self._names.get(name.strip().casefold()) if colon and len(self._talkers) > 1 else None
        if person is None:
            return line
        self._speaker = self._talkers[person]
        return rest.strip()

    async def _later(self, asked: str) -> None:
        found = AMOUNT.fullmatch(asked.strip())
        amount = timedelta(**{f"{found[2].lower()}s": int(found[1])}) if found else timedelta(0)
        if not timedelta(0) < amount <= LONGEST_LATER:
            self._screen.say("Say how much later, at most a year: /later 3 days, /later 2 weeks, /later 5 hours.")
            self._screen.end()
            return
        until = self._clock.ahead + amount
        await self._kawan.settle()
        while self._clock.ahead < until:
            now = self._clock.now()
            left = until - self._clock.ahead
            self._clock.ahead += self._store.now(lambda unit: self._step(unit, now, left))  # noqa: B023
            self._store.now(lambda unit: unit.outages.was_there(self._clock.now()))
            await self._kawan.settle()
        self._store.now(lambda unit: unit.members.set_fact(AHEAD, str(until.total_seconds())))
        self._screen.say(f"It is {self._moment()} now.")
        self._screen.end()

    def _step(self, unit: UnitOfWork, now: datetime, most: timedelta) -> timedelta:
        """How far the clock goes at once: to what is due next, a second later; what is due on the way is not late."""
        due = unit.outages.next_due(now)
        return most if due is None else min(most, due - now + timedelta(seconds=1))

    def _moment(self) -> str:
        """The demo's time where the speaker is."""
        found = self._member(self._speaker)
        zone = found.time_zone if found else self._cohort.default_timezone
        said = self._kawan.engine.language.say(When(self._clock.now(), "moment"), Reader("en", zone))
        return f"{said} in {zone.rpartition('/')[2].replace('_', ' ')}"

    def _invitation(self, adapter: ConsoleAdapter, unit: UnitOfWork) -> str | None:
        """A code for somebody whom the bot does not know yet, from the first facilitator."""
        if unit.members.recognise(*self._account(adapter)) is not None:
            return None
        cohort = unit.members.cohort_named(self._cohort.slug)
        assert cohort is not None
        code, now = self._ids.code(), self._clock.now()
        inviter = next(iter(unit.members.facilitators(cohort)), None)
        unit.invites.add(cohort, code_hash(code), "fellow", now, now + INVITATION_LASTS, invited_by=inviter)
        return code

    def _member(self, adapter: ConsoleAdapter) -> Member | None:
        found = self._store.now(lambda unit: unit.members.recognise(*self._account(adapter)))
        return found[0] if found else None

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
            for ref, key, content in self._store.now(partial(_before, person)):
                adapter.show(ref, key, content, mark="earlier")
                self._screen.end()


def _before(person: str, unit: UnitOfWork) -> list[tuple[str, str, Content]]:
    """Messages by reference, with the key and content of their newest edit."""
    found = []
    for ref in (unit.members.fact(f"screen.{person}") or "").split():
        key = decode(ref)
        row = unit.outbox.by_key(key) if key else None
        newest = unit.outbox.newest(row.message) if row is not None else None
        if newest is not None and newest.state == "sent" and newest.body:
            found.append((ref, encode(newest.key), Content.from_json(newest.body)))
    return found
