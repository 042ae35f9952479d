"""Marks: which agent is done with which pack of the telemetry lane. Written only on the embedded broker.

That broker forgets everything with its process, so a pack stays in the journal until every agent that has to work on it has
left its mark, in one transaction with the effect or after it. The forwarder then releases the row and forgets the marks.
What must not go in: deciding who has to work on what (``ingest/lanes.py``).
"""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgres
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from storage.schema import telemetry_marks as marks

EVALUATE, STORE = "evaluate", "store"
"""The agents that leave marks."""
_CHUNK = 500


def mark(connection: Connection, agent: str, ids: Sequence[str]) -> None:
    """``agent`` is done with the packs ``ids`` (of the journal's rows). Marking again is harmless."""
    rows = [{"id": i, "agent": agent} for i in dict.fromkeys(ids)]
    if rows:
        if connection.dialect.name == "postgresql":
            connection.execute(insert_postgres(marks).on_conflict_do_nothing(), rows)
        else:
            connection.execute(insert_sqlite(marks).on_conflict_do_nothing(), rows)


def marked(connection: Connection, ids: Sequence[str], agents: Sequence[str]) -> set[str]:
    """Those of ``ids`` that all ``agents`` are done with."""
    found: set[str] = set()
    for start in range(0, len(ids), _CHUNK):
        chosen = marks.c.id.in_(ids[start : start + _CHUNK]), marks.c.agent.in_(agents)
        done = select(marks.c.id).where(*chosen).group_by(marks.c.id).having(func.count() == len(set(agents)))
        found.update(connection.scalars(done))
    return found


def forget(connection: Connection, ids: Sequence[str]) -> None:
    """Delete the marks of packs whose rows are released."""
    for start in range(0, len(ids), _CHUNK):
        connection.execute(delete(marks).where(marks.c.id.in_(ids[start : start + _CHUNK])))


def marked_after(connection: Connection, after: str, limit: int) -> list[str]:
    """Up to ``limit`` ids that have marks and sort after ``after``: a walk through all of them, to find those of rows that are gone."""
    return list(connection.scalars(select(marks.c.id).where(marks.c.id > after).distinct().order_by(marks.c.id).limit(limit)))
