"""Telemetry for tests of the evaluate agent: a park of sensors, their packs, and what a worker process emitted of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from bus.codecs import encode
from hazards.admission import Report
from hazards.evaluation import Evaluation
from hazards.sensors import Limits, Sensor
from hazards.telemetry import Reading, RollupPack, TelemetryPack, pack_readings
from tests.hazards.telemetry_histories import SECOND, sensor

ZONES = [f"zone-{n}" for n in range(10)]
PARK = {
    s.series: s for s in (
        sensor(f"T-{n}", ZONES[n % 10], limits=Limits(high=60.0, high_high=80.0), deadband=2.0, rate=20.0, on_delay=(n % 3) * SECOND)
        for n in range(40)
    )
}  # fmt: skip


def packs(seconds: int, start: int, *, seed: int = 1) -> list[TelemetryPack]:
    """``seconds`` of the park's life: five readings a second of each sensor, one pack a zone and second, some sensors too hot."""
    noise, found = np.random.default_rng(seed), list[TelemetryPack]()
    for second in range(seconds):
        for zone in ZONES:
            names = [s.series for s in PARK.values() if s.zone == zone]
            readings = []
            for tick in range(5):
                at = start + second * SECOND + tick * SECOND // 5
                for number, name in enumerate(names):
                    hot = (second * 7 + number * 5 + int(zone[-1])) % 40 < 12
                    readings.append(Reading(name, at, float(np.round(75 if hot else 25, 3) + np.round(noise.normal(0, 8), 3))))
            found.append(pack_readings(zone, readings, start + (second + 1) * SECOND))
    return found


def messages(of: list[TelemetryPack]) -> list[tuple[bytes, bytes]]:
    """Keys and values for the topic."""
    return [(p.zone.encode(), encode(p)) for p in of]


@dataclass
class Results:
    """Alarms by identity and roll-ups by zone, resolution, series and start: what stands when everything was written in order."""

    alarms: dict[tuple[str, str], Report] = field(default_factory=dict)
    rollups: dict[tuple[str, int, str, int], tuple[Any, ...]] = field(default_factory=dict)

    def add(self, alarms: list[Report], rollups: list[RollupPack]) -> None:
        """In order; a repeated alarm changes nothing, a repeated roll-up replaces."""
        for alarm in alarms:
            self.alarms.setdefault((alarm.source, alarm.source_id or ""), alarm)
        for pack in rollups:
            columns = [np.frombuffer(c, t).tolist() for c, t in zip(
                (pack.index, pack.start, pack.count, pack.minimum, pack.maximum, pack.last, pack.mean),
                ("<u2", "<i8", "<u4", "<f8", "<f8", "<f8", "<f8"), strict=True)]  # fmt: skip
            for i, start, *values, mean in zip(*columns, strict=True):
                self.rollups[pack.zone, pack.resolution, pack.series[i], start] = (*values, round(mean, 9))

    def of_resolution(self, resolution: int) -> dict[tuple[str, int, str, int], tuple[Any, ...]]:
        """Roll-ups of one resolution."""
        return {key: values for key, values in self.rollups.items() if key[1] == resolution}


def uninterrupted(of: list[TelemetryPack], sensors: dict[str, Sensor] = PARK) -> Results:
    """What one run without stops gives, everything closed."""
    evaluation, results = Evaluation(sensors), Results()
    for zone in dict.fromkeys(p.zone for p in of):
        evaluation.restore(zone, None, 0)
    results.add(evaluation.take(of), [])
    evaluation.tick(lambda _: 10**17, silent_from=0)
    results.add([r for zone in evaluation.zones.values() for r in zone.outgoing], evaluation.rollups())
    return results


def emitted(file: Path) -> Results:
    """What worker processes with ``--telemetry FILE`` wrote; a line that a kill cut off counts as not written."""
    results = Results()
    for line in file.read_bytes().split(b"\n") if file.exists() else []:
        try:
            entry = msgspec.json.decode(line, type=_Line)
        except msgspec.DecodeError:
            continue
        results.add([entry.alarm] if entry.alarm else [], [entry.rollups] if entry.rollups else [])
    return results


class _Line(msgspec.Struct):
    alarm: Report | None = None
    rollups: RollupPack | None = None


def write_sensors(file: Path, sensors: dict[str, Sensor] = PARK) -> None:
    """For ``--telemetry FILE``."""
    Path(f"{file}.sensors").write_bytes(msgspec.json.encode(list(sensors.values())))
