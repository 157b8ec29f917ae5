"""Twenty real starts, each killed right after its commit: every reply leaves exactly once, from the next start."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from benchmarks import kill
from bot.core.ids import decode
from storage import UnitOfWork
from storage.migrate import upgrade
from tests.simulation.checker import check
from tests.simulation.history import Line
from tests.simulation.tables import at_the_end

ROOT = Path(__file__).resolve().parent.parent
STARTS = 20
# What waits from the start before is delivered first; then an event is taken in, and its commit is the last thing done.
START = """
import asyncio, sys
from pathlib import Path
from benchmarks import kill
from bot.content import load
from bot.core.programme import Programme

url, sent, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
content = load()
programme = Programme(content=content, understanding=content.understanding())
if number:
    kill._once_more(url, sent, programme, kill._event(number - 1))
kill._until_killed(url, sent, programme, kill._event(number))
"""


def start(url: str, sent: Path, number: int) -> int:
    """One process of the bot; its exit code."""
    words = [sys.executable, "-c", START, url, str(sent), str(number)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(words, env=environment, cwd=ROOT, timeout=60, check=False).returncode


def history(unit: UnitOfWork, delivered: list[str]) -> list[Line]:
    """What happened, for the simulation's checker: every event acknowledged once, and what arrived."""
    c = unit.connection
    rows = {key: (seq, lane) for key, seq, lane in c.execute(sa.text("SELECT key, seq, lane FROM outbox"))}
    lines = list(at_the_end(lambda sql: c.execute(sa.text(sql)), 0.0))
    for (event,) in c.execute(sa.text("SELECT external_id FROM inbox")):
        came = {"said": True, "failed": False, "leaves": False, "audited": False}
        lines += [{"type": "ok", "f": "deliver", "event": event}]
        lines += [{"type": "info", "f": "effect", "event": event, **came}]
    for place, key in enumerate(delivered):
        message, lane = rows[decode(key) or b""]
        about = {"message": message, "edit": False, "lane": lane, "to": "dm:U1", "once": False, "own": True}
        about["at"] = 10.0 * place  # seconds; each left in a process of its own
        lines += [{"type": "invoke", "f": "send", **about}, {"type": "info", "f": "seen", **about}]
    return lines


def test_twenty_starts_that_are_killed_lose_and_double_no_reply(tmp_path: Path) -> None:
    url, sent = f"sqlite:///{tmp_path / 'kill.db'}", tmp_path / "sent"
    upgrade(url)
    kill._with(url, kill._join)
    assert [start(url, sent, number) for number in range(STARTS)] == [-signal.SIGKILL] * STARTS
    counts = kill._replies(url, sent)
    assert counts == Counter({f"e{number}": 1 for number in range(STARTS - 1)})
    delivered = sent.read_text().split()
    found = kill._with(url, lambda unit: history(unit, delivered))
    assert [(one.invariant, one.why) for one in check(found, tell=())] == [("I1", "is queued at the end")]  # the last
    lost = kill._with(url, lambda unit: history(unit, delivered[1:]))
    assert "is sent, but stands on no screen" in [one.why for one in check(lost, tell=())]


def test_the_benchmark_counts_what_is_lost_and_doubled() -> None:
    assert kill.run(["--kills", "3"]) == {"kills": 3, "lost": 0, "doubled": 0}
