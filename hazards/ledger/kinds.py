"""Kinds of hazard, and by which of them devices can tell whether they are gone: a new kind is one line of ``HAZARD_KINDS``.

``families`` and ``alarms`` name what devices say of it (families and kinds of ``hazards/kinds.py``); a camera observes it by a
detector of such a kind, a sensor by one of ``metrics``. A kind without any of these can only be shown by photos and documents.
Any kind of alarm is also a kind of hazard; a kind that nobody knows is accepted, shown as such, and observed by alarms of its own name.
A policy pack adds kinds and changes these by rows of its own, each for a whole kind.
What must not go in: which devices a zone has, decisions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hazards.kinds import FAMILIES, KINDS, group_of, kind_of
from hazards.ledger.policy import Criterion, KindRow


@dataclass(frozen=True, slots=True)
class HazardKind:
    """One kind of hazard. ``families``, ``alarms``, ``metrics``: what of a zone's devices speaks of it."""

    name: str
    chinese: str
    english: str
    families: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    known: bool = True

    def speaks(self, alarm: str) -> bool:
        """Whether an alarm of that kind speaks of this kind of hazard."""
        return kind_of(alarm).family in self.families or alarm in self.alarms

    @property
    def incident_families(self) -> frozenset[str]:
        """Every family as which an incident with such an alarm may be shown: alarms of a group join one incident."""
        own = set(self.families) | {kind_of(alarm).family for alarm in self.alarms}
        groups = {group_of(family) for family in own}
        return frozenset(own | {family for family in FAMILIES if group_of(family) in groups})

    @property
    def observable(self) -> bool:
        """Whether any device at all can speak of it."""
        return bool(self.families or self.alarms or self.metrics)


_ROWS = [
    # name, Chinese, English, families, metrics, single kinds of alarm
    HazardKind("fire", "火灾隐患", "fire", ("fire",), (), ("temperature_high_high",)),
    HazardKind("heat", "高温异常", "high temperature", ("heat",), ("temperature",)),
    HazardKind("cold", "低温异常", "low temperature", ("cold",), ("temperature",)),
    HazardKind("gas", "气体泄漏", "gas release", ("gas",), ("flammable_gas", "methane", "toxic_gas", "oxygen")),
    HazardKind("process", "工艺参数异常", "process value out of bounds", ("process",), ("pressure", "level", "flow", "vibration")),
    HazardKind("access", "人员违规进入", "people where they must not be", ("access",), ("people",)),
    HazardKind("post", "关键岗位无人值守", "post not manned", ("post",)),
    HazardKind("passage", "疏散和消防通道不畅", "blocked exit or passage", ("passage",)),
    HazardKind("equipment", "设备设施缺陷", "defective equipment", ("equipment",)),
    HazardKind("coverage", "监控盲区", "blind zone", ("coverage",), (), ("camera_offline", "tamper")),
    HazardKind("work", "违规作业", "dangerous work against the rules", ("work",)),
    # no device sees these
    HazardKind("guarding", "安全防护设施缺失", "guards or railings missing"),
    HazardKind("electrical", "电气安全隐患", "electrical defect"),
    HazardKind("emergency_supplies", "应急物资和设施不足", "emergency supplies missing"),
    HazardKind("work_permit", "作业票证不全", "work without a proper permit"),
    HazardKind("training", "教育培训不到位", "training not done"),
    HazardKind("responsibility", "安全责任制不落实", "duties not assigned"),
    HazardKind("documents", "制度台账缺失", "rules or records missing"),
    HazardKind("other", "其他隐患", "other"),
]
HAZARD_KINDS: dict[str, HazardKind] = {kind.name: kind for kind in _ROWS}


def hazard_kinds(rows: Sequence[KindRow]) -> dict[str, HazardKind]:
    """Every kind by name, with the ``rows`` of a pack."""
    return HAZARD_KINDS | {row.name: _of_pack(row) for row in rows}


def hazard_kind(name: str, rows: Sequence[KindRow] = ()) -> HazardKind:
    """The kind ``name`` as the ``rows`` of a pack have it, or the table; for a kind of alarm or an unknown name a row of its own."""
    for row in rows:
        if row.name == name:
            return _of_pack(row)
    if name in HAZARD_KINDS:
        return HAZARD_KINDS[name]
    if name in KINDS:
        kind = KINDS[name]
        like = HAZARD_KINDS[kind.family]
        return HazardKind(name, kind.chinese, kind.english, (kind.family,), like.metrics)
    return HazardKind(name, f"未知类型 {name}", f"unknown kind {name}", (name,), known=False)


def is_for(criterion: Criterion, kind: str, rows: Sequence[KindRow]) -> bool:
    """Whether a hazard of ``kind`` may be graded by that item: one of its kinds, or an alarm of such a family."""
    return not criterion.kinds or not {kind, *hazard_kind(kind, rows).families}.isdisjoint(criterion.kinds)


def _of_pack(row: KindRow) -> HazardKind:
    return HazardKind(row.name, row.zh, row.en, row.families, row.metrics, row.alarms)
