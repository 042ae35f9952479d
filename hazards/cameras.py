"""How a camera is, as people and the time series are told; and when a zone is blind. Pure.

What must not go in: decoding, how the figures are measured (``ingest/cameras/``).
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from hazards.zones import Device, Grade, Zone

WATCHED_GRADES = frozenset({Grade.RED, Grade.ORANGE})
"""Grades whose zones must be seen: 重大 and 较大 (004(9): the key places of red and orange zones are covered by video)."""
BLINDING = frozenset({"tamper", "frozen"})
"""Kinds that say that a camera shows nothing of its zone, though its stream goes on."""


class CameraStatus(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One camera. ``state``: opening, live, lost, unreadable or ended; ``what``: why it is not live. Rates are frames a second, received
    and looked at; ``bitrate`` bits a second; ``last_at`` UTC µs of the last packet, 0: none yet; ``age`` seconds from a frame's arrival to
    its look; ``drift``: seconds that the camera's clock gained on ours; ``cost``: processor seconds a second; ``raised``: kinds that stand;
    ``figures``: what its detectors count, by metric name; ``problems``: why a detector does not work, by its name."""

    camera: str
    zone: str
    state: Literal["opening", "live", "lost", "unreadable", "ended"]
    noted_at: int
    what: str = ""
    offline: bool = False
    watching: Literal["still", "moving", "burst"] = "still"
    received_rate: float = 0.0
    analysed_rate: float = 0.0
    bitrate: float = 0.0
    last_at: int = 0
    age: float = 0.0
    dropped: int = 0
    reconnects: int = 0
    decode_errors: int = 0
    width: int = 0
    height: int = 0
    drift: float = 0.0
    clock_jumps: int = 0
    cost: float = 0.0
    raised: list[str] = []
    figures: dict[str, float] = {}
    problems: dict[str, str] = {}

    @property
    def sees(self) -> bool:
        """Whether it shows its zone: not off line for so long that it is an alarm, neither covered nor turned away nor frozen."""
        return not self.offline and not BLINDING & set(self.raised)


def blind_zones(zones: Mapping[str, Zone], cameras: Iterable[Device], statuses: Mapping[str, CameraStatus]) -> dict[str, str]:
    """Red and orange zones whose cameras all see nothing, each with the first of its cameras, in whose name it is told.

    A zone without any camera is a gap in the site file (``unwatched_zones``), no alarm that could ever end. A camera that was not heard
    of yet counts as seeing."""
    by_zone: dict[str, list[str]] = {}
    for device in cameras:
        if (zone := zones.get(device.zone)) is not None and zone.grade in WATCHED_GRADES:
            by_zone.setdefault(device.zone, []).append(device.id)
    blind = {}
    for zone_id, own in by_zone.items():
        if all((status := statuses.get(camera)) is not None and not status.sees for camera in own):
            blind[zone_id] = min(own)
    return blind


def unwatched_zones(zones: Iterable[Zone], cameras: Iterable[Device]) -> list[str]:
    """Red and orange zones that have no camera at all."""
    watched = {device.zone for device in cameras}
    return sorted(zone.id for zone in zones if zone.grade in WATCHED_GRADES and zone.id not in watched)
