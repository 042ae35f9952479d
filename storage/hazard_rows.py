"""The row of a hazard (隐患): its body, the columns that are worked out from it, and in what a stored row differs from them.

What must not go in: queries, what a difference means.
"""

from typing import Any

import msgspec

from hazards.ledger.hazard import Hazard
from hazards.ledger.marks import MARKS, first_due, is_watched
from hazards.ledger.record import decoded, held
from hazards.ledger.verification import RECORDED, Standing
from storage.anchors import as_bytes

_hazards = msgspec.json.Decoder(Hazard)


def body_of(hazard: Hazard) -> bytes:
    """The whole hazard: JSON with sorted keys."""
    return msgspec.json.encode(hazard, order="sorted")


def hazard_in(body: bytes) -> Hazard:
    """The hazard in ``body``. Raises msgspec.DecodeError where it is none."""
    return decoded(_hazards, body)


def hazard_of(row: Any) -> Hazard:
    """The hazard in a row of the table."""
    return _hazards.decode(row.body)


def columns_of(hazard: Hazard) -> dict[str, Any]:
    """The row of a hazard but its id and its body."""
    return {
        "zone": hazard.zone, "enterprise": hazard.enterprise, "kind": hazard.kind, "grade": hazard.grade, "confirmed": hazard.confirmed,
        "state": hazard.state.value, "title": hazard.title, "incident": hazard.incident, "opened_at": hazard.opened_at,
        "updated_at": hazard.updated_at, "due_at": hazard.due_at, "overdue_at": hazard.overdue_at, "wake_at": hazard.wake_at,
        "closed_at": hazard.closed_at, "version": hazard.version, "synthetic": hazard.synthetic,
        "watched": is_watched(hazard), "first_due": first_due(hazard),
        **{mark: has(hazard) for mark, has in MARKS.items()},
    }  # fmt: skip


def standing_of(row: Any) -> Standing:
    """What a row of the table says, as it is stored (``storage.anchors.as_stored``), and in what it contradicts itself."""
    body = as_bytes(row.body)
    try:
        hazard, holds = hazard_in(body), held(body)
    except msgspec.DecodeError:
        return Standing(row.version, row.state, {}, spoiled=True)
    columns = {"id": hazard.id} | columns_of(hazard)
    unlike = [(name, _told(getattr(row, name), value), value) for name, value in columns.items() if getattr(row, name) != value]
    return Standing(row.version, row.state, {name: getattr(hazard, name) for name in RECORDED}, holds, unlike)


def _told(stored: Any, value: Any) -> Any:
    """SQLite keeps 0 and 1 for no and yes."""
    return bool(stored) if isinstance(value, bool) and stored in (0, 1) else stored
