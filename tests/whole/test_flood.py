"""A flood of alarms (报警泛滥) on a whole system: the API answers, nothing is lost, few incidents, and methane among them at once."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.figures import percentile
from benchmarks.flood import METHANE, ZONES, Flood, flood, flooding
from benchmarks.park import write_park
from benchmarks.system import System
from storage.database import sqlite_url

ALLOWED = 0.2
"""Seconds that all but one of a hundred answers may take."""


def flooded(folder: Path, count: int, seconds: float) -> Flood:
    """``count`` alarms in ``seconds`` on ``bihuan up`` with its embedded broker and SQLite; all of them were applied."""
    site = write_park(folder / "site.yaml", ZONES)
    with System(folder / "data", site=site) as system:
        return asyncio.run(flood(system, sqlite_url(folder / "data" / "ledger.sqlite"), count=count, seconds=seconds))


def check(found: Flood, count: int, slack: float = 1.0) -> None:
    """What is asked of every flood; ``slack``: how much longer things may take."""
    posts, lists = percentile(found.posts, 99), percentile(found.lists, 99)
    said = f"{len(found.posts)} posts p99 {1000 * posts:.0f} ms, {len(found.lists)} lists p99 {1000 * lists:.0f} ms"
    print(f"{count} alarms: {said}, methane after {found.methane:.2f} s, applied after {found.applying:.1f} s, {len(found.incidents)} open")
    assert posts <= slack * ALLOWED and lists <= slack * ALLOWED
    assert found.methane <= slack * 1.0
    assert [i["kinds"] for i in found.incidents if METHANE in i["kinds"]] == [[METHANE]], "methane is an incident of its own"
    assert len(found.incidents) <= len({place.group for place in flooding()}) + 1
    assert sum(i["alarm_count"] for i in found.incidents) == count + 1


@pytest.mark.timeout(240)
def test_the_beginning_of_a_flood(tmp_path: Path) -> None:
    check(flooded(tmp_path, 10_000, 6), 10_000, slack=2.0)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_hundred_thousand_alarms_in_a_minute(tmp_path: Path) -> None:
    check(flooded(tmp_path, 100_000, 60), 100_000)
