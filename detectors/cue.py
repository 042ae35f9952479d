"""One figure and how far it speaks for what is looked for. What must not go in: how a figure is measured."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cue:
    """Where a figure starts (``none``: 0) and stops (``full``: 1) to speak for it; ``full`` below ``none``: less is more."""

    none: float
    full: float

    def of(self, value: float) -> float:
        """How far ``value`` speaks for it, 0..1."""
        return min(1.0, max(0.0, (value - self.none) / (self.full - self.none)))


def weighed(figures: Mapping[str, float], cues: Mapping[str, Cue]) -> tuple[float, list[str]]:
    """The score, that of the weakest cue, and the names of the cues that speak, the strongest first."""
    spoken = {name: cue.of(figures[name]) for name, cue in cues.items()}
    fired = [name for name in sorted(spoken, key=spoken.__getitem__, reverse=True) if spoken[name] >= 0.5]
    return min(spoken.values()), fired
