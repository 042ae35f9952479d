"""Many rows in one statement, and many rows by one column. PostgreSQL gets one binary array a column (``%b``: psycopg's text arrays cost
a regular expression a value), SQLite an executemany of values as they are: what SQLAlchemy does to each row's parameters
costs a sixth of applying an alarm, and no column here needs it. So defaults that only Python knows are not filled in.

What must not go in: anything that knows a table.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """The database's own insert into ``table``, for ``on_conflict_do_nothing`` and the like."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert ``rows``; all have the same columns."""
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_insert_arrays(table, names), _columns(rows))
        return
    connection.exec_driver_sql(_insert_marks(table, names), _values(rows, names))


def update_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, where: Sequence[str]) -> int:
    """Set each row's columns where its ``where`` columns match; how many rows of the table matched.

    A column named "COLUMN_before" in ``where`` compares COLUMN with its old value while COLUMN itself is set."""
    if not rows:
        return 0
    names = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(_update_arrays(table, names, tuple(where)), _columns(rows)).rowcount
    given = (*(n for n in names if n not in where), *where)
    return connection.exec_driver_sql(_update_marks(table, names, tuple(where)), _values(rows, given)).rowcount


def upsert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert ``rows``, each over the one of its primary key; all have the same columns, no key comes twice."""
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_over(table, names, _insert_arrays(table, names)), _columns(rows))
        return
    connection.exec_driver_sql(_over(table, names, _insert_marks(table, names)), _values(rows, names))


def delete_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Delete the rows of the table that agree with one of ``rows`` in its columns."""
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_delete_arrays(table, names), _columns(rows))
        return
    match = " AND ".join(f'"{n}" = ?' for n in names)
    connection.exec_driver_sql(f'DELETE FROM "{table.name}" WHERE {match}', _values(rows, names))  # noqa: S608 (the schema's own names)


def select_rows(
    connection: Connection, table: Table, names: tuple[str, ...], key: str, values: Iterable[str], *, lock: bool = False
) -> Sequence[Row[Any]]:  # fmt: skip
    """Columns ``names`` of the rows whose ``key`` is one of ``values``, in the order of ``key``, as the driver has them.

    ``lock``: nobody else changes them before the end of the transaction (SQLite has one writer anyway)."""
    wanted = list(values)
    if not wanted:
        return ()
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(_select_any(table, names, key, lock), {"values": wanted}).all()
    return connection.exec_driver_sql(_select_each(table, names, key), (msgspec.json.encode(wanted).decode(),)).all()


def rows_given(dialect: str, parameter: str, types: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """For a statement that goes through the rows of a JSON list in ``parameter``: what to select from, which is called z, and each field
    of a row as an expression. ``types``: fields with their types in PostgreSQL."""
    if dialect == "postgresql":
        fields = ", ".join(f"{name} {kind}" for name, kind in types.items())
        return f"jsonb_to_recordset(CAST(:{parameter} AS jsonb)) AS z({fields})", {name: f"z.{name}" for name in types}
    return f"json_each(:{parameter}) z", {name: f"json_extract(z.value, '$.{name}')" for name in types}


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _values(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """What stands for the marks of a statement, row by row."""
    if len(names) == 1:
        return [(row[names[0]],) for row in rows]
    return list(map(itemgetter(*names), rows))


def _type(table: Table, name: str) -> str:
    return str(table.c[name.removesuffix("_before")].type.compile(postgresql.dialect()))  # type: ignore[no-untyped-call]


@lru_cache
def _select_any(table: Table, names: tuple[str, ...], key: str, lock: bool) -> str:
    columns, end = ", ".join(f'"{n}"' for n in names), " FOR UPDATE" if lock else ""
    return f'SELECT {columns} FROM "{table.name}" WHERE "{key}" = ANY(CAST(%(values)b AS text[])) ORDER BY "{key}"{end}'  # noqa: S608


@lru_cache
def _select_each(table: Table, names: tuple[str, ...], key: str) -> str:
    columns = ", ".join(f'"{n}"' for n in names)
    return f'SELECT {columns} FROM "{table.name}" WHERE "{key}" IN (SELECT value FROM json_each(?)) ORDER BY "{key}"'  # noqa: S608


@lru_cache
def _insert_arrays(table: Table, names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{n}"' for n in names)
    arrays = ", ".join(f"CAST(%({n})b AS {_type(table, n)}[])" for n in names)
    return (f'INSERT INTO "{table.name}" ({columns}) SELECT * FROM unnest({arrays})')  # noqa: S608 (names are the schema's own)


@lru_cache
def _insert_marks(table: Table, names: tuple[str, ...]) -> str:
    columns = ", ".join(f'"{n}"' for n in names)
    return f'INSERT INTO "{table.name}" ({columns}) VALUES ({", ".join("?" * len(names))})'  # noqa: S608


@lru_cache
def _update_marks(table: Table, names: tuple[str, ...], where: tuple[str, ...]) -> str:
    values = ", ".join(f'"{n}" = ?' for n in names if n not in where)
    match = " AND ".join(f'"{n.removesuffix("_before")}" = ?' for n in where)
    return f'UPDATE "{table.name}" SET {values} WHERE {match}'  # noqa: S608


@lru_cache
def _over(table: Table, names: tuple[str, ...], insert: str) -> str:
    keys = [column.name for column in table.primary_key]
    over = ", ".join(f'"{n}" = excluded."{n}"' for n in names if n not in keys)
    return f"{insert} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {over}"


@lru_cache
def _delete_arrays(table: Table, names: tuple[str, ...]) -> str:
    arrays = ", ".join(f"CAST(%({n})b AS {_type(table, n)}[])" for n in names)
    columns = ", ".join(f'"{n}"' for n in names)
    match = " AND ".join(f'"{table.name}"."{n}" = given."{n}"' for n in names)
    return f'DELETE FROM "{table.name}" USING unnest({arrays}) AS given ({columns}) WHERE {match}'  # noqa: S608


@lru_cache
def _update_arrays(table: Table, names: tuple[str, ...], where: tuple[str, ...]) -> str:
    arrays = ", ".join(f"CAST(%({n})b AS {_type(table, n)}[])" for n in names)
    columns = ", ".join(f'"{n}"' for n in names)
    values = ", ".join(f'"{n}" = given."{n}"' for n in names if n not in where)
    match = " AND ".join(f'"{table.name}"."{n.removesuffix("_before")}" = given."{n}"' for n in where)
    return (f'UPDATE "{table.name}" SET {values} FROM unnest({arrays}) AS given ({columns}) WHERE {match}')  # noqa: S608
