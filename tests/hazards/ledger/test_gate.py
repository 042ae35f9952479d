"""The evidence gate's answer: a table of what the devices said and what follows; and what can never pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hazards.flood import GROUP as FLOOD
from hazards.kinds import FAMILIES, KINDS
from hazards.ledger.blindness import Blind
from hazards.ledger.gate import Answer, Present, Question, Sight, Unseen, Verdict, Watcher, Why, Witness, judge, watchers_of
from hazards.ledger.kinds import HAZARD_KINDS, hazard_kind, hazard_kinds
from hazards.ledger.papers import PaperEvidence, PaperWhy
from hazards.ledger.policy import GateRule, KindRow
from hazards.ledger.sensor_evidence import Measured, Rollup, Says
from hazards.metrics import METRICS
from hazards.zones import Device
from tests.hazards.signals import NOON, SECOND

HOUR = 3600 * SECOND
SEES, BLIND = Watcher("CAM-1", "flame"), Watcher("CAM-2", "flame", blind="i-9")
THERMOMETER = Watcher("T-1", "temperature", measures=True)


def witness(*present: Present, raised: int = 0) -> Witness:
    devices = ["CAM-7"] if raised else []
    return Witness(incident="i", severity=1, opened_at=NOON, present=list(present), raised=raised, last_at=NOON if raised else None,
                   devices=devices, kinds=["smoke"] if raised else [], snapshot="5" * 64)  # fmt: skip


def paper(why: PaperWhy = PaperWhy.COUNTS) -> PaperEvidence:
    return PaperEvidence(where="/evidence/0/taken_at", why=why, taken_at=NOON, place="炉前")


def measured(*values: tuple[float, float, float, float] | None, known: bool = True) -> Measured:
    """T-1 with limits high 60 and high-high 80: (hours after the claim, least, greatest, last), an hour of silence allowed."""
    rollups = [Rollup(NOON + round(h * HOUR), NOON + round(h * HOUR) + SECOND, *rest) for h, *rest in values if values]  # type: ignore[misc]
    return Measured(device="T-1", metric="temperature", unit="Cel", limits={"high": 60.0, "high_high": 80.0}, silence=HOUR,
                    start=NOON - HOUR, read_at=NOON + HOUR, rollups=rollups if known else None)  # fmt: skip


def answer(sight: Sight, *papers: PaperEvidence, hours: float = 1, question: Question = Question.ACCEPT) -> Answer:
    """An hour after the claim at noon, unless said otherwise."""
    return judge(question, sight, since=NOON, now=NOON + round(hours * HOUR), papers=papers)


STANDING, UNDECIDED = Present("CAM-1", "flame"), Present("CAM-3", "smoke", undecided=True)


@pytest.mark.parametrize(
    ("sight", "papers", "verdict", "passes", "reasons"),
    [(Sight(), [], "not_applicable", False, ["no_watcher", "papers_needed"]),
     (Sight(), [paper()], "not_applicable", True, ["no_watcher", "papers_given"]),
     (Sight(), [paper(PaperWhy.TOO_EARLY)], "not_applicable", False, ["no_watcher", "papers_needed", "paper_too_early"]),
     (Sight(), [paper(PaperWhy.BEFORE), paper()], "not_applicable", True, ["no_watcher", "papers_given"]),
     (Sight((SEES,)), [], "clear", True, ["no_alarm"]),
     (Sight((SEES, BLIND)), [], "clear", True, ["no_alarm", "some_blind", "out_of_service"]),
     (Sight((BLIND,)), [], "blind", False, ["all_blind", "out_of_service", "papers_needed"]),
     (Sight((BLIND,)), [paper()], "blind", True, ["all_blind", "out_of_service", "papers_given"]),
     (Sight((SEES,), (witness(),)), [paper()], "clear", True, ["no_alarm"]),
     (Sight((SEES,), (witness(STANDING),)), [paper()], "refuted", False, ["standing"]),
     (Sight((BLIND,), (witness(UNDECIDED),)), [paper()], "refuted", False, ["undecided"]),
     (Sight((), (witness(raised=1),)), [paper()], "refuted", False, ["raised_since"]),
     (Sight((SEES,), (witness(STANDING), witness(raised=2))), [paper()], "refuted", False, ["raised_since", "standing"])],
)  # fmt: skip
def test_what_the_devices_say_decides(sight: Sight, papers: list[PaperEvidence], verdict: str, passes: bool, reasons: list[str]) -> None:
    said = answer(sight, *papers)
    assert (said.verdict, said.passes, said.reasons) == (verdict, passes, reasons)
    assert said.rule == ("evidence_gate" if verdict in ("clear", "refuted") else "evidence_instead")
    assert (said.since, said.at, said.papers) == (NOON, NOON + HOUR, papers)
    assert [(w.device, w.blind) for w in said.watchers] == [(w.device, w.blind) for w in sight.watchers]


def test_the_evidence_names_alarms_that_stand_before_those_that_came_and_went() -> None:
    (evidence,) = answer(Sight((SEES,), (witness(STANDING, UNDECIDED, raised=3),))).evidence
    assert (evidence.why, evidence.devices, evidence.kinds, evidence.raised) == (Why.STANDING, ["CAM-1"], ["flame"], 3)
    (gone,) = answer(Sight((SEES,), (witness(raised=3),))).evidence
    assert (gone.why, gone.devices, gone.kinds, gone.snapshot) == (Why.RAISED_SINCE, ["CAM-7"], ["smoke"], "5" * 64)


@pytest.mark.parametrize(
    ("spans", "seen", "why"),
    [([], 100, None), ([(0, 0.4)], 60, None), ([(0, 0.5)], 50, None), ([(0.1, 0.61)], 49, Unseen.BLIND_SINCE),
     ([(-5, 0.2), (0.1, 0.3), (0.5, 0.6)], 60, None), ([(-5, 9)], 0, Unseen.BLIND_SINCE), ([(-5, 0)], 100, None)],
)  # fmt: skip
def test_a_device_that_was_blind_for_more_than_half_of_the_time_does_not_count(
    spans: list[tuple[float, float]], seen: int, why: Unseen | None
) -> None:
    blind = tuple(Blind(NOON + round(a * HOUR), NOON + round(b * HOUR), "i-9") for a, b in spans)
    sight = Sight((structs.replace(SEES, spans=blind),))
    said = answer(sight)
    (watched,) = said.watchers
    assert (watched.seen, watched.why, watched.incidents) == (seen, why, ["i-9"] if spans else [])
    assert (said.verdict, said.seen_rule) == (("clear", "") if why is None else ("blind", "gate_sight"))
    lenient = judge(Question.ACCEPT, sight, since=NOON, now=NOON + HOUR, rule=GateRule(seen_percent=0))
    assert lenient.verdict is Verdict.CLEAR, "how much is enough is the pack's"


def test_a_device_that_saw_all_the_time_and_is_covered_now_does_not_count() -> None:
    said = answer(Sight((structs.replace(SEES, blind="i-9", spans=(Blind(NOON + HOUR - SECOND, NOON + HOUR, "i-9"),)),)))
    assert (said.verdict, said.watchers[0].why, said.watchers[0].seen) == ("blind", Unseen.OUT_OF_SERVICE, 99)


@pytest.mark.parametrize(
    ("rollups", "says", "met", "verdict", "reasons"),
    [([(-0.1, 20, 21, 20), (0.5, 20, 59.9, 30), (0.99, 20, 30, 25)], "within_limits", ("", None, None), "clear",
      ["no_alarm", "within_limits"]),
     ([(0.99, 20, 61, 61)], "beyond_limit", ("high", 61, 0.99), "refuted", ["beyond_limit"]),
     ([(0.99, 20, 60, 60)], "beyond_limit", ("high", 60, 0.99), "refuted", ["beyond_limit"]),
     ([(0.5, 20, 85, 30), (0.99, 20, 30, 25)], "beyond_since", ("high_high", 85, 0.5), "refuted", ["beyond_since"]),
     ([(-0.2, 20, 85, 30), (0.5, 20, 30, 25)], "within_limits", ("", None, None), "clear", ["no_alarm", "within_limits"]),
     ([(-0.9, 20, 85, 85)], "beyond_limit", ("high_high", 85, -0.9), "refuted", ["beyond_limit"]),
     ([(-0.9, 20, 21, 21)], "within_limits", ("", None, None), "blind", ["all_blind", "silent", "papers_needed"]),
     ([], "no_readings", ("", None, None), "blind", ["all_blind", "no_readings", "papers_needed"])],
)  # fmt: skip
def test_what_a_sensor_measured_speaks_for_itself(
    rollups: list[tuple[float, float, float, float]], says: str, met: tuple[str, float | None, float | None], verdict: str,
    reasons: list[str],
) -> None:
    said = answer(Sight((THERMOMETER,), (), (measured(*rollups),)))
    (sensor,) = said.sensors
    limit, value, hours = met
    assert (sensor.says, sensor.limit, sensor.value, said.verdict, said.reasons) == (says, limit, value, verdict, reasons)
    assert sensor.at == (None if hours is None else NOON + round(hours * HOUR))
    assert sensor.bound == {"": None, "high": 60, "high_high": 80}[limit] and sensor.against == (verdict == "refuted")
    if verdict == "refuted":
        assert said.against == ["T-1/temperature"]


def test_what_was_beyond_a_limit_before_the_claim_does_not_count_against_it() -> None:
    claim = answer(Sight((THERMOMETER,), (), (measured((-0.3, 20, 85, 30), (-0.01, 20, 30, 25)),)), hours=0, question=Question.CLAIM)
    assert (claim.verdict, claim.watchers[0].seen, claim.sensors[0].highest) == ("clear", 100, None)


def test_a_time_series_that_is_away_is_no_good_evidence() -> None:
    for sight in (Sight((THERMOMETER,), (), (measured(known=False),)), Sight((THERMOMETER,))):
        said = answer(sight)
        assert (said.verdict, said.passes, said.reasons) == ("blind", False, ["all_blind", "series_unavailable", "papers_needed"])
        assert (said.watchers[0].why, said.watchers[0].seen) == (Unseen.SERIES_UNAVAILABLE, 0)
        assert answer(sight, paper()).passes
    beside = answer(Sight((SEES, THERMOMETER), (), (measured(known=False),)))
    assert (beside.verdict, beside.reasons) == ("clear", ["no_alarm", "some_blind", "series_unavailable"]), "the camera saw it"
    assert beside.sensors[0].says is Says.SERIES_UNAVAILABLE


def test_a_sensor_that_fell_silent_for_more_than_half_of_the_time_does_not_count() -> None:
    heard = (0.5, 3.0, 9.9)  # silent from 1.5 to 3, and from 4 to 9.9
    facts = structs.replace(measured(*((h, 20, 21, 20) for h in heard)), read_at=NOON + 10 * HOUR)
    said = answer(Sight((THERMOMETER,), (), (facts,)), hours=10)
    assert (said.watchers[0].seen, said.watchers[0].why) == (21, Unseen.BLIND_SINCE), "before 0.5 nothing was heard for longer than an hour"


MOMENTS = st.integers(NOON - HOUR, NOON + HOUR)
WATCHERS = st.builds(
    Watcher, st.sampled_from(["CAM-1", "T-1"]), st.sampled_from(["flame", "temperature"]), st.sampled_from([None, "i-9"]),
    st.lists(st.builds(Blind, MOMENTS, MOMENTS), max_size=3).map(tuple), st.booleans(),
)  # fmt: skip
SIGHTS = st.builds(
    Sight,
    st.lists(WATCHERS, max_size=3).map(tuple),
    st.lists(st.sampled_from([witness(), witness(STANDING), witness(UNDECIDED), witness(raised=1)]), max_size=2).map(tuple),
    st.lists(st.builds(measured, st.tuples(st.sampled_from([-0.5, 0.1, 0.9]), st.sampled_from([20, 70]), st.sampled_from([70, 90]),
                                           st.sampled_from([20, 90])), known=st.booleans()), max_size=2).map(tuple),
)  # fmt: skip
PAPERS = st.lists(st.builds(paper, st.sampled_from(PaperWhy)), max_size=2)


@given(SIGHTS, PAPERS, st.sampled_from(Question), st.sampled_from([0.0, 0.5, 1.0]), st.builds(GateRule, st.sampled_from([0, 50, 100])))
def test_whatever_is_seen_it_never_passes_against_the_evidence_or_without_any(
    sight: Sight, papers: list[PaperEvidence], question: Question, hours: float, rule: GateRule
) -> None:
    now = NOON + round(hours * HOUR)
    said = judge(question, sight, since=NOON, now=now, papers=papers, rule=rule)
    there = any(w.present or w.raised for w in sight.witnesses) or any(s.against for s in said.sensors)
    newest = [m.rollups[-1].last for m in sight.sensors if m.rollups]
    counting = any(p.why is PaperWhy.COUNTS for p in papers)
    seeing = [w for w in said.watchers if w.why is None]
    if there or any(value >= 60 for value in newest):
        assert not said.passes and said.verdict is Verdict.REFUTED and said.against
    elif not seeing:
        assert said.passes == counting and said.verdict in (Verdict.BLIND, Verdict.NOT_APPLICABLE)
    else:
        assert said.passes and said.verdict is Verdict.CLEAR
    assert all(w.blind is None and w.seen >= rule.seen_percent for w in seeing)
    known = {(m.device, m.metric) for m in sight.sensors if m.rollups}
    pairs = zip(said.watchers, sight.watchers, strict=True)
    assert all((w.device, w.by) in known for w, facts in pairs if facts.measures and w.why is None)
    assert said.passes or said.reasons


DEVICES = [
    Device("CAM-1", "z", "camera", detectors=["tamper", "flame"]), Device("CAM-2", "z", "camera", detectors=["intrusion"]),
    Device("CAM-3", "z", "camera"), Device("T-1", "z", "sensor", settings={"metric": "temperature", "limits": {"high": 60}}),
    Device("M-1", "z", "sensor", settings={"metrics": {"flammable_gas": {}, "temperature": {"rate": 1.5}}}),
    Device("T-2", "z", "sensor", settings={"metric": "temperature"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "watching"),
    [("fire", {"CAM-1": "flame"}), ("flame", {"CAM-1": "flame"}), ("heat", {"T-1": "temperature", "M-1": "temperature"}), ("cold", {}),
     ("gas", {"M-1": "flammable_gas"}), ("access", {"CAM-2": "intrusion"}), ("coverage", {"CAM-1": "tamper"}), ("training", {}),
     ("nobody_knows", {})],
)  # fmt: skip
def test_the_table_says_which_devices_can_tell(kind: str, watching: dict[str, str]) -> None:
    assert {w.device: w.by for w in watchers_of(hazard_kind(kind), DEVICES)} == watching


def test_the_table_of_kinds_knows_what_it_names() -> None:
    for kind in HAZARD_KINDS.values():
        assert set(kind.families) <= set(FAMILIES) and set(kind.metrics) <= set(METRICS) and set(kind.alarms) <= set(KINDS)
        assert kind.chinese and kind.english
    assert set(FAMILIES) - {FLOOD} <= set(HAZARD_KINDS), "what an incident is a sign of is a kind of hazard"
    for alarm, row in KINDS.items():
        assert hazard_kind(alarm).speaks(alarm) and HAZARD_KINDS[row.family].speaks(alarm)
    odd = hazard_kind("odd_thing")
    assert not odd.known and odd.speaks("odd_thing") and "odd_thing" in odd.incident_families


def test_a_pack_adds_kinds_and_changes_those_there_are() -> None:
    rows = (KindRow(name="fire", zh="火", en="by papers"), KindRow(name="odd_thing", zh="怪", en="odd", alarms=("smoke",)))
    assert hazard_kind("fire").observable and not hazard_kind("fire", rows).observable
    assert hazard_kind("odd_thing", rows).known and hazard_kind("odd_thing", rows).speaks("smoke")
    assert hazard_kind("gas", rows) == HAZARD_KINDS["gas"]
    kinds = hazard_kinds(rows)
    assert kinds["fire"].english == "by papers" and set(kinds) == {*HAZARD_KINDS, "odd_thing"}
