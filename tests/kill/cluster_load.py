"""What the test of the cluster sends, and what must come of it: alarms of a park whose time runs fast, readings that break a limit.

What must not go in: processes, brokers, killing.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from msgspec import structs

from bus.codecs import encode
from hazards.messages import Action, Signal
from hazards.telemetry import TelemetryPack, pack_id, series_name
from hazards.zones import Device, Enterprise, Grade, Site, Zone
from storage.journal import Journal, JournalRow, Lane
from streams.worker import micros
from tests.streams.signals import alarm

RATE = 100
"""Alarms a second."""
ZONES = [f"zone-{n}" for n in range(20)]
KINDS = ("flame", "smoke", "intrusion")  # two groups of families
FASTER = 1200
"""How much faster the park's time runs: pauses of more than five minutes then begin new incidents all the time. It runs ahead of ours, so
that no timer of a worker has a part in the grouping: it is a function of the order consumed."""
DISORDER = 240 * 1_000_000
"""µs that a sender's time may be behind others, one in ten."""
HALLS = [f"hall-{n}" for n in range(4)]
METRIC, HIGH = "temperature", 60.0
PERIOD, HOT = 40, 6
"""Of PERIOD seconds each sensor is too hot for HOT; readings come twice a second."""


def site() -> Site:
    """Halls with a sensor each; the zones of the alarms are nobody's."""
    settings = {"metric": METRIC, "unit": "Cel", "limits": {"high": HIGH}}
    return Site(
        id="cluster", name="集群测试", enterprises=[Enterprise(id="alu", name="测试铝业")],
        zones=[Zone(id=hall, name=hall, grade=Grade.RED, enterprise="alu") for hall in HALLS],
        devices=[Device(id=f"T-{hall}", zone=hall, type="sensor", settings=settings) for hall in HALLS],
    )  # fmt: skip


@dataclass
class Alarms:
    """What the journal took: ``ids`` of all signals."""

    journal: Journal
    ids: set[str] = field(default_factory=set)
    _last: dict[tuple[str, str], Action] = field(default_factory=dict)
    _began: int = field(default_factory=micros)

    async def run(self, seconds: float, seed: int) -> None:
        """``RATE`` signals a second for ``seconds``; one in fifty is sent twice."""
        chance, began = random.Random(seed), time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while len(self.ids) < RATE * passed:
                signal = self._next(chance)
                for _ in range(2 if chance.random() < 0.02 else 1):
                    await self.journal.append(Lane.ALARMS, [JournalRow(signal.id, signal.zone, encode(signal))])
                self.ids.add(signal.id)
            await asyncio.sleep(0.01)

    def _next(self, chance: random.Random) -> Signal:
        """The next signal of some condition, raised and cleared in turn."""
        zone, kind = chance.choice(ZONES), chance.choice(KINDS)
        before = self._last.get((zone, kind))
        action = self._last[zone, kind] = Action.CLEARED if before is Action.RAISED else Action.RAISED
        now = self._began + FASTER * (micros() - self._began)
        behind = chance.randrange(DISORDER) if chance.random() < 0.1 else 0
        return structs.replace(alarm(len(self.ids), zone, action=action, kind=kind), at=now - behind, received_at=now)


@dataclass
class Readings:
    """Sensors that become too hot again and again. ``expected``: the alarms that must come of it, as (device, action, µs)."""

    journal: Journal
    expected: set[tuple[str, str, int]] = field(default_factory=set)
    _hot: set[str] = field(default_factory=set)

    async def run(self, seconds: float) -> None:
        """Measure for ``seconds``, and a last time at which all are cool again."""
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            await self._measure({hall for n, hall in enumerate(HALLS) if (passed + 9 * n) % PERIOD < HOT})
            await asyncio.sleep(0.5)
        await self._measure(set())

    async def _measure(self, hot: set[str]) -> None:
        packs = [self._pack(hall, 90.0 if hall in hot else 20.0) for hall in HALLS]
        await self.journal.append(Lane.TELEMETRY, [JournalRow(pack.id, pack.zone, encode(pack)) for pack in packs])

    def _pack(self, hall: str, value: float) -> TelemetryPack:
        device, now = f"T-{hall}", micros()
        if (value > HIGH) != (hall in self._hot):
            self._hot ^= {hall}
            self.expected.add((device, "raised" if value > HIGH else "cleared", now))
        columns = (np.array([0], "<u2").tobytes(), np.array([now], "<i8").tobytes(), np.array([value], "<f8").tobytes())
        series = [series_name(device, METRIC)]
        return TelemetryPack(
            id=pack_id(hall, series, *columns), zone=hall, received_at=now, series=series, index=columns[0], at=columns[1], value=columns[2]
        )  # fmt: skip


def groups(rows: Iterator[tuple[str, str]]) -> set[frozenset[str]]:
    """Which ids are together, of (incident, id)."""
    found: dict[str, set[str]] = {}
    for incident, identity in rows:
        found.setdefault(incident, set()).add(identity)
    return {frozenset(ids) for ids in found.values()}
