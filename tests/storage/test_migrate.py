"""Migrations: they make what the tables declare, all or nothing, one at a time, and say how a database stands."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from storage import open_store
from storage.base import metadata
from storage.migrate import FOLDER, Newer, state_of, upgrade
from tests import postgres

SECOND = '''
"""One more step, for the test."""
import os, signal
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{newest}"


def upgrade() -> None:
    op.create_table("second", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO second VALUES (1)")
    {then}
'''


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'kawan.db'}"
        return
    server = request.getfixturevalue("postgresql_url")
    with postgres.database(server, f"kawan_migrate_{os.getpid()}") as url:
        yield url


@pytest.fixture
def with_second(tmp_path: Path) -> Path:
    """A copy of the migrations to which a test adds one."""
    return Path(shutil.copytree(FOLDER, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__")))


def add_second(folder: Path, then: str) -> None:
    newest = max(path.name[:4] for path in FOLDER.glob("versions/[0-9]*.py"))
    (folder / "versions" / "9999_second.py").write_text(SECOND.format(newest=newest, then=then).lstrip())


def tables(url: str) -> set[str]:
    with contextlib.closing(open_store(url, inline=True)) as store:
        return set(sa.inspect(store.engine).get_table_names())


def described(url: str) -> list[str]:
    """Everything about a database's tables that its server can tell, in its own words."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        ours = [sql for name, sql in found if "alembic" not in sql and not name.startswith("sqlite_")]
        return sorted(map(_in_any_order, ours))
    asked = (
        "SELECT format('%s %s %s %s %s %s', table_name, column_name, data_type, is_nullable, column_default, "
        "collation_name) FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
    )
    with psycopg.connect(url) as connection:
        rows = [row[0] for question in asked for row in connection.execute(question.encode()).fetchall()]
    return sorted(row for row in rows if "alembic" not in row)


def _in_any_order(sql: str) -> str:
    """A CREATE statement with its parts sorted: constraints may be listed differently."""
    parts = [part.strip() for part in re.split(r",(?![^(]*\))|\n", sql)]
    return " | ".join(sorted(part for part in parts if part))


def test_the_migrations_make_exactly_what_the_tables_declare(url: str) -> None:
    upgrade(url)
    with contextlib.closing(open_store(url, inline=True)) as store, store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    migrated = described(url)
    with contextlib.closing(open_store(url, inline=True)) as store, store.engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert described(url) == migrated


def test_a_database_says_how_it_stands(url: str, with_second: Path) -> None:
    assert state_of(url) == "empty"
    if url.startswith("sqlite"):
        assert not Path(url.removeprefix("sqlite:///")).exists()
    upgrade(url)
    assert state_of(url) == "current"
    add_second(with_second, "pass")
    assert state_of(url, folder=with_second) == "behind"
    upgrade(url, folder=with_second)
    assert state_of(url, folder=with_second) == "current"
    assert state_of(url) == "newer"
    with pytest.raises(Newer):
        upgrade(url)


@pytest.mark.parametrize("from_the_first", [True, False])
def test_a_migration_that_fails_leaves_the_database_as_it_was(
    url: str, with_second: Path, from_the_first: bool
) -> None:
    if from_the_first:
        upgrade(url)
    before = tables(url)
    add_second(with_second, "raise RuntimeError('in the middle')")
    with pytest.raises(RuntimeError, match="in the middle"):
        upgrade(url, folder=with_second)
    assert tables(url) == before
    add_second(with_second, "pass")
    upgrade(url, folder=with_second)
    assert "second" in tables(url)


def test_a_killed_migration_leaves_the_database_as_it_was(url: str, with_second: Path) -> None:
    upgrade(url)
    add_second(with_second, "os.kill(os.getpid(), signal.SIGKILL)")
    code = "import sys; from pathlib import Path; from storage.migrate import upgrade; "
    code += "upgrade(sys.argv[1], folder=Path(sys.argv[2]))"
    done = subprocess.run([sys.executable, "-c", code, url, str(with_second)], cwd=FOLDER.parent.parent, check=False)
    assert done.returncode == -signal.SIGKILL
    assert state_of(url) == "current"
    assert "second" not in tables(url)


def test_of_many_that_migrate_at_once_one_does_and_the_others_wait(url: str) -> None:
    with ThreadPoolExecutor(2) as pool:  # processes in truth; Alembic's own state is the process's, so only two calls
        assert list(pool.map(_upgrade_elsewhere, [url] * 4)) == [0] * 4
    assert state_of(url) == "current"


def _upgrade_elsewhere(url: str) -> int:
    code = "import sys; from storage.migrate import upgrade; upgrade(sys.argv[1])"
    return subprocess.run([sys.executable, "-c", code, url], cwd=FOLDER.parent.parent, check=False).returncode


def test_a_current_database_is_left_alone_at_once(url: str) -> None:
    upgrade(url)
    code = "import sys; from storage.migrate import upgrade; upgrade(sys.argv[1]); sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, url], cwd=FOLDER.parent.parent, check=False).returncode == 0
