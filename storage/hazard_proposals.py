"""Hazards (隐患) that rules propose for incidents, in the merge transaction: a failure here never costs an alarm.

What must not go in: what rules there are (``hazards/ledger/proposals.py``), commands of people.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import InterfaceError, OperationalError

from hazards.errors import Unavailable
from hazards.identity import hazard_of_incident
from hazards.ledger.decision import Facts
from hazards.ledger.decisions import mark_repeated, propose, raise_grade
from hazards.ledger.hazard import PLATFORM, Hazard, Origin
from hazards.ledger.lifecycle import START
from hazards.ledger.limits import DAY
from hazards.ledger.policy import ProposalRule
from hazards.ledger.proposals import because, proposal_rule, proposed_by_rule
from hazards.ledger.repeats import MOST_NAMED, Earlier
from hazards.messages import UNASSIGNED, IncidentMessage
from hazards.scope import EVERYTHING
from storage import schema
from storage.hazard_facts import facts_of, policy_of
from storage.hazard_links import open_hazard_of
from storage.hazard_queries import earlier_of
from storage.hazard_writing import apply_decision, insert_hazard, locked_hazard
from storage.site_store import Registry
from storage.zone_hazards import is_spoken_of, kind_rows

log = structlog.get_logger(__name__)
MOST_LOOKED_AT = 200
"""Hazards closed lately in one zone among which those are looked for that come again."""


def propose_by_rule(connection: Connection, registry: Registry, incidents: Sequence[IncidentMessage], *, now: int) -> list[Hazard]:
    """Put down the hazards that rules propose for ``incidents``, each once; those that are new. For the merge transaction.

    One that is there with a lesser grade, and that nobody confirmed yet, is proposed graver. What fails here is the ledger's own trouble:
    it is logged, tried again with the incident's next change, and never costs the alarms of the transaction."""
    found = list[Hazard]()
    packs = registry.packs.values() if registry.policy is not None else ()  # no pack, no rules: a worker goes on
    for incident in incidents:
        if not any(proposal_rule(incident, pack) for pack in packs):
            continue
        try:
            with connection.begin_nested():
                found += _proposed(connection, registry, incident, now=now)
        except (OperationalError, InterfaceError, Unavailable):
            raise  # SQL is away: all of it is tried again
        except Exception:
            log.exception("a rule could not propose a hazard", incident=incident.id, policy=registry.policy and registry.policy.version)
    return found


def _proposed(connection: Connection, registry: Registry, incident: IncidentMessage, *, now: int) -> list[Hazard]:
    """The hazard that a rule puts down for ``incident``, if it is new, and no open one stands for its cause already."""
    hazard_id, policy = hazard_of_incident(incident.id), policy_of(registry)
    state = connection.execute(select(schema.hazards.c.state).where(schema.hazards.c.id == hazard_id)).scalar()
    if state is not None:
        if state == START[1].value:
            _raise_grade(connection, registry, hazard_id, incident, now=now)
        return []
    if (rule := proposal_rule(incident, policy)) is None or open_hazard_of(connection, incident.id) is not None:
        return []
    made = put_down_by_rule(connection, registry, incident, rule, now=now)
    return [made] if made is not None else []


def put_down_by_rule(
    connection: Connection, registry: Registry, incident: IncidentMessage, rule: ProposalRule, *, kind: str = "", now: int
) -> Hazard | None:  # fmt: skip
    """The hazard of ``incident`` by ``rule`` of the pack in force, and whether it is a repeat; None for one that is there. ``kind``: of
    hazard, "": what the incident is shown as."""
    facts = facts_of(connection, registry, None)
    command = proposed_by_rule(incident, zone_name(registry, incident.zone), rule, facts.policy, facts.time_zone, kind=kind)
    decision = propose(
        command, hazard_id=hazard_of_incident(incident.id), actor=PLATFORM, origin=Origin.RULE, enterprise=incident.enterprise,
        synthetic=incident.synthetic, now=now, facts=facts, rule=rule.rule,
        because=because(incident, facts.policy.rule(rule.rule), facts.time_zone),
    )  # fmt: skip
    if not insert_hazard(connection, decision, PLATFORM, command_id=None, now=now):
        return None
    return marked_if_repeated(connection, registry, decision.hazard, facts, incident=incident, now=now)


def _raise_grade(connection: Connection, registry: Registry, hazard_id: str, incident: IncidentMessage, *, now: int) -> None:
    """Somebody put it down with a lesser grade before the rule could: the rule's proposal goes on the record all the same.

    The rule is one of the pack under which the hazard was opened."""
    if (hazard := locked_hazard(connection, hazard_id, EVERYTHING)) is None:
        return
    facts = facts_of(connection, registry, hazard)
    if (rule := proposal_rule(incident, facts.policy)) is None:
        return
    why = because(incident, facts.policy.rule(rule.rule), facts.time_zone)
    if (decision := raise_grade(hazard, rule, now=now, facts=facts, because=why)) is not None:
        apply_decision(connection, decision, PLATFORM, now=now)


def marked_if_repeated(
    connection: Connection, registry: Registry, hazard: Hazard, facts: Facts, *, incident: IncidentMessage | None = None, now: int
) -> Hazard:  # fmt: skip
    """The hazard after it was looked at whether it repeats earlier ones; ``incident``: for which it was put down."""
    again = _come_again(connection, registry, incident, facts) if incident is not None else []
    decision = mark_repeated(hazard, earlier_of(connection, hazard, facts.policy.repeats), now=now, facts=facts, again=again)
    if decision is None:
        return hazard
    apply_decision(connection, decision, PLATFORM, now=now)
    return decision.hazard


def _come_again(connection: Connection, registry: Registry, incident: IncidentMessage, facts: Facts) -> list[Earlier]:
    """Hazards of the incident's zone that were closed within the pack's window and of which its alarms speak, the newest first."""
    table, packs = schema.hazards, kind_rows(registry)
    since = incident.opened_at - facts.policy.repeats.days * DAY
    query = select(table.c.id, table.c.zone, table.c.opened_at, table.c.kind).where(
        table.c.zone == incident.zone, table.c.closed_at >= since, table.c.synthetic.is_(incident.synthetic)
    )  # fmt: skip
    rows = connection.execute(query.order_by(table.c.closed_at.desc()).limit(MOST_LOOKED_AT))
    found = [Earlier(row.id, row.zone, row.opened_at) for row in rows if is_spoken_of(row.kind, incident.kinds, packs)]
    return found[:MOST_NAMED] if incident.zone != UNASSIGNED else []


def zone_name(registry: Registry, zone: str) -> str:
    """What a zone is called; its id for one that the site does not have."""
    known = registry.zone(zone)
    return known.name if known is not None else zone
