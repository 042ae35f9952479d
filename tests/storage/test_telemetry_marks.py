"""Marks decide when a pack may leave the journal: all agents or none, however often they mark."""

from storage.database import Database
from storage.telemetry_marks import forget, mark, marked, marked_after

IDS = [f"pack-{n:04}" for n in range(1200)]


def test_a_pack_is_done_only_when_every_agent_marked_it(database: Database) -> None:
    with database.write() as connection:
        mark(connection, "evaluate", IDS)
        mark(connection, "store", IDS[600:])
        mark(connection, "store", IDS[600:])  # a crash after the effect: it is done again
        mark(connection, "store", [])
    with database.read() as connection:
        assert marked(connection, IDS, ("evaluate", "store")) == set(IDS[600:])
        assert marked(connection, IDS, ("evaluate",)) == set(IDS)
        assert marked(connection, [*IDS, "unknown"], ("store",)) == set(IDS[600:])
        assert marked(connection, [], ("store",)) == set()


def test_forgotten_marks_are_gone_and_the_others_stay(database: Database) -> None:
    with database.write() as connection:
        mark(connection, "evaluate", IDS)
        mark(connection, "store", IDS)
        forget(connection, IDS[10:])
    with database.read() as connection:
        assert marked(connection, IDS, ("evaluate", "store")) == set(IDS[:10])
        assert marked_after(connection, "", 4) == IDS[:4] and marked_after(connection, IDS[7], 9) == IDS[8:10]
