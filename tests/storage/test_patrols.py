"""Patrol rounds in SQL, on SQLite and PostgreSQL: counted by judgement within a scope, judged once, page by page."""

import pytest

from hazards.errors import NotFound, NotInState
from hazards.scope import EVERYTHING, Scope
from storage.database import Database
from storage.patrols import end_round, judge, list_rounds, read_round, start_round

CAMERAS = [("CAM-2", "depot"), ("CAM-1", "smelter"), ("CAM-3", "depot")]


def begin(database: Database, name: str, now: int, cameras: list[tuple[str, str]] = CAMERAS) -> bool:
    with database.write() as connection:
        return start_round(connection, name, cameras, seconds=10, by="wang", now=now)


def say(database: Database, name: str, camera: str, judgement: str, by: str = "wang") -> None:
    with database.write() as connection:
        judge(connection, name, camera, judgement=judgement, note="", pictured=True, by=by, now=5)


def test_a_round_is_begun_once_and_each_camera_judged_once(database: Database) -> None:
    assert begin(database, "a", 1) and not begin(database, "a", 2, [("CAM-9", "gate")])
    say(database, "a", "CAM-1", "abnormal")
    say(database, "a", "CAM-1", "abnormal")
    with pytest.raises(NotInState, match="judged before"):
        say(database, "a", "CAM-1", "normal")
    with pytest.raises(NotFound):
        say(database, "a", "CAM-9", "normal")
    with database.write() as connection:
        end_round(connection, "a", by="li", now=7)
        end_round(connection, "a", by="wang", now=8)
    with pytest.raises(NotInState, match="over"):
        say(database, "a", "CAM-2", "normal")
    with database.read() as connection:
        found, looks = read_round(connection, "a", scope=EVERYTHING)
    assert (found.started_at, found.ended_by, found.ended_at, found.counts) == (1, "li", 7, {"": 2, "abnormal": 1})
    assert [(look.camera, look.judgement, look.judged_by) for look in looks] == [
        ("CAM-2", None, None), ("CAM-1", "abnormal", "wang"), ("CAM-3", None, None)
    ]  # fmt: skip


def test_who_sees_one_zone_sees_the_cameras_of_that_zone_of_a_round_and_their_counts(database: Database) -> None:
    for n, name in enumerate("abc"):
        begin(database, name, n, CAMERAS if name != "b" else CAMERAS[:1])
    say(database, "c", "CAM-3", "normal")
    smelter, depot = Scope(zones=frozenset({"smelter"})), Scope(zones=frozenset({"depot", "gate"}))
    with database.read() as connection:
        assert [(r.id, dict(r.counts)) for r in list_rounds(connection, scope=smelter)[0]] == [("c", {"": 1}), ("a", {"": 1})]
        first, following = list_rounds(connection, scope=depot, limit=2)
        rest, end = list_rounds(connection, scope=depot, limit=2, cursor=following)
        assert [(r.id, dict(r.counts)) for r in (*first, *rest)] == [("c", {"": 1, "normal": 1}), ("b", {"": 1}), ("a", {"": 2})]
        assert end is None
        with pytest.raises(NotFound):
            read_round(connection, "b", scope=smelter)
        assert list_rounds(connection, scope=Scope(enterprise="nobody")) == ([], None)
