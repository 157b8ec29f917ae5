"""Talking to the demo: the real program, read from a pipe and from a terminal, restarted between the lines."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Talk:
    """What a chat printed, and how it ended."""

    said: str
    wrong: str
    code: int

    def number(self, label: str) -> str:
        """The number that presses a button now: the last one with this beginning that was shown."""
        found: list[str] = re.findall(rf"\[(\d+)\] {re.escape(label)}", self.said)
        assert found, f"no button {label!r} in:\n{self.said}"
        return found[-1]


class Demo:
    """A demo database in a folder of its own."""

    def __init__(self, folder: Path, bytecode: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.bytecode = bytecode

    def environment(self) -> dict[str, str]:
        others = ("KAWAN_", "FORCE_", "PYTHON")
        known = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        return known | {
            "KAWAN_NO_BOOTSTRAP": "1",
            "KAWAN_BOT__DATA_DIR": str(self.data),
            "PYTHONPATH": str(PROJECT),
            "PYTHONPYCACHEPREFIX": str(self.bytecode),  # compiled once for all the starts of these tests
            "PYTHONWARNINGS": "error",
        }

    def chat(self, *typed: str, speak_as: str | None = None) -> Talk:
        """Start the chat, type lines, and leave."""
        words = ["chat", *(["--as", speak_as] if speak_as else [])]
        ran = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            input="".join(f"{line}\n" for line in typed),
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=self.folder,
            env=self.environment(),
            timeout=60,
            check=False,
        )
        return Talk(ran.stdout, ran.stderr, ran.returncode)


@pytest.fixture
def demo(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path, tmp_path_factory.getbasetemp() / "bytecode")


def test_it_says_what_this_is_whom_one_speaks_as_and_what_to_try(demo: Demo) -> None:
    talk = demo.chat()
    assert (talk.code, talk.wrong) == (0, "")
    first, second, absent, third, back = talk.said.splitlines()[:5]
    assert "fictional" in first
    assert "You are Pilo" in second
    assert "Mirela" in second
    assert absent == "Who is not at the keyboard gets their messages when they come, or now with --as Pilo,Sekar."
    for word in ("who knows about beneficial ownership?", "allies", "help", "/later 3 days"):
        assert word in third
    assert back.startswith("After safe, a facilitator makes a new link.")
    assert back.endswith(f"rm {demo.data}/demo.*")


def test_a_facilitator_is_told_of_manage_and_lets_somebody_in_again(demo: Demo) -> None:
    locked = demo.chat("safe", "Mirela:", "1", speak_as="Pilo,Mirela")
    assert "Try: manage · allies" in locked.said
    (start,) = re.findall(r"/start \S{22}", locked.said)
    assert "Welcome back" in demo.chat(start).said


def test_each_line_is_shown_with_its_answer_until_one_leaves(demo: Demo) -> None:
    talk = demo.chat(
        "who knows about beneficial ownership?", "allies", "help", "exit", "not read any more", speak_as="Pilo"
    )
    assert (talk.code, talk.wrong) == (0, "")
    _, search, rest = re.split(r"^> who knows.*$|^> allies$", talk.said, flags=re.MULTILINE)
    allies, helped = rest.split("> help\n")
    assert re.search(r"\[1\] Meet \w+", search)
    assert "Jek" in allies
    assert "find" in helped
    assert "not read any more" not in talk.said
    assert "\x1b" not in talk.said


@pytest.mark.long
def test_who_reads_another_language_is_told_how_to_change_it(demo: Demo) -> None:
    assert "type: language" not in demo.chat(speak_as="Pilo").said
    hint = re.search(r"Sekar reads (\w+). To change that, type: language", demo.chat(speak_as="Sekar").said)
    assert hint is None or hint[1] == "Indonesian"  # whether its catalogue is complete is not known here


@pytest.mark.long
def test_leaving_words_inside_a_sentence_are_for_the_bot(demo: Demo) -> None:
    talk = demo.chat("exit interviews", "help")
    assert "> help" in talk.said


def test_a_name_that_nobody_has_ends_with_a_sentence_and_code_2(demo: Demo) -> None:
    talk = demo.chat(speak_as="Bonr")
    assert talk.code == 2
    assert talk.said == ""
    assert talk.wrong == "Nobody in the demo is called Bonr. Did you mean Bonar?\n"
    assert demo.chat(speak_as="Zzzz").code == 2


def test_a_request_waits_for_somebody_who_is_not_there_and_its_buttons_work_after_restarts(demo: Demo) -> None:
    found = demo.chat("beneficial ownership", speak_as="Pilo")
    name = re.findall(r"\[\d+\] Meet (\S+)", found.said)[-1]
    sent = demo.chat(found.number(f"Meet {name}"), "1", speak_as="Pilo")
    assert "[1] Send" in sent.said
    assert f"Sent to {name}" in sent.said
    for _ in range(2):  # it waited; then it is shown once more, as a chat would
        there = demo.chat(speak_as=name)
        assert "Pilo" in there.said
        assert "[2]" in there.said
    assert "Pilo" in demo.chat("1", speak_as=name.upper()).said.split("> 1")[1]
    back = demo.chat("allies", speak_as="Pilo").said.split("> allies")
    assert name in back[0]
    assert name in back[1]


def test_several_people_at_one_keyboard_take_turns_and_each_message_names_its_reader(demo: Demo) -> None:
    talk = demo.chat("help", "Bonar: help", "help", "f01: help", "Note: help", speak_as="Sekar,Bonar")
    spoken = re.findall(r"^(\w+)> (.*)$", talk.said, flags=re.MULTILINE)
    assert spoken == [
        ("Sekar", "help"), ("Bonar", "help"), ("Bonar", "help"), ("Sekar", "help"), ("Sekar", "Note: help"),
    ]  # fmt: skip
    readers = re.findall(r"^To (\w+):$", talk.said, flags=re.MULTILINE)
    assert readers == ["Sekar", "Bonar", "Bonar", "Sekar", "Sekar"]


def test_a_newcomer_is_invited_once_and_goes_on_where_they_were(demo: Demo) -> None:
    first = demo.chat(speak_as="newcomer")
    assert re.search(r"^> /start [\w-]{22}$", first.said, flags=re.MULTILINE)
    assert "Mirela Duquenoy" in first.said
    consent = demo.chat(first.number("English"), speak_as="newcomer")
    assert "/start" not in consent.said
    assert "fictional" in consent.said.split("> ")[1]
    questions = demo.chat(consent.number("Agree"), "Sari", speak_as="new")
    assert "1 of 4" in questions.said
    assert "2 of 4" in questions.said
    assert "/start" in demo.chat(speak_as="newcomer2").said


@pytest.mark.long
def test_later_moves_the_clock_does_what_is_due_and_lasts(demo: Demo) -> None:
    lines = ("beneficial ownership", "1", "1", "/later", "/later 2 minutes", "/later 9 days", "/later in 900 days")
    later = demo.chat(*lines, speak_as="Pilo")
    assert later.code == 0
    assert later.said.count("Say how much later") == 2
    closing = later.said.split("> /later 9 days")[1]
    assert "did not come together" in closing
    assert "It is " in closing
    assert "put forward" in demo.chat().said
    name = re.findall(r"\[1\] Meet (\S+)", later.said)[0]
    demo.chat("1", speak_as=name)  # a yes to the reminder comes too late
    assert name not in demo.chat("allies", speak_as="Pilo").said.split("> allies")[1]


@pytest.mark.long
def test_time_that_was_put_forward_is_no_outage(demo: Demo) -> None:
    steps = ("manage", "Check-ins", "The usual: every second Monday", "Start it", "/later 16 days", "Sekar: kabar")
    said = demo.chat(*steps, speak_as="Mirela,Sekar").said
    assert said.count("Bot: well.") == 2
    assert "I was away" not in said
    assert "terlambat" not in said  # late


def test_the_demo_does_not_touch_the_configured_database(demo: Demo) -> None:
    (demo.folder / "config.toml").write_text(f'[bot]\ndatabase_url = "sqlite:///{demo.data}/demo.db"\n')
    talk = demo.chat()
    assert talk.code == 2
    assert "does not touch" in talk.wrong
    assert not demo.data.exists()
    (demo.folder / "config.toml").write_text(f'[bot]\ndatabase_url = "sqlite:///{demo.folder}/real.db"\n')
    assert demo.chat().code == 0
    assert not (demo.folder / "real.db").exists()


def test_words_that_would_steer_the_terminal_are_shown_harmless(demo: Demo) -> None:
    talk = demo.chat("\x1b]0;owned\x07 [red]legal[/red] \u202egnitfard")
    assert not set(talk.said) & set("\x1b\x07\u202e")
    assert "[red]legal[/red]" in talk.said


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_in_a_terminal_there_is_a_prompt_and_ctrl_d_leaves(demo: Demo) -> None:
    import pty
    import select
    import time

    keyboard, screen = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-m", "bot"],
        stdin=screen, stdout=screen, stderr=screen, cwd=demo.folder,
        env=demo.environment() | {"TERM": "xterm"}, close_fds=True,
    )  # fmt: skip
    os.close(screen)
    seen = b""

    def until(wanted: bytes, count: int = 1) -> None:
        nonlocal seen
        ends = time.monotonic() + 30
        while seen.count(wanted) < count:
            assert time.monotonic() < ends, seen.decode(errors="replace")
            if select.select([keyboard], [], [], 1)[0]:
                data = os.read(keyboard, 65536)
                seen += data
                if b"\x1b[6n" in data:  # where is the cursor? at the top left
                    os.write(keyboard, b"\x1b[1;1R")

    try:
        until(b"Pilo>")
        os.write(keyboard, b"allies\r")
        until(b"[1]")
        until(b"\x1b[?2004h", 2)  # the next prompt reads
        os.write(keyboard, b"\x04")
        assert ran.wait(timeout=20) == 0
    finally:
        ran.kill()
        ran.wait()
        os.close(keyboard)
