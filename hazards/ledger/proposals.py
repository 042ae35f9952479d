"""What an incident proposes: whether a rule puts a hazard down by itself, and what it says where a person leaves it open. Pure.

What must not go in: SQL, confirming.
"""

from collections.abc import Sequence

from msgspec import structs

from hazards.kinds import kind_of
from hazards.ledger.commands import Propose
from hazards.ledger.entries import LONGEST_TITLE
from hazards.ledger.kinds import hazard_kind
from hazards.ledger.policy import KindRow, Policy, ProposalRule
from hazards.messages import IncidentMessage, IncidentState


def proposal_rule(incident: IncidentMessage, policy: Policy) -> ProposalRule | None:
    """The rule by which ``incident`` proposes a hazard by itself, or None. One that is over proposes nothing."""
    if incident.state is not IncidentState.ACTIVE:
        return None
    return policy.proposal(incident.severity, incident.certainty.value)


def proposed_by_rule(incident: IncidentMessage, zone_name: str, rule: ProposalRule, policy: Policy) -> Propose:
    """The hazard that ``rule`` puts down for ``incident``."""
    return _filled(Propose(zone="", kind="", grade=rule.grade, title=""), incident, zone_name, policy.kinds)


def completed(given: Propose, incident: IncidentMessage, zone_name: str, policy: Policy) -> Propose:
    """``given`` of a person, with what was left out taken from ``incident``; the grade then by its severity."""
    graded = given if given.grade else structs.replace(given, grade=policy.grade_of_severity[str(incident.severity)])
    return _filled(graded, incident, zone_name, policy.kinds)


def _filled(given: Propose, incident: IncidentMessage, zone_name: str, rows: Sequence[KindRow]) -> Propose:
    kinds = "、".join(kind_of(kind).chinese for kind in incident.kinds)
    title = given.title or f"{zone_name}：{hazard_kind(incident.family, rows).chinese}（{kinds}）"[:LONGEST_TITLE]
    return structs.replace(given, incident=incident.id, zone=incident.zone, kind=given.kind or incident.family, title=title,
                           description=given.description or incident.message)  # fmt: skip
