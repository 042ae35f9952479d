"""Methane over limit can never be suppressed (甲烷零超限, 003(24), 004(13)): the ceiling of every rule and device. Pure, data.

The ceiling is a platform default: AQ 1029 has more places than these (the working face: alarm 1.0, cut 1.5 % vol; intake air 0.5), so
a site may be stricter and never laxer. Where methane is what is wanted (a drainage pipe) the series has another metric,
``drained_methane`` say. What must not go in: rules of other metrics, evaluation.
"""

from hazards.errors import MalformedMessage
from hazards.metrics import METRICS
from hazards.units import conversion

METHANE = METRICS["methane"]
LEL_OF_PERCENT = 20.0
"""% LEL that 1 % vol of methane is: its lower explosive limit is 5 % vol."""
CEILINGS = {"high": METHANE.limits[2] or 1.0, "high_high": METHANE.limits[3] or 1.5}
"""% vol, by comparison; no methane series is without both. Basis: platform_default."""


def is_over_limit(metric: str, comparison: str) -> bool:
    """Whether this is the alarm that nobody may suppress."""
    return metric == METHANE.name and comparison in CEILINGS


def methane_conversion(unit: str, to: str) -> tuple[float, float]:
    """``hazards.units.conversion``, and between % LEL and the units of a concentration: of this gas one is known of the other."""
    if unit == "%LEL" != to:
        scale, _ = conversion(METHANE.unit, to)
        return scale / LEL_OF_PERCENT, 0.0
    if to == "%LEL" != unit:
        scale, _ = conversion(unit, METHANE.unit)
        return scale * LEL_OF_PERCENT, 0.0
    return conversion(unit, to)


def conversion_of(metric: str, unit: str, to: str) -> tuple[float, float]:
    """(scale, shift) from ``unit`` to ``to`` for readings of ``metric``. Raises MalformedMessage where there is none."""
    return methane_conversion(unit, to) if metric == METHANE.name else conversion(unit, to)


def ceiling(comparison: str, unit: str) -> float | None:
    """The highest limit that methane may have, in ``unit``; None: ``unit`` says nothing of a concentration."""
    try:
        scale, _ = methane_conversion(METHANE.unit, unit)
    except MalformedMessage:
        return None
    return CEILINGS[comparison] * scale
