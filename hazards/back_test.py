"""Alarm rules run over recorded packs, by the very code that runs live: what would have been an alarm. Pure.

What must not go in: reading recordings, counting or judging the alarms found.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

from hazards.admission import Report
from hazards.evaluation import Evaluation
from hazards.sensors import Sensor
from hazards.telemetry import TelemetryPack

_AT_ONCE = 100


def back_test(sensors: Mapping[str, Sensor], packs: Iterable[TelemetryPack], *, until: int | None = None) -> list[Report]:
    """The reports of checked ``packs``, in the order they were received, under ``sensors`` (``hazards.rule_resolution.sensors_with_rules``
    around their time); then of the time that passes ``until`` (UTC µs; None: none), which ends delays, windows and silence."""
    evaluation, reports = Evaluation(sensors), list[Report]()
    waiting = iter(packs)
    while together := list(islice(waiting, _AT_ONCE)):
        for pack in together:
            if pack.zone not in evaluation.zones:
                evaluation.restore(pack.zone, None, pack.received_at)
        reports += evaluation.take(together)
        evaluation.rollups()
    if until is not None:
        evaluation.tick(lambda _: until, silent_from=-1)
    return reports + [report for zone in evaluation.zones.values() for report in zone.outgoing]
