"""Where the evaluate agent's results go: rule alarms and roll-ups. A port; the adapters are made in ``bihuan/parts``.

What must not go in: Kafka, the journal.
"""

from collections.abc import Sequence
from typing import Protocol

from hazards.admission import Report
from hazards.telemetry import RollupPack


class Emitter(Protocol):
    """Returns when what it was given is durable. Raises Unavailable: the same is then given again, which ids make harmless."""

    async def emit_alarms(self, reports: Sequence[Report]) -> None:
        """Rule alarms, in order; a report names its zone itself. Raises BadInput for what can never be sent."""

    async def emit_rollups(self, packs: Sequence[RollupPack]) -> None:
        """Roll-ups, in order for each zone: absolute values, a later one replaces."""
