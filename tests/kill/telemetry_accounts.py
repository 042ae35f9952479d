"""Both sides of the account for telemetry: a sender that notes which readings got a 202, and an audit of what came of them.

What must not go in: killing.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import select

from benchmarks.client import Client
from hazards.errors import StorageUnavailable, Unavailable
from hazards.limits import Reading, SeriesState, take
from hazards.sensors import Sensor, sensors_of
from hazards.telemetry import series_name
from hazards.zones import Device
from storage import schema
from storage.database import Database
from storage.part_notes import notes_since
from storage.series.port import SeriesQuery, SeriesRun, TimeSeriesReader

METRIC = "temperature"
HIGH = 60.0
DEVICES_OF_ZONE = 50
PERIOD, HOT = 300, 50
"""Every device is beyond its limit in HOT of PERIOD measurements."""
DAY = 86_400_000_000


def sensors(zones: int) -> list[dict[str, Any]]:
    """The devices of the park as in a site file: one limit, no delays, raw values kept exactly."""
    return [
        {"id": _device(zone, n), "zone": f"zone-{zone}", "type": "sensor", "metric": METRIC, "unit": "Cel", "limits": {"high": HIGH},
         "compression": 0}
        for zone in range(zones) for n in range(DEVICES_OF_ZONE)
    ]  # fmt: skip


def _device(zone: int, number: int) -> str:
    return f"T-{zone}-{number}"


@dataclass
class Measuring:
    """Posts every device of ``zones`` zones ``rate`` readings/s in all, a zone's next post after the last was answered.

    ``accepted``: (device, µs) to value of what got a 202; ``sent``: of everything, answered or not."""

    client: Client
    zones: int
    rate: float = 2000
    accepted: dict[tuple[str, int], float] = field(default_factory=dict)
    sent: dict[tuple[str, int], float] = field(default_factory=dict)
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)
    longest: float = 0.0
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """No further posts; ``run`` returns when those under way are answered."""
        self._stop.set()

    async def run(self) -> None:
        """Measure until ``stop``."""
        await asyncio.gather(*(self._measure(zone) for zone in range(self.zones)))

    async def _measure(self, zone: int) -> None:
        every = self.zones * DEVICES_OF_ZONE / self.rate
        due, number = time.monotonic() + zone * every / self.zones, 0
        while not self._stop.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + every, time.monotonic() - 1)
            number += 1
            await self._post(zone, number)

    async def _post(self, zone: int, number: int) -> None:
        at = time.time_ns() // 1000
        readings = {(_device(zone, n), at + n): _value(n, number) for n in range(DEVICES_OF_ZONE)}
        self.sent |= readings
        records = [{"n": series_name(device, METRIC), "u": "Cel", "t": us / 1e6, "v": value} for (device, us), value in readings.items()]
        began = time.monotonic()
        try:
            answer = await self.client.request("POST", "/api/v1/telemetry", json=records, content_type="application/senml+json")
        except Unavailable:
            self.unanswered += 1
            return
        self.longest = max(self.longest, time.monotonic() - began)
        if answer.status == 202 and answer.json()["accepted"] == DEVICES_OF_ZONE:
            self.accepted |= readings
        elif answer.status == 503:
            self.unanswered += 1
        else:
            self.refused.append(f"{answer.status} {answer.text[:300]}")


def _value(device: int, number: int) -> float:
    hot = (number + 37 * device) % PERIOD < HOT
    return (90.0 if hot else 20.0) + device / 100 + number % 10 / 1000


@dataclass(frozen=True)
class Kept:
    """What stands in the time series: raw (device, µs) to value; counts of the seconds' roll-ups, (device, second) to readings."""

    raw: dict[tuple[str, int], float]
    counts: dict[tuple[str, int], int]


async def kept_in(series: TimeSeriesReader, zones: int, since: int) -> Kept:
    """Read all of it; ``since`` in µs."""
    raw, counts, places = dict[tuple[str, int], float](), dict[tuple[str, int], int](), asyncio.Semaphore(6)

    async def read(device: str, resolution: int) -> Sequence[SeriesRun]:
        start = since - 2_000_000
        async with places:
            return await series.read(SeriesQuery(
                device=device, metric=METRIC, start=start, end=since + DAY, resolution=resolution, limit=1_000_000
            ))  # fmt: skip

    async def keep(device: str) -> None:
        for run in await read(device, 0):
            raw.update({(device, at): value for at, value in _points(run)})
        for run in await read(device, 1):
            counts.update({(device, at // 1_000_000): n for at, n in zip(run.at.tolist(), run.count.tolist(), strict=True)})

    await asyncio.gather(*(keep(_device(zone, n)) for zone in range(zones) for n in range(DEVICES_OF_ZONE)))
    return Kept(raw, counts)


def _points(run: SeriesRun) -> Iterator[tuple[int, float]]:
    return zip(run.at.tolist(), run.last.tolist(), strict=True)


async def settled(series: TimeSeriesReader, measuring: Measuring, since: int, *, seconds: float) -> Kept:
    """Read until all that was accepted stands, the roll-ups count it, and two looks in a row show the same; the last look anyway.

    A time series that can't be read yet (its bucket is made by a store that was killed before it could) is waited for."""
    limit, before = time.monotonic() + seconds, Kept({}, {})
    while True:
        try:
            kept = await kept_in(series, measuring.zones, since)
        except StorageUnavailable:
            if time.monotonic() > limit:
                raise
            await asyncio.sleep(1.0)
            continue
        whole = kept.raw.keys() >= measuring.accepted.keys() and sum(kept.counts.values()) == len(kept.raw)
        if (whole and kept == before) or time.monotonic() > limit:
            return kept
        before = kept
        await asyncio.sleep(1.0)


async def audit(series: TimeSeriesReader, database: Database, measuring: Measuring, since: int, *, seconds: float = 90) -> Kept:
    """Wait until nothing moves any more, then check that every reading stands once, is counted once, and raised what it had to."""
    kept = await settled(series, measuring, since, seconds=seconds)
    lost = sorted(measuring.accepted.keys() - kept.raw.keys(), key=lambda k: k[1])
    first = f"{lost[:3]}, {len({k[0] for k in lost})} devices, over {(lost[-1][1] - lost[0][1]) / 1e6:.1f} s" if lost else ""
    assert not lost, f"{len(lost)} of {len(measuring.accepted)} accepted readings are not in the time series: {first}"
    wrong = {k: v for k, v in kept.raw.items() if not np.isclose(v, measuring.sent.get(k, float("nan")))}
    assert not wrong, f"{len(wrong)} readings stand that nobody sent so: {list(wrong.items())[:3]}"
    stand = Counter((device, at // 1_000_000) for device, at in kept.raw)
    miscounted = {k: (stand.get(k), kept.counts.get(k)) for k in stand.keys() | kept.counts.keys() if stand.get(k) != kept.counts.get(k)}
    seconds_of = Counter((second - since // 1_000_000, *pair) for (_, second), pair in miscounted.items())
    notes = await database.reading(lambda c: notes_since(c, 0)) if miscounted else []
    wrong_seconds = f"(second, stand, counted): series {dict(seconds_of)}; {notes}"
    assert not miscounted, f"{len(miscounted)} of {len(stand)} roll-ups don't count what stands, {wrong_seconds}"
    assert not measuring.refused, f"{len(measuring.refused)} posts were refused: {measuring.refused[:3]}"
    wanted, raised = expected_alarms(kept), await rule_alarms(database)
    doubled = [i for i, n in Counter(raised).items() if n > 1]
    assert not doubled, f"rule alarms that stand more than once: {doubled[:3]}"
    missing, unfounded = wanted - set(raised), set(raised) - wanted
    assert not missing, f"{len(missing)} of {len(wanted)} rule alarms are missing: {sorted(missing)[:3]}"
    assert not unfounded, f"{len(unfounded)} rule alarms without reason: {sorted(unfounded)[:3]}"
    return kept


def expected_alarms(kept: Kept) -> set[str]:
    """The senders' ids of the alarms that the rules' plain machine raises and clears on what stands."""
    by_device: dict[str, list[tuple[int, float]]] = {}
    for (device, at), value in kept.raw.items():
        by_device.setdefault(device, []).append((at, value))
    found = set[str]()
    for device, points in by_device.items():
        readings = [Reading(at, value, at) for at, value in sorted(points)]
        found |= {str(report.source_id) for report in take(_sensor(device), SeriesState(), readings)}
    return found


def _sensor(device: str) -> Sensor:
    settings = {"metric": METRIC, "unit": "Cel", "limits": {"high": HIGH}, "compression": 0}
    (sensor,) = sensors_of(Device(id=device, zone="", type="sensor", settings=settings))
    return sensor


async def rule_alarms(database: Database) -> list[str]:
    """Senders' ids of the alarms in SQL that a rule sent."""
    query = select(schema.alarms.c.source_id).where(schema.alarms.c.source.startswith("rule/"))
    return await database.reading(lambda c: list(c.scalars(query)))
