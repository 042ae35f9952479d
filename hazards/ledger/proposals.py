"""What an incident proposes: whether a rule puts a hazard down by itself, and what it says where a person leaves it open. Pure.

What must not go in: SQL, confirming.
"""

from collections.abc import Sequence
from datetime import timedelta, tzinfo
from typing import Any

from msgspec import structs

from hazards.flood import GROUP as FLOOD
from hazards.kinds import kind_of
from hazards.ledger.commands import Propose
from hazards.ledger.entries import LONGEST_TEXT, LONGEST_TITLE
from hazards.ledger.kinds import hazard_kind
from hazards.ledger.limits import EPOCH
from hazards.ledger.policy import KindRow, Policy, ProposalRule, Rule
from hazards.messages import Certainty, IncidentMessage, IncidentState

MOST_NAMED = 5
"""Devices that the reason of a proposal names where no sources are known."""


def proposal_rule(incident: IncidentMessage, policy: Policy) -> ProposalRule | None:
    """The rule by which ``incident`` proposes a hazard by itself, or None. One that is over proposes nothing, nor one that is kept quiet
    (permit, calibration, shelved, inhibited), nor a flood of alarms as such."""
    if incident.state is not IncidentState.ACTIVE or incident.quiet or incident.family == FLOOD:
        return None
    return policy.proposal(incident.severity, incident.certainty.value)


def proposed_by_rule(
    incident: IncidentMessage, zone_name: str, rule: ProposalRule, policy: Policy, time_zone: tzinfo, *, kind: str = ""
) -> Propose:  # fmt: skip
    """The hazard that ``rule`` puts down for ``incident``, with the reason in words. ``kind``: of hazard, "": the incident's family."""
    said = "；".join(text for text in (because(incident, policy.rule(rule.rule), time_zone)["zh"], incident.message) if text)
    given = Propose(zone="", kind=kind, grade=rule.grade, title="", description=said[:LONGEST_TEXT])
    return _filled(given, incident, zone_name, policy.kinds)


def because(incident: IncidentMessage, rule: Rule, time_zone: tzinfo) -> dict[str, Any]:
    """Why ``rule`` proposes a hazard for ``incident``: severity, certainty, the evidence used, and a sentence in both languages."""
    sources = incident.corroboration.get("sources") or []
    told = {"zh": [], "en": []}  # type: dict[str, list[str]]
    for source in sources:
        kind, at = kind_of(source["kind"]), (EPOCH + timedelta(microseconds=source["at"])).astimezone(time_zone)
        for language, name in (("zh", kind.chinese), ("en", kind.english)):
            told[language].append(f"{source['device']} {name} {at:%H:%M:%S}")
    zh = "、".join(told["zh"]) or "、".join(incident.devices[:MOST_NAMED])
    en = ", ".join(told["en"] or incident.devices[:MOST_NAMED])
    severity, sure = incident.severity, _CERTAINTY[incident.certainty]
    return {
        "rule": rule.id, "severity": severity, "certainty": incident.certainty.value, "evidence": sources,
        "correlation": incident.corroboration.get("rule", ""),
        "zh": f"{severity}级、{sure[0]}：{zh}。{rule.zh}", "en": f"severity {severity}, {sure[1]}: {en}. {rule.en}",
    }  # fmt: skip


_CERTAINTY = {
    Certainty.POSSIBLE: ("待核实", "possible"), Certainty.LIKELY: ("较可信", "likely"), Certainty.OBSERVED: ("已印证", "observed"),
}  # fmt: skip


def completed(given: Propose, incident: IncidentMessage, zone_name: str, policy: Policy) -> Propose:
    """``given`` of a person, with what was left out taken from ``incident``; the grade then by its severity."""
    graded = given if given.grade else structs.replace(given, grade=policy.grade_of_severity[str(incident.severity)])
    return _filled(graded, incident, zone_name, policy.kinds)


def _filled(given: Propose, incident: IncidentMessage, zone_name: str, rows: Sequence[KindRow]) -> Propose:
    kinds = "、".join(kind_of(kind).chinese for kind in incident.kinds)
    title = given.title or f"{zone_name}：{hazard_kind(incident.family, rows).chinese}（{kinds}）"[:LONGEST_TITLE]
    return structs.replace(given, incident=incident.id, zone=incident.zone, kind=given.kind or incident.family, title=title,
                           description=given.description or incident.message)  # fmt: skip
