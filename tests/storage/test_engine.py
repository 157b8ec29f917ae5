"""Transactions: many jobs to one commit on SQLite, tries on PostgreSQL, and Busy when a database cannot take a job."""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import Busy, Store, Turn, UnitOfWork, open_store
from storage.base import Moment, as_microseconds
from storage.engine import file_of
from storage.members import meta
from storage.outbox import outbox
from storage.postgresql import PostgresStore
from storage.sqlite import SqliteStore
from tests.storage.people import LANE, NOW, new_row

on_sqlite = pytest.mark.parametrize("threaded_store", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("threaded_store", ["postgresql"], indirect=True)


def writes(key: str, value: str = "x") -> Callable[[UnitOfWork], None]:
    return lambda unit: unit.members.set_fact(key, value)


def reads(store: Store, key: str) -> str | None:
    return store.now(lambda unit: unit.members.fact(key))


def fails(unit: UnitOfWork) -> None:
    unit.members.set_fact("failed", "x")
    raise LookupError("a handler's mistake")


def begins(store: Store) -> list[str]:
    """Every BEGIN and COMMIT from now on, as SQLite's own trace sees them."""
    assert isinstance(store, SqliteStore)
    store.now(lambda unit: None)
    assert store._connection is not None
    seen: list[str] = []
    driver: Any = store._connection.connection.dbapi_connection
    driver.set_trace_callback(lambda said: seen.append(said) if said.startswith(("BEGIN", "COMMIT")) else None)
    return seen


async def turns_of_the_loop(waiting: asyncio.Future[None]) -> int:
    """How many turns the loop has until it is done."""
    turns = 0
    while not waiting.done():
        await asyncio.sleep(0.001)
        turns += 1
    return turns


def test_what_a_job_returns_comes_back_after_its_commit(threaded_store: Store) -> None:
    async def go() -> str | None:
        await threaded_store.run(writes("a", "1"))
        return await threaded_store.run(lambda unit: unit.members.fact("a"))

    assert asyncio.run(go()) == "1"
    assert reads(threaded_store, "a") == "1"


def test_a_job_that_fails_leaves_nothing_and_says_why(threaded_store: Store) -> None:
    with pytest.raises(LookupError, match="a handler's mistake"):
        asyncio.run(threaded_store.run(fails))
    assert reads(threaded_store, "failed") is None


@on_sqlite
def test_many_jobs_are_one_commit_and_a_failing_one_rolls_back_alone(threaded_store: Store) -> None:
    said = begins(threaded_store)

    async def go() -> list[Any]:
        jobs = [threaded_store.run(writes(f"n{n}") if n != 7 else fails) for n in range(40)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    results = asyncio.run(go())
    assert [n for n, result in enumerate(results) if result is not None] == [7]
    assert isinstance(results[7], LookupError)
    assert reads(threaded_store, "failed") is None
    assert all(reads(threaded_store, f"n{n}") == "x" for n in range(40) if n != 7)
    assert said.index("COMMIT") > 0
    assert 1 <= sum(one == "COMMIT" for one in said) - 40 <= 8  # the 40 reads above are one commit each


@on_sqlite
def test_a_commit_that_fails_fails_every_job_of_its_group(threaded_store: Store) -> None:
    assert isinstance(threaded_store, SqliteStore)

    def breaks(unit: UnitOfWork) -> None:
        driver: Any = unit.connection.connection.dbapi_connection
        driver.execute("ROLLBACK")  # as SQLite does by itself when the disk is full

    async def go() -> list[Any]:
        jobs: list[Callable[[UnitOfWork], None]] = [writes("one"), breaks, writes("two")]
        return await asyncio.gather(*map(threaded_store.run, jobs), return_exceptions=True)

    results = asyncio.run(go())
    assert isinstance(results[0], Busy)
    assert isinstance(results[1], Busy)
    assert reads(threaded_store, "one") is None
    assert asyncio.run(threaded_store.run(writes("later"))) is None
    assert reads(threaded_store, "later") == "x"


@on_sqlite
def test_every_group_holds_a_waiting_relay_job_and_the_rest_go_by_turn(threaded_store: Store) -> None:
    done: list[str] = []
    commits = begins(threaded_store)

    def job(name: str) -> Callable[[UnitOfWork], None]:
        return lambda unit: done.append(f"{name}@{sum(one == 'COMMIT' for one in commits)}")

    async def go() -> None:
        turns = (Turn.BULK, Turn.TICK, *[Turn.EVENT] * 100, Turn.RELAY, Turn.RELAY)
        await asyncio.gather(*(threaded_store.run(job(turn.name), turn) for turn in turns))

    asyncio.run(go())
    order = [one.split("@")[0] for one in done]
    groups = [[name for name, _, group in (one.partition("@") for one in done) if group == number]
              for number in dict.fromkeys(one.split("@")[1] for one in done)]  # fmt: skip
    assert groups[0][0] == groups[1][0] == "RELAY"
    assert order[-2:] == ["TICK", "BULK"]
    assert all(len(group) <= 64 for group in groups)


@on_sqlite
def test_another_process_that_holds_the_lock_makes_a_job_busy_and_keeps_nobody_else_waiting(
    threaded_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sqlite.BUSY_MILLISECONDS", 200)

    async def go() -> int:
        waiting = asyncio.ensure_future(threaded_store.run(writes("a")))
        turns = await turns_of_the_loop(waiting)
        with pytest.raises(Busy, match="SQLITE_BUSY"):
            await waiting
        return turns

    with contextlib.closing(sqlite3.connect(tmp_path / "kawan.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.perf_counter()
        assert asyncio.run(go()) > 20
        assert 0.15 < time.perf_counter() - started < 2
        other.execute("ROLLBACK")
    asyncio.run(threaded_store.run(writes("a")))
    assert reads(threaded_store, "a") == "x"


@on_sqlite
def test_a_job_waits_for_another_process_that_writes_and_then_is_done(threaded_store: Store, tmp_path: Path) -> None:
    async def go() -> None:
        waiting = asyncio.ensure_future(threaded_store.run(writes("a")))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        other.execute("COMMIT")
        await waiting

    with contextlib.closing(sqlite3.connect(tmp_path / "kawan.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.run(go())
    assert reads(threaded_store, "a") == "x"


@on_sqlite
def test_while_a_commit_waits_for_the_disk_the_loop_goes_on(threaded_store: Store) -> None:
    threaded_store.held = lambda _seconds: time.sleep(0.2)

    async def go() -> int:
        return await turns_of_the_loop(asyncio.ensure_future(threaded_store.run(writes("a"))))

    assert asyncio.run(go()) > 20


@on_sqlite
def test_a_loop_that_ends_ends_no_commit_and_the_next_loop_goes_on(threaded_store: Store) -> None:
    assert isinstance(threaded_store, SqliteStore)
    threaded_store._disk.submit(time.sleep, 0.2)  # so that the commit has not begun when the loop ends

    async def leaves() -> None:
        asyncio.ensure_future(threaded_store.run(writes("left")))  # noqa: RUF006
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # it is begun, and not waited for

    asyncio.run(leaves())
    asyncio.run(threaded_store.run(writes("next")))
    assert reads(threaded_store, "left") == reads(threaded_store, "next") == "x"


def test_closing_does_what_was_asked_and_takes_nothing_new(threaded_store: Store) -> None:
    async def go() -> None:
        jobs = [asyncio.ensure_future(threaded_store.run(writes(f"n{n}"))) for n in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(threaded_store.close)
        await asyncio.gather(*jobs)
        with pytest.raises(Busy):
            await threaded_store.run(writes("late"))

    asyncio.run(go())
    url = threaded_store.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with contextlib.closing(open_store(url, inline=True)) as again:
        assert all(reads(again, f"n{n}") == "x" for n in range(20))
        assert reads(again, "late") is None


def test_a_long_read_goes_beside_the_writer_and_cannot_write(threaded_store: Store) -> None:
    async def go() -> list[int]:
        started, written = threading.Event(), threading.Event()

        def count(unit: UnitOfWork) -> list[int]:
            many = sa.select(sa.func.count()).select_from(meta)
            before = unit.connection.scalar(many)
            started.set()
            assert written.wait(5)
            return [int(before or 0), int(unit.connection.scalar(many) or 0)]

        reading = asyncio.ensure_future(threaded_store.read(count))
        await asyncio.to_thread(started.wait, 5)
        await threaded_store.run(writes("meanwhile"))
        written.set()
        counts = await reading
        with pytest.raises((sa.exc.DBAPIError, sqlite3.OperationalError)):
            await threaded_store.read(writes("never"))
        return counts

    assert asyncio.run(go()) == [0, 0]  # one moment for the whole read
    assert reads(threaded_store, "meanwhile") == "x"
    assert reads(threaded_store, "never") is None


def test_lanes_with_new_rows_are_told_after_the_commit_and_only_then(threaded_store: Store) -> None:
    told: list[frozenset[str]] = []
    threaded_store.on_commit(told.append)

    def fails_after_a_row(unit: UnitOfWork) -> None:
        new_row(unit)
        raise LookupError

    async def go() -> None:
        with pytest.raises(LookupError):
            await threaded_store.run(fails_after_a_row)
        await threaded_store.run(writes("a"))
        assert told == []
        await threaded_store.run(new_row)

    asyncio.run(go())
    assert told == [frozenset({LANE})]


@on_postgresql
def test_a_deadlock_is_tried_again(threaded_store: Store) -> None:
    for key in ("a", "b"):
        threaded_store.now(writes(key, "0"))
    meeting = threading.Barrier(2, timeout=10)
    tries: list[str] = []

    def swaps(first: str, second: str) -> Callable[[UnitOfWork], None]:
        def job(unit: UnitOfWork) -> None:
            tries.append(first)
            unit.members.set_fact(first, first)
            if tries.count(first) == 1:
                meeting.wait()
            unit.members.set_fact(second, first)

        return job

    async def go() -> None:
        await asyncio.gather(threaded_store.run(swaps("a", "b")), threaded_store.run(swaps("b", "a")))

    asyncio.run(go())
    assert len(tries) > 2
    assert reads(threaded_store, "a") == reads(threaded_store, "b")


@on_postgresql
def test_a_serialisation_failure_is_tried_three_times_then_busy(threaded_store: Store) -> None:
    tries: list[int] = []

    def job(unit: UnitOfWork) -> None:
        tries.append(1)
        unit.connection.exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")

    with pytest.raises(Busy, match="40001"):
        asyncio.run(threaded_store.run(job))
    assert len(tries) == 3


@on_postgresql
def test_a_server_that_ends_the_connection_is_asked_again(threaded_store: Store) -> None:
    assert isinstance(threaded_store, PostgresStore)
    tries: list[int] = []

    def job(unit: UnitOfWork) -> str:
        tries.append(1)
        if len(tries) == 1:
            unit.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return "done"

    assert asyncio.run(threaded_store.run(job)) == "done"
    assert len(tries) == 2


@pytest.mark.parametrize("threaded_store", ["postgresql"], indirect=True)
def test_a_job_that_stands_still_lets_its_locks_go_and_is_done_again(threaded_store: Store) -> None:
    tries: list[str] = []

    def stands_still(unit: UnitOfWork) -> None:
        allowed = unit.connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
        tries.append(str(allowed))
        unit.members.set_fact("done", str(len(tries)))
        if len(tries) == 1:
            unit.connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
            time.sleep(0.5)  # as a process does that was stopped
        unit.members.set_fact("done", str(len(tries)))

    asyncio.run(threaded_store.run(stands_still))
    assert tries == ["15s", "15s"]
    assert threaded_store.now(lambda unit: unit.members.fact("done")) == "2"


def test_a_database_that_is_not_there_is_busy_and_not_the_handlers_mistake(tmp_path: Path) -> None:
    for url in (f"postgresql://nobody@/nothing?host={tmp_path}", f"sqlite:///{tmp_path}/no/folder.db"):
        with contextlib.closing(open_store(url, inline=True)) as store, pytest.raises(Busy):
            store.now(writes("a"))


def test_an_error_never_quotes_what_people_wrote(store: Store) -> None:
    def job(unit: UnitOfWork) -> None:
        unit.connection.execute(sa.insert(outbox).values(idem="what Sekar wrote"))

    with pytest.raises(sa.exc.IntegrityError) as caught:
        store.now(job)
    assert "what Sekar wrote" not in str(caught.value).split("DETAIL")[0]


def test_moments_keep_their_microseconds_and_come_back_in_utc(store: Store) -> None:
    jakarta = NOW.astimezone(timezone(timedelta(hours=7)))
    for moment in (jakarta, datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)):
        asked = sa.select(sa.literal(moment, Moment))
        back = store.now(lambda unit, asked=asked: unit.connection.scalar(asked))  # type: ignore[misc]
        assert back == moment
        assert back.tzinfo is UTC
    with pytest.raises(ValueError, match="without a time zone"):
        as_microseconds(datetime(2026, 1, 1))  # noqa: DTZ001


def test_json_comes_back_as_it_went_in_any_script(store: Store) -> None:
    body = {"text": "สวัสดี, Сайн уу 🇲🇳 \\ \" '", "fields": [["a", "b"]], "n": None, "deep": {"x": [1, 2.5, True]}}
    number = store.now(lambda unit: new_row(unit, body=body))
    row = store.now(lambda unit: unit.outbox.get(number))
    assert row is not None
    assert row.body == body


def test_an_empty_json_value_is_null_and_not_the_word_null(store: Store) -> None:
    number = store.now(lambda unit: new_row(unit))
    store.now(lambda unit: unit.connection.execute(sa.update(outbox).values(body=None)))
    empty = sa.select(outbox.c.seq).where(outbox.c.body.is_(None))
    assert store.now(lambda unit: unit.connection.scalar(empty)) == number


def test_an_address_says_which_database_it_means() -> None:
    assert file_of("sqlite:///data/kawan.db") == Path("data/kawan.db")
    assert file_of("sqlite://") is None
    assert file_of("postgresql://u@h/d") is None
    with pytest.raises(ValueError, match="database_url"):
        open_store("mysql://u@h/d")
