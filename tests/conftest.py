"""What every test may use: stores on SQLite and on a real PostgreSQL server, each empty and migrated."""

import contextlib
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from hypothesis.configuration import set_hypothesis_home_dir

from bot.core.log import TALKATIVE
from storage import Store, open_store
from storage.base import metadata
from storage.migrate import upgrade
from tests import postgres
from tests.adapters.slack_platform import Slack
from tests.adapters.telegram_platform import OnTelegram
from tests.chat import Chat, Plain, Platform

DATABASES = ["sqlite", "postgresql"]
# Conversations that run through every platform's parse and render; all others are the terminal's.
ON_EVERY_PLATFORM = (
    "test_joining",
    "test_introductions",
    "test_requests",
    "test_allies",
    "test_answering",
    "test_checkins",
    "test_projects",
    "test_teams",
    *("test_message_answers", "test_sessions"),
)

# What hypothesis remembers from run to run does not belong into the project.
set_hypothesis_home_dir(Path(tempfile.gettempdir()) / f"kawan-hypothesis-{os.getuid()}")

RUN = pytest.StashKey[postgres.Run]()


def pytest_configure(config: pytest.Config) -> None:
    """The process that people start keeps what its workers share."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.stash[RUN] = postgres.Run.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Also after an interrupt."""
    if RUN in config.stash:
        config.stash[RUN].end()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Some conversations run in the terminal and in an app."""
    if "platform" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_EVERY_PLATFORM:
        metafunc.parametrize("platform", ["terminal", "app"], indirect=True)


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """For a test that configures the logs: the next one in this process finds them as they were."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    structlog.reset_defaults()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def postgresql_url(worker_id: str) -> Iterator[str]:
    """An empty database of this worker's own. Without a server: fails where CI is set, else skips with the reason."""
    try:
        server = postgres.server()
    except postgres.NoServerError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    with postgres.database(server, f"kawan_test_{worker_id}_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A migrated database to copy: cheaper than migrating one for every test."""
    file = tmp_path_factory.mktemp("template") / "kawan.db"
    upgrade(f"sqlite:///{file}")
    with contextlib.closing(sqlite3.connect(file)) as connection:
        yield connection


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_url: str) -> Iterator[psycopg.Connection[object]]:
    """This worker's database, migrated, with a connection that empties it."""
    upgrade(postgresql_url)
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def sqlite_store() -> Iterator[Store]:
    """One store a worker: a new engine for every test would compile every statement anew."""
    with contextlib.closing(open_store("sqlite://", inline=True)) as store:
        yield store


@pytest.fixture(scope="session")
def postgresql_store(postgresql_url: str) -> Iterator[Store]:
    """The same on PostgreSQL."""
    with contextlib.closing(open_store(postgresql_url, inline=True)) as store:
        yield store


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store that runs every job at once, on each database. Numbers do not begin at 1.

    `@pytest.mark.parametrize("store", ["sqlite"], indirect=True)` asks for one database only.
    """
    shared: Store = request.getfixturevalue(f"{request.param}_store")
    if request.param == "postgresql":
        _empty_postgresql(request)
    else:
        _copy_template(request, shared)
    yield shared
    shared.forget_wakes()


@pytest.fixture(params=DATABASES)
def threaded_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store as the bot runs it: a file and its queue, a pool and its threads."""
    if request.param == "postgresql":
        store = _postgresql(request, inline=False)
    else:
        file = tmp_path / "kawan.db"
        with contextlib.closing(sqlite3.connect(file)) as connection:
            request.getfixturevalue("sqlite_template").backup(connection)
        store = open_store(f"sqlite:///{file}")
    with contextlib.closing(store):
        yield store


def _sqlite_in_memory(request: pytest.FixtureRequest) -> Store:
    store = open_store("sqlite://", inline=True)
    _copy_template(request, store)
    return store


def _copy_template(request: pytest.FixtureRequest, store: Store) -> None:
    with contextlib.closing(store.engine.raw_connection()) as connection:
        request.getfixturevalue("sqlite_template").backup(connection.driver_connection)


def _empty_postgresql(request: pytest.FixtureRequest) -> None:
    connection = request.getfixturevalue("migrated_postgresql")
    # 0.5 ms; TRUNCATE takes 22, and would begin the numbers at 1 again, which no test may count on.
    connection.execute("; ".join(f"DELETE FROM {of.name}" for of in reversed(metadata.sorted_tables)))


def _postgresql(request: pytest.FixtureRequest, *, inline: bool) -> Store:
    _empty_postgresql(request)
    return open_store(request.getfixturevalue("postgresql_url"), inline=inline)


@pytest.fixture
def platform(request: pytest.FixtureRequest, store: Store) -> Platform:
    """How people talk to the bot: in a terminal or an app. One app a database keeps the suite fast."""
    if getattr(request, "param", "terminal") == "terminal":
        return Plain()
    return Slack() if store.engine.dialect.name == "sqlite" else OnTelegram()


@pytest.fixture
def chat(store: Store, platform: Platform) -> Chat:
    """A programme without anybody in it yet."""
    return Chat(store, platform)


@pytest.fixture
def another_chat(request: pytest.FixtureRequest) -> Iterator[Chat]:
    """A second programme beside the first, on a database of its own."""
    with contextlib.closing(_sqlite_in_memory(request)) as store:
        yield Chat(store)
