"""The evidence gate's answer: a table of what the devices said and what follows."""

import pytest

from hazards.kinds import FAMILIES, KINDS
from hazards.ledger.gate import Present, Question, Sight, Verdict, Watcher, Why, Witness, judge, watchers_of
from hazards.ledger.kinds import HAZARD_KINDS, hazard_kind
from hazards.metrics import METRICS
from hazards.zones import Device
from tests.hazards.signals import NOON

SEES, BLIND = Watcher("CAM-1", "flame"), Watcher("CAM-2", "flame", blind="i-9")


def witness(*present: Present, raised: int = 0) -> Witness:
    devices = ["CAM-7"] if raised else []
    return Witness(incident="i", severity=1, opened_at=NOON, present=list(present), raised=raised, last_at=NOON if raised else None,
                   devices=devices, kinds=["smoke"] if raised else [])  # fmt: skip


STANDING, UNDECIDED = Present("CAM-1", "flame"), Present("CAM-3", "smoke", undecided=True)


@pytest.mark.parametrize(
    ("sight", "papers", "verdict", "passes", "reasons"),
    [(Sight(), False, Verdict.NOT_APPLICABLE, False, ["no_watcher", "papers_needed"]),
     (Sight(), True, Verdict.NOT_APPLICABLE, True, ["no_watcher", "papers_given"]),
     (Sight((SEES,)), False, Verdict.CLEAR, True, ["no_alarm"]),
     (Sight((SEES, BLIND)), False, Verdict.CLEAR, True, ["no_alarm", "some_blind"]),
     (Sight((BLIND,)), False, Verdict.BLIND, False, ["all_blind", "papers_needed"]),
     (Sight((BLIND,)), True, Verdict.BLIND, True, ["all_blind", "papers_given"]),
     (Sight((SEES,), (witness(),)), True, Verdict.CLEAR, True, ["no_alarm"]),
     (Sight((SEES,), (witness(STANDING),)), True, Verdict.REFUTED, False, ["standing"]),
     (Sight((BLIND,), (witness(UNDECIDED),)), True, Verdict.REFUTED, False, ["undecided"]),
     (Sight((), (witness(raised=1),)), True, Verdict.REFUTED, False, ["raised_since"]),
     (Sight((SEES,), (witness(STANDING), witness(raised=2))), True, Verdict.REFUTED, False, ["raised_since", "standing"])],
)  # fmt: skip
def test_what_the_devices_say_decides(sight: Sight, papers: bool, verdict: Verdict, passes: bool, reasons: list[str]) -> None:
    answer = judge(Question.ACCEPT, sight, since=NOON - 1, now=NOON, papers=papers)
    assert (answer.verdict, answer.passes, answer.reasons) == (verdict, passes, reasons)
    assert answer.rule == ("evidence_gate" if verdict in (Verdict.CLEAR, Verdict.REFUTED) else "evidence_instead")
    assert (answer.since, answer.at, answer.watchers) == (NOON - 1, NOON, list(sight.watchers))


def test_the_evidence_names_alarms_that_stand_before_those_that_came_and_went() -> None:
    both = witness(STANDING, UNDECIDED, raised=3)
    (evidence,) = judge(Question.ACCEPT, Sight((SEES,), (both,)), since=NOON, now=NOON, papers=False).evidence
    assert (evidence.why, evidence.devices, evidence.kinds, evidence.raised) == (Why.STANDING, ["CAM-1"], ["flame"], 3)
    (gone,) = judge(Question.ACCEPT, Sight((SEES,), (witness(raised=3),)), since=NOON, now=NOON, papers=False).evidence
    assert (gone.why, gone.devices, gone.kinds) == (Why.RAISED_SINCE, ["CAM-7"], ["smoke"])


DEVICES = [
    Device("CAM-1", "z", "camera", detectors=["tamper", "flame"]), Device("CAM-2", "z", "camera", detectors=["intrusion"]),
    Device("CAM-3", "z", "camera"), Device("T-1", "z", "sensor", settings={"metric": "temperature"}),
    Device("M-1", "z", "sensor", settings={"metrics": {"flammable_gas": {}, "temperature": {}}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "watching"),
    [("fire", {"CAM-1": "flame"}), ("flame", {"CAM-1": "flame"}), ("heat", {"T-1": "temperature", "M-1": "temperature"}),
     ("gas", {"M-1": "flammable_gas"}), ("access", {"CAM-2": "intrusion"}), ("coverage", {"CAM-1": "tamper"}), ("training", {}),
     ("nobody_knows", {})],
)  # fmt: skip
def test_the_table_says_which_devices_can_tell(kind: str, watching: dict[str, str]) -> None:
    assert {w.device: w.by for w in watchers_of(hazard_kind(kind), DEVICES)} == watching


def test_the_table_of_kinds_knows_what_it_names() -> None:
    for kind in HAZARD_KINDS.values():
        assert set(kind.families) <= set(FAMILIES) and set(kind.metrics) <= set(METRICS) and set(kind.alarms) <= set(KINDS)
        assert kind.chinese and kind.english
    assert set(FAMILIES) <= set(HAZARD_KINDS), "what an incident is a sign of is a kind of hazard"
    for alarm, row in KINDS.items():
        assert hazard_kind(alarm).speaks(alarm) and HAZARD_KINDS[row.family].speaks(alarm)
    odd = hazard_kind("odd_thing")
    assert not odd.known and odd.speaks("odd_thing") and "odd_thing" in odd.incident_families
