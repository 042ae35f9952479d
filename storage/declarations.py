"""Declarations in SQL: entered and ended by people, each with its entry on the record, its outbox row and the waking of its zone.

Stop orders are rows of the same table, written with the measures of hazards (``storage/stop_orders.py``), so what is in force is one
query; key periods of the policy pack are worked out. What must not go in: what may be entered (``hazards/declaring.py``), roles (``api``).
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, bindparam, select, update

from hazards.declarations import Declaration, DeclarationMessage, Declared
from hazards.declaring import DECLARED_RULE, Declare, Ground, check_declaration, ended
from hazards.errors import BadInput, Conflict, NotFound, NotInState
from hazards.identity import declaration_of_command
from hazards.key_periods import PACK_PERIOD
from hazards.ledger.hazard import Actor
from hazards.ledger.limits import DAY
from hazards.ledger.policy import basis_of
from hazards.ledger.record import Entry, held, read_entry
from hazards.messages import WHOLE_SITE
from hazards.scope import Scope
from hazards.sensors import sensors_of
from storage import schema
from storage.declaration_rows import FOREVER, body_of, columns_of, declaration_in, hold_zone, state_of, subject_of, wake
from storage.key_periods import key_periods
from storage.outbox import announce_declaration
from storage.record import keep_entry
from storage.revisions import DECLARATIONS, revise, revision
from storage.site_store import Registry, current_registry

log = structlog.get_logger(__name__)

LATE = DAY
"""µs: what ended within is still asked for, since late signals are judged by the time at which they happened."""
_table = schema.declarations
_IN_FORCE = (
    select(_table.c.body)
    .where(_table.c.over_at > bindparam("b_since"), _table.c.starts_at <= bindparam("b_until"), _table.c.kind != Declared.MEASURE.value)
    .order_by(_table.c.id)
)  # fmt: skip
_OF_ZONES = _IN_FORCE.where(_table.c.zone.in_(bindparam("b_zones", expanding=True)))
_events = schema.hazard_events


def declarations_in_force(
    connection: Connection, zones: Iterable[str] | None, *, now: int, until: int | None = None, registry: Registry | None = None
) -> list[Declaration]:  # fmt: skip
    """What is declared of ``zones`` (None: of any) or of the whole site: in force at ``now``, beginning by ``until``, or over for at most
    ``LATE``. In order of id, so that a decision by the first that fits is the same at every look; ``holds`` tells which are in force."""
    until, since = now if until is None else max(now, until), now - LATE
    bounds = {"b_since": since, "b_until": until}
    if zones is None:
        bodies = connection.scalars(_IN_FORCE, bounds)
    else:
        bodies = connection.scalars(_OF_ZONES, {**bounds, "b_zones": [*dict.fromkeys(zones), WHOLE_SITE]})
    found = [d for body in bodies if (d := _readable(body)) is not None]
    periods = key_periods(registry or current_registry(connection))
    return found + [p for p in periods if p.starts_at <= until and (p.ends_at or FOREVER) > since]


def _readable(body: str) -> Declaration | None:
    """The declaration in ``body``; None for one that a newer version wrote: what can't be read quietens nothing, and stops nothing."""
    try:
        return declaration_in(body)
    except msgspec.DecodeError as e:
        log.error("a declaration can't be read, it has no effect", error=str(e))  # noqa: TRY400 (a line, not a trace)
        return None


def declarations_revision(connection: Connection) -> int:
    """Another one means that something was declared, ended or withdrawn since, or a measure of a hazard taken or ended; one small query.

    What begins or ends by time alone, and key periods of a pack (``Registry.revision``), do not change it."""
    return revision(connection, DECLARATIONS)


def declare(
    connection: Connection, command: Declare, *, actor: Actor, scope: Scope, command_id: str, now: int
) -> tuple[Declaration, bool]:  # fmt: skip
    """Enter a declaration; it, and whether it is new: the same request of that name twice is one. Raises BadInput, Conflict, NotInState."""
    registry = current_registry(connection)
    zone = registry.zone(command.zone)
    enterprise = zone.enterprise if zone is not None else None
    if not scope.sees(command.zone, enterprise):
        what = "the whole site is not yours to declare of" if command.zone == WHOLE_SITE else f"no zone {command.zone[:64]!r}"
        raise BadInput(what, where="/zone")
    keys = hold_zone(connection, command.zone, command.devices)
    made = _made(command, declaration_of_command(actor.id, command_id), actor, enterprise, registry, now)
    revise(connection, DECLARATIONS)  # from here on one at a time: two requests of one name are one
    if (known := _row(connection, made.id)) is not None:
        _same_request(connection, made.id, command_id, _fingerprint(command))
        return declaration_in(known.body), False
    check_declaration(made, now=now, ground=_ground(connection, registry, made, now))
    connection.execute(schema.declarations.insert().values(**columns_of(made), body=body_of(made).decode()))
    _changed(connection, made, actor, registry, keys, command_id=command_id, request=_fingerprint(command), now=now)
    return made, True


def end_declaration(
    connection: Connection, declaration_id: str, *, reason: str, actor: Actor, scope: Scope, now: int, version: int | None = None,
    command_id: str | None = None,
) -> Declaration:  # fmt: skip
    """End it before its time, or withdraw it before it begins. Raises NotFound, NotInState, Conflict when it changed after ``version``."""
    known = get_declaration(connection, declaration_id, scope=scope)
    if known.kind in (Declared.STOP_ORDER, Declared.MEASURE) or declaration_id.startswith(PACK_PERIOD):
        raise NotInState("it ends with the measure of its hazard, or with the policy pack that says it", where="/command")
    keys = hold_zone(connection, known.zone, known.devices)
    revise(connection, DECLARATIONS)
    row = connection.execute(select(_table.c.body).where(_table.c.id == declaration_id).with_for_update()).one()
    before, request = declaration_in(row.body), sha256(reason.encode()).hexdigest()
    if command_id is not None and _same_request(connection, declaration_id, command_id, request):
        return before
    if version is not None and before.version != version:
        raise Conflict(f"somebody changed it at version {before.version}, you looked at {version}", where="/version",
                       hint="look again, then repeat")  # fmt: skip
    after = ended(before, at=now, by=actor.id, why=reason)
    changed = columns_of(after) | {"body": body_of(after).decode()}
    connection.execute(update(schema.declarations).where(_table.c.id == declaration_id).values(**changed))
    _changed(connection, after, actor, current_registry(connection), keys, command_id=command_id, request=request, now=now)
    return after


def get_declaration(connection: Connection, declaration_id: str, *, scope: Scope) -> Declaration:
    """One declaration, of a pack and of a hazard's measure too. Raises NotFound, also for one outside ``scope``."""
    row = _row(connection, declaration_id)
    found = declaration_in(row.body) if row is not None else None
    if found is None and declaration_id.startswith(PACK_PERIOD):
        found = next((p for p in key_periods(current_registry(connection)) if p.id == declaration_id), None)
    if found is None or not may_see(found, scope):
        raise NotFound("no such declaration", where=declaration_id)
    return found


def may_see(declaration: Declaration, scope: Scope) -> bool:
    """What is of the whole site is for everybody: a key period bears on every zone."""
    return declaration.zone == WHOLE_SITE or scope.sees(declaration.zone, declaration.enterprise)


def _row(connection: Connection, declaration_id: str) -> Any:
    return connection.execute(select(_table.c.body).where(_table.c.id == declaration_id)).first()


def _made(
    command: Declare, declaration_id: str, actor: Actor, enterprise: str | None, registry: Registry, now: int
) -> Declaration:  # fmt: skip
    starts_at = now if command.starts_at is None else command.starts_at
    return Declaration(
        id=declaration_id, kind=command.kind, zone=command.zone, starts_at=starts_at, ends_at=command.ends_at,
        devices=list(dict.fromkeys(command.devices)), alarms=list(dict.fromkeys(command.alarms)), work=command.work, level=command.level,
        guardian=command.guardian, reason=command.reason, entered_by=actor.id, entered_at=now, enterprise=enterprise,
        synthetic=registry.synthetic,
    )  # fmt: skip


def _ground(connection: Connection, registry: Registry, made: Declaration, now: int) -> Ground:
    zone = made.zone
    devices = {
        device.id: frozenset(sensor.metric for sensor in sensors_of(device)) for device in registry.devices.values() if device.zone == zone
    }
    orders = [d for d in declarations_in_force(connection, [zone], now=now, registry=registry) if d.stops_work]
    near = select(_table.c.body).where(
        _table.c.zone == zone, _table.c.kind == Declared.CALIBRATION.value, _table.c.over_at > made.starts_at - DAY,
        _table.c.starts_at < (made.ends_at or made.starts_at) + DAY,
    )  # fmt: skip
    calibrations = [d for body in connection.scalars(near) if (d := _readable(body)) is not None]
    return Ground(known=registry.zone(zone) is not None, devices=devices, orders=orders, calibrations=calibrations)


def _fingerprint(command: Declare) -> str:
    return sha256(msgspec.json.encode(command, order="sorted")).hexdigest()


def _same_request(connection: Connection, declaration_id: str, command_id: str, request: str) -> bool:
    """Whether the request of that name was carried out before. Raises Conflict where it said something else."""
    named = select(_events.c.body).where(_events.c.hazard == subject_of(declaration_id), _events.c.command_id == command_id)
    data = connection.execute(named).scalar()
    if data is None:
        return False
    if read_entry(data).request != request:
        raise Conflict("this command_id was used for another command", where="/command_id", hint="give each command an id of its own")
    return True


def _changed(
    connection: Connection, declaration: Declaration, actor: Actor, registry: Registry, keys: list[str], *, command_id: str | None,
    request: str, now: int,
) -> None:  # fmt: skip
    """The entry on the record, the outbox row, and the zone that looks at it."""
    event, body = state_of(declaration).value, body_of(declaration)
    details = {name: value for name, value in msgspec.json.decode(body).items() if name not in ("id", "version")}
    keep_entry(connection, Entry(
        hazard=subject_of(declaration.id), number=declaration.version, at=now, actor=actor.id, role=actor.role, event=event, state=event,
        policy=registry.policy.version if registry.policy is not None else "", basis=basis_of(DECLARED_RULE), details=details,
        command_id=command_id, request=request, holds=held(body),
    ))  # fmt: skip
    message = DeclarationMessage(id=declaration.id, zone=declaration.zone, enterprise=declaration.enterprise, event=event, at=now,
                                 actor=actor.id, declaration=declaration)  # fmt: skip
    announce_declaration(connection, message, now=now)
    wake(connection, keys, now=now)
