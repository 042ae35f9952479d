"""What sensors measure, as rows of data: a new metric is one line of ``METRICS``. A metric that is not here is taken as it is.

What must not go in: units' arithmetic (``hazards/units.py``), sensors, rules.
"""

import re
from dataclasses import dataclass

METRIC_PATTERN = re.compile(r"^[a-z][a-z0-9_]{0,53}$")
"""Ten characters shorter than a kind: the longest kind of a device's own rule is ``METRIC_high_high``."""


@dataclass(frozen=True, slots=True)
class Metric:
    """``unit`` and ``limits`` (low_low, low, high, high_high in that unit) hold for a sensor of the site that gives none of its own.

    ``counts_up``: a meter, whose rise is what was used. ``calibrated``: an instrument of it has to be; not what watches people, a door or
    a seal. ``basis``: where the default limits come from; without limits it is empty."""

    name: str
    chinese: str
    english: str
    unit: str
    limits: tuple[float | None, float | None, float | None, float | None] = (None, None, None, None)
    basis: str = ""
    counts_up: bool = False
    calibrated: bool = True


_ROWS = [
    # name, Chinese, English, unit, default limits and their source
    Metric("temperature", "温度", "temperature", "Cel"),
    Metric("humidity", "湿度", "humidity", "%RH"),
    Metric("pressure", "压力", "pressure", "kPa"),
    Metric("level", "液位", "level", "%"),
    Metric("flow", "流量", "flow", "m3/h"),
    Metric("flammable_gas", "可燃气体", "flammable gas", "%LEL", (None, None, 25.0, 50.0), "GB/T 50493-2019: at most 25 and 50 % LEL"),
    Metric("oxygen", "氧气", "oxygen", "%vol", (None, 19.5, 23.5, None), "GB/T 50493-2019: 19.5 and 23.5 % vol"),
    Metric("methane", "甲烷", "methane", "%vol", (None, None, 1.0, 1.5), "AQ 1029, at the face: alarm 1.0, cut 1.5 % vol"),
    Metric("toxic_gas", "有毒气体", "toxic gas", "mg/m3"),  # its limit is that of the substance: a site gives it
    Metric("vibration", "振动", "vibration", "mm/s"),
    Metric("current", "电流", "current", "A"),
    Metric("voltage", "电压", "voltage", "V"),
    Metric("power", "功率", "power", "kW"),
    Metric("energy", "电量", "energy", "kWh", counts_up=True),
    Metric("water", "水量", "water", "m3", counts_up=True),
    Metric("water_flow", "用水流量", "water flow", "m3/h"),
    Metric("people", "人数", "people", "count", calibrated=False),
    Metric("door", "门", "door", "1", calibrated=False),  # 0 closed, 1 open
    Metric("seal", "电子封条", "electronic seal", "1", calibrated=False),  # 0 whole, 1 broken
]
METRICS: dict[str, Metric] = {metric.name: metric for metric in _ROWS}


def metric_of(name: str) -> Metric:
    """The row of ``name``, or one without unit and limits."""
    return METRICS.get(name) or Metric(name, name, name, "")
