"""Telemetry that benches feed in: every device of a park measured a few times a second, with disturbances that break limits.

The same numbers on every run, but for their time. What must not go in: Kafka, measuring.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hazards.telemetry import Floats, TelemetryPack, pack_id, series_name
from hazards.zones import AlarmTiming, Device, Enterprise, Grade, Site, Zone

METRIC, UNIT = "temperature", "Cel"
SECOND = 1_000_000
RULES = {
    "limits": {"low_low": -20.0, "low": 0.0, "high": 60.0, "high_high": 80.0}, "deadband": 2.0, "rate": 20.0, "stale_after": "20m",
}  # fmt: skip
"""Every rule there is on every device; ``TIMING`` the delays."""
TIMING = AlarmTiming(on_delay=2 * SECOND, off_delay=5 * SECOND)
DISTURBED_EVERY, DISTURBED_FOR = 3600, 20  # seconds: once an hour each device is too hot for a while


@dataclass(frozen=True, slots=True)
class Load:
    """A park that is measured: ``devices`` of one metric, ``hertz`` readings/s of each, packs of ``pack`` readings.

    A pack is one zone for one second, so ``pack / hertz`` devices make a zone. ``start``: µs of the first second."""

    devices: int = 1000
    pack: int = 100
    hertz: int = 5
    start: int = 0

    @property
    def zone_devices(self) -> int:
        """Devices of a zone."""
        return self.pack // self.hertz

    @property
    def zones(self) -> int:
        """Zones of the park."""
        return self.devices // self.zone_devices

    @property
    def a_second(self) -> int:
        """Readings of one second of the park's life."""
        return self.zones * self.pack

    def device(self, number: int) -> str:
        """Id of the device with that number."""
        return f"T-{number}"

    def zone(self, number: int) -> str:
        """Id of the zone with that number."""
        return f"hall-{number}"

    def series(self, zone: int) -> list[str]:
        """Names of the series of a zone."""
        first = zone * self.zone_devices
        return [series_name(self.device(n), METRIC) for n in range(first, first + self.zone_devices)]

    def site(self) -> Site:
        """The park with its sensors, every rule on, raw values kept exactly."""
        return Site(
            id="bench-park", name="测试园区", district="510800", enterprises=[Enterprise(id="alu", name="测试铝业")],
            zones=[Zone(id=self.zone(n), name=f"{n} 号厂房", grade=Grade.RED, enterprise="alu") for n in range(self.zones)],
            devices=[
                Device(
                    id=self.device(n), zone=self.zone(n // self.zone_devices), type="sensor", timing=TIMING,
                    settings={"metric": METRIC, "unit": UNIT, **RULES},
                )
                for n in range(self.zones * self.zone_devices)
            ],
        )  # fmt: skip

    def packs(self, seconds: int) -> Iterator[TelemetryPack]:
        """``seconds`` of the park's life in order of time, one pack a zone and second."""
        names = [self.series(zone) for zone in range(self.zones)]
        index = np.tile(np.arange(self.zone_devices, dtype="<u2"), self.hertz).tobytes()
        ticks = np.repeat(np.arange(self.hertz, dtype="<i8") * (SECOND // self.hertz), self.zone_devices)
        noise = np.random.default_rng(1)
        for second in range(seconds):
            at = (self.start + second * SECOND + ticks).astype("<i8").tobytes()
            values = self._values(second, noise)
            for zone in range(self.zones):
                columns = index, at, values[zone].tobytes()
                name = self.zone(zone)
                yield TelemetryPack(
                    id=pack_id(name, names[zone], *columns), zone=name, received_at=self.start + (second + 1) * SECOND,
                    series=names[zone], index=columns[0], at=columns[1], value=columns[2],
                )  # fmt: skip

    def _values(self, second: int, noise: np.random.Generator) -> Floats:
        """Values (zones, pack) of one second: a slow wave and noise, and what disturbs a device."""
        phase = np.arange(self.zones * self.zone_devices) * 977 % DISTURBED_EVERY
        wave = 25 + 5 * np.sin((second + phase) / 600)
        wave = np.where((second + phase) % DISTURBED_EVERY < DISTURBED_FOR, 90.0, wave)
        whole = np.tile(wave.reshape(self.zones, 1, self.zone_devices), (1, self.hertz, 1))
        return (whole + noise.normal(0, 0.3, whole.shape)).reshape(self.zones, self.pack).astype("<f8")
