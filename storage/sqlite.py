"""SQLite: one writer thread groups many jobs into one commit; long reads have a connection of their own."""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from storage.engine import Busy, Job, Result, Turn, as_json, busy, file_of
from storage.room import Room
from storage.unit_of_work import UnitOfWork

GROUP_JOBS = 64
GROUP_SECONDS = 0.010
BUSY_MILLISECONDS = 5000
STATEMENTS = 1000  # that stay prepared; with Python's 128 those of the path of an event push each other out
# What is no handler's fault: no space, no memory, a lock, a broken disk.
NOT_THE_JOB = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in (
        f"busy_timeout={BUSY_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL may lose the last commits when the power goes
        "foreign_keys=ON",
        "secure_delete=ON",
        "trusted_schema=OFF",
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


class _Waiting:
    """A job, and the future of whoever waits for it (nobody, when it runs on the caller's thread)."""

    __slots__ = ("error", "future", "job", "loop", "result")

    def __init__(self, job: Job[Any], loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.job = job
        self.loop = loop
        self.future: asyncio.Future[Any] | None = loop.create_future() if loop else None
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future is None or self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SqliteStore:
    """One writer thread drains the queue: many jobs, one commit, a savepoint around each job."""

    def __init__(self, url: str, *, inline: bool = False) -> None:
        memory = url in ("sqlite://", "sqlite:///:memory:")
        options: dict[str, Any] = {"poolclass": StaticPool} if memory else {"pool_size": 2}
        # AUTOCOMMIT: SQLAlchemy begins nothing by itself, so that every transaction is the BEGIN IMMEDIATE below.
        self.engine = sa.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False, "cached_statements": STATEMENTS},
            json_serializer=as_json,
            hide_parameters=True,  # errors are logged, and parameters are what people wrote
            **options,
        )
        sa.event.listen(self.engine, "connect", _prepare_sqlite)
        self.time: Callable[[], datetime] | None = None
        self.held: Callable[[float], None] | None = None
        self._inline = inline
        self._memory = memory
        self._connection: sa.Connection | None = None
        self._queues: tuple[deque[_Waiting], ...] = tuple(deque() for _ in Turn)
        self._wakes: list[Callable[[frozenset[str]], None]] = []
        self._ready = threading.Condition()
        self._using = threading.RLock()
        self._closing = False
        self._writer: threading.Thread | None = None
        self._reader = ThreadPoolExecutor(1, "kawan-reader")
        self._traces = False
        self.alone = True  # a lock beside the file sees to it
        self.longest_hold = 0.0
        file = file_of(url)
        self._room = Room(file) if file else None

    def keep_room(self) -> None:
        if self._room is not None:
            self._room.keep()

    def has_room(self) -> bool:
        return self._room is None or self._room.is_enough()

    def forget_wakes(self) -> None:
        """Nobody is to be woken any more: the bot that used this store is gone."""
        self._wakes.clear()

    def on_commit(self, wake: Callable[[frozenset[str]], None]) -> None:
        self._wakes.append(wake)

    async def listen(self) -> None:
        """Nobody else writes here."""

    async def run(self, job: Job[Result], turn: Turn = Turn.EVENT) -> Result:
        if self._inline:
            return self.now(job)
        waiting = _Waiting(job, asyncio.get_running_loop())
        with self._ready:
            if self._closing:
                raise Busy("the database is closing")
            if self._room is not None and self._room.given_up and turn is not Turn.RELAY:
                raise Busy("the disk is full")  # the last of it is for writing down what was sent
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="kawan-writer", daemon=True)
                self._writer.start()
            self._queues[turn].append(waiting)
            self._ready.notify()
        assert waiting.future is not None
        result: Result = await waiting.future
        return result

    async def read(self, job: Job[Result]) -> Result:
        if self._inline or self._memory:
            return self.now(job)
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read, job)

    def _read(self, job: Job[Result]) -> Result:
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only=ON")
            connection.exec_driver_sql("BEGIN")  # one snapshot for the whole read
            try:
                return job(UnitOfWork(connection, self.time))
            finally:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA query_only=OFF")

    def now(self, job: Job[Result]) -> Result:
        waiting = _Waiting(job)
        woken = self._commit(iter((waiting,)), [])
        if waiting.error is not None:
            raise waiting.error
        self._wake(woken)
        result: Result = waiting.result
        return result

    def close(self) -> None:
        with self._ready:
            self._closing = True
            self._ready.notify()
        if self._writer is not None:
            self._writer.join()
        self._reader.shutdown()
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()

    def _write(self) -> None:
        while True:
            with self._ready:
                while not self._closing and not any(self._queues):
                    self._ready.wait()
                if self._closing and not any(self._queues):
                    return
            done: list[_Waiting] = []
            woken = self._commit(self._group(), done)
            for loop in {waiting.loop for waiting in done if waiting.loop}:
                mine = [waiting for waiting in done if waiting.loop is loop]
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever waited
                    loop.call_soon_threadsafe(self._tell, mine, woken)

    def _tell(self, done: list[_Waiting], woken: frozenset[str]) -> None:
        for waiting in done:
            waiting.settle()
        self._wake(woken)

    def _wake(self, lanes: frozenset[str]) -> None:
        if lanes:
            for wake in self._wakes:
                wake(lanes)

    def _take(self, turns: Iterator[Turn] | None = None) -> _Waiting | None:
        with self._ready:
            for turn in turns or iter(Turn):
                if self._queues[turn]:
                    return self._queues[turn].popleft()
        return None

    def _group(self) -> Iterator[_Waiting]:
        """The next jobs of one commit: by turn, for at most 10 ms, but always one waiting relay job."""
        started = time.perf_counter()
        with self._ready:
            relay = self._queues[Turn.RELAY].popleft() if self._queues[Turn.RELAY] else None
        if relay is not None:
            yield relay
        for _ in range(GROUP_JOBS - 1):
            if time.perf_counter() - started > GROUP_SECONDS:
                return
            waiting = self._take()
            if waiting is None:
                return
            yield waiting

    def _commit(self, group: Iterator[_Waiting], done: list[_Waiting]) -> frozenset[str]:
        """Run the group in one transaction; a job that fails rolls back alone, a commit that fails fails them all."""
        with self._using:
            started = time.perf_counter()
            taken: list[_Waiting] = []
            units: list[UnitOfWork] = []
            try:
                connection = self._connection = self._connection or self.engine.connect()
                driver: Any = connection.connection.dbapi_connection
                driver.execute("BEGIN IMMEDIATE")
                try:
                    for waiting in group:
                        taken.append(waiting)
                        units += self._run_one(waiting, connection, driver)
                    driver.execute("COMMIT")
                except BaseException:
                    if driver.in_transaction:
                        driver.execute("ROLLBACK")
                    raise
            except BaseException as error:
                taken.extend(group if not taken else ())
                self._make_room(error)
                for waiting in taken:
                    waiting.error = busy(error) if isinstance(error, Exception) else error
                units.clear()
            if self._traces or any(unit.wiped for unit in units):
                self._leave_no_trace()
            done.extend(taken)
            hold = time.perf_counter() - started
            self.longest_hold = max(self.longest_hold, hold)
            if self.held is not None:
                self.held(hold)
            return frozenset(lane for unit in units for lane in unit.woken)

    def _run_one(self, waiting: _Waiting, connection: sa.Connection, driver: Any) -> list[UnitOfWork]:
        driver.execute("SAVEPOINT job")
        try:
            unit = UnitOfWork(connection, self.time)
            waiting.result = waiting.job(unit)
        except Exception as error:
            self._make_room(error)
            waiting.error = busy(error) if _is_not_the_job(error) else error
            driver.execute("ROLLBACK TO job")
            driver.execute("RELEASE job")
            return []
        driver.execute("RELEASE job")
        return [unit]

    def _make_room(self, error: BaseException) -> None:
        # Without space for its shared memory, SQLite speaks of a broken disk.
        if self._room is not None and _sqlite_code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            self._room.give_up_if_full()

    def _leave_no_trace(self) -> None:
        """After an erasure, empty the write-ahead log: it holds older copies of what was just overwritten."""
        assert self._connection is not None
        driver: Any = self._connection.connection.dbapi_connection
        self._traces = not self._memory
        if self._traces:
            # A reader may hold the log, and is not waited for: then the next commit tries again.
            driver.execute("PRAGMA busy_timeout=0")
            with contextlib.suppress(sqlite3.OperationalError):
                self._traces = bool(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
            driver.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")


def _is_not_the_job(error: Exception) -> bool:
    return _sqlite_code(error) in NOT_THE_JOB


def _sqlite_code(error: BaseException) -> int:
    """SQLite's primary result code of an error; 0 for what is none of its own."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return getattr(original, "sqlite_errorcode", 0) & 0xFF if isinstance(original, sqlite3.Error) else 0
