"""`manifest slack`: the address that it is given is one at which Slack may call and the bot listens."""

import argparse
import json
from pathlib import Path

import pytest

from bot.manifest import main


def printed(folder: Path, text: str, url: str | None, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code, what was printed, and what was said beside it."""
    file = folder / "config.toml"
    file.write_text(text)
    code = main(argparse.Namespace(config=str(file), admin=False, request_url=url))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    "url",
    [
        *("", "foo", "bot.example.org/slack/events", "http://bot.example.org/slack/events", "https:///slack/events"),
        *("https://bot.example.org", "https://bot.example.org/events", "https://bot.example.org/slack/events?a=b"),
        *("https://me:secret@bot.example.org/slack/events", "https://bot .example.org/slack/events"),
    ],
)
def test_an_address_that_cannot_work_is_refused(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, wrong = printed(tmp_path, "", url, capsys)
    assert (code, said) == (2, "")
    assert wrong.startswith("--request-url: write https://")
    assert "https://bot.example.org/slack/events" in wrong


@pytest.mark.parametrize("host", ["bot.example.org", "bot.example.org:8443", "bücher.example"])
def test_an_address_that_works_stands_in_it(host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"https://{host}/slack/events"
    code, said, wrong = printed(tmp_path, "", url, capsys)
    assert (code, wrong) == (0, "")
    assert json.loads(said)["features"]["slash_commands"][0]["url"] == url


def test_settings_for_http_and_a_manifest_for_socket_mode_do_not_pass_silently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, wrong = printed(tmp_path, '[slack]\nmode = "http"\n', None, capsys)
    assert (code, json.loads(said)["settings"]["socket_mode_enabled"]) == (0, True)
    assert "--request-url https://" in wrong
