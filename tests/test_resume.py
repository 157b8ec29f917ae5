"""`resume`: the operator believes the clock, and only when it was doubted."""

import argparse
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.resume import main
from storage import open_store
from storage.migrate import upgrade


def config(folder: Path) -> tuple[str, argparse.Namespace]:
    url = f"sqlite:///{folder / 'kawan.db'}"
    (folder / "config.toml").write_text(f'[bot]\ndatabase_url = "{url}"\n')
    return url, argparse.Namespace(config=str(folder / "config.toml"))


@pytest.mark.parametrize("days", [-400, -31, 31, 400])
def test_a_doubted_clock_is_believed_again(tmp_path: Path, days: int, capsys: pytest.CaptureFixture[str]) -> None:
    url, args = config(tmp_path)
    upgrade(url)
    now = SystemClock().now()
    with contextlib.closing(open_store(url, inline=True)) as store:
        store.now(lambda unit: unit.outages.look(now + timedelta(days=days)))
        assert main(args) == 0
        assert "the bot goes on" in capsys.readouterr().out
        last = store.now(lambda unit: unit.outages.last_look())
        assert last is not None
        assert abs(last - now) < timedelta(hours=1)
        assert main(args) == 0
        assert "Nothing was stopped" in capsys.readouterr().out


def test_without_a_database_there_is_nothing_to_resume(tmp_path: Path) -> None:
    _, args = config(tmp_path)
    assert main(args) == 0
    assert not (tmp_path / "kawan.db").exists()
