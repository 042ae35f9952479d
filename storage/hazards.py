"""The ledger: commands on hazards (隐患) decided in SQL at once; hazard, record entry and outbox row in one transaction.

A hazard from an incident has one id whoever proposes it, and a command has the caller's name for it: what is asked for twice happens
once. A refusal by the evidence gate is on the record, so it is committed and handed back, not raised.
What must not go in: decisions (``hazards/ledger/decisions.py``), roles of routes (``api``), reading for people.
"""

from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, bindparam, select

from hazards.errors import BadInput, Conflict, NotFound
from hazards.identity import hazard_of_command, hazard_of_incident
from hazards.ledger.commands import Claim, EndMeasure, HazardCommand, Inspect, Merge, Propose, TakeMeasure, fingerprint, name_of
from hazards.ledger.decisions import case_of, check_may_propose, decide, origin_of, propose
from hazards.ledger.effects.acceptance import gate_preview, gate_refusal
from hazards.ledger.effects.moving import take_duplicate
from hazards.ledger.gate import Answer
from hazards.ledger.hazard import PLATFORM, Actor, Hazard, Origin
from hazards.ledger.lifecycle import COMMANDS, Event
from hazards.ledger.policy import Policy
from hazards.ledger.proposals import completed
from hazards.ledger.record import Entry, read_entry
from hazards.ledger.rulings import ChangedSince, NotByRule
from hazards.messages import UNASSIGNED
from hazards.scope import Scope
from storage import schema
from storage.camera_evidence import cite
from storage.declaration_rows import hold_zone
from storage.hazard_facts import facts_of, policy_for
from storage.hazard_proposals import marked_if_repeated, zone_name
from storage.hazard_queries import entries_after
from storage.hazard_writing import apply_decision, insert_hazard, locked_hazard
from storage.incident_queries import get_incident
from storage.series_sight import SeriesSight
from storage.site_store import current_registry
from storage.uploads import check_files

_events = schema.hazard_events
_DONE = select(_events.c.body).where(_events.c.hazard == bindparam("b_id"), _events.c.command_id == bindparam("b_command"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did. ``refusal``: the evidence gate's, on the record already; ``repeated``: it had been done before."""

    hazard: Hazard
    refusal: NotByRule | None = None
    repeated: bool = False


def propose_hazard(
    connection: Connection, command: Propose, *, actor: Actor, scope: Scope, command_id: str, now: int
) -> tuple[Hazard, bool]:
    """Put a hazard down, from ``command.incident`` or by hand; the hazard, and whether it is new.

    ``command_id``: the caller's name of the request. Raises NotForRole, BadInput, NotFound for an incident outside ``scope``."""
    registry = current_registry(connection)
    facts = facts_of(connection, registry, None)
    check_may_propose(actor, facts.policy)
    if command.incident is not None:
        incident = get_incident(connection, command.incident, scope=scope)
        if command.zone not in ("", incident.zone):
            raise BadInput("the incident is in another zone", where="/zone", hint=f"leave it out, or give {incident.zone}")
        command = completed(command, incident, zone_name(registry, incident.zone), facts.policy)
        hazard_id, origin, synthetic = hazard_of_incident(incident.id), Origin.INCIDENT, incident.synthetic
        enterprise = incident.enterprise
    else:
        incident = None
        enterprise = registry.enterprise_of(command.zone)
        if registry.zone(command.zone) is None or not scope.sees(command.zone, enterprise):
            raise BadInput(f"no zone {command.zone[:64]!r}", where="/zone")
        hazard_id, synthetic = hazard_of_command(actor.id, command_id), registry.synthetic
        origin = origin_of(command, actor)
    known = locked_hazard(connection, hazard_id, scope)
    if known is not None:
        if command.incident is None and (done := _done_before(connection, hazard_id, command_id)) is not None:
            _same_request(done, command)
        return known, False
    decision = propose(command, hazard_id=hazard_id, actor=actor, origin=origin, enterprise=enterprise, synthetic=synthetic, now=now,
                       facts=facts)  # fmt: skip
    if insert_hazard(connection, decision, actor, command_id=command_id, request=fingerprint(command), now=now):
        return marked_if_repeated(connection, registry, decision.hazard, facts, incident=incident, now=now), True
    known = locked_hazard(connection, hazard_id, scope)
    if known is None:
        raise NotFound("no such hazard", where=hazard_id)
    return known, False


def command_hazard(
    connection: Connection, hazard_id: str, command: HazardCommand, *, actor: Actor, scope: Scope, now: int,
    command_id: str | None = None, seen: SeriesSight | None = None,
) -> Outcome:  # fmt: skip
    """Carry out ``command``; ``seen``: what the time series said before (``series_asked``). See ``Outcome`` for the gate's refusal.

    Raises NotFound, Conflict, NotByRule, NotForRole, BadInput."""
    if isinstance(command, TakeMeasure | EndMeasure):  # a stop order wakes its zone: its state is locked first, as by who merges
        zone = connection.execute(select(schema.hazards.c.zone).where(schema.hazards.c.id == hazard_id)).scalar()
        hold_zone(connection, zone or UNASSIGNED, [])
    hazard, other = _both_locked(connection, hazard_id, command.into if isinstance(command, Merge) else None, scope)
    if command_id is not None and (done := _done_before(connection, hazard_id, command_id)) is not None:
        _same_request(done, command)
        return _repeated(hazard, done, command, actor, policy_for(current_registry(connection), hazard))
    if isinstance(command, Claim | Inspect):
        named = [(n, p.sha256) for n, p in enumerate(command.evidence) if p.sha256]
        check_files(connection, named, hazard.zone)
        cite(connection, [sha256 for _, sha256 in named])
    registry = current_registry(connection)
    facts = facts_of(connection, registry, hazard, other, now=max(now, hazard.updated_at), seen=seen)
    try:
        decision = decide(hazard, command, actor=actor, now=now, facts=facts)
    except Conflict as conflict:  # of the versions
        raise ChangedSince(conflict, entries_after(connection, hazard_id, command.version or 0)) from conflict
    apply_decision(connection, decision, actor, command_id=command_id, request=fingerprint(command), now=now)
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


def _same_request(entry: Entry, command: HazardCommand | Propose) -> None:
    """Raises Conflict when the request of that name said something else the first time."""
    if entry.request is not None and entry.request != fingerprint(command):
        raise Conflict("this command_id was used for another command", where="/command_id", hint="give each command an id of its own")


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


def _both_locked(connection: Connection, hazard_id: str, into: str | None, scope: Scope) -> tuple[Hazard, Hazard | None]:
    """The hazard and the one it is to be merged into, locked in the order of their ids. Raises NotFound for the first."""
    found = {i: locked_hazard(connection, i, scope) for i in sorted({hazard_id, into or hazard_id})}
    if (hazard := found[hazard_id]) is None:
        raise NotFound("no such hazard", where=hazard_id)
    return hazard, found[into] if into is not None and into != hazard_id else None


def _done_before(connection: Connection, hazard_id: str, command_id: str) -> Entry | None:
    data = connection.execute(_DONE, {"b_id": hazard_id, "b_command": command_id}).scalar()
    return read_entry(data) if data is not None else None
