"""The ledger: commands on hazards (隐患) decided in SQL at once; hazard, record entry and outbox row in one transaction.

A hazard from an incident has one id whoever proposes it, and a command has the caller's name for it: what is asked for twice happens
once. A refusal by the evidence gate is on the record, so it is committed and handed back, not raised.
What must not go in: decisions (``hazards/ledger/decisions.py``), roles of routes (``api``), reading for people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hazards.errors import BadInput, Conflict, NotFound
from hazards.identity import hazard_of_command, hazard_of_incident
from hazards.ledger.commands import Claim, HazardCommand, Inspect, Merge, Propose, name_of
from hazards.ledger.decision import Decision, Facts
from hazards.ledger.decisions import case_of, decide, mark_repeated, origin_of, propose, raise_grade
from hazards.ledger.effects.acceptance import gate_preview, gate_refusal, question_of, since_of
from hazards.ledger.effects.moving import take_duplicate
from hazards.ledger.gate import Answer, Question, Sight
from hazards.ledger.hazard import PLATFORM, Actor, Hazard, Origin, message_of
from hazards.ledger.lifecycle import COMMANDS, START, Event
from hazards.ledger.marks import MARKS
from hazards.ledger.policy import Policy, basis_of
from hazards.ledger.proposals import completed, proposal_rule, proposed_by_rule
from hazards.ledger.record import GENESIS, Entry, canonical, chained, read_entry
from hazards.ledger.rulings import NotByRule
from hazards.messages import IncidentMessage
from hazards.scope import EVERYTHING, Scope
from storage import schema
from storage.hazard_queries import earlier_of, hazard_of
from storage.hazard_sight import sight_of
from storage.incident_queries import get_incident
from storage.outbox import announce_hazard
from storage.policies import required
from storage.scoping import within
from storage.series_sight import Asked, SeriesSight, asked_of, measured_of
from storage.site_store import Registry, current_registry
from storage.uploads import check_files, first_kept

# Statements of every command, made once: SQLAlchemy spends more on making one than SQLite on running it.
_hazards, _events = schema.hazards, schema.hazard_events
_LOCKED = select(_hazards.c.body).where(_hazards.c.id == bindparam("b_id")).with_for_update()
_UPDATE = (
    update(_hazards).where(_hazards.c.id == bindparam("b_id"), _hazards.c.version == bindparam("b_version"))
    .values({column.name: bindparam(column.name) for column in _hazards.columns if column.name != "id"})
)  # fmt: skip
_DIGEST = select(_events.c.digest).where(_events.c.hazard == bindparam("b_id"), _events.c.number == bindparam("b_version"))
_DONE = select(_events.c.body).where(_events.c.hazard == bindparam("b_id"), _events.c.command_id == bindparam("b_command"))
_RECORD = insert(_events)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did. ``refusal``: the evidence gate's, on the record already; ``repeated``: it had been done before."""

    hazard: Hazard
    refusal: NotByRule | None = None
    repeated: bool = False


def policy_of(registry: Registry) -> Policy:
    """The pack in force. Raises Misconfigured where none was ever applied."""
    return required(registry.policy)


def policy_for(registry: Registry, hazard: Hazard | None) -> Policy:
    """The pack under which ``hazard`` was opened; for a new one, or a version this database never had, the one in force."""
    return required(registry.policy if hazard is None else registry.policy_under(hazard.policy))


def zone_of(registry: Registry) -> ZoneInfo:
    """The site's time zone; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(registry.site.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def facts_of(
    connection: Connection, registry: Registry, hazard: Hazard | None, other: Hazard | None = None, *, now: int = 0,
    seen: SeriesSight | None = None,
) -> Facts:  # fmt: skip
    """What decisions on ``hazard`` at ``now`` may know, read in this transaction. ``other``: the one it is to be merged into; ``seen``:
    what was read of the time series before."""
    policy = policy_for(registry, hazard)

    def sight(since: int) -> Sight:
        if hazard is None:
            return Sight()
        measured = measured_of(asked_of(registry, hazard, since, policy.gate), seen, now)
        return sight_of(connection, registry, hazard, since, now=now, measured=measured)

    known = registry.zone(hazard.zone) if hazard is not None else None
    in_park = known is None or not known.outside_park
    return Facts(policy, zone_of(registry), sight, in_park=in_park, other=other, kept=lambda files: first_kept(connection, files))


def series_asked(connection: Connection, hazard: Hazard, *, now: int, claim: bool = False) -> Asked | None:
    """What the time series is to be asked before the gate is: on a ``claim``, or on the hazard's next step; None for nothing."""
    question = Question.CLAIM if claim else question_of(hazard)
    if question is None:
        return None
    registry = current_registry(connection)
    asked = asked_of(registry, hazard, since_of(hazard, question, now), policy_for(registry, hazard).gate)
    return asked if asked.sensors else None


def propose_hazard(
    connection: Connection, command: Propose, *, actor: Actor, scope: Scope, command_id: str, now: int
) -> tuple[Hazard, bool]:
    """Put a hazard down, from ``command.incident`` or by hand; the hazard, and whether it is new.

    ``command_id``: the caller's name of the request. Raises BadInput, NotFound for an incident outside ``scope``."""
    registry = current_registry(connection)
    facts = facts_of(connection, registry, None)
    if command.incident is not None:
        incident = get_incident(connection, command.incident, scope=scope)
        if command.zone not in ("", incident.zone):
            raise BadInput("the incident is in another zone", where="/zone", hint=f"leave it out, or give {incident.zone}")
        command = completed(command, incident, _zone_name(registry, incident.zone), facts.policy)
        hazard_id, origin, synthetic = hazard_of_incident(incident.id), Origin.INCIDENT, incident.synthetic
        enterprise = incident.enterprise
    else:
        enterprise = registry.enterprise_of(command.zone)
        if registry.zone(command.zone) is None or not scope.sees(command.zone, enterprise):
            raise BadInput(f"no zone {command.zone[:64]!r}", where="/zone")
        hazard_id, synthetic = hazard_of_command(actor.id, command_id), registry.synthetic
        origin = origin_of(command, actor)
    known = _locked(connection, hazard_id, scope)
    if known is not None:
        return known, False
    decision = propose(command, hazard_id=hazard_id, actor=actor, origin=origin, enterprise=enterprise, synthetic=synthetic, now=now,
                       facts=facts)  # fmt: skip
    if _insert(connection, decision, actor, command_id=command_id, now=now):
        return _marked_if_repeated(connection, decision.hazard, facts, now=now), True
    known = _locked(connection, hazard_id, scope)
    if known is None:
        raise NotFound("no such hazard", where=hazard_id)
    return known, False


def propose_by_rule(connection: Connection, registry: Registry, incidents: Sequence[IncidentMessage], *, now: int) -> list[Hazard]:
    """Put down the hazards that rules propose for ``incidents``, each once; those that are new. For the merge transaction.

    One that is there with a lesser grade, and that nobody confirmed yet, is proposed graver."""
    found = list[Hazard]()
    if (policy := registry.policy) is None:
        return found  # no pack, no rules: a worker goes on
    for incident in incidents:
        hazard_id = hazard_of_incident(incident.id)
        state = connection.execute(select(schema.hazards.c.state).where(schema.hazards.c.id == hazard_id)).scalar()
        if state is not None:
            if state == START[1].value:
                _raise_grade(connection, registry, hazard_id, incident, now=now)
            continue
        rule = proposal_rule(incident, policy)
        if rule is None:
            continue
        command = proposed_by_rule(incident, _zone_name(registry, incident.zone), rule, policy)
        decision = propose(
            command, hazard_id=hazard_id, actor=PLATFORM, origin=Origin.RULE, enterprise=incident.enterprise,
            synthetic=incident.synthetic, now=now, facts=facts_of(connection, registry, None), rule=rule.rule,
        )  # fmt: skip
        if _insert(connection, decision, PLATFORM, command_id=None, now=now):
            found.append(_marked_if_repeated(connection, decision.hazard, facts_of(connection, registry, None), now=now))
    return found


def command_hazard(
    connection: Connection, hazard_id: str, command: HazardCommand, *, actor: Actor, scope: Scope, now: int,
    command_id: str | None = None, seen: SeriesSight | None = None,
) -> Outcome:  # fmt: skip
    """Carry out ``command``; ``seen``: what the time series said before (``series_asked``). See ``Outcome`` for the gate's refusal.

    Raises NotFound, Conflict, NotByRule, NotForRole, BadInput."""
    hazard, other = _both_locked(connection, hazard_id, command.into if isinstance(command, Merge) else None, scope)
    if command_id is not None and (done := _done_before(connection, hazard_id, command_id)) is not None:
        return _repeated(hazard, done, command, actor, policy_for(current_registry(connection), hazard))
    if isinstance(command, Claim | Inspect):
        check_files(connection, [(n, p.sha256) for n, p in enumerate(command.evidence) if p.sha256], hazard.zone)
    registry = current_registry(connection)
    facts = facts_of(connection, registry, hazard, other, now=max(now, hazard.updated_at), seen=seen)
    decision = decide(hazard, command, actor=actor, now=now, facts=facts)
    apply_decision(connection, decision, actor, command_id=command_id, now=now)
    if other is not None and isinstance(command, Merge):
        taken = take_duplicate(case_of(other, actor, now, facts_of(connection, registry, other)), hazard, command.reason)
        apply_decision(connection, taken, actor, now=now)
    if decision.event is not Event.GATE_REFUSED:
        return Outcome(decision.hazard)
    return Outcome(decision.hazard, gate_refusal(decision.gate, decision.rule) if decision.gate is not None else None)


def preview_gate(connection: Connection, hazard: Hazard, *, now: int, seen: SeriesSight | None = None) -> Answer | None:
    """What the evidence gate would say to the hazard's next step; None for one that is over. ``seen`` as in ``command_hazard``."""
    facts = facts_of(connection, current_registry(connection), hazard, now=max(now, hazard.updated_at), seen=seen)
    return gate_preview(case_of(hazard, PLATFORM, now, facts))


def _repeated(hazard: Hazard, entry: Entry, command: HazardCommand, actor: Actor, policy: Policy) -> Outcome:
    """The same request once more: nothing happens, and the answer is the one it had. Raises Conflict for another request of that name."""
    name = name_of(command)
    refused = entry.event == Event.GATE_REFUSED.value and entry.details.get("command") == name
    if entry.actor != actor.id or not (refused or entry.event in COMMANDS[name]):
        raise Conflict("this command_id was used for another command", where="/command_id", hint="give each command an id of its own")
    if not refused:
        return Outcome(hazard, repeated=True)
    gate = msgspec.convert(entry.details["gate"], Answer)
    return Outcome(hazard, gate_refusal(gate, policy.rule(gate.rule)), repeated=True)


def _marked_if_repeated(connection: Connection, hazard: Hazard, facts: Facts, *, now: int) -> Hazard:
    """The hazard after it was looked at whether it repeats earlier ones."""
    decision = mark_repeated(hazard, earlier_of(connection, hazard, facts.policy.repeats), now=now, facts=facts)
    if decision is None:
        return hazard
    apply_decision(connection, decision, PLATFORM, now=now)
    return decision.hazard


def _zone_name(registry: Registry, zone: str) -> str:
    known = registry.zone(zone)
    return known.name if known is not None else zone


def _raise_grade(connection: Connection, registry: Registry, hazard_id: str, incident: IncidentMessage, *, now: int) -> None:
    """Somebody put it down with a lesser grade before the rule could: the rule's proposal goes on the record all the same.

    The rule is one of the pack under which the hazard was opened."""
    if (hazard := _locked(connection, hazard_id, EVERYTHING)) is None:
        return
    facts = facts_of(connection, registry, hazard)
    rule = proposal_rule(incident, facts.policy)
    decision = raise_grade(hazard, rule, now=now, facts=facts) if rule is not None else None
    if decision is not None:
        apply_decision(connection, decision, PLATFORM, now=now)


def _both_locked(connection: Connection, hazard_id: str, into: str | None, scope: Scope) -> tuple[Hazard, Hazard | None]:
    """The hazard and the one it is to be merged into, locked in the order of their ids. Raises NotFound for the first."""
    found = {i: _locked(connection, i, scope) for i in sorted({hazard_id, into or hazard_id})}
    if (hazard := found[hazard_id]) is None:
        raise NotFound("no such hazard", where=hazard_id)
    return hazard, found[into] if into is not None and into != hazard_id else None


def _locked(connection: Connection, hazard_id: str, scope: Scope) -> Hazard | None:
    row = connection.execute(within(_LOCKED, schema.hazards, scope), {"b_id": hazard_id}).first()
    return hazard_of(row) if row is not None else None


def _done_before(connection: Connection, hazard_id: str, command_id: str) -> Entry | None:
    data = connection.execute(_DONE, {"b_id": hazard_id, "b_command": command_id}).scalar()
    return read_entry(data) if data is not None else None


def columns_of(hazard: Hazard) -> dict[str, Any]:
    """The row of a hazard but its id."""
    return {
        "zone": hazard.zone, "enterprise": hazard.enterprise, "kind": hazard.kind, "grade": hazard.grade, "confirmed": hazard.confirmed,
        "state": hazard.state.value, "title": hazard.title, "incident": hazard.incident, "opened_at": hazard.opened_at,
        "updated_at": hazard.updated_at, "due_at": hazard.due_at, "overdue_at": hazard.overdue_at, "wake_at": hazard.wake_at,
        "closed_at": hazard.closed_at, "version": hazard.version,
        "synthetic": hazard.synthetic,
        **{mark: has(hazard) for mark, has in MARKS.items()}, "body": msgspec.json.encode(hazard, order="sorted").decode(),
    }  # fmt: skip


def _insert(connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None, now: int) -> bool:
    """Whether it was new: two that propose the same at once are one."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = make(schema.hazards).values(id=decision.hazard.id, **columns_of(decision.hazard)).on_conflict_do_nothing(index_elements=["id"])
    if connection.execute(row.returning(schema.hazards.c.id)).first() is None:
        return False
    _record(connection, decision, actor, GENESIS, command_id=command_id, now=now)
    return True


def apply_decision(connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None = None, now: int) -> None:
    """Write what was decided: the hazard, its entry on the record, the outbox row. Raises Conflict when the hazard has moved on."""
    hazard = decision.hazard
    key = {"b_id": hazard.id, "b_version": hazard.version - 1}
    if connection.execute(_UPDATE, columns_of(hazard) | key).rowcount != 1:
        raise Conflict("somebody changed this hazard first", where="/version", hint="look again, then repeat")
    previous = connection.execute(_DIGEST, key).scalar_one()
    _record(connection, decision, actor, previous, command_id=command_id, now=now)


def keep_woken(connection: Connection, hazard: Hazard) -> None:
    """Write what the clocks keep in ``hazard`` when nothing happened to it; nothing for one that has moved on meanwhile."""
    table = schema.hazards
    connection.execute(update(table).where(table.c.id == hazard.id, table.c.version == hazard.version).values(**columns_of(hazard)))


def _record(connection: Connection, decision: Decision, actor: Actor, previous: str, *, command_id: str | None, now: int) -> None:
    """The entry on the record, chained to ``previous``, and the outbox row."""
    hazard, entry = decision.hazard, entry_of(decision, actor, command_id)
    data = canonical(entry)
    row = {"hazard": hazard.id, "number": entry.number, "at": entry.at, "actor": entry.actor, "event": entry.event, "body": data,
           "digest": chained(previous, data), "command_id": command_id}  # fmt: skip
    connection.execute(_RECORD, row)
    announce_hazard(connection, [(message_of(hazard, entry.basis, decision.tells), entry.event)], now=now)


def entry_of(decision: Decision, actor: Actor, command_id: str | None = None) -> Entry:
    """What the record keeps of a decision."""
    hazard = decision.hazard
    return Entry(
        hazard=hazard.id, number=hazard.version, at=hazard.updated_at, actor=actor.id, role=actor.role, event=decision.event.value,
        state=hazard.state.value, policy=hazard.policy, basis=basis_of(decision.rule), details=decision.details, command_id=command_id,
    )  # fmt: skip
