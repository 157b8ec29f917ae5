"""What a database is to the rest: one way in, `run(job, turn)`; SQLite and PostgreSQL each have a file of their own."""

import json
from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from storage.unit_of_work import UnitOfWork

Result = TypeVar("Result")
Job = Callable[[UnitOfWork], Result]

ALL_LANES = frozenset({"*"})  # what is told when nobody knows which lanes have new rows


class Turn(IntEnum):
    """Whose job goes first when several wait."""

    EVENT = 0
    RELAY = 1
    TICK = 2
    BULK = 3


class Busy(Exception):
    """The database cannot take this job now; the platform is asked to deliver the event again."""


class Store(Protocol):
    """A database. A job is a plain function of a UnitOfWork; it is one transaction, or nothing."""

    # Where time is simulated: what the database's clock says.
    time: Callable[[], datetime] | None
    # Told for how many seconds each transaction held the writer, on the thread that committed.
    held: Callable[[float], None] | None
    # No other process sends what is in this database: whoever owned a lane before is dead.
    alone: bool

    @property
    def engine(self) -> sa.Engine: ...

    async def run(self, job: Job[Result], turn: Turn = Turn.EVENT) -> Result:
        """Run one job in a transaction of its own; raises what the job raises, after rolling it back."""
        ...

    async def read(self, job: Job[Result]) -> Result:
        """Run a long read beside the writers; it cannot write."""
        ...

    def now(self, job: Job[Result]) -> Result:
        """Run one job on this very thread: command-line verbs, tests, simulations."""
        ...

    def on_commit(self, wake: Callable[[frozenset[str]], None]) -> None:
        """Call `wake` with the lanes that have new rows, after each commit that queued some."""
        ...

    async def listen(self) -> None:
        """Wake also for what other processes commit, until cancelled; without any, there is nothing to hear."""
        ...

    def keep_room(self) -> None:
        """Keep space in reserve for the case that the disk is full."""
        ...

    def has_room(self) -> bool:
        """Is there space to write down what becomes of more messages?"""
        ...

    def forget_wakes(self) -> None:
        """Wake nobody any more."""
        ...

    def close(self) -> None: ...


def open_store(url: str, *, inline: bool = False) -> Store:
    """A store for `sqlite:///file`, `sqlite://` (in memory) or `postgresql://…`.

    With `inline`, every job runs on the caller's thread: tests, simulations, command-line verbs.
    """
    # Imported here: each of the two needs the names above, and a programme needs only one of them.
    if url.startswith("sqlite"):
        from storage.sqlite import SqliteStore

        return SqliteStore(url, inline=inline)
    if url.startswith("postgres"):
        from storage.postgresql import PostgresStore

        return PostgresStore(url, inline=inline)
    raise ValueError("database_url must begin with sqlite:/// or postgresql://")


def as_json(value: Any) -> str:
    """JSON as both databases get it: letters stay letters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def busy(error: BaseException) -> Busy:
    """What whoever waits is told; only the kind of error, since the rest may quote what people wrote."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None) or ""
    return Busy(f"the database did not take it: {type(original).__name__} {code}".rstrip())


def file_of(url: str) -> Path | None:
    """The file of a SQLite address, or None."""
    path = sa.make_url(url).database if url.startswith("sqlite") else None
    return Path(path) if path and path != ":memory:" else None
