"""What a sender measured, as columns: what every telemetry codec gives to the telemetry door.

What must not go in: wire formats, units' arithmetic, what is registered.
"""

from collections.abc import Callable
from dataclasses import dataclass, field


def _nowhere(_record: int, _field: str) -> str:
    return ""


@dataclass(slots=True)
class Measurements:
    """Parallel columns, one entry a measurement: full ``name`` (device + "/" + metric), ``unit`` ("": none given), ``at`` (UTC µs,
    unjudged), ``value`` and ``record``, the number of the record that it came from.

    ``pointer(record, field)`` names a place in what was sent (a JSON pointer, or "" where the format has none).
    ``ignored``: pointers of what is well formed and not telemetry (texts, data)."""

    name: list[str] = field(default_factory=list)
    unit: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    record: list[int] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    pointer: Callable[[int, str], str] = _nowhere

    def add(self, record: int, name: str, unit: str, at: int, value: float) -> None:
        """Append one measurement."""
        self.record.append(record)
        self.name.append(name)
        self.unit.append(unit)
        self.at.append(at)
        self.value.append(value)

    def __len__(self) -> int:
        return len(self.value)
