"""The evidence gate: what the zone's own cameras and sensors say when somebody calls a hazard fixed (带病销号 is refused).

Asked on the claim, on acceptance and on closing. While alarms of the kind stand, or came since the claim, the answer is no, with each
incident named. Where no device of the zone can tell, or all that could are blind, the gate says so and asks for timed, located
photos or documents: no evidence is not good evidence. The answer is data; texts are in the catalogue.
What must not go in: reading SQL, the registry (``storage/hazard_sight.py`` collects what is judged here), roles.
"""

from enum import StrEnum

from msgspec import Struct

from hazards.ledger.kinds import HazardKind
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
    BLIND = "blind"  # 无法判断: those that could tell are out of service
    NOT_APPLICABLE = "not_applicable"  # 不适用: no device here can tell


class Why(StrEnum):
    """Why an incident speaks against it."""

    STANDING = "standing"  # its alarm stands
    UNDECIDED = "undecided"  # raised, and still within its on-delay
    RAISED_SINCE = "raised_since"  # it came after the claim, and ended


class Watcher(Struct, frozen=True):
    """A device that can tell. ``by``: the detector or metric, or "alarms" for one that has already raised such an alarm."""

    device: str
    by: str
    blind: str | None = None  # the incident by which it is out of service: offline, covered, stale


class Present(Struct, frozen=True):
    """An alarm that is not normal. ``undecided``: still within its on-delay."""

    device: str
    kind: str
    undecided: bool = False


class Witness(Struct, frozen=True, kw_only=True):
    """An incident of the zone with alarms that speak of the kind; only those count here, not others merged into it.

    ``present``: those that stand now; ``raised``: how many were raised since the claim, ``last_at``: the newest of them (µs),
    ``devices`` and ``kinds``: by whom and which."""

    incident: str
    severity: int
    opened_at: int
    present: list[Present]
    raised: int = 0
    last_at: int | None = None
    devices: list[str]
    kinds: list[str]


class Evidence(Struct, frozen=True, kw_only=True):
    """One incident that speaks against it, and why. ``raised`` and ``last_at`` as in ``Witness``."""

    why: Why
    incident: str
    kinds: list[str]
    devices: list[str]
    severity: int
    opened_at: int
    raised: int
    last_at: int | None


class Sight(Struct, frozen=True):
    """All that the gate judges by."""

    watchers: tuple[Watcher, ...] = ()
    witnesses: tuple[Witness, ...] = ()


class Answer(Struct, frozen=True, kw_only=True):
    """The gate's answer. ``since``: from when on alarms count, µs; ``reasons``: codes of the catalogue (``gate.reason.*``).

    ``passes`` is whether the command may go on: with CLEAR always, with BLIND and NOT_APPLICABLE when papers lie with the claim."""

    question: Question
    verdict: Verdict
    passes: bool
    since: int
    at: int
    reasons: list[str]
    evidence: list[Evidence]
    watchers: list[Watcher]
    rule: str


def watchers_of(kind: HazardKind, devices: list[Device]) -> list[Watcher]:
    """Those of a zone's registered ``devices`` that can observe ``kind``, by detector or metric."""
    found = []
    for device in devices:
        metrics = device.settings.get("metrics")
        measured = list(metrics) if isinstance(metrics, dict) else [device.settings.get("metric")]
        by = [d for d in device.detectors if kind.speaks(d)] + [m for m in measured if m in kind.metrics]
        if by:
            found.append(Watcher(device.id, by[0]))
    return found


def judge(question: Question, sight: Sight, *, since: int, now: int, papers: bool) -> Answer:
    """The answer to ``question`` at ``now``; ``papers``: timed, located photos or documents lie with the claim."""
    evidence = [e for w in sight.witnesses if (e := _against(w)) is not None]
    seeing = [w for w in sight.watchers if w.blind is None]
    if evidence:
        verdict, reasons = Verdict.REFUTED, sorted({e.why.value for e in evidence})
    elif seeing:
        verdict, reasons = Verdict.CLEAR, ["no_alarm"] + (["some_blind"] if len(seeing) < len(sight.watchers) else [])
    elif sight.watchers:
        verdict, reasons = Verdict.BLIND, ["all_blind"]
    else:
        verdict, reasons = Verdict.NOT_APPLICABLE, ["no_watcher"]
    passes = verdict is Verdict.CLEAR or (verdict is not Verdict.REFUTED and papers)
    if verdict in (Verdict.BLIND, Verdict.NOT_APPLICABLE):
        reasons.append("papers_given" if papers else "papers_needed")
    rule = "evidence_gate" if verdict in (Verdict.CLEAR, Verdict.REFUTED) else "evidence_instead"
    return Answer(question=question, verdict=verdict, passes=passes, since=since, at=now, reasons=reasons, evidence=evidence,
                  watchers=list(sight.watchers), rule=rule)  # fmt: skip


def _against(witness: Witness) -> Evidence | None:
    standing = [p for p in witness.present if not p.undecided]
    if standing or witness.present:
        why, shown = (Why.STANDING, standing) if standing else (Why.UNDECIDED, witness.present)
        kinds, devices = [list(dict.fromkeys(names)) for names in ((p.kind for p in shown), (p.device for p in shown))]
    elif witness.raised:
        why, kinds, devices = Why.RAISED_SINCE, witness.kinds, witness.devices
    else:
        return None
    return Evidence(why=why, incident=witness.incident, kinds=kinds, devices=devices, severity=witness.severity,
                    opened_at=witness.opened_at, raised=witness.raised, last_at=witness.last_at)  # fmt: skip
