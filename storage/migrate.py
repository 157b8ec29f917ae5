"""Brings a database to this version: one at a time, all or nothing, and in no time when there is nothing to do."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storage.engine import file_of

FOLDER = Path(__file__).with_name("migrations")
LOCK = 0x6B6177616E  # "kawan": the advisory lock under which one process migrates and the others wait


class Newer(Exception):
    """The database was made by a later version of the bot, which alone knows how to read it."""


class CannotOpen(Exception):
    """The database cannot be reached or read; says what kind of error, never the address."""


def upgrade(url: str, *, folder: Path = FOLDER) -> None:
    """Migrate a database to the newest version; raises Newer when it is ahead of this one, CannotOpen when it is away.

    A migration that fails or is killed leaves the database as it was.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if state(connection, folder) != "current":
                connection.rollback()
                _upgrade(connection, folder)
    except sa.exc.OperationalError as error:
        raise CannotOpen(type(error.orig).__name__) from None
    finally:
        engine.dispose()


def state_of(url: str, *, folder: Path = FOLDER) -> str:
    """How a database stands to this version: `current`, `behind`, `empty` or `newer`. Changes nothing."""
    file = file_of(url)
    if file is not None and not file.exists():
        return "empty"
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return state(connection, folder)
    except sa.exc.SQLAlchemyError as error:
        raise CannotOpen(type(getattr(error, "orig", None) or error).__name__) from None
    finally:
        engine.dispose()


def sqlite_version() -> tuple[int, ...]:
    """The version of SQLite that this Python carries."""
    return sqlite3.sqlite_version_info


def _engine(url: str) -> sa.Engine:
    if url.startswith("sqlite"):
        # AUTOCOMMIT: every transaction is the BEGIN IMMEDIATE of `_upgrade`, which holds the tables' making, too.
        return sa.create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": 60})
    return sa.create_engine(f"postgresql+psycopg://{url.partition('://')[2]}")


def _known(folder: Path) -> list[str]:
    return sorted(path.name[:4] for path in (folder / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def state(connection: sa.Connection, folder: Path = FOLDER) -> str:
    """The same as `state_of`, on a connection that stands."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return "empty"
    present = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    known = _known(folder)
    if present is None:
        return "empty"
    if present not in known:
        return "newer"
    return "current" if present == known[-1] else "behind"


def _upgrade(connection: sa.Connection, folder: Path) -> None:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        driver: Any = connection.connection.dbapi_connection
        driver.execute("PRAGMA journal_mode=WAL")
        driver.execute("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    try:
        found = state(connection, folder)  # whoever held the lock before may have done it
        if found == "newer":
            raise Newer("this database was made by a later version of the bot; install that version")
        if found != "current":
            _run(connection, folder)
    except BaseException:
        connection.exec_driver_sql("ROLLBACK") if is_sqlite else connection.rollback()
        raise
    connection.exec_driver_sql("COMMIT") if is_sqlite else connection.commit()


def _run(connection: sa.Connection, folder: Path) -> None:
    # Imported here: it takes longer than all the rest, and there is seldom anything to migrate.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
