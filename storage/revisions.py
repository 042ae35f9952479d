"""Counts of changes that parts watch cheaply: one small row a name.

Whoever changes holds the row until its transaction ends, so counts commit in order: who saw one has missed nothing before it.
What must not go in: what changed.
"""

from sqlalchemy import Connection, select

from storage.bulk import insert_into
from storage.schema import revisions

DECLARATIONS = "declarations"


def revision(connection: Connection, name: str) -> int:
    """Grows with every change of ``name``; 0 before the first."""
    return connection.execute(select(revisions.c.number).where(revisions.c.name == name)).scalar() or 0


def revise(connection: Connection, name: str) -> None:
    """Something of ``name`` changes in this transaction."""
    counted = insert_into(connection, revisions).values(name=name, number=1)
    connection.execute(counted.on_conflict_do_update(index_elements=["name"], set_={"number": revisions.c.number + 1}))
