"""State of agents between their lives: one row an agent and key, written only over the version it was read as.

What must not go in: what the bytes mean.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from hazards.errors import Conflict
from storage.bulk import insert_rows, update_rows
from storage.schema import checkpoints

_CHUNK = 500


class Checkpoint(Struct, frozen=True):
    """``body`` of ``key``. ``version``: as read; 0 when there was none."""

    key: str
    version: int
    body: bytes


class StaleCheckpoint(Conflict):
    """Somebody else wrote ``keys`` meanwhile: what was worked out on the old state is not to be kept."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = list(keys)
        super().__init__(f"{len(self.keys)} checkpoints were written by another worker", where=", ".join(self.keys[:3]), hint="read again")


def load_checkpoints(connection: Connection, agent: str, keys: Sequence[str]) -> dict[str, Checkpoint]:
    """The checkpoints of ``agent`` for those of ``keys`` that have one."""
    found = {}
    for start in range(0, len(keys), _CHUNK):
        query = select(checkpoints.c.key, checkpoints.c.version, checkpoints.c.body).where(
            checkpoints.c.agent == agent, checkpoints.c.key.in_(keys[start : start + _CHUNK])
        )
        found.update({row.key: Checkpoint(row.key, row.version, row.body) for row in connection.execute(query)})
    return found


def keys_saved_since(connection: Connection, agent: str, since: int) -> list[str]:
    """Keys of ``agent`` with a checkpoint that is not older than ``since`` (µs)."""
    query = select(checkpoints.c.key).where(checkpoints.c.agent == agent, checkpoints.c.saved_at >= since)
    return list(connection.scalars(query.order_by(checkpoints.c.key)))


def checkpoint_versions(connection: Connection, agent: str, keys: Sequence[str], *, locking: bool = False) -> dict[str, int]:
    """Versions alone; 0 for those of ``keys`` that have none. ``locking``: nobody else writes them until the transaction ends."""
    found = dict.fromkeys(keys, 0)
    for start in range(0, len(keys), _CHUNK):
        query = select(checkpoints.c.key, checkpoints.c.version).where(
            checkpoints.c.agent == agent, checkpoints.c.key.in_(keys[start : start + _CHUNK])
        )
        query = query.order_by(checkpoints.c.key).with_for_update() if locking else query
        found.update({row.key: row.version for row in connection.execute(query)})
    return found


def save_checkpoints(connection: Connection, agent: str, changed: Sequence[Checkpoint], *, now: int) -> None:
    """Write each of ``changed`` (unique keys) over the version it was read as, which becomes one more; ``now`` in µs.

    Raises StaleCheckpoint, and the transaction is to be rolled back, when one of them is not there as it was read."""
    there = checkpoint_versions(connection, agent, sorted(c.key for c in changed), locking=True)
    if stale := [c.key for c in changed if there[c.key] != c.version]:
        raise StaleCheckpoint(stale)
    rows: list[dict[str, Any]] = [
        {"agent": agent, "key": c.key, "version": c.version + 1, "body": c.body, "saved_at": now} for c in changed
    ]  # fmt: skip
    update_rows(connection, checkpoints, [r for r in rows if r["version"] != 1], where=("agent", "key"))
    new = [r for r in rows if r["version"] == 1]
    try:
        insert_rows(connection, checkpoints, new)
    except IntegrityError as e:
        raise StaleCheckpoint([r["key"] for r in new]) from e
