"""Every topic on one screen. All but ``duties``, ``notices`` and ``dead-letters`` are keyed by zone with one partition count.

What must not go in: clients, encoding.
"""

from dataclasses import dataclass

DEFAULT_PARTITIONS = 8


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic. ``keyed_by`` names the field that orders it; topics keyed by zone are co-partitioned."""

    name: str
    keyed_by: str
    retention_hours: int


TELEMETRY = Topic("telemetry", keyed_by="zone", retention_hours=72)
ROLLUPS = Topic("rollups", keyed_by="zone", retention_hours=72)
ALARMS = Topic("alarms", keyed_by="zone", retention_hours=168)
HAZARDS = Topic("hazards", keyed_by="zone", retention_hours=168)
INCIDENTS = Topic("incidents", keyed_by="zone", retention_hours=168)
DECLARATIONS = Topic("declarations", keyed_by="zone", retention_hours=168)
DUTIES = Topic("duties", keyed_by="body", retention_hours=168)
NOTICES = Topic("notices", keyed_by="enterprise", retention_hours=168)
DEAD_LETTERS = Topic("dead-letters", keyed_by="topic", retention_hours=720)

TOPICS = (TELEMETRY, ROLLUPS, ALARMS, HAZARDS, INCIDENTS, DECLARATIONS, DUTIES, NOTICES, DEAD_LETTERS)
