"""What a bench says: figures, one JSON object a line. What must not go in: measuring."""

import math
from collections.abc import Sequence

import msgspec
from msgspec import Struct, field


class Figure(Struct, frozen=True):
    """One figure: ``{"figure": NAME, "value": X, "unit": U, "compared": {OTHER: Y}}``; ``compared`` in the same unit."""

    figure: str
    value: float
    unit: str
    compared: dict[str, float] = field(default_factory=dict)

    def line(self) -> str:
        """The JSON object."""
        return msgspec.json.encode(self).decode()

    def for_people(self) -> str:
        """The same in words."""
        compared = "; ".join(f"{other}: {value:g}" for other, value in self.compared.items())
        return f"{self.figure}: {self.value:g} {self.unit}" + (f" ({compared})" if compared else "")


class LeftOut(Struct, frozen=True):
    """A figure that could not be measured here, and why: said to people, never as a number."""

    figure: str
    reason: str

    def for_people(self) -> str:
        """One line."""
        return f"{self.figure}: left out: {self.reason}"


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile of ``values`` (at least one): the smallest value that ``percent`` % of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def rounded(value: float) -> float:
    """Three significant digits below 100, whole numbers above: more would be noise."""
    return round(value) if value >= 100 else float(f"{value:.3g}")
