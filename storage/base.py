"""What every table shares: the metadata, moments in UTC, JSON, and the duty to say how it is erased."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, CursorResult

from storage import prepared
from storage.prepared import Prepared

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Erasure = Literal["delete", "blank", "unlink", "keep"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC moment; microseconds are kept, local time never enters the database."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else as_microseconds(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(microseconds=value)


def as_microseconds(moment: datetime) -> int:
    """Microseconds since 1970; whole numbers order and compare the same on both databases."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be stored")
    return (moment - EPOCH) // MICROSECOND


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Key = sa.LargeBinary(16)
# Compared byte by byte on both databases: what begins with a prefix stands together, whatever the server's locale.
Ordered = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def table(
    name: str,
    *parts: Any,
    personal: Mapping[str, Erasure] | None,
    own: Mapping[str, tuple[str, ...]] | None = None,
    **options: Any,
) -> sa.Table:
    """A table that says what it holds about people.

    `personal` maps each column that holds a member's id to what erasing that member does to the row: `delete` it,
    `blank` that id and the columns marked `info={"text": True}`, `unlink` that id alone, or `keep` all (counts,
    audit). None: nothing about people.

    `own` maps each column whose member gets the row in `mydata` to the columns that are left out of it. It must be
    given where more than one column names a member; a single one is the owner.
    """
    if own is None:
        if personal and len(personal) > 1:
            raise ValueError(f"the table {name} must say whose its rows are")
        own = dict.fromkeys(personal or (), ())
    return sa.Table(name, metadata, *parts, info={"personal": personal, "own": own}, **options)


def member_id(name: str = "member_id", *, nullable: bool = False, **options: Any) -> sa.Column[int]:
    """A column that names a member."""
    return sa.Column(name, Id, nullable=nullable, **options)


def same_cohort(column: str) -> sa.ForeignKeyConstraint:
    """A row and the member it names belong to one cohort: a row across cohorts cannot exist."""
    return sa.ForeignKeyConstraint(["cohort_id", column], ["member.cohort_id", "member.id"], ondelete="CASCADE")


def text(name: str, **options: Any) -> sa.Column[str]:
    """A column with words that a person wrote: blanked when its owner is erased."""
    return sa.Column(name, sa.Text, nullable=True, info={"text": True}, **options)


def insert_new(connection: Connection, into: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless its key exists; True when it was new."""
    return _insert_new(into, connection.dialect.name).write(connection, **values) == 1


def insert_all_new(connection: Connection, into: sa.Table, values: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows unless their keys exist."""
    if values:
        _insert_new(into, connection.dialect.name).write_all(connection, values)


def insert_new_rows(
    connection: Connection, into: sa.Table, values: Sequence[Mapping[str, Any]], told: sa.Column[int]
) -> set[int]:
    """Insert rows unless their keys exist; of those that were new, the values of one column."""
    if not values:
        return set()
    statement = insert_of(connection.dialect.name)(into).on_conflict_do_nothing().returning(told)
    return set(connection.scalars(statement, list(values)))


def insert_new_id(connection: Connection, into: sa.Table, values: Mapping[str, Any]) -> int | None:
    """Insert a row unless its key exists; its number, or None when there was one."""
    statement = insert_of(connection.dialect.name)(into).on_conflict_do_nothing().returning(into.c.id)
    found: int | None = connection.execute(statement, values).scalar_one_or_none()
    return found


def upsert(
    connection: Connection, into: sa.Table, values: Mapping[str, Any], key: tuple[str, ...], **instead: Any
) -> None:
    """Insert a row, or overwrite the one with the same key: with the same values, or with these `instead`."""
    if not instead:
        _upsert(into, connection.dialect.name, key, tuple(values)).write(connection, **values)
        return
    changed = {name: value for name, value in values.items() if name not in key} | instead
    statement = insert_of(connection.dialect.name)(into).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


def insert(connection: Connection, into: sa.Table, **values: Any) -> int:
    """Insert a row and return its number."""
    return _insert(into).insert(connection, **values)


def overwrite(connection: Connection, of: sa.Table, key: Mapping[str, Any], /, **values: Any) -> int:
    """Overwrite some values, which are no expressions, of the rows with this key; how many rows there are."""
    given = {f"of_{name}": value for name, value in key.items()} | {f"new_{n}": value for n, value in values.items()}
    return _overwrite(of, tuple(key), tuple(values)).write(connection, **given)


def insert_of(dialect: str) -> Any:
    """The INSERT that knows of conflicts, which has a name of its own in each dialect."""
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


@cache
def _insert(into: sa.Table) -> Prepared:
    return Prepared(sa.insert(into))


@cache
def _insert_new(into: sa.Table, dialect: str) -> Prepared:
    return Prepared(insert_of(dialect)(into).inline().on_conflict_do_nothing())


@cache
def _upsert(into: sa.Table, dialect: str, key: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    statement = insert_of(dialect)(into)
    changed = {name: statement.excluded[name] for name in names if name not in key}
    return Prepared(statement.on_conflict_do_update(index_elements=list(key), set_=changed))


@cache
def _overwrite(of: sa.Table, key: tuple[str, ...], names: tuple[str, ...]) -> Prepared:
    mine = (of.c[name] == sa.bindparam(f"of_{name}") for name in key)
    values = {name: sa.bindparam(f"new_{name}", type_=of.c[name].type) for name in names}
    return Prepared(sa.update(of).where(*mine).values(values))


def rows(result: sa.Result[Any]) -> int:
    """How many rows a write touched."""
    return cast("CursorResult[Any]", result).rowcount


def read(connection: Connection, sql: str, values: Mapping[str, Any]) -> Sequence[Any]:
    """Run a query as it is written, with `:name` for each value: the rows, without the compiler's work on them.

    On SQLite on the driver itself, as `Prepared` does it and for the same reason.
    """
    if connection.dialect.name == "sqlite":
        found: list[Any] = prepared.on_driver(connection, sql, values).fetchall()
        return found
    return connection.exec_driver_sql(_for_psycopg(sql), dict(values)).all()


@lru_cache(maxsize=512)
def _for_psycopg(sql: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", sql)
