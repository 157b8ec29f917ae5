"""Fake platforms at the narrow port: what they show, what they lose, how late it arrives, what they repeat."""

import asyncio
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.core.adapter import (
    Absent,
    Ack,
    Envelope,
    NotSent,
    Outcome,
    Page,
    RateLimited,
    Rejected,
    Sent,
    Unknown,
    Unreachable,
)
from bot.core.events import Address, Event, Message, Reachable
from bot.core.ids import button_handle
from bot.core.pacing import Pace
from bot.core.replies import Content
from tests.simulation.history import FAIL, INFO, INVOKE, OK
from tests.simulation.machine import Broken, Machine
from tests.simulation.marks import marks_in

if TYPE_CHECKING:
    from tests.simulation.world import World

TIMEOUT = 10.0
SOON = 3.0  # for so long Slack waits for an answer
LATE = 60.0  # seconds after our timeout; the design's bound
AFTER = (0.5, 60.0, 300.0)  # when Slack repeats an event that was not acknowledged
KEPT = 86_400.0  # for so long Telegram keeps updates that nobody asked for
GIVES_UP = 40  # tries, of a platform that never gives up


@dataclass
class Shown:
    """A message on a screen. `buttons` are (label, what it carries on the wire, its action)."""

    ref: str
    key: str
    text: str
    buttons: list[tuple[str, str, str]]


@dataclass
class Platform:
    """One platform: it lives on while replicas of the bot die. `tells`: it can be asked what has arrived."""

    world: "World"
    name: str
    installation: str
    tells: bool
    pace: Pace
    screens: dict[str, list[Shown]] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    on_the_way: int = 0  # calls that may still arrive
    to_hand_over: int = 0  # deliveries that may still come
    _arrived: dict[str, tuple[float, str]] = field(default_factory=dict)  # key: when it can be found, reference
    _waiting: deque[tuple[float, Event, str]] = field(default_factory=deque)
    _polls: bool = False

    def __post_init__(self) -> None:
        self.luck: random.Random = self.world.plan.random(f"network of {self.name}")

    @property
    def lane(self) -> str:
        return f"{self.name}:{self.installation}"

    def address(self, who: str) -> Address:
        return Address(self.name, self.installation, f"dm:{who}")

    # Outgoing.

    def fails(self, fault: str, share: float = 1.0) -> bool:
        """Does this fault happen now?"""
        rate = self.world.fault_rate * share
        return rate > 0 and self.luck.random() < rate and self.world.plan.has(fault)

    def fate(self, envelope: Envelope) -> tuple[Outcome, float | None, float]:
        """What becomes of a call: what its caller learns, when it arrives (None: never), and how long it takes."""
        if self._is_blocked(envelope.address.conversation):
            return Unreachable("blocked"), None, 0.1
        took = self.luck.uniform(0.05, 0.4)
        if self.fails("lost answers", 0.3):
            return Unknown("reset"), took, took + 0.1
        if self.fails("late arrivals", 0.3):
            return Unknown("timeout"), TIMEOUT + self.luck.uniform(0, LATE), TIMEOUT
        if self.fails("server errors", 0.3):
            return Unknown("500"), None, took
        if self.fails("refusals", 0.3):
            return NotSent("no connection"), None, took
        if self.fails("limits", 0.2):
            return RateLimited(self.luck.choice((1.0, 1.0, 3.0, 3.0, 30.0, 600.0))), None, took
        if self.fails("refusals", 0.01):
            return Rejected("bad request"), None, took
        return Sent(f"{self.world.calls}"), took, took + 0.02

    def _is_blocked(self, conversation: str) -> bool:
        kind, _, who = conversation.partition(":")
        return kind == "dm" and who in self.blocked

    def arrives(self, envelope: Envelope, ref: str, message: int | None) -> None:
        """A copy stands on the screens of the conversation, or is gone from them."""
        self.on_the_way -= 1
        now = self.world.loop.time()
        screen = self.screens.setdefault(envelope.address.conversation, [])
        if envelope.deletes is not None:
            screen[:] = [shown for shown in screen if shown.ref != envelope.deletes]
            self.world.history.add(INFO, "seen", now, message=message, edit=True, lane=self.lane,
                                   to=envelope.address.conversation)  # fmt: skip
            return
        buttons = [
            (one.label, button_handle(envelope.key, n), one.action) for n, one in enumerate(envelope.content.buttons)
        ]
        text = said(envelope.content)
        self.world.history.add(INFO, "seen", now, message=message, edit=envelope.edits is not None, lane=self.lane,
                               to=envelope.address.conversation)  # fmt: skip
        old = next((shown for shown in screen if shown.ref == envelope.edits), None) if envelope.edits else None
        if old is not None:
            screen.remove(old)
            ref = old.ref
        self._arrived.setdefault(envelope.key, (now + self.world.plan.history_lag, ref))
        screen.append(Shown(ref, envelope.key, text, buttons))
        self.world.people.sees(envelope.address.conversation, text, buttons)

    def found(self, envelope: Envelope) -> Sent | Absent | None:
        """What the history shows by now."""
        if self.fails("server errors", 0.5):
            return None
        visible, ref = self._arrived.get(envelope.key, (float("inf"), ""))
        return Sent(ref) if visible <= self.world.loop.time() else Absent()

    # Incoming.

    def brings(self, event: Event, who: str) -> None:
        """Somebody did something; the platform hands it over by its rules."""
        if self.world.over:
            return
        self.to_hand_over += 1
        if self.name == "telegram":
            self._waiting.append((self.world.loop.time(), event, who))
            if not self._polls:
                self._polls = True
                self.world.spawn(self._in_turn())
        else:
            self.world.spawn(self._with_retries(event, who, isinstance(event, Message | Reachable)))

    async def _in_turn(self) -> None:
        """Telegram: one update after the other, each until it is confirmed."""
        while self._waiting:
            since, event, who = self._waiting[0]
            for _ in range(GIVES_UP):
                while self._listener() is None:  # it is the bot that asks for updates
                    await self.world.up()
                    await asyncio.sleep(self.luck.uniform(1, 30))
                if self.world.loop.time() - since > KEPT:
                    break
                if await self._hand_over(event, who) is not None:
                    break
                await asyncio.sleep(self.luck.uniform(1, 4))
            if self.fails("repeats"):  # the confirmation was lost
                await self._hand_over(event, who)
            self._waiting.popleft()
            self.to_hand_over -= 1
        self._polls = False

    async def _with_retries(self, event: Event, who: str, repeats: bool) -> None:
        """Slack: messages come again when nobody acknowledged them, presses and commands never do."""
        done = await self._hand_over(event, who)
        for wait in AFTER if repeats else ():
            if done is not None and not self.fails("repeats"):
                break
            await asyncio.sleep(wait)
            done = await self._hand_over(event, who) or done
        self.to_hand_over -= 1
        if done is None and not repeats:
            self.world.people.shows_an_error(who, event)

    async def _hand_over(self, event: Event, who: str) -> Ack | None:
        """One delivery; None when nobody acknowledged it."""
        world, call = self.world, self.world.history.call()
        world.history.add(INVOKE, "deliver", world.loop.time(), call=call, event=event_id(event), who=who,
                          **world.people.described(event))  # fmt: skip
        machine = self._listener()
        if machine is None:
            world.history.add(FAIL, "deliver", world.loop.time(), call=call, event=event_id(event), why="down")
            return None
        task = machine.spawn(machine.receive(event))
        await asyncio.wait({task}, timeout=SOON if self.name == "slack" else None)
        now = world.loop.time()
        if not task.done():
            world.history.add(INFO, "deliver", now, call=call, event=event_id(event), why="no answer")
            return None
        if task.cancelled() or isinstance(task.exception(), Broken):
            world.history.add(INFO, "deliver", now, call=call, event=event_id(event), why="died")
            return None
        if task.exception() is not None:
            world.history.add(FAIL, "deliver", now, call=call, event=event_id(event),
                              why=type(task.exception()).__name__)  # fmt: skip
            return None
        ack: Ack = task.result()
        said_something = bool(ack.toast or ack.note or ack.problems or ack.open)
        world.history.add(OK, "deliver", now, call=call, event=event_id(event), said=said_something)
        if ack.toast or ack.note:
            world.people.hears(who, ack.toast or ack.note or "")
        if ack.open is not None:
            self._opens(ack.open, who, machine)
        return ack

    @property
    def is_up(self) -> bool:
        """Does anybody listen to what people write?"""
        return self._listener() is not None

    def _listener(self) -> Machine | None:
        """Which replica gets the next event: of Slack any, of Telegram the one that owns the lane."""
        there = [one for one in self.world.machines if self.name == "slack" or one.hears(self.lane)]
        return self.luck.choice(there) if len(there) > 1 else next(iter(there), None)

    def _opens(self, page: Page, who: str, machine: Machine) -> None:
        """Slack shows the page, mostly; then the question that was held back for it is withdrawn."""
        if self.luck.random() < 0.8 and page.held is not None:
            machine.spawn(machine.opened(page.held))
            self.world.people.gets(who, page)


@dataclass
class Line:
    """One replica's way to a platform: the adapter that the real bot is built with."""

    platform: Platform
    machine: Machine

    @property
    def name(self) -> str:
        return self.platform.name

    @property
    def lane(self) -> str:
        return self.platform.lane

    async def run(self, receive: Any) -> None:
        raise NotImplementedError("the platform hands events over itself")

    @property
    def pace(self) -> Pace:
        return self.platform.pace

    def parts(self, content: Content) -> list[Content]:
        return [content]

    async def send(self, envelope: Envelope) -> Outcome:
        """One call. What has left goes on, whatever becomes of the caller."""
        self.machine.may_die("after the claim, before the send")
        platform, world = self.platform, self.platform.world
        world.calls += 1
        call, now = world.history.call(), world.loop.time()
        ref = str(world.calls)
        outcome, arrives, took = platform.fate(envelope)
        message = world.sends(call, envelope)
        if arrives is not None:
            platform.on_the_way += 1
            world.later(arrives, platform.arrives, envelope, ref, message)
        await asyncio.sleep(took)
        self.machine.may_die("after the send, before the answer is kept")
        kind = OK if isinstance(outcome, Sent) else INFO if isinstance(outcome, Unknown) else FAIL
        why = getattr(outcome, "why", None)
        world.history.add(kind, "send", world.loop.time(), call=call, message=message,
                          outcome=type(outcome).__name__, why=why, began=now)  # fmt: skip
        return Sent(ref) if isinstance(outcome, Sent) else outcome

    async def look_up(self, envelope: Envelope) -> Sent | Absent | None:
        await asyncio.sleep(0.2)
        self.machine.may_die("while asking what arrived")
        found = self.platform.found(envelope) if self.platform.tells else None
        self.platform.world.history.add(INFO, "look up", self.platform.world.loop.time(), key=envelope.key,
                                        found=type(found).__name__)  # fmt: skip
        return found


def said(content: Content) -> str:
    """A content as text."""
    return "\n".join((content.title or "", content.text, *(f"{name}: {value}" for name, value in content.fields)))


def marks_of(content: Content) -> list[tuple[str, int]]:
    """Every mark that somebody who gets this content reads, on its buttons too."""
    return marks_in("\n".join((said(content), *(one.label for one in content.buttons))))


def event_id(event: Event) -> str:
    return event.id
