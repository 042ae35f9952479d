"""Checkpoints: written only over what was read, all of a call or none."""

import pytest
from sqlalchemy import select

from storage import schema
from storage.checkpoints import Checkpoint, StaleCheckpoint, checkpoint_versions, load_checkpoints, save_checkpoints
from storage.database import Database

BODY = bytes(range(256)) * 40


def save(database: Database, *changed: Checkpoint) -> None:
    with database.write() as connection:
        save_checkpoints(connection, "evaluate", changed, now=7)


def load(database: Database, *keys: str) -> dict[str, Checkpoint]:
    with database.read() as connection:
        return load_checkpoints(connection, "evaluate", keys)


def test_what_was_saved_is_read_and_its_version_counts(database: Database) -> None:
    save(database, Checkpoint("b", 0, BODY), Checkpoint("a", 0, b""))
    save(database, Checkpoint("a", 1, BODY[::-1]), Checkpoint("c", 0, b"c"))
    assert load(database, "a", "b", "c", "d") == {
        "a": Checkpoint("a", 2, BODY[::-1]), "b": Checkpoint("b", 1, BODY), "c": Checkpoint("c", 1, b"c"),
    }  # fmt: skip
    with database.read() as connection:
        assert checkpoint_versions(connection, "evaluate", ["a", "d"]) == {"a": 2, "d": 0}
        assert load_checkpoints(connection, "another agent", ["a"]) == {}
        assert connection.scalars(select(schema.checkpoints.c.saved_at)).all() == [7, 7, 7]


@pytest.mark.parametrize("stale", [Checkpoint("a", 0, b"zombie"), Checkpoint("a", 1, b"zombie"), Checkpoint("a", 5, b"zombie")])
def test_over_another_version_nothing_of_the_call_is_written(database: Database, stale: Checkpoint) -> None:
    save(database, Checkpoint("a", 0, b"1"), Checkpoint("b", 0, b"1"))
    save(database, Checkpoint("a", 1, b"2"))
    with pytest.raises(StaleCheckpoint) as error:
        save(database, Checkpoint("b", 1, b"new"), stale, Checkpoint("c", 0, b"new"))
    assert "a" in error.value.keys and "b" not in error.value.keys
    assert load(database, "a", "b", "c") == {"a": Checkpoint("a", 2, b"2"), "b": Checkpoint("b", 1, b"1")}
