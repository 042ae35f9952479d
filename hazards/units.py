"""Units of measurement: SenML's names (RFC 8428 section 12.1, RFC 8798) and the field's own, each with its way to one base unit.

A new unit is one line of ``UNITS``. What must not go in: limits, metrics, parsing.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import pi

from hazards.errors import MalformedMessage


@dataclass(frozen=True, slots=True)
class Unit:
    """``base = value * factor + offset``. Only units of one ``quantity`` convert into each other."""

    name: str
    quantity: str
    factor: float = 1.0
    offset: float = 0.0


_ROWS = [
    Unit("K", "temperature"), Unit("Cel", "temperature", 1.0, 273.15), Unit("°C", "temperature", 1.0, 273.15),
    Unit("℃", "temperature", 1.0, 273.15), Unit("degF", "temperature", 5 / 9, 459.67 * 5 / 9),
    Unit("Pa", "pressure"), Unit("hPa", "pressure", 1e2), Unit("kPa", "pressure", 1e3), Unit("MPa", "pressure", 1e6),
    Unit("bar", "pressure", 1e5),
    Unit("m", "length"), Unit("mm", "length", 1e-3), Unit("cm", "length", 1e-2), Unit("km", "length", 1e3), Unit("m2", "area"),
    Unit("m/s", "speed"), Unit("km/h", "speed", 1 / 3.6), Unit("mm/s", "speed", 1e-3), Unit("m/h", "speed", 1 / 3600),
    Unit("mm/h", "speed", 1e-3 / 3600), Unit("m/s2", "acceleration"),
    Unit("m3/s", "flow"), Unit("l/s", "flow", 1e-3), Unit("m3/h", "flow", 1 / 3600), Unit("m3", "volume"), Unit("l", "volume", 1e-3),
    Unit("kg", "mass"), Unit("g", "mass", 1e-3), Unit("t", "mass", 1e3), Unit("N", "force"), Unit("kN", "force", 1e3),
    Unit("s", "time"), Unit("ms", "time", 1e-3), Unit("min", "time", 60.0), Unit("h", "time", 3600.0),
    Unit("A", "current"), Unit("mA", "current", 1e-3), Unit("V", "voltage"), Unit("mV", "voltage", 1e-3), Unit("kV", "voltage", 1e3),
    Unit("Ohm", "resistance"), Unit("S/m", "conductivity"), Unit("W", "power"), Unit("kW", "power", 1e3), Unit("MW", "power", 1e6),
    Unit("VA", "apparent power"), Unit("kVA", "apparent power", 1e3), Unit("var", "reactive power"), Unit("kvar", "reactive power", 1e3),
    Unit("J", "energy"), Unit("Wh", "energy", 3.6e3), Unit("kWh", "energy", 3.6e6), Unit("W/m2", "irradiance"),
    Unit("Hz", "frequency"), Unit("1/s", "frequency"), Unit("1/min", "frequency", 1 / 60),
    Unit("deg", "angle"), Unit("rad", "angle", 180 / pi),
    Unit("lx", "illuminance"), Unit("dB", "level"), Unit("Bspl", "sound pressure level"), Unit("dBW", "power level"),
    Unit("dBm", "power level", 1.0, -30.0),
    Unit("/", "ratio"), Unit("%", "ratio", 1e-2), Unit("/100", "ratio", 1e-2), Unit("/1000", "ratio", 1e-3),
    Unit("%vol", "concentration", 1e-2), Unit("ppm", "concentration", 1e-6), Unit("ppb", "concentration", 1e-9),
    Unit("%RH", "humidity"), Unit("%EL", "energy level"), Unit("%LEL", "part of the lower explosive limit"), Unit("LEL.m", "open path"),
    Unit("kg/m3", "mass concentration"), Unit("g/m3", "mass concentration", 1e-3), Unit("mg/m3", "mass concentration", 1e-6),
    Unit("ug/m3", "mass concentration", 1e-9), Unit("Sv/h", "dose rate"), Unit("uSv/h", "dose rate", 1e-6),
    Unit("pH", "acidity"), Unit("NTU", "turbidity"), Unit("count", "count"), Unit("1", "count"),
]  # fmt: skip
UNITS: dict[str, Unit] = {unit.name: unit for unit in _ROWS}


@lru_cache(maxsize=4096)  # pairs of known units; what is unknown raises and is not kept
def conversion(unit: str, to: str) -> tuple[float, float]:
    """(scale, shift): ``value * scale + shift`` is in ``to`` what ``value`` is in ``unit``. Equal names give (1, 0), also unknown ones.

    Raises MalformedMessage without a place. % vol and % LEL never convert into each other: how much one is of the other depends on
    the gas (1 % vol methane is about 20 % LEL); a bare % is neither."""
    if unit == to:
        return 1.0, 0.0
    source, target = UNITS.get(unit), UNITS.get(to)
    hint = f"send {to}" if to else "send no unit, or register one for this sensor"
    if source is None:
        raise MalformedMessage(f"unit {unit[:40]!r} is not known", hint=hint)
    if target is None or source.quantity != target.quantity:
        raise MalformedMessage(f"{unit!r} can't be converted to {to!r}" if to else f"the sensor has no unit, not {unit!r}", hint=hint)
    return source.factor / target.factor, (source.offset - target.offset) / target.factor


def convert(value: float, unit: str, to: str, *, where: str = "") -> float:
    """``value`` in ``unit`` expressed in ``to``. Raises MalformedMessage at ``where``, as ``conversion`` says."""
    try:
        scale, shift = conversion(unit, to)
    except MalformedMessage as e:
        raise MalformedMessage(e.what, where=where, hint=e.hint) from None
    return value * scale + shift
