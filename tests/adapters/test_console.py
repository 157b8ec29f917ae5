"""The console shows every message as it is, and turns lines into what the person means."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from bot.adapters.console import ConsoleAdapter, Screen, printable
from bot.core.adapter import Ack, Envelope, NotSent, Sent
from bot.core.events import Address, Command, Event, Message, Press
from bot.core.ids import SeededIds, button_handle, encode, read_button_handle
from bot.core.replies import Content, Pressable

IDS = SeededIds(1)


class Terminal:
    """One person's console, with what it printed."""

    def __init__(self, folder: Path, *, terminal: bool = False, width: int = 60, several: bool = False) -> None:
        self.out = io.StringIO()
        console = Console(
            file=self.out,
            force_terminal=terminal,
            width=width,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=not terminal,
            _environ={"TERM": "xterm-256color"},
        )
        self.screen = Screen(console, folder, several=several)
        self.adapter = ConsoleAdapter("f01", "Sekar", self.screen, SeededIds(7))

    def shows(
        self,
        content: Content,
        *,
        key: str | None = None,
        edits: str | None = None,
        deletes: str | None = None,
        files: tuple[tuple[str, str, bytes], ...] = (),
    ) -> str:
        """Send a message and return what was printed for it."""
        before = self.out.tell()
        envelope = Envelope(
            key=key or encode(IDS.key()),
            address=Address("console", "demo", "dm:f01"),
            content=content,
            edits=edits,
            deletes=deletes,
            files=files,
        )
        assert isinstance(asyncio.run(self.adapter.send(envelope)), Sent)
        return self.out.getvalue()[before:]

    def types(self, line: str, ack: Ack | None = None) -> list[Event]:
        """Type a line and return the events that came of it."""
        got: list[Event] = []

        async def receive(event: Event) -> Ack:
            got.append(event)
            return ack or Ack()

        async def act() -> None:
            listening = asyncio.create_task(self.adapter.run(receive))
            await asyncio.sleep(0)  # it listens from now on, to this receive
            await self.adapter.take(line)
            listening.cancel()

        asyncio.run(act())
        return got


def card(*labels: str, text: str = "Hello", action: str = "allies.more") -> Content:
    return Content(text, buttons=tuple(Pressable(label, action, str(n)) for n, label in enumerate(labels)))


@pytest.fixture
def pipe(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "files")


def test_a_message_is_shown_whole_with_title_fields_and_numbered_buttons(pipe: Terminal) -> None:
    long = "word " * 2000 + "end"
    content = Content(long, title="Ally", fields=(("Country", "Mongolia"),), buttons=card("Meet Bat", "More").buttons)
    assert pipe.shows(content) == f"Ally\n{long}\nCountry: Mongolia\n[1] Meet Bat  [2] More\n\n"


def test_nothing_that_people_wrote_is_read_as_markup_or_obeyed_by_the_terminal(pipe: Terminal) -> None:
    nasty = "[bold]x[/bold] [/] :smile: \x1b[2J\x1b]0;title\x07\x9b31m \x08 \r gone \u202ereversed\u2069"
    shown = pipe.shows(
        Content(nasty, title=nasty, fields=((nasty, nasty),), buttons=(Pressable(nasty, "a"),), language="en")
    )
    assert shown.count("[bold]x[/bold] [/] :smile: ") == 5
    assert not set(shown) & set("\x1b\x07\x9b\x08\r\u202e\u2069")


def test_letters_that_need_a_joiner_keep_it() -> None:
    assert printable("👩‍🌾 ก็ Өвөр") == "👩‍🌾 ก็ Өвөр"


def test_a_terminal_gets_colour_and_whole_buttons_on_each_line_and_a_pipe_gets_neither(tmp_path: Path) -> None:
    labels = [f"Meet somebody {n}" for n in range(6)]
    in_terminal = Terminal(tmp_path, terminal=True, width=50).shows(card(*labels))
    assert "\x1b[" in in_terminal
    plain = printable(in_terminal)
    assert all(f"[{n + 1}] {label}" in plain for n, label in enumerate(labels))
    assert len(in_terminal.splitlines()) == 5  # text, three lines of two buttons, an empty one
    in_pipe = Terminal(tmp_path, width=50).shows(card(*labels))
    assert "\x1b" not in in_pipe
    assert len(in_pipe.splitlines()) == 3


def test_the_number_of_a_button_presses_it(pipe: Terminal) -> None:
    key = encode(IDS.key())
    pipe.shows(card("Meet Bat", "More"), key=key)
    (event,) = pipe.types("2")
    assert isinstance(event, Press)
    assert event.handle == button_handle(key, 1)
    assert read_button_handle(event.handle) is not None
    assert (event.sender.platform, event.sender.installation, event.sender.id) == ("console", "demo", "f01")
    assert pipe.adapter.lane == "console:demo"


def test_messages_that_come_together_continue_one_numbering_and_speaking_begins_a_new_one(pipe: Terminal) -> None:
    assert "[1] A  [2] B" in pipe.shows(card("A", "B"))
    assert "[3] C" in pipe.shows(card("C"))
    assert isinstance(pipe.types("3")[0], Press)
    assert "[1] D" in pipe.shows(card("D"))


def test_a_number_without_a_button_is_text(pipe: Terminal) -> None:
    assert isinstance(pipe.types("2")[0], Message)
    pipe.shows(card("Cancel", action="form.cancel"))
    (event,) = pipe.types("12")
    assert isinstance(event, Message)
    assert event.text == "12"


def test_an_answer_to_a_question_may_be_a_number_that_was_a_button_before(pipe: Terminal) -> None:
    pipe.shows(card("A", "B", "C"))
    pipe.types("1")
    pipe.shows(card("Cancel", text="How many hours?", action="form.cancel"))
    assert isinstance(pipe.types("3")[0], Message)


def test_the_number_of_an_older_message_is_refused_with_the_numbers_that_work(pipe: Terminal) -> None:
    pipe.shows(card("A", "B", "C"))
    pipe.types("hello")
    pipe.shows(card("D", "E"))
    assert pipe.types("3") == []
    assert "older message. Numbers that work now: 1 to 2." in pipe.out.getvalue()


def test_a_changed_message_is_shown_again_with_a_mark_and_its_old_buttons_no_longer_work(pipe: Terminal) -> None:
    key = encode(IDS.key())
    pipe.shows(card("Send"), key=key)
    shown = pipe.shows(Content("Sent."), key=encode(IDS.key()), edits=key)
    assert shown == "(changed)\nSent.\n\n"
    assert isinstance(pipe.types("1")[0], Message)


def test_a_deleted_message_leaves_no_buttons(pipe: Terminal) -> None:
    key = encode(IDS.key())
    pipe.shows(card("Send"), key=key)
    assert "deleted" in pipe.shows(Content(""), deletes=key)
    assert isinstance(pipe.types("1")[0], Message)


def test_slash_words_are_commands_and_the_rest_is_text(pipe: Terminal) -> None:
    (event,) = pipe.types("/find  ocds  mongolia ")
    assert isinstance(event, Command)
    assert (event.name, event.text) == ("find", "ocds  mongolia")
    for line in ("who knows?", "/", "/ find", "2 weeks", "-1"):
        assert isinstance(pipe.types(line)[0], Message), line


def test_event_ids_differ_within_a_run_and_between_runs(tmp_path: Path) -> None:
    screen = Screen(Console(file=io.StringIO()), tmp_path)
    ids = SeededIds(3)
    events = [
        event.id
        for adapter in (ConsoleAdapter("f01", "Sekar", screen, ids), ConsoleAdapter("f01", "Sekar", screen, ids))
        for event in (adapter.event("hello"), adapter.event("hello"))
        if event is not None
    ]
    assert len(set(events)) == 4


def test_the_reader_is_named_only_when_several_talk(tmp_path: Path) -> None:
    assert Terminal(tmp_path, several=True).shows(Content("Hi")) == "To Sekar:\nHi\n\n"
    assert Terminal(tmp_path).shows(Content("Hi")) == "Hi\n\n"


def test_a_toast_a_note_and_problems_are_shown_to_the_presser(pipe: Terminal) -> None:
    pipe.types("hello", Ack(toast="Already saved.", note="I wrote to you.", problems={"name": "Too [long]\x1b."}))
    assert pipe.out.getvalue() == "(Already saved.)\n(I wrote to you.)\n(Too [long].)\n"


def test_files_are_saved_inside_the_folder_and_the_path_is_printed(pipe: Terminal, tmp_path: Path) -> None:
    names = ("../../my data.json", "my data.json", "my data.json")
    files = tuple((name, "text/plain", name.encode()) for name in names)
    shown = pipe.shows(Content("Here it is."), files=files)
    saved = sorted((tmp_path / "files").iterdir())
    assert [path.name for path in saved] == ["_.._my data.json", "my data-2.json", "my data.json"]
    assert not (tmp_path.parent / "my data.json").exists()
    assert all(f"Saved {path}" in shown for path in saved)


def test_a_message_that_cannot_be_shown_was_not_sent(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    terminal = Terminal(tmp_path / "files")
    address = Address("console", "demo", "dm:f01")
    envelope = Envelope(key="k", address=address, content=Content("x"), files=(("a.txt", "text/plain", b"a"),))
    assert isinstance(asyncio.run(terminal.adapter.send(envelope)), NotSent)


def test_what_is_on_screen_is_what_can_be_pressed_and_the_last_message(pipe: Terminal) -> None:
    keys = [encode(IDS.key()) for _ in range(3)]
    pipe.shows(card("A"), key=keys[0])
    pipe.shows(Content("no buttons"), key=keys[1])
    pipe.shows(Content("the last"), key=keys[2])
    assert pipe.adapter.on_screen == (keys[0], keys[2])
