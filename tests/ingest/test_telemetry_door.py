"""The telemetry door: packs per zone by time and size, nobody answered before the disk, whole or not at all."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from bus.codecs import decode
from hazards.errors import JournalFull, MalformedMessage, NotPermitted, StorageUnavailable, Throttled
from hazards.messages import UNASSIGNED
from hazards.scope import Scope
from hazards.telemetry import TelemetryPack, pack_id
from hazards.zones import Device, Grade, Site, Zone
from ingest.door import utc_now
from ingest.measurements import Measurements
from ingest.telemetry_admission import LATEST_AHEAD, OLDEST_BEHIND, UNKNOWN_FOR
from ingest.telemetry_door import TelemetryDoor
from storage.journal import Journal, JournalRow, Lane
from storage.site_store import Registry

ZONES = 5


def site(version: int = 1) -> Registry:
    """Zones z0 to z4 of enterprises e0 and e1 in turn, in each a sensor of temperature with a range."""
    zones = [Zone(id=f"z{n}", name=f"z{n}", enterprise=f"e{n % 2}", grade=Grade.RED) for n in range(ZONES)]
    settings = {"metric": "temperature", "unit": "Cel", "range": [-40, 120]}
    devices = [Device(id=f"T-{n}", zone=f"z{n}", type="sensor", settings=settings) for n in range(ZONES)]
    made = Site(id="s", name="s", zones=zones, devices=devices)
    return Registry(version, made, {z.id: z for z in zones}, {d.id: d for d in devices})


def readings(*values: float, name: str = "T-0/temperature", unit: str = "", at: int | None = None) -> Measurements:
    """Values of one series, a microsecond apart."""
    found, began = Measurements(pointer=lambda n, field: f"/{n}/{field}"), utc_now() if at is None else at
    for n, value in enumerate(values):
        found.add(n, name, unit, began + n, value)
    return found


async def packs(journal: Journal) -> list[TelemetryPack]:
    return [decode(TelemetryPack, row.payload) for row in await journal.read(Lane.TELEMETRY, 0, 10_000)]


async def values(journal: Journal) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for pack in await packs(journal):
        index, _, value = pack.columns()
        for i, v in zip(index.tolist(), value.tolist(), strict=True):
            found.setdefault((pack.zone, pack.series[i]), []).append(v)
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite")
    yield made
    made.close()


@pytest.fixture
async def door(journal: Journal) -> AsyncIterator[TelemetryDoor]:
    registry = site()
    made = TelemetryDoor(journal, lambda: registry)
    yield made
    await made.close()


async def test_what_accept_returned_is_in_the_journal_in_packs_of_a_zone(door: TelemetryDoor, journal: Journal) -> None:
    found = readings(20.0, 21.0)
    found.add(2, "T-1/temperature", "K", utc_now(), 300.15)
    taken = await door.accept(found)
    rows = await journal.read(Lane.TELEMETRY, 0, 10)
    assert taken.accepted == 3 and taken.ids == [row.id for row in rows]
    for row, pack in zip(rows, await packs(journal), strict=True):
        assert row.id == pack.id == pack_id(pack.zone, pack.series, pack.index, pack.at, pack.value) and row.zone == pack.zone
    assert await values(journal) == {("z0", "T-0/temperature"): [20.0, 21.0], ("z1", "T-1/temperature"): [pytest.approx(27.0)]}


async def test_the_first_reading_of_a_quiet_zone_does_not_wait(journal: Journal) -> None:
    registry = site()
    door = TelemetryDoor(journal, lambda: registry, gather=300)
    async with asyncio.timeout(60):
        await door.accept(readings(1.0))
        await door.accept(readings(2.0, name="T-1/temperature"))


async def test_callers_of_one_moment_share_a_pack_and_later_ones_wait_for_company(journal: Journal) -> None:
    registry = site()
    door = TelemetryDoor(journal, lambda: registry, gather=3.0)
    loop = asyncio.get_running_loop()
    first = await asyncio.gather(*(door.accept(readings(float(n))) for n in range(50)))
    assert len({i for taken in first for i in taken.ids}) == 1
    began = loop.time()

    async def later(n: int) -> list[str]:
        await asyncio.sleep(n * 0.002)
        return (await door.accept(readings(float(n)))).ids

    second = await asyncio.gather(*(later(n) for n in range(50)))
    assert len({i for ids in second for i in ids}) == 1
    assert loop.time() - began > 0.1, "they waited until 3 s after the first pack"
    assert [len(p.columns()[1]) for p in await packs(journal)] == [50, 50]
    assert sorted((await values(journal))["z0", "T-0/temperature"]) == sorted([float(n) for n in range(50)] * 2)


async def test_five_hundred_readings_go_without_waiting_and_no_pack_is_larger(journal: Journal) -> None:
    registry = site()
    door = TelemetryDoor(journal, lambda: registry, gather=300)
    async with asyncio.timeout(60):
        await door.accept(readings(*map(float, range(1000))))
    assert [len(p.columns()[1]) for p in await packs(journal)] == [500, 500]
    waiting = asyncio.ensure_future(door.accept(readings(*map(float, range(1200)))))
    await asyncio.sleep(0.3)
    assert not waiting.done(), "the last 200 wait for company"
    await door.close()
    assert len((await waiting).ids) == 3
    assert sum(len(p.columns()[1]) for p in await packs(journal)) == 2200


async def test_nothing_of_a_call_is_taken_when_one_entry_can_not_be(door: TelemetryDoor, journal: Journal) -> None:
    for bad, error, place in (
        (("T-2/temperature", "kPa", utc_now(), 1.0), MalformedMessage, "/3/u"),
        (("T-2/temperature", "", utc_now() + LATEST_AHEAD + 10_000_000, 1.0), MalformedMessage, "/3/t"),
        (("T-2/temperature", "", utc_now() - OLDEST_BEHIND - 1, 1.0), MalformedMessage, "/3/t"),
        (("T-2/temperature", "K", utc_now(), float("inf")), MalformedMessage, "/3/v"),
        (("T-2/temperature", "", utc_now(), float("nan")), MalformedMessage, "/3/v"),
        (("temperature", "", utc_now(), 1.0), MalformedMessage, "/3/n"),
        (("T-2/", "", utc_now(), 1.0), MalformedMessage, "/3/n"),
        (("T-1/temperature", "kPa", utc_now(), 1.0), NotPermitted, "/3/"),
    ):
        found = readings(1.0, 2.0, 3.0)
        found.add(3, *bad)
        with pytest.raises(error) as caught:
            await door.accept(found, scope=Scope(enterprise="e0"))
        assert caught.value.where == place
    assert await packs(journal) == []


async def test_a_reading_up_to_five_minutes_ahead_and_thirty_days_behind_is_taken(door: TelemetryDoor) -> None:
    for at in (utc_now() + LATEST_AHEAD - 10_000_000, utc_now() - OLDEST_BEHIND + 10_000_000):
        assert (await door.accept(readings(1.0, at=at))).accepted == 1


async def test_a_value_outside_the_range_is_counted_and_a_value_at_its_end_is_not(door: TelemetryDoor) -> None:
    assert (await door.accept(readings(-40.0, 120.0, 120.1, -1e9))).out_of_range == 2
    assert door.counts.out_of_range == 2


async def test_a_sum_keeps_the_unit_of_its_sensor_and_has_no_range(door: TelemetryDoor, journal: Journal) -> None:
    assert (await door.accept(readings(1e6, name="T-0/temperature.sum", unit="Cel"))).out_of_range == 0
    with pytest.raises(MalformedMessage, match="a sum in 'K'"):
        await door.accept(readings(1.0, name="T-0/temperature.sum", unit="K"))
    assert list(await values(journal)) == [("z0", "T-0/temperature.sum")]


async def test_unknown_devices_wait_in_a_zone_of_their_own_up_to_a_bound_and_give_up_their_place_in_time(journal: Journal) -> None:
    registry, now = site(), utc_now()
    clock = [now]
    door = TelemetryDoor(journal, lambda: registry, now=lambda: clock[0], gather=0, max_unknown=3)
    for n in range(3):
        assert (await door.accept(readings(1.0, name=f"X-{n}/level", at=now), scope=Scope(enterprise="e0"))).unregistered == 1
    with pytest.raises(Throttled, match="not registered"):
        await door.accept(readings(1.0, name="X-3/level", at=now))
    with pytest.raises(Throttled):  # of a known device, but nobody registered the metric
        await door.accept(readings(1.0, name="T-0/level", at=now))
    assert (await door.accept(readings(1.0, at=now))).accepted == 1
    clock[0] += UNKNOWN_FOR // 2
    await door.accept(readings(1.0, name="X-0/level", at=clock[0]))
    clock[0] += UNKNOWN_FOR // 2 + 1
    await door.accept(readings(1.0, name="X-3/level", at=clock[0]))  # takes the place of X-1, silent for an hour
    assert door.unknown_series == 3
    assert {zone for zone, name in await values(journal) if name.startswith("X-")} == {UNASSIGNED}


async def test_a_new_site_is_followed_at_once(journal: Journal) -> None:
    registry = [Registry()]
    door = TelemetryDoor(journal, lambda: registry[0], gather=0)
    await door.accept(readings(1.0))
    registry[0] = site(2)
    await door.accept(readings(300.15, unit="K"))
    assert await values(journal) == {(UNASSIGNED, "T-0/temperature"): [1.0], ("z0", "T-0/temperature"): [pytest.approx(27.0)]}


class Refusing(Journal):
    """A journal whose appends are refused, or held until ``go`` is set."""

    refusal: Exception | None = None
    go: asyncio.Event | None = None

    async def append(self, lane: Lane, rows: Sequence[JournalRow]) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.go is not None:
            await self.go.wait()
        await super().append(lane, rows)


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[Refusing]:
    made = Refusing(tmp_path / "refusing.sqlite")
    yield made
    made.close()


async def test_every_caller_of_a_pack_hears_that_the_disk_refused_and_may_send_again(refusing: Refusing) -> None:
    registry = site()
    door = TelemetryDoor(refusing, lambda: registry)
    refusing.refusal = StorageUnavailable("the disk is gone", where="journal")
    outcomes = await asyncio.gather(*(door.accept(readings(float(n))) for n in range(5)), return_exceptions=True)
    assert [(type(o), str(o)) for o in outcomes] == [(StorageUnavailable, "journal: the disk is gone")] * 5
    refusing.refusal = None
    assert (await door.accept(readings(1.0))).accepted == 1


async def test_an_error_nobody_expected_leaves_nobody_waiting(refusing: Refusing) -> None:
    registry = site()
    door = TelemetryDoor(refusing, lambda: registry)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    refusing.refusal = ZeroDivisionError()
    async with asyncio.timeout(60):
        with pytest.raises(StorageUnavailable):
            await door.accept(readings(1.0))


async def test_memory_is_bounded_while_the_disk_is_stuck(refusing: Refusing) -> None:
    registry = site()
    refusing.go = asyncio.Event()
    door = TelemetryDoor(refusing, lambda: registry, max_waiting=1500)
    waiting = [asyncio.ensure_future(door.accept(readings(*[1.0] * 500, name=f"T-{n}/temperature"))) for n in range(3)]
    await asyncio.sleep(0.05)
    with pytest.raises(JournalFull, match="held in memory"):
        await door.accept(readings(1.0))
    refusing.go.set()
    await asyncio.gather(*waiting)
    assert (await door.accept(readings(1.0))).accepted == 1


async def test_a_caller_that_goes_away_takes_nobody_along(refusing: Refusing) -> None:
    registry = site()
    refusing.go = asyncio.Event()
    door = TelemetryDoor(refusing, lambda: registry)
    gone = asyncio.ensure_future(door.accept(readings(1.0)))
    stays = asyncio.ensure_future(door.accept(readings(2.0)))
    await asyncio.sleep(0.02)
    gone.cancel()
    refusing.go.set()
    assert (await stays).accepted == 1
    assert (await values(refusing))["z0", "T-0/temperature"] == [1.0, 2.0]


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.ingest.test_telemetry_door import readings, site
from ingest.telemetry_door import TelemetryDoor
from storage.journal import Journal

async def main():
    registry, journal = site(), Journal(Path(sys.argv[1]))
    door = TelemetryDoor(journal, lambda: registry)
    async def send(n):
        await door.accept(readings(float(n), name=f"T-{n % 5}/temperature"))
        print(n, flush=True)
    n = 0
    while True:
        await asyncio.gather(*(send(n + k) for k in range(20)))
        n += 20

asyncio.run(main())
"""


async def test_killed_at_any_moment_what_was_answered_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "killed.sqlite"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(path), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    answered = [float(await process.stdout.readline()) for _ in range(300)]
    os.kill(process.pid, signal.SIGKILL)
    answered += [float(line) for line in (await process.stdout.read()).splitlines()]
    await process.wait()
    journal = Journal(path)
    kept = [v for found in (await values(journal)).values() for v in found]
    journal.close()
    assert set(answered) <= set(kept) and len(kept) == len(set(kept))
