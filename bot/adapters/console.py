"""The console: the bot in a terminal, one adapter for each person at the keyboard, one screen for all of them."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bot.core.adapter import Ack, Envelope, NotSent, Outcome, Sent
from bot.core.charts import as_text
from bot.core.cleaning import JOINERS, clean_int, one_line
from bot.core.events import Address, Command, Event, Message, Press, Sender
from bot.core.ids import Ids, button_handle, encode
from bot.core.language import CHART
from bot.core.pacing import UNLIMITED
from bot.core.replies import Content, Pressable

PLATFORM = "console"
HIGHEST_NUMBER = 999
STYLES = {"plain": "cyan", "primary": "bold cyan", "danger": "red"}
MESSAGES_KEPT = 3

Numbered = list[tuple[int, Pressable]]
Receive = Callable[[Event], Awaitable[Ack]]


def printable(text: str) -> str:
    """The text without what a terminal would obey instead of show: control, format and surrogate characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(c for c in text if c in "\n\t" + JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))


def open_console() -> Console:
    """Standard output: styled and wrapped by words in a terminal, plain and unwrapped lines in a pipe."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.soft_wrap = not console.is_terminal
    return console


class Screen:
    """Where messages are printed, and the folder where their files are saved; `several` names each reader."""

    def __init__(self, console: Console, folder: Path, *, several: bool = False) -> None:
        self._console = console
        self._folder = folder
        self._several = several

    def say(self, text: str = "", style: str = "") -> None:
        """Print a line that is no message: what was typed, what this is."""
        self._console.print(Text(printable(text), style))

    def aside(self, reader: str, text: str) -> None:
        """Print a remark that is no message and can be lost."""
        self.say(f"To {reader}: ({text})" if self._several else f"({text})", "italic")

    def message(self, reader: str, content: Content, numbered: Numbered, *, mark: str = "") -> None:
        """Print one message; `mark` says that it is not new: "changed", "earlier"."""
        marked = f" ({mark})" if mark else ""
        head = f"To {reader}{marked}:" if self._several else marked.strip()
        if head:
            self.say(head, "dim")
        if content.title:
            self.say(content.title, "bold")
        if content.text:
            self.say(content.text)
        for name, value in content.fields:
            self._console.print(Text.assemble((f"{printable(name)}: ", "dim"), printable(value)))
        for line in self._lines(numbered):
            self._console.print(line)

    def file(self, name: str, data: bytes) -> None:
        """Save a file that came with a message, never over another one, and say where it is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        plain = one_line(printable(name)).replace("/", "_").replace("\\", "_").lstrip(".") or "file"
        wanted = Path(plain)
        for attempt in range(1, 1000):
            path = self._folder / (plain if attempt == 1 else f"{wanted.stem}-{attempt}{wanted.suffix}")
            try:
                with path.open("xb") as file:
                    file.write(data)
            except FileExistsError:
                continue
            self.say(f"Saved {path}", "dim")
            return

    def end(self) -> None:
        """An empty line after a message."""
        self.say()

    def _lines(self, numbered: Numbered) -> list[Text]:
        """The buttons in a row, a new one before a button that would not fit."""
        lines: list[Text] = []
        for number, button in numbered:
            shown = Text(f"[{number}] {one_line(printable(button.label), 400)}", STYLES.get(button.style, ""))
            fits = self._console.soft_wrap or (
                bool(lines) and cell_len(lines[-1].plain) + 2 + cell_len(shown.plain) <= self._console.width
            )
            if lines and fits:
                lines[-1].append("  ").append_text(shown)
            else:
                lines.append(Text().append_text(shown))
        return lines


@dataclass
class Numbers:
    """Which number presses which button; they begin again at 1 with the first buttons after the person has spoken."""

    handles: dict[int, tuple[str, str]] = field(default_factory=dict)  # number -> (message, handle)
    spoken: bool = False
    highest: int = 0
    waits_for_button: bool = False

    def give(self, ref: str, key: str, content: Content) -> Numbered:
        """Number a message's buttons; those that it had before no longer work."""
        self.drop(ref)
        answers_question = any(button.action.startswith("form.") for button in content.buttons)
        self.waits_for_button = bool(content.buttons) and not answers_question
        if content.buttons and self.spoken:
            self.handles.clear()
            self.spoken = False
        first = max(self.handles, default=0) + 1
        numbered = list(enumerate(content.buttons, start=first))
        self.handles |= {number: (ref, button_handle(key, number - first)) for number, _ in numbered}
        self.highest = max(self.highest, *self.handles, 0)
        return numbered

    def drop(self, ref: str) -> None:
        """A message has changed or gone."""
        self.handles = {number: found for number, found in self.handles.items() if found[0] != ref}

    def is_old(self, number: int) -> bool:
        """Was this number a button once, and can it not be an answer in words now?"""
        return self.waits_for_button and bool(self.handles) and number not in self.handles and number <= self.highest


class ConsoleAdapter:
    """One person at the keyboard. What is written for somebody who is not stays queued in that one's lane."""

    pace = UNLIMITED

    def __init__(self, person: str, called: str, screen: Screen, ids: Ids, *, installation: str = "demo") -> None:
        self.person = person
        self.called = called
        self._screen = screen
        self._sender = Sender(PLATFORM, installation, person, called)
        self._address = Address(PLATFORM, installation, f"dm:{person}")
        self._numbers = Numbers()
        self._shown: list[str] = []
        self._events = 0
        self._run = encode(ids.key())  # event ids of two runs never meet
        self._receive: Receive | None = None
        self._listening = asyncio.Event()

    @property
    def name(self) -> str:
        return PLATFORM

    @property
    def lane(self) -> str:
        return self._address.lane

    @property
    def on_screen(self) -> tuple[str, ...]:
        """The references of the messages that can still be pressed, and of the last one."""
        pressable = {ref for ref, _ in self._numbers.handles.values()}
        return tuple(ref for ref in self._shown if ref in pressable or ref == self._shown[-1])[-MESSAGES_KEPT:]

    async def run(self, receive: Receive) -> None:
        """Hand on what `take` reads, until cancelled."""
        self._receive = receive
        self._listening.set()
        await asyncio.Event().wait()

    async def take(self, line: str) -> None:
        """One line that the person typed; returns when it is committed and acknowledged."""
        event = self.event(line)
        if event is None:
            self._screen.aside(self.called, self._which_numbers())
            return
        await self._listening.wait()
        assert self._receive is not None
        self._numbers.spoken = True
        ack = await self._receive(event)
        for text in (ack.toast, ack.note, *ack.problems.values()):
            if text:
                self._screen.aside(self.called, text)

    def event(self, line: str) -> Event | None:
        """The number of a button is a press, `/find x` a command, the rest text; None for an old button's number."""
        number = clean_int(line.strip().removeprefix("[").removesuffix("]"), 1, HIGHEST_NUMBER)
        found = self._numbers.handles.get(number) if number else None
        if number and not found and self._numbers.is_old(number):
            return None
        self._events += 1
        number_of_event = f"{self._run}-{self._events}"
        if found:
            return Press(id=number_of_event, sender=self._sender, address=self._address, handle=found[1])
        if line.startswith("/") and line[1:2].strip():
            name, _, text = line[1:].partition(" ")
            return Command(
                id=number_of_event, sender=self._sender, address=self._address, name=name.strip(), text=text.strip()
            )
        return Message(id=number_of_event, sender=self._sender, address=self._address, text=line)

    def parts(self, content: Content) -> list[Content]:
        """A terminal shows any length."""
        return [content]

    async def send(self, envelope: Envelope) -> Outcome:
        """Print a message, or once more one that has changed."""
        ref = envelope.deletes or envelope.edits or envelope.key
        try:
            if envelope.deletes:
                self._numbers.drop(ref)
                self._screen.aside(self.called, "A message was deleted.")
            else:
                self.show(ref, envelope.key, envelope.content, mark="changed" if envelope.edits else "")
            charts = {file.name: file for file in envelope.content.files if file.source == CHART}
            for name, _, data in envelope.files:
                if name in charts:  # a terminal has no pictures
                    self._screen.say(as_text(charts[name].data or {}))
                else:
                    self._screen.file(name, data)
            self._screen.end()
        except OSError as error:  # the terminal has gone, the disk is full
            return NotSent(type(error).__name__)
        return Sent(ref)

    async def look_up(self, envelope: Envelope) -> Sent | None:
        """Nobody knows what was on a screen."""
        return None

    def show(self, ref: str, key: str, content: Content, *, mark: str = "") -> None:
        """Print a message whose buttons have this key, and number them."""
        numbered = self._numbers.give(ref, key, content)
        self._shown = [*(shown for shown in self._shown if shown != ref), ref]
        self._screen.message(self.called, content, numbered, mark=mark)

    def _which_numbers(self) -> str:
        working = sorted(self._numbers.handles)
        span = f"{working[0]} to {working[-1]}" if len(working) > 1 else f"{working[0]}" if working else "none"
        return f"That number belongs to an older message. Numbers that work now: {span}."
