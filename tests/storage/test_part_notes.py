"""What processes say of themselves: the latest word of each, and nothing of those that are gone."""

from storage.database import Database
from storage.part_notes import FORGOTTEN_AFTER, PartNote, note_part, notes_since


def test_the_latest_note_of_each_process_stands_once(database: Database) -> None:
    with database.write() as connection:
        note_part(connection, "ingest", "here", {"waiting": 5}, now=100)
        note_part(connection, "ingest", "there", {"waiting": 7}, now=150)
        note_part(connection, "ingest", "here", {"waiting": 1.5}, now=200)
    with database.read() as connection:
        assert notes_since(connection, 0) == [
            PartNote("ingest", "here", 200, {"waiting": 1.5}), PartNote("ingest", "there", 150, {"waiting": 7.0}),
        ]  # fmt: skip
        assert [note.instance for note in notes_since(connection, 151)] == ["here"]


def test_a_process_that_does_not_come_back_is_forgotten(database: Database) -> None:
    with database.write() as connection:
        note_part(connection, "worker", "old", {}, now=1)
        note_part(connection, "worker", "new", {}, now=FORGOTTEN_AFTER + 2)
    with database.read() as connection:
        assert [note.instance for note in notes_since(connection, 0)] == ["new"]
