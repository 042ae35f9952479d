"""Whether an alarm rule can be lived with: whole, with sensible numbers and a response sheet, methane not suppressed. Pure.

Each refusal is a BadInput whose ``where`` is the field's path. What must not go in: files and their lines, what a rule means for a sensor
(``hazards/rule_resolution.py``).
"""

import math
import re
from collections.abc import Callable, Collection, Iterable
from itertools import combinations

from hazards.durations import LONGEST, LONGEST_DAYS
from hazards.errors import BadInput, MalformedMessage
from hazards.kinds import KIND_PATTERN, KINDS, never_suppressed
from hazards.methane import CEILINGS, ceiling, conversion_of, is_over_limit
from hazards.metrics import METRIC_PATTERN, METRICS
from hazards.rules import PRECEDENCE, AlarmRule, Comparison, Override, Window, kind_of_alarm
from hazards.units import UNITS
from hazards.zones import Grade

BASES = ("clause", "interpretation", "platform_default", "demo", "site")
SOURCES = tuple(PRECEDENCE)
SEVERITIES = (1, 2, 3, 4)
DAY = 24 * 60
LARGEST = 1e12
"""No reading is so large in any unit; what is larger can't be shown or reckoned with."""
_ID = re.compile(r"^[a-z][a-z0-9_.-]{0,63}$")
_POSITIVE = frozenset({Comparison.RISING, Comparison.DEVIATION, Comparison.STALE, Comparison.CONSUMPTION})
_DOWNWARD = frozenset({Comparison.LOW, Comparison.LOW_LOW})
_CONSUMED = frozenset({"power", "energy", "current", "water", "water_flow", "flow"})
"""Metrics of the platform that say that something is used; what a site's own metrics say it knows itself."""
_NOT_READ = frozenset({
    "flame", "smoke", "manual_call_point", "frozen", "video_loss", "camera_offline", "tamper", "loitering", "line_crossing",
})  # fmt: skip
"""Kinds that cameras and people tell of; with those of work seen, no reading of a metric of the platform shows them."""
_NEVER = "a methane over-limit is never suppressed"


def check_rule(rule: AlarmRule, zones: Collection[str]) -> None:
    """Nothing for a rule that may be used at a site with ``zones`` (ids). Raises BadInput with the field's path."""
    for check in _CHECKS:
        check(rule)
    _check_zones(rule, zones)


def check_rules(rules: Iterable[AlarmRule], zones: Collection[str]) -> None:
    """Nothing for rules that may be used together; ids are theirs alone. Raises BadInput with the field's path, behind the rule's id."""
    known: dict[str, AlarmRule] = {}
    for rule in rules:
        if rule.id in known:
            raise BadInput("the id is used twice", where=f"{rule.id}.id")
        known[rule.id] = rule
        try:
            check_rule(rule, zones)
        except BadInput as e:
            raise BadInput(e.what, where=f"{rule.id}.{e.where}", hint=e.hint) from None
    check_order(known.values())


def check_order(rules: Iterable[AlarmRule]) -> None:
    """Limits of one metric rise where two rules hold together: low-low, low, high, high-high. Raises BadInput at the rule that is off."""
    order = (Comparison.LOW_LOW, Comparison.LOW, Comparison.HIGH, Comparison.HIGH_HIGH)
    placed = sorted((r for r in rules if r.enabled and r.compares in order), key=lambda r: order.index(r.compares))
    for lower, upper in combinations(placed, 2):
        if lower.compares is upper.compares or lower.metric != upper.metric or not _meet(lower, upper):
            continue
        for zone in _common(lower, upper):
            below, above = _limit_in(lower, zone), _limit_in(upper, zone)
            if below is not None and above is not None and not below < above:
                place = f" in zone {zone}" if zone else ""
                what = f"the limit {above:g} of {upper.compares.value} is not above {below:g} of {lower.compares.value}{place}"
                raise BadInput(what, where=f"{upper.id}.limit", hint=f"see the rule {lower.id}")


def _meet(first: AlarmRule, second: AlarmRule) -> bool:
    return all(not a or not b or set(a) & set(b) for a, b in ((first.zones, second.zones), (first.grades, second.grades)))


def _common(first: AlarmRule, second: AlarmRule) -> list[str]:
    """Zones whose limits may differ and in which both hold; "": all the others."""
    named = {z for rule in (first, second) for z in (*rule.zones, *rule.overrides)}
    both = sorted(z for z in named if all(not rule.zones or z in rule.zones for rule in (first, second)))
    return both if first.zones or second.zones else ["", *both]


def _limit_in(rule: AlarmRule, zone: str) -> float | None:
    """The limit in the metric's unit; None where it is off or can't be said."""
    own = rule.overrides.get(zone)
    if own is not None and own.enabled is False:
        return None
    limit = own.limit if own is not None and own.limit is not None else rule.limit
    scale, shift = _to_metric(rule)
    return None if limit is None else limit * scale + shift


def _to_metric(rule: AlarmRule) -> tuple[float, float]:
    known = METRICS.get(rule.metric)
    try:
        return conversion_of(rule.metric, rule.unit, known.unit) if known is not None and rule.unit else (1.0, 0.0)
    except MalformedMessage:
        return 1.0, 0.0


# --- one rule ---


def _names(rule: AlarmRule) -> None:
    _need(bool(_ID.match(rule.id)), "id", "an id is lower case letters, digits, _ . - (at most 64), a letter first")
    _need(bool(rule.name.zh.strip()), "name.zh", "is missing")
    _need(bool(METRIC_PATTERN.match(rule.metric)), "metric", f"{rule.metric[:40]!r} is no metric", "lower_snake_case")
    kind = kind_of_alarm(rule)
    _need(bool(KIND_PATTERN.match(kind)), "kind", f"{kind[:70]!r} is no kind of alarm", "lower_snake_case with at most 64 characters")
    what = f"{rule.metric} does not show {kind!r}"
    _need(_may_show(rule.metric, kind), "kind", what, "leave it out, or give the series a metric of its own")
    others = {f"{rule.metric}_{compares}" for compares in Comparison if compares is not rule.compares}
    _need(kind not in others, "kind", f"{kind} is raised by another comparison of {rule.metric}, which would no longer be judged")
    _need(rule.severity is None or rule.severity in SEVERITIES, "severity", "a severity is 1 (the gravest) to 4")
    _need(rule.basis in BASES, "basis", f"there is no basis {rule.basis[:40]!r}", ", ".join(BASES))
    _need(rule.source in SOURCES, "source", f"there is no source {rule.source[:40]!r}", ", ".join(SOURCES))
    for n, grade in enumerate(rule.grades):
        _need(grade in set(Grade), f"grades[{n}]", f"{grade[:40]!r} is no grade", ", ".join(Grade))


def _may_show(metric: str, kind: str) -> bool:
    """Whether a reading of ``metric`` may raise ``kind``: not what is another metric's own, or seen only."""
    if metric not in METRICS or kind not in KINDS:
        return True
    owner = max((name for name in METRICS if kind.startswith(f"{name}_")), key=len, default=metric)
    return owner == metric and kind not in _NOT_READ and not KINDS[kind].work


def _unit(rule: AlarmRule) -> None:
    if rule.compares is Comparison.STALE:
        _need(rule.unit in ("", "s"), "unit", "silence is measured in seconds", "s, or leave it out")
        return
    known = METRICS.get(rule.metric)
    if not rule.unit or known is None:
        _need(not rule.unit or rule.unit in UNITS, "unit", f"unit {rule.unit[:40]!r} is not known")
        return
    try:
        conversion_of(rule.metric, rule.unit, known.unit)
    except MalformedMessage:
        raise BadInput(f"{rule.metric} is not measured in {rule.unit[:40]!r}", where="unit", hint=f"for example {known.unit}") from None


def _limits(rule: AlarmRule) -> None:
    consumed = rule.compares is not Comparison.CONSUMPTION or rule.metric not in METRICS or rule.metric in _CONSUMED
    _need(consumed, "compares", f"{rule.metric} is not consumed", "high, for example")
    if rule.limit is None:
        raise BadInput("is missing", where="limit", hint="what a reading is compared with")
    if rule.compares is Comparison.DEVIATION and rule.reference is None:
        raise BadInput("is missing", where="reference", hint="a deviation is the distance from it")
    _need(rule.reference is None or rule.compares is Comparison.DEVIATION, "reference", "only a deviation has one")
    _need(rule.reference is None or abs(rule.reference) <= LARGEST, "reference", f"is no finite number of at most {LARGEST:g}")
    _check_limit(rule, rule.limit, "limit")
    _check_deadband(rule, rule.deadband, rule.limit, "deadband")
    if rule.key_period_limit is not None:
        _need(rule.compares not in (Comparison.STATE, Comparison.STALE), "key_period_limit", f"not for {rule.compares.value}")
        _check_limit(rule, rule.key_period_limit, "key_period_limit")
        _check_tighter(rule, rule.limit, rule.key_period_limit)
        _check_deadband(rule, rule.deadband, rule.key_period_limit, "deadband")


def _check_limit(rule: AlarmRule, limit: float, where: str) -> None:
    _need(abs(limit) <= LARGEST, where, f"is no finite number of at most {LARGEST:g}")  # neither is what is not finite
    _need(limit > 0 or rule.compares not in _POSITIVE, where, f"is above 0 for {rule.compares.value}: a value at its limit is beyond it")
    longest = rule.compares is Comparison.STALE and limit * 1_000_000 > LONGEST
    _need(not longest, where, "the silence is too long", f"at most {LONGEST_DAYS} days, in seconds")


def _check_deadband(rule: AlarmRule, deadband: float, limit: float, where: str) -> None:
    _need(math.isfinite(deadband) and deadband >= 0, where, "is a number of at least 0")
    no_band = rule.compares in (Comparison.STATE, Comparison.STALE, Comparison.RISING)
    _need(not (no_band and deadband), where, f"not for {rule.compares.value}")
    narrow = rule.compares in (Comparison.DEVIATION, Comparison.CONSUMPTION)
    _need(not (narrow and deadband >= limit), where, "is not less than the limit: the alarm would never end")


def _check_tighter(rule: AlarmRule, limit: float, tighter: float) -> None:
    fine = tighter >= limit if rule.compares in _DOWNWARD else tighter <= limit
    _need(fine, "key_period_limit", f"{tighter:g} is laxer than {limit:g}: a key period tightens limits")


def _times(rule: AlarmRule) -> None:
    for name in ("on_delay", "off_delay"):
        _check_delay(getattr(rule, name), name)
        _need(not getattr(rule, name) or rule.compares is not Comparison.STALE, name, "the limit of stale is its delay")
    _need(rule.compares is not Comparison.STALE or not (rule.schedule or rule.during), "schedule" if rule.schedule else "during",
          "silence goes by the time of receipt: it is always armed")  # fmt: skip
    for n, window in enumerate(rule.schedule):
        _check_window(window, f"schedule[{n}]")


def _check_delay(delay: int, where: str) -> None:
    _need(0 <= delay <= LONGEST, where, "is a time of at least 0", f"at most {LONGEST_DAYS} days, in microseconds")


def _check_window(window: Window, where: str) -> None:
    _need(bool(window.days) and all(1 <= day <= 7 for day in window.days), f"{where}.days", "days are 1 to 7 (Sunday), at least one")
    _need(0 <= window.start < DAY, f"{where}.start", "is a minute of the day, 0 to 1439")
    _need(0 <= window.until <= DAY, f"{where}.until", "is a minute of the day, 0 to 1440")
    _need(window.start != window.until, f"{where}.until", "is the same as start", "0 and 1440 for the whole day")


def _response(rule: AlarmRule) -> None:
    sheet = rule.response
    for name in ("cause", "consequence", "action"):
        _need(bool(getattr(sheet, name).zh.strip()), f"response.{name}.zh", "is missing: a rule without a whole response sheet is refused")
    _need(0 < sheet.within <= LONGEST, "response.within", "is the time allowed for the action, above 0", "in microseconds")
    _need(bool(sheet.call), "response.call", "is empty: somebody is to be called", "posts or people")
    for n, who in enumerate(sheet.call):
        _need(bool(who.strip()), f"response.call[{n}]", "is empty")


def _overrides(rule: AlarmRule) -> None:
    for zone, own in rule.overrides.items():
        where = f"overrides.{zone}"
        differs = any(value is not None for value in (own.limit, own.deadband, own.on_delay, own.off_delay, own.severity, own.enabled))
        _need(differs, where, "says nothing: give it what differs here, or leave it out")
        limit = rule.limit if own.limit is None else own.limit
        if own.limit is not None:
            _check_limit(rule, own.limit, f"{where}.limit")
        if limit is not None:
            _check_deadband(rule, rule.deadband if own.deadband is None else own.deadband, limit, f"{where}.deadband")
        for name in ("on_delay", "off_delay"):
            _check_delay(getattr(own, name) or 0, f"{where}.{name}")
            _need(not getattr(own, name) or rule.compares is not Comparison.STALE, f"{where}.{name}", "the limit of stale is its delay")
        _need(own.severity is None or own.severity in SEVERITIES, f"{where}.severity", "a severity is 1 (the gravest) to 4")
        _need(own.enabled is not False or bool(own.reason.strip()), f"{where}.reason", "is missing: why is the rule off here?")


def _methane(rule: AlarmRule) -> None:
    if not is_over_limit(rule.metric, rule.compares):
        _need(not never_suppressed(kind_of_alarm(rule)), "kind", f"{_NEVER}: only its limit raises it, and no other rule in its place")
        return
    _need(rule.enabled, "enabled", _NEVER)
    _need(not rule.schedule, "schedule", f"{_NEVER}: it is always armed")
    _need(not rule.during, "during", f"{_NEVER}: it is always armed")
    _need(not rule.on_delay, "on_delay", f"{_NEVER}, and not delayed")
    _need(rule.severity in (None, 1), "severity", f"{_NEVER}: it is of severity 1")
    _need(not rule.kind or rule.kind == f"{rule.metric}_{rule.compares}", "kind", f"{_NEVER}: it keeps its kind")
    _check_ceiling(rule, rule.limit, "limit")
    for zone, own in rule.overrides.items():
        _check_methane_override(rule, own, f"overrides.{zone}")


def _check_methane_override(rule: AlarmRule, own: Override, where: str) -> None:
    _need(own.enabled is not False, f"{where}.enabled", _NEVER)
    _need(not own.on_delay, f"{where}.on_delay", f"{_NEVER}, and not delayed")
    _need(own.severity in (None, 1), f"{where}.severity", f"{_NEVER}: it is of severity 1")
    _check_ceiling(rule, own.limit, f"{where}.limit")


def _check_ceiling(rule: AlarmRule, limit: float | None, where: str) -> None:
    highest = ceiling(rule.compares, rule.unit or METRICS[rule.metric].unit)
    if limit is not None and highest is not None and limit > highest * (1 + 1e-9):
        what = f"{_NEVER}: {limit:g} is above {highest:g}, the highest limit there may be"
        raise BadInput(what, where=where, hint=f"AQ 1029, at the face: {CEILINGS[rule.compares]:g} % vol (our default everywhere)")


def _check_zones(rule: AlarmRule, zones: Collection[str]) -> None:
    for n, zone in enumerate(rule.zones):
        _need(zone in zones, f"zones[{n}]", f"there is no zone {zone[:40]!r}")
    for zone in rule.overrides:
        _need(zone in zones, f"overrides.{zone}", f"there is no zone {zone[:40]!r}")
        _need(not rule.zones or zone in rule.zones, f"overrides.{zone}", "the rule does not hold in this zone", "name it under zones, too")


def _need(holds: bool, where: str, what: str, hint: str = "") -> None:
    if not holds:
        raise BadInput(what, where=where, hint=hint)


_CHECKS: tuple[Callable[[AlarmRule], None], ...] = (_names, _unit, _limits, _times, _response, _overrides, _methane)
