"""Statements of the path that every event takes: on SQLite compiled once, then run on the driver itself."""

from collections import namedtuple
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql.visitors import cloned_traverse, iterate

Statement = sa.Select[Any] | sa.Insert | sa.Update | sa.Delete


class Prepared:
    """A Core statement whose parameters are given by name; a list is a `bindparam(…, expanding=True)` after an IN.

    The transaction stays the Connection's. Measured on SQLite: 6 µs for a row by its key, against 22 through
    `Connection.execute`, and 75 when the statement is also built anew each time. On PostgreSQL it goes through
    `Connection.execute`: the way to the server costs more, and SQLAlchemy knows which errors end a connection.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._forms: dict[tuple[Any, ...], _Form] = {}
        binds = [one for one in iterate(statement) if isinstance(one, sa.BindParameter)]
        self._lists = tuple(sorted({one.key for one in binds if one.expanding and one.required}))

    def all(self, connection: Connection, **given: Any) -> list[Any]:
        """Every row; its columns are also attributes."""
        if connection.dialect.name != "sqlite":
            return list(connection.execute(self._statement, given).all())
        form, given = self._form(connection.dialect, given)
        return [form.row(found) for found in on_driver(connection, form.sql, form.values(given)).fetchall()]

    def one(self, connection: Connection, **given: Any) -> Any:
        """The first row, or None."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, given).first()
        form, given = self._form(connection.dialect, given)
        cursor = on_driver(connection, form.sql, form.values(given))
        found = cursor.fetchone()
        cursor.close()  # an open one would keep the statement, and with it the table, busy
        return None if found is None else form.row(found)

    def value(self, connection: Connection, **given: Any) -> Any:
        """The first column of the first row, or None."""
        found = self.one(connection, **given)
        return None if found is None else found[0]

    def write(self, connection: Connection, **given: Any) -> int:
        """How many rows it touched."""
        if connection.dialect.name != "sqlite":
            # Without the option psycopg's row count of an INSERT is thrown away.
            done = connection.execute(self._statement, given, execution_options={"preserve_rowcount": True})
            return int(done.rowcount)
        form, given = self._form(connection.dialect, given)
        return int(on_driver(connection, form.sql, form.values(given)).rowcount)

    def write_all(self, connection: Connection, many: Sequence[Mapping[str, Any]]) -> None:
        """The same for many, whose parameters have the same names and are no lists."""
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, many)
            return
        form, _ = self._form(connection.dialect, dict(many[0]))
        connection.connection.cursor().executemany(form.sql, [form.values(given) for given in many])

    def insert(self, connection: Connection, **given: Any) -> int:
        """The number of the new row."""
        if connection.dialect.name != "sqlite":
            key = connection.execute(self._statement, given).inserted_primary_key
            assert key is not None
            return int(key[0])
        form, given = self._form(connection.dialect, given)
        return int(on_driver(connection, form.sql, form.values(given)).lastrowid)

    def _form(self, dialect: Dialect, given: dict[str, Any]) -> tuple["_Form", dict[str, Any]]:
        """The statement for these values, and the values with every list filled up, so that there are few forms."""
        for name in self._lists:
            given[name] = _filled(given[name])
        key = (*given, *[len(given[name]) for name in self._lists]) if self._lists else tuple(given)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _Form(self._statement, dialect, given)
        return form, given


def on_driver(connection: Connection, sql: str, values: Sequence[Any] | Mapping[str, Any]) -> Any:
    """Run a statement past SQLAlchemy, in the connection's transaction; the driver's cursor."""
    cursor = connection.connection.cursor()
    cursor.execute(sql, values)
    return cursor


def _filled(some: Collection[Any]) -> list[Any]:
    """With its last value again and again up to a power of two: it means the same after an IN."""
    found = list(some)
    if found:
        found += found[-1:] * ((1 << (len(found) - 1).bit_length()) - len(found))
    return found


def _write_out(bind: sa.BindParameter[Any]) -> None:
    bind.literal_execute = not bind.required and isinstance(bind.type, sa.String | sa.Integer | sa.Boolean)


class _Form:
    """A statement with these parameters given, lists of certain lengths among them."""

    def __init__(self, statement: Statement, dialect: Dialect, given: Mapping[str, Any]) -> None:
        columns = list(given) if isinstance(statement, sa.Insert) else None
        # SQLite plans a statement anew each time that it gets a value which a partial index or a LIKE depends on
        # (measured: 80 µs against 17), so what is part of the statement is written into it.
        fixed = cloned_traverse(statement, {}, {"bindparam": _write_out})
        compiled = fixed.compile(dialect=dialect, column_keys=columns)
        state = compiled.construct_expanded_state(dict(given))
        listed = {name: (of, at) for of, names in state.parameter_expansion.items() for at, name in enumerate(names)}
        self.sql = state.statement
        self._values: list[Any] = []  # those that are part of the statement stand here for good
        self._given: list[tuple[int, str, int | None, Any]] = []
        for at, name in enumerate(state.positiontup or ()):
            of, place = listed.get(name, (name, None))
            process = compiled.binds[of].type.dialect_impl(dialect).bind_processor(dialect)
            if of in given:
                self._given.append((at, of, place, process))
                self._values.append(None)
            else:
                fixed = state.parameters[name]
                self._values.append(process(fixed) if process else fixed)
        read = list(statement.exported_columns)
        processes = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in read]
        self._reads = [(at, process) for at, process in enumerate(processes) if process is not None]
        rows = cast(Any, namedtuple)  # the names are known only now
        self._make = rows("Row", [column.key or "_" for column in read], rename=True)._make

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What the driver gets, in the order of the question marks."""
        values = self._values.copy()
        for at, name, place, process in self._given:
            value = given[name] if place is None else given[name][place]
            values[at] = value if process is None else process(value)
        return values

    def row(self, found: Any) -> Any:
        """What the driver read, in Python's types."""
        if self._reads:
            found = list(found)
            for at, process in self._reads:
                found[at] = process(found[at])
        return self._make(found)
