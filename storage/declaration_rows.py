"""The row of a declaration, and the zones that a change of one wakes. What must not go in: deciding, lists for people."""

from typing import Any

import msgspec
from sqlalchemy import Connection, or_, select, update

from hazards.declarations import Declaration
from hazards.declaring import Standing
from hazards.ledger.record import DECLARATION, decoded, held
from hazards.ledger.verification import Standing as Stood
from hazards.merging import state_key
from hazards.messages import UNASSIGNED, WHOLE_SITE
from storage import schema
from storage.anchors import as_bytes
from storage.scoping import is_one_of

FOREVER = 2**62
_declarations = msgspec.json.Decoder(Declaration)


def body_of(declaration: Declaration) -> bytes:
    """The whole declaration: JSON with sorted keys."""
    return msgspec.json.encode(declaration, order="sorted")


def declaration_in(body: str | bytes) -> Declaration:
    """The declaration in ``body``."""
    return decoded(_declarations, body if isinstance(body, bytes) else body.encode())


def state_of(declaration: Declaration) -> Standing:
    """What people did to it: entered, ended or withdrawn. The rest is a matter of time."""
    if declaration.ended_at is None:
        return Standing.ENTERED
    return Standing.WITHDRAWN if declaration.ended_at < declaration.starts_at else Standing.ENDED


def columns_of(declaration: Declaration) -> dict[str, Any]:
    """The row of a declaration but its body."""
    state = state_of(declaration)
    over_at = 0 if state is Standing.WITHDRAWN else FOREVER if declaration.ends_at is None else declaration.ends_at
    return {
        "id": declaration.id, "kind": declaration.kind.value, "zone": declaration.zone, "enterprise": declaration.enterprise,
        "state": state.value, "starts_at": declaration.starts_at, "over_at": over_at, "entered_at": declaration.entered_at,
        "version": declaration.version, "synthetic": declaration.synthetic,
    }  # fmt: skip


def stood_of(row: Any) -> Stood:
    """What a row of the table says against its record (``storage/ledger_reading.py``)."""
    body = as_bytes(row.body)
    try:
        declaration = declaration_in(body)
    except msgspec.DecodeError:
        return Stood(row.version, row.state, {}, spoiled=True)
    unlike = [(name, getattr(row, name), value) for name, value in columns_of(declaration).items() if getattr(row, name) != value]
    return Stood(row.version, row.state, {"version": declaration.version, "state": state_of(declaration).value}, held(body), unlike)


def subject_of(declaration_id: str) -> str:
    """What its record is kept under."""
    return DECLARATION + declaration_id


def hold_zone(connection: Connection, zone: str, devices: list[str]) -> list[str]:
    """Lock the states of ``zone`` (WHOLE_SITE: of all), in the order in which workers do; their keys.

    Before any other lock: who merges holds the states first, so that nobody waits for one who waits for him."""
    table = schema.zone_states
    query = select(table.c.key).order_by(table.c.key).with_for_update()
    if zone != WHOLE_SITE:
        query = query.where(is_one_of(table.c.key, [state_key(zone, device) for device in devices] if zone == UNASSIGNED else [zone]))
    return list(connection.scalars(query))


def wake(connection: Connection, keys: list[str], *, now: int) -> None:
    """Let the states of ``keys``, which are held, look at what is declared now."""
    table = schema.zone_states
    later = or_(table.c.wake_at.is_(None), table.c.wake_at > now)
    connection.execute(update(table).where(is_one_of(table.c.key, keys), later).values(wake_at=now))
