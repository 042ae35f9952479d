"""What can happen, as rows of data: a new kind is one line of ``KINDS``.

A kind that is not here is accepted and shown as such, in a family of its own. What must not go in: rules, limits, what bears
what out (``hazards/correlation.py``).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hazards.metrics import METRICS, Metric, metric_of

KIND_PATTERN = re.compile(r"^[a-z][a-z0-9_]{0,63}$")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alarm. ``severity`` 1 (gravest) to 4, of one source alone; ``family``: what it is a sign of, see ``FAMILY_GROUPS``."""

    name: str
    family: str
    severity: int
    chinese: str
    english: str
    known: bool = True
    work: str = ""  # of ``hazards/works.py``: it shows that such work is going on, which needs a permit


_ROWS = [
    # name, family, severity, Chinese, English
    Kind("flame", "fire", 2, "明火", "flame"),  # one unverified picture: a second, independent source makes it 1
    Kind("smoke", "fire", 2, "烟雾", "smoke"),
    Kind("temperature_high", "heat", 2, "温度高", "temperature high"),
    Kind("temperature_high_high", "heat", 1, "温度高高", "temperature high-high"),
    Kind("temperature_rising", "heat", 2, "温度快速上升", "temperature rising"),
    Kind("temperature_low", "cold", 3, "温度低", "temperature low"),
    Kind("temperature_low_low", "cold", 2, "温度低低", "temperature low-low"),
    Kind("flammable_gas_high", "gas", 2, "可燃气体浓度高", "flammable gas high"),
    Kind("flammable_gas_high_high", "gas", 1, "可燃气体浓度高高", "flammable gas high-high"),
    Kind("flammable_gas_rising", "gas", 3, "可燃气体浓度快速上升", "flammable gas rising"),
    Kind("methane_high", "gas", 1, "甲烷超限", "methane over limit"),
    Kind("methane_high_high", "gas", 1, "甲烷浓度高高", "methane high-high"),
    Kind("toxic_gas_high", "gas", 1, "有毒气体浓度高", "toxic gas high"),
    Kind("toxic_gas_high_high", "gas", 1, "有毒气体浓度高高", "toxic gas high-high"),
    Kind("oxygen_low", "gas", 1, "氧含量低", "oxygen low"),
    Kind("oxygen_low_low", "gas", 1, "氧含量低低", "oxygen low-low"),
    Kind("oxygen_high", "gas", 2, "氧含量高", "oxygen high"),
    Kind("oxygen_high_high", "gas", 1, "氧含量高高", "oxygen high-high"),
    Kind("pressure_high", "process", 2, "压力高", "pressure high"),
    Kind("pressure_high_high", "process", 1, "压力高高", "pressure high-high"),
    Kind("pressure_low", "process", 3, "压力低", "pressure low"),
    Kind("pressure_low_low", "process", 2, "压力低低", "pressure low-low"),
    Kind("pressure_rising", "process", 3, "压力快速上升", "pressure rising"),
    Kind("level_high", "process", 2, "液位高", "level high"),
    Kind("level_high_high", "process", 1, "液位高高", "level high-high"),
    Kind("level_low", "process", 3, "液位低", "level low"),
    Kind("level_low_low", "process", 2, "液位低低", "level low-low"),
    Kind("intrusion", "access", 2, "区域入侵", "intrusion"),
    Kind("loitering", "access", 3, "徘徊", "loitering"),
    Kind("line_crossing", "access", 3, "越线", "line crossing"),
    Kind("seal_broken", "access", 2, "电子封条破坏", "electronic seal broken"),
    Kind("seal_state", "access", 2, "电子封条破坏", "electronic seal broken"),
    Kind("door_state", "passage", 3, "门未关闭", "door open"),
    Kind("people_while_stopped", "access", 2, "停产区域有人", "people where work was stopped"),
    Kind("people_high", "access", 2, "超员", "too many people"),
    Kind("power_consumption", "process", 2, "停产期间用电", "electricity used while nothing should run"),
    Kind("energy_consumption", "process", 2, "停产期间用电", "electricity used while nothing should run"),
    Kind("water_consumption", "process", 2, "停产期间用水", "water used while nothing should run"),
    Kind("water_flow_consumption", "process", 2, "停产期间用水", "water used while nothing should run"),
    Kind("overcrowding", "access", 2, "超员", "too many people"),
    Kind("absent_from_post", "post", 3, "离岗", "nobody at the post"),
    Kind("exit_blocked", "passage", 2, "消防通道占用", "fire exit blocked"),
    Kind("object_left", "passage", 3, "物品遗留", "object left"),
    Kind("manual_call_point", "fire", 1, "手动报警", "manual call point"),
    Kind("people_present", "access", 4, "有人在场", "people present"),
    Kind("door_open", "passage", 3, "门未关闭", "door open"),
    Kind("hot_work_seen", "work", 2, "动火作业", "hot work seen", work="hot_work"),
    Kind("confined_space_entry", "work", 2, "进入受限空间", "confined space entered", work="confined_space"),
    Kind("work_at_height_seen", "work", 3, "高处作业", "work at height seen", work="work_at_height"),
    Kind("lifting_seen", "work", 3, "吊装作业", "lifting seen", work="lifting"),
    Kind("excavation_seen", "work", 3, "动土作业", "excavation seen", work="excavation"),
    Kind("frozen", "equipment", 3, "画面冻结", "picture frozen"),
    Kind("video_loss", "equipment", 3, "视频丢失", "video lost"),
    Kind("camera_offline", "equipment", 3, "摄像机离线", "camera offline"),
    Kind("tamper", "equipment", 2, "摄像机遮挡或移动", "camera covered or moved"),
    Kind("sensor_stale", "equipment", 3, "传感器数据中断", "sensor stale"),
    Kind("device_fault", "equipment", 3, "设备故障", "device fault"),
    Kind("evidence_space", "equipment", 3, "证据空间不足", "room for evidence is short"),
    Kind("power_lost", "equipment", 2, "断电", "power lost"),
    Kind("blind_zone", "coverage", 2, "监控盲区", "blind zone"),
]
_RULES = [
    # ending, severity, Chinese, English: what a rule says of any metric, where no row above says it better
    ("high_high", 1, "高高", "high-high"), ("high", 2, "高", "high"), ("low", 3, "低", "low"), ("low_low", 2, "低低", "low-low"),
    ("rising", 3, "快速上升", "rising"), ("deviation", 3, "偏离基准", "off its reference"),
    ("state", 3, "状态异常", "in a state it must not be"),
    ("consumption", 2, "停产期间仍有用量", "used while nothing should run"),
]  # fmt: skip
_BY_MEASURING = ("high_high", "low_low", "high", "low", "rising", "deviation")
"""Endings of the table above that say something of a measured value; a state and what was used are none."""
_OWN_FAULTS = frozenset({"sensor_stale", "device_fault"})
_METRIC_FAMILIES = {"temperature": "heat", "people": "access", "seal": "access", "door": "passage"} | dict.fromkeys(
    ("flammable_gas", "methane", "toxic_gas", "oxygen"), "gas"
)


def _measured(metric: Metric) -> list[Kind]:
    family = _METRIC_FAMILIES.get(metric.name, "process")
    name = metric.chinese + ("浓度" if family == "gas" else "")
    return [Kind(f"{metric.name}_{end}", family, severity, name + zh, f"{metric.english} {en}") for end, severity, zh, en in _RULES]


KINDS: dict[str, Kind] = {k.name: k for metric in METRICS.values() for k in _measured(metric)} | {k.name: k for k in _ROWS}

FAMILIES: dict[str, str] = {
    "fire": "火情", "heat": "高温异常", "cold": "低温异常", "gas": "气体泄漏", "process": "工艺参数异常", "access": "人员出入异常",
    "post": "岗位异常", "passage": "通道异常", "equipment": "设备异常", "coverage": "监控盲区", "work": "作业监护",
    "flood": "报警泛滥",
}

FAMILY_GROUPS: tuple[tuple[str, ...], ...] = (("fire", "heat"),)
"""Families whose alarms join one incident of a zone, the leading one first: the incident is shown as the leading one that is in it."""
_LEADER = {family: families[0] for families in FAMILY_GROUPS for family in families}

UNKNOWN_SEVERITY = 3


def kind_of(name: str) -> Kind:
    """The row of ``name``; for a name that is not in the table a row of its own, marked unknown."""
    return KINDS.get(name) or Kind(name, name, UNKNOWN_SEVERITY, f"未知类型 {name}", f"unknown kind {name}", known=False)


_METHANE_OVER_LIMIT = ("methane_high", "methane_high_high")


def never_suppressed(name: str) -> bool:
    """Whether an alarm of that kind is an incident whatever is configured: methane over its limit (004(13), 甲烷零超限)."""
    return name in _METHANE_OVER_LIMIT


def graveness(name: str, given: int | None) -> int:
    """The severity of an alarm of kind ``name``: what its sender or rule has ``given``, else its kind's. Methane over its limit is of 1,
    whoever says less."""
    return kind_of(name).severity if given is None or never_suppressed(name) else given


def gravity(name: str, severity: int) -> tuple[int, bool, int]:
    """What orders alarms of kind ``name`` and ``severity``, the gravest first: of one severity methane over its limit comes before others,
    then what is graver by its kind."""
    return severity, not never_suppressed(name), kind_of(name).severity


def holds_never_suppressed(names: Iterable[str]) -> bool:
    """Whether one of the kinds ``names`` is such a one: then neither is an incident that holds them."""
    return any(never_suppressed(name) for name in names)


def of_instrument(name: str) -> bool:
    """Whether an instrument may raise it because somebody calibrates it: a limit, a rise, a deviation of what it measures, a fault."""
    ending = next((end for end in _BY_MEASURING if name.endswith(f"_{end}")), None)
    return name in _OWN_FAULTS or (ending is not None and metric_of(name.removesuffix(f"_{ending}")).calibrated)


def gravest_first(names: Iterable[str]) -> list[str]:
    """The kinds ``names``, the gravest first."""
    return sorted(names, key=lambda name: gravity(name, kind_of(name).severity))


def group_of(family: str) -> str:
    """What merges into one incident of a zone: the family, or the leading one of its group."""
    return _LEADER.get(family, family)


def leading(first: str, second: str) -> str:
    """Of two families of one group the one that an incident with both is shown as."""
    families = next((f for f in FAMILY_GROUPS if first in f and second in f), (first,))
    return min(first, second, key=families.index) if second in families else first
