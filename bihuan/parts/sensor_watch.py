"""The sensors that a worker judges by: the present site's devices with the alarm rules in force and what is declared, made on a thread.

Made anew when the site, a pack, a rule or a declaration changes, and each day of the site, since windows are worked out for some days
(``hazards/schedules.py``). What must not go in: what a rule means (``hazards/rule_resolution.py``), reading SQL.
"""

import asyncio
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

from hazards.declarations import Declaration
from hazards.rule_resolution import sensors_with_rules
from hazards.schedules import horizon
from hazards.sensors import Sensor
from storage.hazard_facts import zone_of
from storage.judged_sensors import alarm_rules_of
from storage.site_store import Registry

LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Declarations:
    """What is declared of any zone, for all days that windows are worked out for. ``revision``: another one means that it changed."""

    revision: Hashable = 0
    found: Sequence[Declaration] = ()


NOTHING_DECLARED = Declarations()


class SensorWatch:
    """Call it for the sensors by series; None until the site was read for the first time. ``now``: UTC µs."""

    def __init__(
        self, registry: Callable[[], Registry], declared: Callable[[], Declarations] = lambda: NOTHING_DECLARED,
        now: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:  # fmt: skip
        self._registry, self._declared, self._now = registry, declared, now
        self._sensors: Mapping[str, Sensor] | None = None

    def __call__(self) -> Mapping[str, Sensor] | None:
        """Sensors by series."""
        return self._sensors

    async def run(self) -> None:
        """Follow what they are made of, which was read, until cancelled. A site that was never applied has no sensors."""
        made_of: Hashable = None
        while True:
            registry, declared, now = self._registry(), self._declared(), self._now()
            present = registry.revision, declared.revision, horizon(now, zone_of(registry))
            if present != made_of:
                self._sensors = await asyncio.to_thread(self._made, registry, declared, now)
                made_of = present
            await asyncio.sleep(LOOK_SECONDS)

    def _made(self, registry: Registry, declared: Declarations, now: int) -> Mapping[str, Sensor]:
        """The same objects as before where nothing came of the change: who looks for what changed is quickly done with them."""
        found = sensors_with_rules(registry, alarm_rules_of(registry).values(), declared.found, now=now, time_zone=zone_of(registry))
        before = self._sensors
        if before is None:
            return found
        if before == found:
            return before
        return {name: old if (old := before.get(name)) == sensor and old is not None else sensor for name, sensor in found.items()}
