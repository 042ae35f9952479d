"""What one who asks may see, in SQL: every list and every look-up for people goes through ``within``.

A set of zones is one parameter, however many they are: an array for PostgreSQL, JSON for SQLite. SQLite, which knows nothing of how many
rows a zone has, is kept from its index by zone for more than one: it would read and sort all that ever happened in them, where a walk
from the newest ends with the page.
What must not go in: who may see what (``hazards/scope.py``, ``api/roles.py``).
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Boolean, ColumnElement, Dialect, Select, Table, Text, bindparam, false, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from hazards.scope import Scope
from storage.schema import zones

T = TypeVar("T", bound=tuple[Any, ...])


def within(query: Select[T], table: Table, scope: Scope) -> Select[T]:
    """``query`` over ``table``, which has columns zone and enterprise, and only what ``scope`` sees."""
    if scope.enterprise is not None:
        query = query.where(table.c.enterprise == scope.enterprise)
    if scope.zones is not None:
        query = query.where(is_one_of(table.c.zone, scope.zones))
    return query


def in_zone_of(zone: ColumnElement[Any], scope: Scope) -> ColumnElement[bool]:
    """Whether the zone in the column ``zone`` is one that ``scope`` sees: for tables that keep no enterprise, by that of the zone now."""
    found: ColumnElement[bool] = true()
    if scope.enterprise is not None:
        found &= zone.in_(select(zones.c.id).where(zones.c.enterprise == scope.enterprise))
    if scope.zones is not None:
        found &= is_one_of(zone, scope.zones)
    return found


def is_one_of(column: ColumnElement[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Whether ``column`` is one of any number of ``texts``."""
    several = list(texts)
    if len(several) < 2:
        return column == several[0] if several else false()
    return _IsOneOf(column, bindparam(None, several, type_=_Texts, unique=True))


class _Texts(TypeDecorator[list[str]]):
    """Texts as one parameter."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" else msgspec.json.encode(value).decode()


class _IsOneOf(FunctionElement[bool]):
    """``column``, ``texts``."""

    type = Boolean()
    inherit_cache = True


@compiles(_IsOneOf, "sqlite")
def _in_json(element: _IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(c, **options) for c in element.clauses)
    return f"(+{column} IN (SELECT value FROM json_each({texts})))"  # noqa: S608 (two compiled clauses); +: not by index


@compiles(_IsOneOf, "postgresql")
def _any_of_array(element: _IsOneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(c, **options) for c in element.clauses)
    return f"({column} = ANY ({texts}))"
