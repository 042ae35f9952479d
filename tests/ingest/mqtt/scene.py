"""A small park, its telemetry door over a real journal, and an MQTT intake that a test can run and end."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt

from bus.codecs import decode
from hazards.telemetry import TelemetryPack
from hazards.zones import Device, Enterprise, Grade, Site, Zone
from ingest.mqtt.intake import Accepting, MqttIntake
from ingest.telemetry_door import TelemetryDoor
from storage.dead_letters import DeadLetter
from storage.journal import Journal, Lane
from storage.site_store import Registry

ROWS: list[dict[str, Any]] = [
    {"topic": "park/{zone}/{device}/{metric}", "format": "plain"},
    {"topic": "sensors/{device}", "format": "json"},
    {"topic": "plant/s-{device}/{metric}", "format": "plain"},
    {"topic": "gateway/+", "format": "senml", "enterprise": "chem"},
]


def registry(url: str, rows: list[dict[str, Any]] | None = None, **section: Any) -> Registry:
    """A site with two sensors whose section ``mqtt`` names ``url`` and ``rows``."""
    zones = [Zone(id=z, name=z, enterprise=e, grade=Grade.RED) for z, e in (("smelter", "alu"), ("tank", "chem"))]
    devices = [
        Device(id="T-101", zone="smelter", type="sensor", settings={"metric": "temperature", "unit": "Cel"}),
        Device(id="G-201", zone="tank", type="sensor", settings={"metric": "flammable_gas", "unit": "%LEL"}),
    ]
    site = Site(
        id="park", name="示例", enterprises=[Enterprise(id="alu", name="铝"), Enterprise(id="chem", name="化")],
        zones=zones, devices=devices,
        settings={"mqtt": {"url": url, "subscriptions": rows or ROWS, **section}},
    )  # fmt: skip
    return Registry(1, site, {z.id: z for z in zones}, {d.id: d for d in devices})


@dataclass
class Scene:
    """Everything behind an intake; ``letters`` are what it put aside."""

    folder: Path
    site: Registry
    letters: list[DeadLetter] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.journal = Journal(self.folder / "journal.sqlite")
        self.door = TelemetryDoor(self.journal, lambda: self.site)

    async def keep_letters(self, letters: Sequence[DeadLetter]) -> None:
        self.letters += letters

    @contextlib.asynccontextmanager
    async def intake(self, door: Accepting | None = None) -> AsyncIterator[MqttIntake]:
        """A connected intake."""
        made = MqttIntake(lambda: self.site, door or self.door, self.keep_letters, environ={})
        running = asyncio.create_task(made.run())
        try:
            await until(lambda: made.standing.connected or running.done())
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def values(self) -> dict[str, list[float]]:
        """Series to its values in the order of the journal."""
        found: dict[str, list[float]] = {}
        for row in await self.journal.read(Lane.TELEMETRY, 0, 100_000):
            pack = decode(TelemetryPack, row.payload)
            index, _, value = pack.columns()
            for i, v in zip(index.tolist(), value.tolist(), strict=True):
                found.setdefault(pack.series[i], []).append(v)
        return found


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for ``condition``; fails when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        await asyncio.sleep(0.01)


async def publish(port: int, *messages: tuple[str, bytes], qos: int = 1, **options: Any) -> None:
    """Publish (topic, payload) pairs; with QoS 1 each is with the broker when this returns."""
    async with aiomqtt.Client("127.0.0.1", port, identifier=f"sender-{time.monotonic_ns()}") as client:
        for topic, payload in messages:
            await client.publish(topic, payload, qos=qos, **options)
