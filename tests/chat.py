"""Conversations as tests: people who say, press and see, through a platform's parse and render and a real database."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Protocol

from bot.app import Kawan, build
from bot.content import Content, load
from bot.core.adapter import Absent, Ack, Envelope, Outcome, Sent
from bot.core.clock import SetClock
from bot.core.events import Address, Command, Event, Message, Press, Sender
from bot.core.ids import SeededIds, button_handle, code_hash
from bot.core.pacing import UNLIMITED
from bot.core.programme import Programme
from bot.core.replies import Content as Said
from bot.domain.profiles import Audience, Preset
from bot.domain.topics import Understanding
from storage import Store, UnitOfWork
from storage.profiles import PURPOSES

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # a Monday, 10:00 in Jakarta


@dataclass
class Shown:
    """One message as a person sees it: its text, and the buttons with what they carry on the wire."""

    text: str
    buttons: list[tuple[str, str]] = field(default_factory=list)
    changed: bool = False


class Platform(Protocol):
    """How one platform's payloads become events, and an envelope becomes what a person sees."""

    name: str
    installation: str

    def says(self, number: int, who: "Person", text: str) -> Event: ...

    def presses(self, number: int, who: "Person", handle: str) -> Event: ...

    def parts(self, content: Said) -> list[Said]: ...

    def shows(self, envelope: Envelope) -> list[Shown]: ...


class Plain:
    """The terminal's way: events as they are, contents as they are."""

    name = "console"
    installation = "test"

    def says(self, number: int, who: "Person", text: str) -> Event:
        if text.startswith("/"):
            name, _, rest = text[1:].partition(" ")
            return Command(id=f"e{number}", sender=who.sender, address=who.address, name=name, text=rest)
        return Message(id=f"e{number}", sender=who.sender, address=who.address, text=text)

    def presses(self, number: int, who: "Person", handle: str) -> Event:
        return Press(id=f"e{number}", sender=who.sender, address=who.address, handle=handle)

    def parts(self, content: Said) -> list[Said]:
        return [content]

    def shows(self, envelope: Envelope) -> list[Shown]:
        content = envelope.content
        buttons = [(b.label, button_handle(envelope.key, n)) for n, b in enumerate(content.buttons)]
        return [Shown(plain(content), buttons, envelope.edits is not None)]


def plain(content: Said) -> str:
    """A content as text."""
    parts = [content.title or "", content.text, *(f"{name}: {value}" for name, value in content.fields)]
    return "\n".join(part for part in parts if part)


class Screens:
    """An adapter that shows what it is given on the screens of people; `outcome` may be set to play a fault."""

    pace = UNLIMITED

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.seen: dict[str, list[Shown]] = {}
        self.by_ref: dict[str, Shown] = {}
        self.files: list[tuple[str, str, bytes]] = []
        self.wrong: list[Exception] = []
        self.trouble: str | None = None
        self.is_listening = True
        self.outcome: Callable[[Envelope], Outcome | None] = lambda envelope: None
        self.known: Callable[[Envelope], Sent | Absent | None] = lambda envelope: None

    @property
    def name(self) -> str:
        return self.platform.name

    @property
    def lane(self) -> str:
        return f"{self.platform.name}:{self.platform.installation}"

    async def run(self, receive: object) -> None:
        raise NotImplementedError("tests hand events over themselves")

    def parts(self, content: Said) -> list[Said]:
        return self.platform.parts(content)

    async def send(self, envelope: Envelope) -> Outcome:
        """The relay survives an adapter's mistake; a test must not, so what goes wrong here is kept for it."""
        try:
            return self._show(envelope)
        except Exception as error:
            self.wrong.append(error)
            raise

    def _show(self, envelope: Envelope) -> Outcome:
        fault = self.outcome(envelope)
        if fault is not None:
            return fault
        screen = self.seen.setdefault(envelope.address.conversation, [])
        if envelope.deletes is not None:
            gone = self.by_ref.pop(envelope.deletes, None)
            if gone in screen:
                screen.remove(gone)
            return Sent(envelope.deletes)
        for shown in self.platform.shows(envelope):
            if envelope.edits in self.by_ref:
                old = self.by_ref[envelope.edits]
                old.text, old.buttons, old.changed = shown.text, shown.buttons, True
                screen.remove(old)
                screen.append(old)
                return Sent(envelope.edits)
            screen.append(shown)
            self.by_ref[envelope.key] = shown
        self.files += envelope.files
        return Sent(envelope.key)

    async def look_up(self, envelope: Envelope) -> Sent | Absent | None:
        return self.known(envelope)


@dataclass
class Person:
    """Somebody at a keyboard."""

    chat: "Chat"
    name: str
    member: int | None = None
    on: Platform | None = None  # the first of the chat's platforms, unless another is named

    @property
    def platform(self) -> Platform:
        return self.on or self.chat.platform

    @property
    def sender(self) -> Sender:
        platform = self.platform
        return Sender(platform.name, platform.installation, self.name, self.name, "en")

    @property
    def address(self) -> Address:
        platform = self.platform
        return Address(platform.name, platform.installation, f"dm:{self.name}")

    def says(self, text: str) -> Ack:
        """Write something, and let everything that follows happen."""
        return self.chat.happens(self.platform.says(self.chat.count(), self, text))

    def presses(self, label: str) -> Ack:
        """Press the newest button that is called so, or begins so."""
        return self.chat.happens(self.platform.presses(self.chat.count(), self, self.handle_of(label)))

    def handle_of(self, label: str) -> str:
        """What a button carries on the wire."""
        for shown in reversed(self.screen):
            for name, handle in shown.buttons:
                if name == label or name.startswith(label):
                    return handle
        raise AssertionError(f"{self.name} sees no button {label!r}, only {self.buttons()}; text:\n{self.last}")

    @property
    def screen(self) -> list[Shown]:
        return self.chat.screens_of(self.platform).seen.get(self.address.conversation, [])

    def sees(self) -> list[str]:
        """Every message on this person's screen, the newest last; a changed one counts as new."""
        return [shown.text for shown in self.screen]

    @property
    def last(self) -> str:
        """The newest message."""
        return self.sees()[-1] if self.screen else ""

    def buttons(self) -> list[str]:
        """The labels under the newest message."""
        return [label for label, _ in self.screen[-1].buttons] if self.screen else []


@cache
def _content() -> tuple[Content, Understanding]:
    content = load()
    return content, content.understanding()


class Chat:
    """A programme with its people, driven event by event on one thread under a clock that stands still."""

    def __init__(
        self,
        store: Store,
        platform: Platform | None = None,
        *,
        beside: Sequence[Platform] = (),
        a_minute: int | None = None,
        tells: bool = False,  # the platform can be asked what has arrived: see `Screens.known`
    ) -> None:
        self.store = store
        self.platform: Platform = platform or Plain()
        self.clock = SetClock(START)
        self.ids = SeededIds(1)
        self.screens = Screens(self.platform)
        self._beside = {platform.name: Screens(platform) for platform in beside}
        content, understanding = _content()
        self.programme = Programme(
            content=content, understanding=understanding, name="Reform Asia", operator="Reform Trust",
            operator_contact="help@reform.example", host_country="SG", emergency_contacts="Call Mirela: 000",
        )  # fmt: skip
        self.kawan: Kawan = build(
            store,
            self.programme,
            [self.screens, *self._beside.values()],
            clock=self.clock,
            ids=self.ids,
            a_minute=a_minute,
            tell=[self.platform.name] if tells else [],
        )
        self.cohort = store.now(lambda unit: unit.members.add_cohort("test", "Reform Asia", "en", "Asia/Bangkok"))
        self._events = 0

    def screens_of(self, platform: Platform) -> Screens:
        """The screens of one platform."""
        return self._beside.get(platform.name, self.screens)

    def count(self) -> int:
        self._events += 1
        return self._events

    def happens(self, event: Event, *, settle: bool = True) -> Ack:
        """Hand an event over; then everything due is delivered."""

        async def go() -> Ack:
            ack = await self.kawan.dispatcher.receive(event)
            if settle:
                await self.kawan.settle()
            return ack

        try:
            return asyncio.run(go())
        finally:
            self._nothing_went_wrong()

    def settles(self) -> None:
        """Deliver what is due."""
        asyncio.run(self.kawan.settle())
        self._nothing_went_wrong()

    def _nothing_went_wrong(self) -> None:
        for screens in (self.screens, *self._beside.values()):
            if screens.wrong:
                raise screens.wrong[0]

    def passes(self, **time: float) -> None:
        """Time goes by, and what is due happens."""
        self.clock.passes(**time)
        self.settles()

    def newcomer(self, name: str, on: Platform | None = None) -> Person:
        """Somebody whom the bot does not know; `on` another platform than the first."""
        return Person(self, name, on=on)

    def invites(self, role: str = "fellow", by: Person | None = None, **prefilled: str) -> str:
        """An invitation's code."""
        code = self.ids.code()

        def job(unit: UnitOfWork) -> None:
            now = self.clock.now()
            unit.invites.add(
                self.cohort, code_hash(code), role, now, now + timedelta(days=14), prefilled=dict(prefilled),
                invited_by=by.member if by else None,
            )  # fmt: skip

        self.store.now(job)
        return code

    def joins(
        self,
        name: str,
        *,
        role: str = "fellow",
        country: str | None = "ID",
        language: str = "en",
        time_zone: str = "Asia/Jakarta",
        preset: Preset = Preset.OPEN,
        own: dict[str, Audience | None] | None = None,
        sector: str | None = None,
        side: str | None = None,
        coalitions: Sequence[str] = ("citizens",),
        topics: Sequence[str] = (),
        needs: Sequence[str | tuple[str, str]] = (),
        offers: Sequence[str | tuple[str, str]] = (),
        languages: Sequence[str] = ("en",),
        purposes: Sequence[str] = PURPOSES,
        cohort: int | None = None,
        **profile: str,
    ) -> Person:
        """Somebody who has joined already, with this profile."""
        person = Person(self, name)

        def job(unit: UnitOfWork) -> int:
            now, of = self.clock.now(), cohort or self.cohort
            number = unit.members.add(
                of, now, role=role, state="active", language=language, time_zone=time_zone, preset=preset.value,
                joined_at=now,
            )  # fmt: skip
            me = unit.members.lock(number)
            assert me is not None
            at = person.address
            unit.members.add_account(me, at.platform, at.installation, name, at.conversation, now)
            given = {purpose: purpose in purposes for purpose in PURPOSES}
            with unit.profiles.together():
                unit.profiles.give_consent(of, number, given, 1, language, now)
                unit.profiles.write(of, number, name=name, country=country, sector=sector, side=side, **profile)
                unit.profiles.write_list(of, number, "coalitions", coalitions if role == "fellow" else ())
                unit.profiles.write_list(of, number, "topics", topics)
                unit.profiles.write_list(of, number, "languages", languages)
                for kind, wishes in (("need", needs), ("offer", offers)):
                    for wish in wishes:
                        topic, text = wish if isinstance(wish, tuple) else (wish, None)
                        unit.profiles.add_wish(of, number, kind, topic, text)
                if own:
                    unit.profiles.set_visibility(of, number, own)
            return number

        person.member = self.store.now(job)
        return person
