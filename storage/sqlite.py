"""SQLite: many jobs to a commit, on the event loop's thread; a commit and long reads wait for the disk on others."""

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
BUSY_PAUSE = 0.02  # seconds
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

    __slots__ = ("error", "future", "job", "result")

    def __init__(self, job: Job[Any], future: asyncio.Future[Any] | None = None) -> None:
        self.job = job
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future is None or self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class _Group:
    """The jobs of one transaction, and what became of it."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.taken: list[_Waiting] = []
        self.units: list[UnitOfWork] = []  # of the jobs that did not fail
        self.error: BaseException | None = None

    @property
    def woken(self) -> frozenset[str]:
        return frozenset(lane for unit in self.units for lane in unit.woken)

    @property
    def wiped(self) -> bool:
        return any(unit.wiped for unit in self.units)

    def fail(self, error: BaseException) -> None:
        """Nothing of it is kept."""
        self.error = error
        self.units.clear()
        for waiting in self.taken:
            waiting.error = busy(error) if isinstance(error, Exception) else error


class SqliteStore:
    """A queue of jobs, and one connection that writes: a savepoint around each job, a commit around many.

    The jobs run on the event loop's thread. Python runs one thread at a time: with a writer thread, the two handed the
    interpreter to and fro at each statement, which took up to a sixth of a command's processor time. The loop does not
    wait, either: a commit waits for the disk on a thread, and a lock of another process is asked for again later.
    """

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
        self._using = threading.Lock()  # from BEGIN to COMMIT; not always let go by the thread that took it
        self._closing = False
        self._writing: asyncio.Task[None] | None = None
        self._disk = ThreadPoolExecutor(1, "kawan-disk")
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
        if self._closing:
            raise Busy("the database is closing")
        if self._room is not None and self._room.given_up and turn is not Turn.RELAY:
            raise Busy("the disk is full")  # the last of it is for writing down what was sent
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queues[turn].append(_Waiting(job, future))
        if self._writing is None or self._writing.done() or self._writing.get_loop() is not loop:
            self._writing = loop.create_task(self._write())
        return await future

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
        group = self._commit(iter((waiting,)))
        if waiting.error is not None:
            raise waiting.error
        self._wake(group.woken)
        result: Result = waiting.result
        return result

    def close(self) -> None:
        """Do what was asked before, and nothing more."""
        self._closing = True
        while any(self._queues):
            for waiting in self._commit(self._next()).taken:
                assert waiting.future is not None
                with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever waited
                    waiting.future.get_loop().call_soon_threadsafe(waiting.settle)
        self._disk.shutdown()
        self._reader.shutdown()
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()

    async def _write(self) -> None:
        """One transaction after the other, as long as jobs wait."""
        loop = asyncio.get_running_loop()
        while any(self._queues):
            try:
                await self._begin()
            except Exception as error:
                group = self._refused(error, self._next())
            else:
                group = self._do(self._next())
                # Whoever ends the loop does not end the commit.
                await asyncio.shield(loop.run_in_executor(self._disk, self._end_and_let_go, group))
            for waiting in group.taken:
                waiting.settle()
            self._wake(group.woken)

    def _wake(self, lanes: frozenset[str]) -> None:
        if lanes:
            for wake in self._wakes:
                wake(lanes)

    def _next(self) -> Iterator[_Waiting]:
        """The next jobs of one commit: by turn, for at most 10 ms, but always one waiting relay job."""
        started = time.perf_counter()
        if self._queues[Turn.RELAY]:
            yield self._queues[Turn.RELAY].popleft()
        for _ in range(GROUP_JOBS - 1):
            waits = next((queue for queue in self._queues if queue), None)
            if waits is None or time.perf_counter() - started > GROUP_SECONDS:
                return
            yield waits.popleft()

    async def _begin(self) -> None:
        """Begin a transaction; the loop goes on while another process writes. Raises when that lasts too long."""
        give_up = time.perf_counter() + BUSY_MILLISECONDS / 1000
        while (why := self._cannot_begin()) is not None:
            if time.perf_counter() > give_up:
                raise why
            await asyncio.sleep(BUSY_PAUSE)

    def _cannot_begin(self) -> BaseException | None:
        """Begin a transaction at once, or say why not yet."""
        if not self._using.acquire(blocking=False):
            return Busy("another thread writes")
        try:
            with _not_waiting(self._driver()) as driver:
                driver.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._using.release()
            if _sqlite_code(error) != sqlite3.SQLITE_BUSY:
                raise
            return error
        return None

    def _commit(self, jobs: Iterator[_Waiting]) -> _Group:
        """All of a transaction on this thread, which SQLite keeps waiting while others write."""
        with self._using:
            try:
                self._driver().execute("BEGIN IMMEDIATE")
            except Exception as error:
                return self._refused(error, jobs)
            group = self._do(jobs)
            self._end(group)
            return group

    def _driver(self) -> Any:
        self._connection = self._connection or self.engine.connect()
        return self._connection.connection.dbapi_connection

    def _refused(self, error: Exception, jobs: Iterator[_Waiting]) -> _Group:
        """No transaction could be begun."""
        group = _Group()
        group.taken += jobs
        self._make_room(error)
        group.fail(error)
        return group

    def _do(self, jobs: Iterator[_Waiting]) -> _Group:
        """Run the jobs in the transaction that was begun; a job that fails rolls back alone."""
        group = _Group()
        try:
            for waiting in jobs:
                group.taken.append(waiting)
                self._do_one(group, waiting)
        except BaseException as error:
            self._lose(group, error)
        return group

    def _do_one(self, group: _Group, waiting: _Waiting) -> None:
        assert self._connection is not None
        driver = self._driver()
        driver.execute("SAVEPOINT job")
        try:
            unit = UnitOfWork(self._connection, self.time)
            waiting.result = waiting.job(unit)
        except Exception as error:
            self._make_room(error)
            waiting.error = busy(error) if _is_not_the_job(error) else error
            driver.execute("ROLLBACK TO job")
            driver.execute("RELEASE job")
            return
        driver.execute("RELEASE job")
        group.units.append(unit)

    def _end_and_let_go(self, group: _Group) -> None:
        try:
            self._end(group)
        finally:
            self._using.release()

    def _end(self, group: _Group) -> None:
        """Commit, unless all is lost already; a commit that fails fails every job."""
        try:
            if group.error is None:
                self._driver().execute("COMMIT")
        except BaseException as error:
            self._lose(group, error)
        if self._traces or group.wiped:
            self._leave_no_trace()
        hold = time.perf_counter() - group.started
        self.longest_hold = max(self.longest_hold, hold)
        if self.held is not None:
            self.held(hold)

    def _lose(self, group: _Group, error: BaseException) -> None:
        group.fail(error)
        with contextlib.suppress(sqlite3.Error):  # of a broken disk; what is told is the first error
            if self._driver().in_transaction:
                self._driver().execute("ROLLBACK")
        self._make_room(error)

    def _make_room(self, error: BaseException) -> None:
        # Without space for its shared memory, SQLite speaks of a broken disk.
        if self._room is not None and _sqlite_code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            self._room.give_up_if_full()

    def _leave_no_trace(self) -> None:
        """After an erasure, empty the write-ahead log: it holds older copies of what was just overwritten."""
        self._traces = not self._memory
        if self._traces:
            # A reader may hold the log, and is not waited for: then the next commit tries again.
            with _not_waiting(self._driver()) as driver, contextlib.suppress(sqlite3.OperationalError):
                self._traces = bool(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


@contextlib.contextmanager
def _not_waiting(driver: Any) -> Iterator[Any]:
    """Whoever else uses the file is not waited for."""
    driver.execute("PRAGMA busy_timeout=0")
    try:
        yield driver
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")


def _is_not_the_job(error: Exception) -> bool:
    return _sqlite_code(error) in NOT_THE_JOB


def _sqlite_code(error: BaseException) -> int:
    """SQLite's primary result code of an error; 0 for what is none of its own."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return getattr(original, "sqlite_errorcode", 0) & 0xFF if isinstance(original, sqlite3.Error) else 0
