"""The states of zones on their way from SQL into memory: at a zone's first message, and for zones that time alone can move.

What must not go in: evaluation, writing (``streams/saving.py``).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from hazards.errors import BadInput
from hazards.evaluation import Evaluation
from hazards.sensors import Sensor
from storage.checkpoints import Checkpoint, checkpoint_versions, keys_saved_since, load_checkpoints
from storage.database import Database
from storage.telemetry_marks import EVALUATE
from streams.patience import Membership, Patience
from streams.saving import Unsaved

log = structlog.get_logger()

LATELY = 24 * 3600 * 1_000_000
"""µs: zones whose state changed within are taken up at the start."""
_RESTORED_AT_ONCE = 200


class ZoneStates:
    """The evaluation of this worker's zones, and what of it is unsaved."""

    def __init__(self, database: Database, group: Membership, now: Callable[[], int]) -> None:
        self.evaluation, self.unsaved = Evaluation({}), Unsaved()
        self._database, self._group, self._now = database, group, now
        self._confirmed: set[str] = set()  # zones whose state was compared with SQL since the last rebalance, at their first message
        self._to_watch: list[str] | None = None

    def begin_anew(self) -> None:
        """Drop everything, saved or not: it is read again."""
        counts = self.evaluation.counts
        self.evaluation = Evaluation(self.evaluation.sensors)
        self.evaluation.counts = counts
        self.unsaved.clear()
        self._confirmed.clear()
        self._to_watch = None

    def change_sensors(self, sensors: Mapping[str, Sensor]) -> None:
        """``sensors`` hold from now on."""
        if sensors is not self.evaluation.sensors:
            self.evaluation.change_sensors(sensors, self._now())
            self._to_watch = None

    async def take_up(self, zones: Sequence[str], patience: Patience) -> None:
        """The states of ``zones`` as SQL has them. One that was taken up for its silence may be another worker's since."""
        fresh = [zone for zone in zones if zone not in self._confirmed]
        if known := [zone for zone in fresh if zone in self.evaluation.zones]:
            read = partial(self._database.reading, lambda c: checkpoint_versions(c, EVALUATE, known))
            versions = await patience.until_done("checkpoints", read)
            for zone in known:
                if versions[zone] != self.unsaved.versions.get(zone, 0):
                    self.drop(zone)
        await self._restore([zone for zone in fresh if zone not in self.evaluation.zones], patience)
        self._confirmed.update(fresh)

    async def _restore(self, zones: Sequence[str], patience: Patience) -> None:
        for start in range(0, len(zones), _RESTORED_AT_ONCE):
            some = zones[start : start + _RESTORED_AT_ONCE]
            read = partial(self._database.reading, partial(load_checkpoints, agent=EVALUATE, keys=some))
            found = await patience.until_done("checkpoints", read)
            for zone in some:
                self._take_up_one(zone, found.get(zone))

    def _take_up_one(self, zone: str, checkpoint: Checkpoint | None) -> None:
        try:
            self.evaluation.restore(zone, checkpoint.body if checkpoint else None, self._now())
        except BadInput as error:
            log.error("evaluate.state_unreadable", zone=zone, error=str(error))  # noqa: TRY400 - better begun anew than no alarms from it
            self.evaluation.restore(zone, None, self._now())
        self.unsaved.versions[zone] = checkpoint.version if checkpoint else 0

    def drop(self, zone: str) -> None:
        """Forget ``zone``; it is read again when it is needed."""
        self.evaluation.drop(zone)
        self.unsaved.forget(zone)
        self._confirmed.discard(zone)

    async def watch(self, patience: Patience) -> None:
        """Take up zones whose silence is an alarm, and those that were at work lately, some at a time: delays and buckets end without a
        reading, too."""
        if self._to_watch is None:
            since = self._now() - LATELY
            read = partial(self._database.reading, lambda c: keys_saved_since(c, EVALUATE, since))
            lately = await patience.until_done("checkpoints", read)
            self._to_watch = self._group.own_zones(dict.fromkeys([*self.evaluation.watched_zones(), *lately]))
        if self._to_watch:
            some, self._to_watch = self._to_watch[:_RESTORED_AT_ONCE], self._to_watch[_RESTORED_AT_ONCE:]
            await self._restore([zone for zone in some if zone not in self.evaluation.zones], patience)
