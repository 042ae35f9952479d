"""The park that benches and kill tests run on: zones with one device a kind, so that a device's alarms are one group.

What must not go in: load, measuring.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hazards.identity import signal_id
from hazards.kinds import kind_of
from hazards.messages import Action, Signal

KINDS = (
    "flame", "temperature_low", "flammable_gas_high", "pressure_high", "intrusion",
    "absent_from_post", "exit_blocked", "device_fault", "blind_zone",
)  # fmt: skip
"""Known kinds, no two of which merge."""


@dataclass(frozen=True, slots=True)
class Place:
    """One device and the one kind it reports: a merging group of its own."""

    device: str
    zone: str
    kind: str

    @property
    def group(self) -> tuple[str, str]:
        """Zone and family: what merges into one incident."""
        return self.zone, kind_of(self.kind).family


def places(zones: int) -> list[Place]:
    """Every device of a park of ``zones`` zones, neighbours in different zones."""
    return [Place(f"D-{z}-{n}", f"zone-{z}", kind) for n, kind in enumerate(KINDS) for z in range(zones)]


def park_signal(park: list[Place], number: int, source: str, at: int) -> Signal:
    """Signal ``number`` of ``source``, at ``at`` (µs): the devices of ``park`` in turn, each raised and cleared in turn."""
    place, name = park[number % len(park)], str(number)
    return Signal(
        id=signal_id(source, name), source=source, source_id=name, device=place.device, zone=place.zone, kind=place.kind,
        action=Action.CLEARED if number // len(park) % 2 else Action.RAISED, at=at, received_at=at, score=0.9, message="bench",
    )  # fmt: skip


def write_park(
    path: Path, zones: int, *, cameras: list[dict[str, Any]] | None = None, webhooks: list[dict[str, Any]] | None = None
) -> Path:
    """A site file with ``zones`` zones of two enterprises and their devices; ``cameras`` are added to the devices as they stand."""
    grades = ("red", "orange", "yellow", "blue")
    site = {
        "site": {"id": "bench-park", "name": "测试园区", "district": "510800", "time_zone": "Asia/Shanghai"},
        "enterprises": [{"id": "alu", "name": "测试铝业"}, {"id": "chem", "name": "测试化工"}],
        "zones": [
            {
                "id": f"zone-{z}", "name": f"{z} 号车间", "enterprise": ("alu", "chem")[z % 2], "grade": grades[z % 4],
                "polygon": [[100 * z, 0], [100 * z + 80, 0], [100 * z + 80, 60], [100 * z, 60]],
            }
            for z in range(zones)
        ],
        "devices": [{"id": p.device, "zone": p.zone, "type": "sensor"} for p in places(zones)] + (cameras or []),
        "webhooks": webhooks or [],
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(site, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
