"""What the README shows works as it says: every command, and the transcript word for word."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import VERBS

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(words: list[str], folder: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    """`python3 -m bot …` in a folder of its own."""
    environment = os.environ | {
        "KAWAN_NO_BOOTSTRAP": "1",
        "KAWAN_BOT__DATA_DIR": str(folder / "data"),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=folder,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def commands() -> list[str]:
    """Each `python3 -m bot …` of the code blocks and of the text."""
    found = re.findall(r"python3 -m bot[^`\n]*", README)
    return list(dict.fromkeys(line.strip() for line in found))


def test_every_command_names_a_verb_that_exists() -> None:
    verbs = {verb.name for verb in VERBS}
    shown = {words[3] for line in commands() if len(words := line.split()) > 3}
    assert shown <= verbs
    assert {"test", "setup", "doctor", "run", "invite", "chat"} <= shown


# `test` would begin itself anew; `setup` and `run` need platforms: test_setup.py and test_both_platforms.py run them.
ELSEWHERE = {"test", "setup", "run"}


@pytest.mark.parametrize("line", [line for line in commands() if not ELSEWHERE & set(line.split())])
def test_every_command_runs(line: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text((ROOT / "config.example.toml").read_text(encoding="utf-8"), encoding="utf-8")
    done = run(line.split()[3:], tmp_path, typed="help\n")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.strip()


def test_the_transcript_is_a_real_one(tmp_path: Path) -> None:
    match = re.search(r"```transcript (--as \w+)\n(.*?)```", README, re.DOTALL)
    assert match is not None
    told = match[2].strip()
    typed = [line[2:] for line in told.splitlines() if line.startswith("> ")]
    assert len(typed) >= 2
    done = run(["chat", *match[1].split()], tmp_path, typed="\n".join(typed) + "\n")
    said = done.stdout.split("\n\n", 1)[1].strip()
    assert said == told
