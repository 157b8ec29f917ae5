"""PostgreSQL: one transaction a job on a pool of connections; deadlocks are tried again."""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from storage.engine import ALL_LANES, Busy, Job, Result, Turn, as_json, busy
from storage.unit_of_work import UnitOfWork

POOL = 10
TRIES = 3
PAUSE_SECONDS = 0.02
LISTEN_AGAIN = 5.0
CHANNEL = "kawan_lanes"
_TELL = sa.text("SELECT pg_notify(:channel, :what)")
TRY_AGAIN = ("40001", "40P01")  # serialisation failure, deadlock


def _prepare_postgres(connection: Any, _record: object) -> None:
    connection.autocommit = True
    connection.execute("SET lock_timeout = '5s'")
    # Of a process that stands still in the midst of a job, whose locks would keep every other one waiting.
    connection.execute("SET idle_in_transaction_session_timeout = '15s'")
    connection.autocommit = False


class PostgresStore:
    """One transaction a job on a pool of connections; serialisation failures and deadlocks are tried again."""

    def __init__(self, url: str, *, inline: bool = False) -> None:
        _, _, rest = url.partition("://")
        self.engine = sa.create_engine(
            f"postgresql+psycopg://{rest}",
            pool_size=POOL,
            max_overflow=0,
            pool_timeout=5,
            json_serializer=as_json,
            hide_parameters=True,  # errors are logged, and parameters are what people wrote
        )
        sa.event.listen(self.engine, "connect", _prepare_postgres)
        self.time: Callable[[], datetime] | None = None
        self.held: Callable[[float], None] | None = None
        self._url = f"postgresql://{rest}"
        self._name = f"{socket.gethostname()}.{os.getpid()}.{id(self):x}"
        self._inline = inline
        self.alone = inline
        self._closing = False
        self._threads = ThreadPoolExecutor(POOL, "kawan-postgresql")
        self._wakes: list[Callable[[frozenset[str]], None]] = []

    def keep_room(self) -> None:
        """The server keeps its own."""

    def has_room(self) -> bool:
        return True

    def forget_wakes(self) -> None:
        """Nobody is to be woken any more: the bot that used this store is gone."""
        self._wakes.clear()

    def on_commit(self, wake: Callable[[frozenset[str]], None]) -> None:
        self._wakes.append(wake)

    async def listen(self) -> None:
        """Wake for what other processes commit, until cancelled; each time the connection is back, for everything."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._wake(ALL_LANES)  # what was told while nobody listened
                    async for told in connection.notifies():
                        who, _, lane = told.payload.partition(" ")
                        if who != self._name:
                            self._wake(frozenset((lane,)))
            except psycopg.Error:
                await asyncio.sleep(LISTEN_AGAIN)

    def _tell_others(self, connection: sa.Connection, lanes: set[str]) -> None:
        """With the commit, the owners of these lanes hear of it, in whatever process they are."""
        for lane in sorted(lanes):
            connection.execute(_TELL, {"channel": CHANNEL, "what": f"{self._name} {lane}"})

    async def run(self, job: Job[Result], turn: Turn = Turn.EVENT) -> Result:
        if self._inline:
            return self.now(job)
        if self._closing:
            raise Busy("the database is closing")
        result, woken = await asyncio.get_running_loop().run_in_executor(self._threads, self._transact, job)
        self._wake(woken)
        return result

    async def read(self, job: Job[Result]) -> Result:
        if self._inline:
            return self.now(job)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, job)

    def _read(self, job: Job[Result]) -> Result:
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return job(UnitOfWork(connection, self.time))

    def now(self, job: Job[Result]) -> Result:
        result, woken = self._transact(job)
        self._wake(woken)
        return result

    def _wake(self, lanes: frozenset[str]) -> None:
        if lanes:
            for wake in self._wakes:
                wake(lanes)

    def _transact(self, job: Job[Result]) -> tuple[Result, frozenset[str]]:
        for tries in range(TRIES):
            try:
                with self.engine.begin() as connection:
                    began = time.perf_counter()
                    unit = UnitOfWork(connection, self.time)
                    result = job(unit)
                    self._tell_others(connection, unit.woken)
                if self.held is not None:
                    self.held(time.perf_counter() - began)
                return result, frozenset(unit.woken)
            except NoConnection as error:
                raise busy(error) from error
            except DBAPIError as error:
                again = getattr(error.orig, "sqlstate", None) in TRY_AGAIN or error.connection_invalidated
                if not again and not isinstance(error, OperationalError):
                    raise
                if not again or tries == TRIES - 1:
                    raise busy(error) from error
                time.sleep(PAUSE_SECONDS)  # let the other one finish first
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._closing = True
        self._threads.shutdown()
        self.engine.dispose()
