"""The evaluate agent's way out: waits for an emitter that is away, and lets nothing that can never be sent hold up the rest.

What must not go in: adapters, evaluation.
"""

from collections.abc import Sequence

import structlog

from hazards.admission import Report
from hazards.errors import BadInput
from hazards.telemetry import RollupPack
from streams.emit import Emitter
from streams.patience import Patience

log = structlog.get_logger()


class Outlet:
    """Returns when what it was given is durable, or refused for good and logged."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter

    async def alarms(self, reports: Sequence[Report], patience: Patience) -> None:
        """Rule alarms, in order."""
        if not reports:
            return
        try:
            await patience.until_done("alarms", lambda: self._emitter.emit_alarms(reports))
        except BadInput as error:
            if len(reports) == 1:
                log.error("evaluate.alarm_not_sendable", alarm=reports[0].source_id, error=str(error))  # noqa: TRY400
                return
            for report in reports:
                await self.alarms([report], patience)

    async def rollups(self, packs: Sequence[RollupPack], patience: Patience) -> None:
        """Roll-ups, in order for each zone."""
        try:
            await patience.until_done("rollups", lambda: self._emitter.emit_rollups(packs))
        except BadInput as error:
            if len(packs) == 1:
                log.error("evaluate.rollups_not_sendable", zone=packs[0].zone, error=str(error))  # noqa: TRY400
                return
            for pack in packs:
                await self.rollups([pack], patience)
