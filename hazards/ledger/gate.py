"""The evidence gate: what the zone's own cameras and sensors say when somebody calls a hazard fixed (带病销号 is refused).

Asked on the claim, on acceptance and on closing. While alarms of the kind stand or came since the claim, or a sensor is or was beyond its
limit, the answer is no, with each incident and each series named. A device that was covered, offline or silent for too much of the time
since the claim does not count as seeing. Where no device of the zone can tell, or none of them saw enough, the gate says so and asks for
timed, located photos or documents: no evidence is not good evidence. The answer is data; texts are in the catalogue.
What must not go in: reading SQL, the registry, the time series (``storage/hazard_sight.py`` and ``storage/series_sight.py`` collect what
is judged here), roles.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from hazards.ledger.blindness import Blind, seen_percent
from hazards.ledger.kinds import HazardKind
from hazards.ledger.papers import PaperEvidence, PaperWhy
from hazards.ledger.policy import GateRule
from hazards.ledger.sensor_evidence import Measured, Says, SensorEvidence, can_tell, evidence_of, silences
from hazards.sensors import Sensor, sensors_of
from hazards.zones import Device


class Question(StrEnum):
    """What is asked for."""

    CLAIM = "claim"  # 申请验收: does an alarm stand now?
    ACCEPT = "accept"  # 验收: now, or since the claim?
    CLOSE = "close"  # 销号: now, or since the claim?


class Verdict(StrEnum):
    """What the devices say."""

    CLEAR = "clear"  # 未见异常: they could have seen it, and did not
    REFUTED = "refuted"  # 带病: alarms stand, or came since the claim
    BLIND = "blind"  # 无法判断: those that could tell did not see enough
    NOT_APPLICABLE = "not_applicable"  # 不适用: no device here can tell


class Why(StrEnum):
    """Why an incident speaks against it."""

    STANDING = "standing"  # its alarm stands
    UNDECIDED = "undecided"  # raised, and still within its on-delay
    RAISED_SINCE = "raised_since"  # it came after the claim, and ended


class Unseen(StrEnum):
    """Why a device does not count as seeing."""

    OUT_OF_SERVICE = "out_of_service"  # it is covered, offline, faulty, without power
    BLIND_SINCE = "blind_since"  # it was, for too much of the time since the claim
    SILENT = "silent"  # its readings have stopped
    NO_READINGS = "no_readings"  # it never sent any
    SERIES_UNAVAILABLE = "series_unavailable"  # the time series does not answer: nobody knows


class Watcher(Struct, frozen=True):
    """A device that can tell. ``by``: the detector or metric, or "alarms" for one that has already raised such an alarm.

    ``blind``: the incident by which it is out of service now; ``spans``: when it was, since the claim."""

    device: str
    by: str
    blind: str | None = None
    spans: tuple[Blind, ...] = ()
    measures: bool = False  # by its readings, ``by`` is the metric


class Watched(Struct, frozen=True):
    """A device that can tell, as the answer has it. ``blind`` as in ``Watcher``; ``seen``: of the time since the claim, whole percent;
    ``incidents``: by which it did not see; ``why``: why it does not count, None for one that does."""

    device: str
    by: str
    blind: str | None = None
    seen: int = 100
    incidents: list[str] = field(default_factory=list)
    why: Unseen | None = None


class Present(Struct, frozen=True):
    """An alarm that is not normal. ``undecided``: still within its on-delay."""

    device: str
    kind: str
    undecided: bool = False


class Witness(Struct, frozen=True, kw_only=True):
    """An incident of the zone with alarms that speak of the kind; only those count here, not others merged into it.

    ``present``: those that stand now; ``raised``: how many were raised since the claim, ``last_at``: the newest of them (µs),
    ``devices`` and ``kinds``: by whom and which; ``snapshot``: the incident's picture."""

    incident: str
    severity: int
    opened_at: int
    present: list[Present]
    raised: int = 0
    last_at: int | None = None
    devices: list[str]
    kinds: list[str]
    snapshot: str | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """One incident that speaks against it, and why. ``raised``, ``last_at``, ``snapshot`` as in ``Witness``."""

    why: Why
    incident: str
    kinds: list[str]
    devices: list[str]
    severity: int
    opened_at: int
    raised: int
    last_at: int | None
    snapshot: str | None = None


class Sight(Struct, frozen=True):
    """All that the gate judges by, but papers. ``sensors``: those with limits that speak of the kind."""

    watchers: tuple[Watcher, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    sensors: tuple[Measured, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """The gate's answer. ``since``: from when on alarms count, µs; ``reasons``: codes of the catalogue (``gate.reason.*``).

    ``passes`` is whether the command may go on: with CLEAR always, with BLIND and NOT_APPLICABLE when papers that count lie with the
    claim. ``evidence``, ``sensors``, ``papers``: each piece, whatever it says; ``seen_rule``: the rule by which a device that was blind for
    a while does not count, where there is one."""

    question: Question
    verdict: Verdict
    passes: bool
    since: int
    at: int
    reasons: list[str]
    evidence: list[Evidence]
    watchers: list[Watched]
    rule: str
    sensors: list[SensorEvidence] = field(default_factory=list)
    papers: list[PaperEvidence] = field(default_factory=list)
    seen_rule: str = ""

    @property
    def against(self) -> list[str]:
        """What speaks against it, by name: incidents, series, devices that did not see."""
        if self.verdict is Verdict.REFUTED:
            return [*(e.incident for e in self.evidence), *(f"{s.device}/{s.metric}" for s in self.sensors if s.against)]
        return [w.device for w in self.watchers if w.why is not None]


def watchers_of(kind: HazardKind, devices: Sequence[Device], sensors: Sequence[Sensor] | None = None) -> list[Watcher]:
    """Those of a zone's registered ``devices`` that can observe ``kind``: by a detector, or by each metric with a limit that says so.

    ``sensors``: theirs, with the rules in force; None: by what the devices themselves say."""
    known = sensors if sensors is not None else [s for device in devices for s in sensors_of(device)]
    found = []
    for device in devices:
        found += [Watcher(device.id, detector) for detector in device.detectors if kind.speaks(detector)][:1]
        found += [Watcher(device.id, s.metric, measures=True) for s in known if s.device == device.id and can_tell(kind, s)]
    return found


def judge(
    question: Question, sight: Sight, *, since: int, now: int, papers: Sequence[PaperEvidence] = (), rule: GateRule | None = None
) -> Answer:
    """The answer to ``question`` at ``now``. ``papers``: those that lie with the claim; ``rule``: how much a device must have seen."""
    rule = rule or GateRule()
    evidence = [e for w in sight.witnesses if (e := _against(w)) is not None]
    measured = {(m.device, m.metric): m for m in sight.sensors}
    sensors = [evidence_of(m, since) for m in sight.sensors]
    watchers = [_watched(w, measured, since, now, rule) for w in sight.watchers]
    verdict, reasons = _verdict(evidence, sensors, watchers)
    given = any(p.why is PaperWhy.COUNTS for p in papers)
    if verdict in (Verdict.BLIND, Verdict.NOT_APPLICABLE):
        reasons.append("papers_given" if given else "papers_needed")
        if not given:
            reasons += sorted({p.why.value for p in papers})
    passes = verdict is Verdict.CLEAR or (verdict is not Verdict.REFUTED and given)
    return Answer(
        question=question, verdict=verdict, passes=passes, since=since, at=now, reasons=reasons, evidence=evidence, watchers=watchers,
        rule="evidence_gate" if verdict in (Verdict.CLEAR, Verdict.REFUTED) else "evidence_instead", sensors=sensors, papers=list(papers),
        seen_rule=rule.rule if any(w.why is Unseen.BLIND_SINCE for w in watchers) else "",
    )  # fmt: skip


def _verdict(evidence: list[Evidence], sensors: list[SensorEvidence], watchers: list[Watched]) -> tuple[Verdict, list[str]]:
    against = {e.why.value for e in evidence} | {s.says.value for s in sensors if s.against}
    if against:
        return Verdict.REFUTED, sorted(against)
    if not watchers:
        return Verdict.NOT_APPLICABLE, ["no_watcher"]
    unseen = sorted({w.why.value for w in watchers if w.why is not None})
    if all(w.why is not None for w in watchers):
        return Verdict.BLIND, ["all_blind", *unseen]
    within = ["within_limits"] if any(s.says is Says.WITHIN_LIMITS for s in sensors) else []
    return Verdict.CLEAR, ["no_alarm", *within, *(["some_blind"] if unseen else []), *unseen]


def _watched(watcher: Watcher, measured: Mapping[tuple[str, str], Measured], since: int, now: int, rule: GateRule) -> Watched:
    """Whether ``watcher`` saw enough since the claim, and sees now."""
    spans, why = list(watcher.spans), None
    if watcher.measures:
        known = measured.get((watcher.device, watcher.by))
        if known is None or known.rollups is None:
            return _not(watcher, Unseen.SERIES_UNAVAILABLE)
        if not known.rollups:
            return _not(watcher, Unseen.NO_READINGS)
        silent = silences(known, since, now)
        spans += silent
        why = Unseen.SILENT if silent and silent[-1].end >= now else None
    seen = seen_percent(spans, since, now)
    if watcher.blind is not None:
        why = Unseen.OUT_OF_SERVICE
    elif why is None and seen < rule.seen_percent:
        why = Unseen.BLIND_SINCE
    incidents = list(dict.fromkeys(s.incident for s in spans if s.incident is not None))
    return Watched(watcher.device, watcher.by, watcher.blind, seen, incidents, why)


def _not(watcher: Watcher, why: Unseen) -> Watched:
    if watcher.blind is not None:
        why = Unseen.OUT_OF_SERVICE
    return Watched(watcher.device, watcher.by, watcher.blind, 0, [watcher.blind] if watcher.blind else [], why)


def _against(witness: Witness) -> Evidence | None:
    standing = [p for p in witness.present if not p.undecided]
    if standing or witness.present:
        why, shown = (Why.STANDING, standing) if standing else (Why.UNDECIDED, witness.present)
        kinds, devices = [list(dict.fromkeys(names)) for names in ((p.kind for p in shown), (p.device for p in shown))]
    elif witness.raised:
        why, kinds, devices = Why.RAISED_SINCE, witness.kinds, witness.devices
    else:
        return None
    return Evidence(why=why, incident=witness.incident, kinds=kinds, devices=devices, severity=witness.severity, snapshot=witness.snapshot,
                    opened_at=witness.opened_at, raised=witness.raised, last_at=witness.last_at)  # fmt: skip
