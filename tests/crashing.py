"""A PostgreSQL server that a test may crash: its own, with commits that last, and started again on the same files."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from tests import postgres


@dataclass
class PostgresqlServer:
    """`crashes()` is what a power cut of the server is to its clients: at once, and without a last word."""

    folder: Path
    binaries: Path
    crashed: int = 0

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.folder / 'data'), safe='')}"

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> "AsyncIterator[PostgresqlServer]":
        folder = Path(tempfile.mkdtemp(prefix="kawan-crash-", dir="/tmp" if os.geteuid() == 0 else None))
        folder.chmod(0o755)
        server = cls(folder, next(postgres._binaries(folder)))
        try:
            postgres._start_with(server.binaries, folder)
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET synchronous_commit = on")  # what was promised must last
                connection.execute("SELECT pg_reload_conf()")
            yield server
        finally:
            server._signal(signal.SIGQUIT)
            shutil.rmtree(folder, ignore_errors=True)

    def _signal(self, which: signal.Signals) -> None:
        process = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        os.kill(process, which)
        while Path(f"/proc/{process}").exists() and "Z" not in Path(f"/proc/{process}/stat").read_text().split()[2]:
            time.sleep(0.02)

    async def crashes(self) -> None:
        """An immediate shutdown, or the death of the first process; then it starts again and recovers."""
        which = signal.SIGKILL if self.crashed % 2 else signal.SIGQUIT
        self.crashed += 1
        await asyncio.to_thread(self._signal, which)
        await asyncio.sleep(1)
        for _ in range(60):
            words = [str(self.binaries / "pg_ctl"), "-D", "data", "-l", "data/log", "-w", "-t", "60", "start"]
            done = await asyncio.create_subprocess_exec(
                *words, cwd=self.folder, env=postgres._surroundings(), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **postgres._unprivileged(),
            )  # fmt: skip
            if await done.wait() == 0:
                return
            await asyncio.sleep(1)  # processes of the dead one may not have gone yet
        raise AssertionError("PostgreSQL does not start again")
