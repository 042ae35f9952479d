"""Correlation: which alarms bear each other out, and what that does to an incident's certainty and severity. Pure.

Variation is rows of ``RULES``. Sources are independent when they are different devices; more so when they are of different
modality, since two cameras may be blinded by one sun, a camera and a thermometer not.
What must not go in: grouping (``hazards/merging.py``), verification by a person (a command), texts of the console.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from msgspec import Struct

from hazards.kinds import group_of, kind_of
from hazards.messages import Certainty

_MINUTES = 60_000_000
PER_MODALITY = 4
"""How many sources of one modality an incident remembers: two suffice, the rest lets old ones go."""


class Modality(StrEnum):
    """By what a source knows."""

    CAMERA = "camera"
    SENSOR = "sensor"
    PERSON = "person"
    OTHER = "other"  # a foreign platform: what it knows by was not said, so it never counts as a different modality


EndedAt = Callable[[str], int | None]
"""By the key of an alarm: when it last ended (µs, 0: forgotten), or None while it stands."""


class Source(Struct, frozen=True):
    """One device that raised one kind, and when (UTC µs)."""

    device: str
    kind: str
    modality: Modality
    at: int

    @property
    def alarm(self) -> str:
        """Key of its alarm in the zone's state."""
        return f"{self.device} {self.kind}"


class Needs(StrEnum):
    """What sources must be for a step."""

    PERSON = "person"  # a person is one of them
    DEVICES = "devices"  # two devices
    MODALITIES = "modalities"  # two devices of different, known modality
    ACROSS = "across"  # an alarm of another group (``hazards/across.py``)


@dataclass(frozen=True, slots=True)
class Step:
    """What agreement does: the certainty reached, and the severity (1 to 4) that the incident has at least; None: no effect on it."""

    needs: Needs
    certainty: Certainty
    severity: int | None
    chinese: str
    english: str


@dataclass(frozen=True, slots=True)
class Rule:
    """``kinds`` bear each other out if one's alarm stands, or was raised or ended within ``window`` (µs) of the other's raise.

    ``steps``: strongest first. ``basis``: none of the policy documents says it, so it is shown as our default, never as a clause."""

    name: str
    kinds: frozenset[str]
    window: int
    steps: tuple[Step, ...]
    basis: str = "platform_default"


class Finding(Struct, frozen=True, omit_defaults=True):
    """That a rule's step is reached, by which sources, oldest first."""

    rule: str
    basis: str
    needs: Needs
    certainty: Certainty
    severity: int | None
    sources: list[Source]
    zh: str
    en: str


def _steps(severity_of_two: int | None, severity_of_independent: int | None) -> tuple[Step, ...]:
    return (
        Step(Needs.MODALITIES, Certainty.OBSERVED, severity_of_independent,
             "不同类别的独立来源相互印证", "independent kinds of evidence agree"),
        Step(Needs.DEVICES, Certainty.LIKELY, severity_of_two, "同类来源的两台设备一致", "two devices with one kind of evidence agree"),
        Step(Needs.PERSON, Certainty.LIKELY, None, "由人员触发", "set off by a person"),
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    # name, kinds, window, steps(severity of two alike, severity of independent ones)
    Rule("fire", frozenset({"flame", "smoke", "manual_call_point", "temperature_high", "temperature_high_high", "temperature_rising"}),
         5 * _MINUTES, _steps(None, 1)),
    Rule("gas", frozenset({"flammable_gas_high", "flammable_gas_high_high", "flammable_gas_rising", "methane_high", "methane_high_high",
                           "toxic_gas_high", "toxic_gas_high_high", "oxygen_low", "oxygen_low_low"}),
         5 * _MINUTES, _steps(1, 1)),
    Rule("process", frozenset({"pressure_high", "pressure_high_high", "pressure_rising", "level_high", "level_high_high"}),
         5 * _MINUTES, _steps(None, 1)),
    Rule("access", frozenset({"intrusion", "loitering", "line_crossing", "seal_broken", "overcrowding"}), 2 * _MINUTES, _steps(None, None)),
    Rule("post", frozenset({"absent_from_post"}), 2 * _MINUTES, _steps(None, None)),
    Rule("passage", frozenset({"exit_blocked", "object_left"}), 5 * _MINUTES, _steps(None, None)),
)  # fmt: skip
_BY_GROUP = {rule.name: rule for rule in RULES}
_GRAVER = list(Certainty)
_BY_PERSON = frozenset({"manual_call_point"})
_BY_TYPE = {"camera": Modality.CAMERA, "sensor": Modality.SENSOR}


def modality_of(kind: str, device_type: str | None) -> Modality:
    """By what a device of ``device_type`` (site file; None: nobody registered it) knows of ``kind``."""
    return Modality.PERSON if kind in _BY_PERSON else _BY_TYPE.get(device_type or "", Modality.OTHER)


def surer(first: Certainty, second: Certainty) -> bool:
    """Whether ``first`` is surer than ``second``."""
    return _GRAVER.index(first) > _GRAVER.index(second)


def remember(sources: Sequence[Source], new: Source, ended: EndedAt) -> list[Source]:
    """``sources`` with ``new`` instead of what the same alarm said before; of one modality those are kept that stand, then the newest."""
    if rule_of(new.kind) is None:
        return list(sources)
    kept = [s for s in sources if s.alarm != new.alarm]
    alike = sorted((s for s in kept if s.modality is new.modality), key=lambda s: (ended(s.alarm) is None, s.at), reverse=True)
    gone = alike[PER_MODALITY - 1 :]
    return [s for s in kept if s not in gone] + [new]


def rule_of(kind: str) -> Rule | None:
    """The rule in which ``kind`` is evidence, or None."""
    rule = _BY_GROUP.get(group_of(kind_of(kind).family))
    return rule if rule is not None and kind in rule.kinds else None


def corroborate(sources: Iterable[Source], new: Source, ended: EndedAt) -> Finding | None:
    """The strongest step that ``new`` reaches together with those of ``sources`` that stand or did within the window; None: none."""
    rule = rule_of(new.kind)
    if rule is None:
        return None
    others = [s for s in sources if s.alarm != new.alarm and s.kind in rule.kinds and is_near(s, new.at, rule.window, ended(s.alarm))]
    found = sorted([new, *others], key=lambda s: (s.at, s.alarm))
    step = next((step for step in rule.steps if _REACHED[step.needs](found)), None)
    if step is None:
        return None
    return Finding(rule.name, rule.basis, step.needs, step.certainty, step.severity, found, step.chinese, step.english)


def is_near(source: Source, at: int, window: int, ended: int | None) -> bool:
    """Whether ``source`` stands (``ended`` None), or was raised or ended within ``window`` of ``at``."""
    return ended is None or min(abs(source.at - at), abs(ended - at)) <= window


def _two_devices(sources: Sequence[Source]) -> bool:
    return len({s.device for s in sources}) > 1


def _two_modalities(sources: Sequence[Source]) -> bool:
    known = [s for s in sources if s.modality is not Modality.OTHER]
    return any(a.device != b.device and a.modality is not b.modality for a in known for b in known)


_REACHED: dict[Needs, Callable[[Sequence[Source]], bool]] = {
    Needs.PERSON: lambda sources: any(s.modality is Modality.PERSON for s in sources),
    Needs.DEVICES: _two_devices,
    Needs.MODALITIES: _two_modalities,
}


def particulars(finding: Finding) -> dict[str, Any]:
    """What an incident keeps and shows of ``finding``: plain values, as they go into JSON."""
    return {
        "rule": finding.rule, "basis": finding.basis, "needs": finding.needs.value, "certainty": finding.certainty.value,
        "text": {"zh": finding.zh, "en": finding.en},
        "sources": [{"device": s.device, "kind": s.kind, "modality": s.modality.value, "at": s.at} for s in finding.sources],
    }  # fmt: skip
