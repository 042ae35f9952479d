"""An incident as merging writes it: its columns, and its message from what merging knows and what people did to it.

What must not go in: deciding, queries for people (``storage/incident_queries.py``).
"""

from typing import Any

import msgspec

from hazards.messages import IncidentMessage
from hazards.zone_state import Incident

PEOPLE = ("acknowledged_by", "acknowledged_at", "acknowledged_severity", "assigned_to", "shelved_by", "shelved_until", "shelve_reason")
"""People's own columns; merging only ever ends a shelving."""
STANDING = ("id", "zone", "enterprise", "state", "opened_at", "cleared_at", "closed_at", "synthetic", "version", *PEOPLE)
"""What has to be known of a row before it is written again; the rest is merging's own."""


def merged_columns(incident: Incident) -> dict[str, Any]:
    """What merging writes at every change."""
    return {
        "family": incident.family, "certainty": incident.certainty.value, "corroboration": _json(incident.corroboration),
        "kinds": _json(incident.kinds), "devices": _json(incident.devices),
        "state": incident.state.value, "severity": incident.severity, "updated_at": incident.updated_at, "raised_at": incident.raised_at,
        "cleared_at": incident.cleared_at, "closed_at": incident.closed_at, "alarm_count": incident.count,
        "reason": incident.told_reason, "message": incident.message, "snapshot": incident.snapshot, "quiet": incident.quiet,
        "quiet_by": incident.quiet_by, "labels": _json(incident.labels),
    }  # fmt: skip


def merged_message(incident: Incident, standing: dict[str, Any]) -> IncidentMessage:
    """The message of a row that holds ``incident`` and ``standing`` (``STANDING``): what ``message_of`` makes of it, without reading it."""
    return IncidentMessage(
        family=incident.family, kinds=incident.kinds, devices=incident.devices, severity=incident.severity,
        updated_at=incident.updated_at, raised_at=incident.raised_at, alarm_count=incident.count, reason=incident.told_reason,
        message=incident.message, snapshot=incident.snapshot, certainty=incident.certainty, corroboration=incident.corroboration,
        quiet=incident.quiet, quiet_by=incident.quiet_by, labels=incident.labels, **standing,
    )  # fmt: skip


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
