"""Agreement across groups: an alarm of another kind of cause that makes an incident surer or graver. Pure; a new rule is one row.

Within one group ``hazards/correlation.py`` does this. Here the two stay two incidents, and the leading one says by which evidence it was
raised. What must not go in: grouping, texts of the console.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hazards.correlation import EndedAt, Finding, Needs, Source, is_near
from hazards.messages import Certainty

_MINUTES = 60_000_000
REMEMBERED = 24
"""Sources that a zone remembers for this: those that stand, then the newest."""


@dataclass(frozen=True, slots=True)
class Across:
    """An alarm of ``leading`` and one of ``supporting`` (kinds, or endings of kinds) within ``window`` (µs) of each other.

    ``certainty`` and ``severity`` are the least that the leading alarm's incident has then. ``basis``: no document gives them."""

    name: str
    leading: frozenset[str]
    supporting: frozenset[str]
    endings: tuple[str, ...]
    window: int
    certainty: Certainty
    severity: int
    chinese: str
    english: str
    basis: str = "platform_default"

    def supports(self, kind: str) -> bool:
        """Whether an alarm of ``kind`` is evidence."""
        return kind in self.supporting or (bool(self.endings) and kind.endswith(self.endings))


_GAS = frozenset({
    "flammable_gas_high", "flammable_gas_high_high", "methane_high", "methane_high_high", "toxic_gas_high", "toxic_gas_high_high",
    "oxygen_low", "oxygen_low_low", "oxygen_high_high",
})  # fmt: skip
_PEOPLE = frozenset({"people_present", "people_high", "people_high_high", "overcrowding", "intrusion", "loitering", "confined_space_entry"})

RULES: tuple[Across, ...] = (
    Across("gas_people", _GAS, _PEOPLE, (), 10 * _MINUTES, Certainty.LIKELY, 1,
           "气体超限的区域内有人", "people where gas is over its limit"),
    Across("smoke_door", frozenset({"smoke", "flame"}), frozenset({"door_open", "door_state"}), (), 10 * _MINUTES, Certainty.LIKELY, 1,
           "有烟且门未关闭，烟气会蔓延", "smoke, and a door stands open: it will spread"),
    Across("seal_power", frozenset({"seal_broken", "seal_state"}), frozenset({"electricity_used"}), ("_consumption",), 60 * _MINUTES,
           Certainty.OBSERVED, 1, "封条破坏且有用电用水：有人擅自作业",
           "the seal is broken and power or water is used: somebody works there"),
)  # fmt: skip


def has_part(kind: str) -> bool:
    """Whether ``kind`` is on either side of a rule."""
    return any(kind in rule.leading or rule.supports(kind) for rule in RULES)


def remember_across(sources: Sequence[Source], new: Source, ended: EndedAt) -> list[Source]:
    """``sources`` with ``new`` instead of what the same alarm said before; those that stand, then the newest."""
    kept = [s for s in sources if s.alarm != new.alarm]
    kept.sort(key=lambda s: (ended(s.alarm) is None, s.at), reverse=True)
    return [*kept[: REMEMBERED - 1], new]


def agree(sources: Iterable[Source], new: Source, ended: EndedAt) -> list[tuple[str, Finding]]:
    """What ``new`` makes of the others that stand or did within a rule's window: the leading alarm's key, and the finding."""
    found, others = [], [s for s in sources if s.alarm != new.alarm]
    for rule in RULES:
        near = [s for s in others if s.device != new.device and is_near(s, new.at, rule.window, ended(s.alarm))]
        if new.kind in rule.leading:
            pairs = [(new, s) for s in near if rule.supports(s.kind)][-1:]
        elif rule.supports(new.kind):
            pairs = [(s, new) for s in near if s.kind in rule.leading]
        else:
            continue
        for leading, supporting in pairs:
            both = sorted((leading, supporting), key=lambda s: (s.at, s.alarm))
            found.append((leading.alarm, Finding(rule.name, rule.basis, Needs.ACROSS, rule.certainty, rule.severity, both, rule.chinese,
                                                 rule.english)))  # fmt: skip
    return found
