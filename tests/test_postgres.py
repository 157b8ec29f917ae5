"""The PostgreSQL that the tests start themselves: it answers, and goes with its run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import postgres

OWNER = """
import sys, time
from tests import postgres
postgres.DEBIAN = postgres.Path(sys.argv[1])
run = postgres.Run.begin()
print(run.folder, postgres.server(), flush=True)
if sys.argv[2] == "stay":
    time.sleep(60)
run.end()
"""


def start_owner(installed: Path, then: str) -> tuple[subprocess.Popen[str], Path, str]:
    environment = {name: value for name, value in os.environ.items() if name != postgres.GIVEN}
    command = [sys.executable, "-c", OWNER, str(installed), then]
    owner = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    with owner.stdout:
        folder, url = owner.stdout.readline().split()
    return owner, Path(folder), url


def comes_true(condition: Callable[[], bool], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not condition():
        time.sleep(0.05)
    return condition()


def test_a_database_begins_empty_and_in_utf_8(postgresql_url: str) -> None:
    name = f"kawan_empty_{os.getpid()}"
    with postgres.database(postgresql_url, name) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_a_database_is_gone_after_its_use(postgresql_url: str) -> None:
    with postgres.database(postgresql_url, f"kawan_brief_{os.getpid()}") as url:
        left_open = psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")
    left_open.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


@pytest.mark.parametrize("installed", [postgres.DEBIAN, Path("/nowhere")], ids=["installed", "from the wheel"])
def test_a_server_ends_with_its_run(installed: Path) -> None:
    if installed == postgres.DEBIAN and not installed.exists():
        pytest.skip("no PostgreSQL is installed here")
    owner, folder, _ = start_owner(installed, "end")
    assert owner.wait(30) == 0
    assert comes_true(lambda: not folder.exists())


def test_a_killed_run_leaves_no_server_behind() -> None:
    owner, folder, url = start_owner(postgres.DEBIAN, "stay")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait(30)
    assert comes_true(lambda: not folder.exists())
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
