"""Writing what was decided on a hazard (隐患): the hazard, its entry on the record and the outbox row, in the caller's transaction.

What must not go in: deciding, reading for people.
"""


from sqlalchemy import Connection, bindparam, select, update

from hazards.errors import Conflict
from hazards.ledger.decision import Decision
from hazards.ledger.hazard import Actor, Hazard, message_of
from hazards.ledger.lifecycle import Event
from hazards.ledger.policy import basis_of
from hazards.ledger.record import Entry, amended, held
from hazards.scope import Scope
from storage import schema
from storage.bulk import insert_into
from storage.hazard_links import keep_links
from storage.hazard_rows import body_of, columns_of, hazard_in, hazard_of
from storage.outbox import announce_hazard
from storage.record import keep_entry
from storage.scoping import within
from storage.stop_orders import keep_measures

_MEASURED = (Event.MEASURE_TAKEN, Event.MEASURE_ENDED)
# Statements of every command, made once: SQLAlchemy spends more on making one than SQLite on running it.
_hazards = schema.hazards
_LOCKED = select(_hazards.c.body).where(_hazards.c.id == bindparam("b_id")).with_for_update()
_UPDATE = (
    update(_hazards).where(_hazards.c.id == bindparam("b_id"), _hazards.c.version == bindparam("b_version"))
    .values({column.name: bindparam(column.name) for column in _hazards.columns if column.name != "id"})
)  # fmt: skip


def insert_hazard(
    connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None, request: str | None = None, now: int
) -> bool:  # fmt: skip
    """Whether it was new: two that propose the same at once are one."""
    body = body_of(decision.hazard)
    columns = columns_of(decision.hazard) | {"id": decision.hazard.id, "body": body.decode()}
    row = insert_into(connection, schema.hazards).values(columns).on_conflict_do_nothing(index_elements=["id"])
    if connection.execute(row.returning(schema.hazards.c.id)).first() is None:
        return False
    _record(connection, decision, body, actor, command_id=command_id, request=request, now=now)
    return True


def apply_decision(
    connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None = None, request: str | None = None, now: int
) -> None:  # fmt: skip
    """Write what was decided: the hazard, its entry on the record, the outbox row. Raises Conflict when the hazard has moved on."""
    hazard, body = decision.hazard, body_of(decision.hazard)
    row = columns_of(hazard) | {"body": body.decode(), "b_id": hazard.id, "b_version": hazard.version - 1}
    if connection.execute(_UPDATE, row).rowcount != 1:
        raise Conflict("somebody changed this hazard first", where="/version", hint="look again, then repeat")
    _record(connection, decision, body, actor, command_id=command_id, request=request, now=now)


def keep_woken(connection: Connection, stored: str, hazard: Hazard) -> None:
    """Write what the clocks keep in ``hazard`` when nothing happened to it; nothing for one that has moved on meanwhile.

    ``stored``: its body. Whatever else is in it stays byte by byte, since the newest entry vouches for it."""
    table, body = schema.hazards, stored.encode()
    anew = amended(body, body_of(hazard_in(body)), body_of(hazard)).decode()
    here = update(table).where(table.c.id == hazard.id, table.c.version == hazard.version)
    connection.execute(here.values(**columns_of(hazard), body=anew))


def _record(
    connection: Connection, decision: Decision, body: bytes, actor: Actor, *, command_id: str | None, request: str | None, now: int
) -> None:  # fmt: skip
    """The entry on the record, and the outbox row."""
    entry = entry_of(decision, body, actor, command_id, request)
    keep_entry(connection, entry)
    keep_links(connection, decision)
    announce_hazard(connection, [(message_of(decision.hazard, entry.basis, decision.tells), entry.event)], now=now)
    if decision.event in _MEASURED:
        keep_measures(connection, decision.hazard, now=now)


def entry_of(decision: Decision, body: bytes, actor: Actor, command_id: str | None = None, request: str | None = None) -> Entry:
    """What the record keeps of a decision."""
    hazard = decision.hazard
    return Entry(
        hazard=hazard.id, number=hazard.version, at=hazard.updated_at, actor=actor.id, role=actor.role, event=decision.event.value,
        state=hazard.state.value, policy=hazard.policy, basis=basis_of(decision.rule), details=decision.details, command_id=command_id,
        request=request, holds=held(body),
    )  # fmt: skip


def locked_hazard(connection: Connection, hazard_id: str, scope: Scope) -> Hazard | None:
    """The hazard, locked for this transaction; None for none, or one outside ``scope``."""
    row = connection.execute(within(_LOCKED, schema.hazards, scope), {"b_id": hazard_id}).first()
    return hazard_of(row) if row is not None else None
