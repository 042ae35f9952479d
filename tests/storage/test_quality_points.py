"""Points of the alarm load: the same whoever writes them again, on both databases; and how the load is noted."""

import json
import os
import signal as signals
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hazards.alarm_floods import PERIOD, floor_period
from hazards.errors import StorageUnavailable
from hazards.messages import Signal
from hazards.zones import Position
from storage import schema
from storage.database import Database
from storage.incidents import apply_signals
from storage.leadership import QUALITY, Leadership
from storage.quality_points import AGAIN, TOGETHER, AlarmLoad
from storage.series.port import EventPoint
from storage.series.sqlite import SqliteSeries
from storage.site_store import apply_site, load_registry
from tests.hazards.signals import NOON, SECOND, signal
from tests.storage.test_alarm_quality import SITE, tank

START = floor_period(NOON)
POSITIONS = [Position("north", "北岗", ["smelter"]), Position("south", "南岗", ["tank"], seats=2)]
SITE_OF_TWO = msgspec.structs.replace(SITE, positions=POSITIONS)
BEGINNING = 4 * TOGETHER
"""Periods that a leader of these tests begins with: a third of a day, which is quicker."""
Points = dict[tuple[str, int], dict[str, Any]]


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[SqliteSeries]:
    made = SqliteSeries(tmp_path / "series.sqlite")
    await made.ensure()
    yield made
    await made.close()


def happen(database: Database, *happened: Signal) -> None:
    with database.write() as connection:
        apply_site(connection, SITE_OF_TWO, by="test", now=NOON)
        for one in happened:
            apply_signals(connection, [one], now=one.received_at)


def load_of(database: Database, series: SqliteSeries, now: int) -> AlarmLoad:
    with database.read() as connection:
        registry = load_registry(connection)
    return AlarmLoad(database, series, lambda: registry, now=lambda: now, beginning=BEGINNING)


async def written(database: Database, series: SqliteSeries, now: int) -> AlarmLoad:
    """What a process that begins at ``now`` does, to its end."""
    load = load_of(database, series, now)
    await load.round()
    load._leadership.give_up()
    return load


def points(folder: Path, *, synthetic: bool = False) -> Points:
    """By position and number of the period after ``START``."""
    with sqlite3.connect(folder / "series.sqlite") as connection:
        rows = connection.execute("SELECT at, tags, fields FROM alarm_quality ORDER BY at").fetchall()
    found = [(json.loads(tags), at, json.loads(fields)) for at, tags, fields in rows]
    return {(t["position"], (at // 1000 - START) // PERIOD): f for t, at, f in found if (t.get("synthetic") == "true") == synthetic}


def later(period: float) -> int:
    return START + int(period * PERIOD)


def at_period(period: float) -> float:
    """Seconds after ``NOON``, as ``signal`` takes them."""
    return (later(period) - NOON) / SECOND


def burst() -> list[Signal]:
    """Raised and cleared twelve times in the first 8 minutes of period 1."""
    return [signal(100 + n, "cleared" if n % 2 else "raised", at=at_period(1) + 20 * n) for n in range(24)]


async def test_each_period_of_each_position_is_one_point(database: Database, series: SqliteSeries, tmp_path: Path) -> None:
    happen(database, tank(1, at=at_period(0.5)), *burst())
    load = await written(database, series, later(3) + 31 * SECOND)
    found = points(tmp_path)
    assert len(found) == 2 * BEGINNING and max(period for _, period in found) == 2
    assert found["south", 0] == {"alarms": 1, "rate": 0.5, "flood_seconds": 0.0, "severity_1": 0, "severity_2": 0, "severity_3": 1,
                                 "severity_4": 0, "standing": 1, "stale": 0, "unacknowledged": 1}  # fmt: skip
    north = found["north", 1]
    assert (north["alarms"], north["rate"], north["standing"], north["unacknowledged"]) == (12, 12.0, 0, 1)
    flooded = [found["north", period]["flood_seconds"] for period in range(3)]
    assert flooded == [0, 200, 280], "from the eleventh, after 400 s, until the eighth is ten minutes past, after 880 s"
    assert load.figures == {"alarm_rate": 0.0, "floods": 0.0, "standing": 1.0, "stale": 0.0, "unacknowledged": 2.0}


async def test_who_writes_them_again_writes_the_same_and_what_came_late(database: Database, series: SqliteSeries, tmp_path: Path) -> None:
    happen(database, tank(1, at=at_period(0.5)))
    await written(database, series, later(1) + 31 * SECOND)
    first = points(tmp_path)
    happen(database, tank(2, "cleared", at=at_period(1.5)))
    await written(database, series, later(2) + 31 * SECOND)
    second = points(tmp_path)
    assert {key: second[key] for key in first if key in second} == first, "the past is the same, though the incident has ended since"
    assert second["south", 1]["standing"] == 0
    await written(database, series, later(2) + 31 * SECOND)
    assert points(tmp_path) == second
    happen(database, signal(3, at=at_period(0.7), received=at_period(2.2)))
    await written(database, series, later(2) + 200 * SECOND)
    assert points(tmp_path)["north", 0]["alarms"] == 1, "it came late and is counted where it happened"


async def test_the_running_leader_writes_each_new_period_and_the_last_ones_again(database: Database, tmp_path: Path) -> None:
    class Counting(SqliteSeries):
        told: list[int]
        away = False

        async def write_points(self, points: Any) -> Any:
            if self.away:
                raise StorageUnavailable("away")
            found: list[EventPoint] = list(points)
            self.told += [(p.at // 1000 - START) // PERIOD for p in found if p.tags["position"] == "north"]
            return await super().write_points(points)

    series = Counting(tmp_path / "series.sqlite")
    series.told = []
    await series.ensure()
    happen(database, tank(1, at=at_period(0.5)))
    clock = [later(1) + 31 * SECOND]
    with database.read() as connection:
        registry = load_registry(connection)
    load = AlarmLoad(database, series, lambda: registry, now=lambda: clock[0], beginning=BEGINNING)
    await load.round()
    assert series.told == list(range(1 - BEGINNING, 1))
    series.told.clear()
    clock[0] = later(2) + 29 * SECOND
    await load.round()
    assert series.told == [], "the period may still grow"
    clock[0], series.away = later(2) + 31 * SECOND, True
    await load.round()
    assert load.figures == {} and series.told == []
    series.away = False
    await load.round()
    assert series.told == list(range(2 - AGAIN, 2)) and load.figures["standing"] == 1

    other = AlarmLoad(database, series, lambda: registry, now=lambda: clock[0], beginning=BEGINNING)
    await other.round()
    assert other.figures == {}, "one counts, the other waits"
    load._leadership.give_up()
    await other.round()
    assert other.figures["standing"] == 1
    other._leadership.give_up()
    await series.close()


async def test_a_demonstration_has_points_of_its_own(database: Database, series: SqliteSeries, tmp_path: Path) -> None:
    happen(database, tank(1, at=at_period(0.5)))
    with database.write() as connection:
        connection.execute(schema.incidents.update().values(synthetic=True))
    await written(database, series, later(1) + 31 * SECOND)
    assert points(tmp_path)["south", 0]["alarms"] == 0, "it is kept out of what is real"
    with database.write() as connection:
        apply_site(connection, msgspec.structs.replace(SITE_OF_TWO, synthetic=True), by="test", now=NOON)
    await written(database, series, later(1) + 31 * SECOND)
    assert points(tmp_path, synthetic=True)["south", 0]["alarms"] == 1


WRITER = """
import asyncio, sys
from pathlib import Path
from storage.database import Database
from storage.quality_points import AlarmLoad
from storage.series.sqlite import SqliteSeries
from storage.site_store import load_registry

class Slow(SqliteSeries):
    async def write_points(self, points):
        done = await super().write_points(points)
        print("written", flush=True)
        await asyncio.sleep(1)
        return done

async def main(url, path, now):
    database, series = Database(url), Slow(Path(path))
    with database.read() as connection:
        registry = load_registry(connection)
    await AlarmLoad(database, series, lambda: registry, now=lambda: now, beginning=int(sys.argv[4])).round()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_a_writer_that_is_killed_halfway_leaves_its_office_and_the_next_one_writes_the_same(
    database: Database, database_url: str, series: SqliteSeries, tmp_path: Path
) -> None:
    happen(database, tank(1, at=at_period(0.5)), *burst())
    now = later(3) + 31 * SECOND
    program = [sys.executable, "-c", WRITER, database_url, str(tmp_path / "series.sqlite"), str(now), str(BEGINNING)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signals.SIGKILL)
    before = points(tmp_path)
    assert 2 * 2 * TOGETHER <= len(before) < 2 * BEGINNING, "killed between two writes"
    lead = Leadership(database, QUALITY)
    for _ in range(100):  # PostgreSQL takes a moment to see that the other end is gone
        if lead.take():
            break
        time.sleep(0.05)
    lead.give_up()
    await written(database, series, now)
    whole = points(tmp_path)
    assert len(whole) == 2 * BEGINNING and {key: whole[key] for key in before} == before and whole["north", 1]["alarms"] == 12
