"""Inhibition (联锁抑制): an alarm that another one explains is suppressed by design, and says by what. Pure; a new rule is one row.

Only silence and faults are effects: never that somebody covered a camera, nor that a zone is blind. An over-limit of methane is never an
effect (``hazards.kinds.never_suppressed``), whatever a row says.
What must not go in: what suppression does to an incident (``hazards/merging.py``), what people declare (``hazards/quieting.py``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hazards.kinds import never_suppressed

LINGER = 2 * 60 * 1_000_000
"""µs that a cause still explains after its end: with the power back a sensor needs a moment to speak again (platform default)."""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alarm of one of ``causes`` stands, those of ``effects`` on the same device (or, with ``in_zone``, of the zone) say nothing
    new. ``basis``: no document gives it."""

    name: str
    causes: frozenset[str]
    effects: frozenset[str]
    in_zone: bool
    chinese: str
    english: str
    basis: str = "platform_default"


INHIBITIONS: tuple[Inhibition, ...] = (
    Inhibition("camera_offline", frozenset({"camera_offline"}), frozenset({"frozen", "video_loss"}), False,
               "摄像机离线，画面冻结等报警由此而来", "the camera is offline, its other faults follow from that"),
    Inhibition("power_lost", frozenset({"power_lost"}),
               frozenset({"sensor_stale", "camera_offline", "frozen", "video_loss", "device_fault"}), True,
               "区域断电，设备无声由此而来", "the zone has no power, silent devices follow from that"),
    Inhibition("device_fault", frozenset({"device_fault"}), frozenset({"sensor_stale"}), False,
               "设备已报故障，数据中断由此而来", "the device has reported a fault, its silence follows from that"),
)  # fmt: skip
CAUSES = frozenset(kind for row in INHIBITIONS for kind in row.causes)
ZONE_CAUSES = frozenset(kind for row in INHIBITIONS if row.in_zone for kind in row.causes)
EFFECTS = frozenset(kind for row in INHIBITIONS for kind in row.effects)

Standing = Callable[[str], int | None]
"""By the key of an alarm: until when it explains (µs; a far time while it stands), None: it does not."""


def explained_by(device: str, kind: str, of_kind: Callable[[str], Iterable[str]], until: Standing) -> tuple[str, int, Inhibition] | None:
    """The alarm that explains ``kind`` on ``device``, until when it does, and by which row; the longest; None: nothing does.

    ``of_kind``: keys of the zone's alarms of a kind."""
    if kind not in EFFECTS or never_suppressed(kind):
        return None
    found = [
        (end, key, row)
        for row in INHIBITIONS
        if kind in row.effects
        for cause in sorted(row.causes)
        for key in (of_kind(cause) if row.in_zone else (f"{device} {cause}",))
        if (end := until(key)) is not None
    ]
    if not found:
        return None
    end, key, row = max(found, key=lambda f: (f[0], f[1]))
    return key, end, row
