"""`python3 -m bot invite`: a code that lets somebody in, and the databases that it does not touch."""

import argparse
import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import migrate, resume
from bot.core.clock import SetClock
from bot.core.ids import SeededIds, code_hash
from bot.invite import COHORT, main
from bot.settings import SettingsError
from storage import open_store
from storage.migrate import upgrade
from tests.adapters.slack_server import APP_TOKEN, BOT_TOKEN
from tests.adapters.telegram_server import TelegramServer
from tests.chat import START
from tests.program import TOKEN

SLACK = f'[slack]\nenabled = true\nbot_token = "{BOT_TOKEN}"\napp_token = "{APP_TOKEN}"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings with a database of their own."""
    file = tmp_path / "config.toml"
    file.write_text(f'[bot]\ndatabase_url = "sqlite:///{tmp_path / "kawan.db"}"\n[programme]\nname = "Reform Asia"\n')
    file.chmod(0o600)
    return file


def invite(config: Path, **asked: Any) -> int:
    """Run the verb."""
    words = {"config": str(config), "role": "facilitator", "uses": 1, "days": 14, **asked}
    return main(argparse.Namespace(**words), clock=SetClock(START), ids=SeededIds(1))


def test_it_makes_the_cohort_and_prints_a_code_that_works(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invite(config) == 0
    shown = re.search(r"/start (\S{22})", capsys.readouterr().out)
    assert shown is not None
    store = open_store(f"sqlite:///{config.parent / 'kawan.db'}", inline=True)
    found = store.now(lambda unit: unit.invites.find(code_hash(shown[1]), START))
    cohort = store.now(lambda unit: unit.members.cohort_named(COHORT))
    store.close()
    assert found is not None
    assert (found.role, found.uses, found.cohort_id) == ("facilitator", 1, cohort)


def test_a_second_invitation_is_for_the_same_cohort(config: Path) -> None:
    assert invite(config) == 0
    assert main(
        argparse.Namespace(config=str(config), role="fellow", uses=3, days=7), clock=SetClock(START), ids=SeededIds(2)
    ) == 0  # fmt: skip
    store = open_store(f"sqlite:///{config.parent / 'kawan.db'}", inline=True)
    found = store.now(lambda unit: unit.invites.open_in(unit.members.cohort_named(COHORT) or 0, START))
    store.close()
    assert sorted((one.role, one.uses) for one in found) == [("facilitator", 1), ("fellow", 3)]


def test_the_demos_database_is_not_touched(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{config.parent / 'kawan.db'}"
    upgrade(url)
    store = open_store(url, inline=True)
    store.now(lambda unit: unit.members.set_fact("demo", "yes"))
    assert invite(config) == 1
    assert "This is the demo's database" in capsys.readouterr().err
    assert store.now(lambda unit: unit.members.cohort_named(COHORT)) is None
    store.close()


@pytest.mark.parametrize("verb", [main, migrate.main, resume.main])
@pytest.mark.parametrize("text", [None, "", "# nothing yet\n"])
def test_without_settings_a_verb_says_so_and_makes_nothing(
    verb: Callable[[argparse.Namespace], int], text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KAWAN_") and "__" in name]:
        monkeypatch.delenv(name)
    if text is not None:
        (tmp_path / "config.toml").write_text(text)
    with pytest.raises(SettingsError, match="There are no settings here"):
        verb(argparse.Namespace(config=None, role="fellow", uses=1, days=14))
    assert [path.name for path in tmp_path.iterdir()] == ([] if text is None else ["config.toml"])


@pytest.mark.parametrize("asked", [{"uses": 0}, {"uses": 2}, {"days": 0}, {"days": 4000}])
def test_what_cannot_be_is_refused(config: Path, asked: dict[str, int]) -> None:
    assert invite(config, **asked) == 2
    assert not (config.parent / "kawan.db").exists()


def test_it_says_how_it_is_used_on_each_platform(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def go() -> None:
        async with TelegramServer(TOKEN).running() as server:
            more = f'[telegram]\nenabled = true\ntoken = "{TOKEN}"\napi_url = "{server.url}"\n' + SLACK
            config.write_text(config.read_text() + more)
            assert await asyncio.to_thread(invite, config, role="fellow") == 0

    asyncio.run(go())
    shown = capsys.readouterr().out
    link = re.search(r"https://t\.me/kawan_test_bot\?start=(\S{22})", shown)
    assert link is not None
    assert f"start {link[1]}" in shown.partition("On Slack")[2]
    assert "█" in shown  # the link as a QR code


def test_without_telegram_in_reach_the_line_to_send_is_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = f'[telegram]\nenabled = true\ntoken = "{TOKEN}"\napi_url = "http://127.0.0.1:1"\n'
    config.write_text(config.read_text() + more)
    assert invite(config) == 0
    assert re.search(r"/start \S{22}", capsys.readouterr().out)
