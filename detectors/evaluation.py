"""How good a detector is on labelled clips: recall, precision, delay, false alarms a camera and day, and how little few clips prove.

Figures are by clip, since frames of one clip are no independent witnesses. What must not go in: files, video, printing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

LABELS = ("fire", "smoke", "negative", "people")
"""What a clip shows: flame, smoke without a flame of any size, neither, people (and neither)."""

TRUTH: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "flame": (frozenset({"fire"}), frozenset({"smoke", "negative", "people"})),
    "smoke": (frozenset({"smoke"}), frozenset({"negative", "people"})),  # what burns mostly smokes too: fire clips say nothing
    "intrusion": (frozenset({"people"}), frozenset()),  # people may appear in negative clips
}
"""By kind: labels of clips that hold it, and labels of clips that surely don't. Clips of other labels are not counted."""

IN_TIME = 3.0
"""Seconds after which an alarm counts as late."""
_Z = 1.959964  # two-sided 95 %


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """One kind on one clip. ``onset``: seconds at which it is first to be seen, where ``label`` says that it is; ``watched``: seconds of
    video; ``raised``: seconds of each alarm."""

    file: str
    label: str
    onset: float
    watched: float
    raised: Sequence[float]

    def holds(self, kind: str) -> bool | None:
        """Whether the clip shows ``kind``; None: its label does not say."""
        positive, negative = TRUTH.get(kind, (frozenset(), frozenset()))
        return True if self.label in positive else False if self.label in negative else None

    def found(self, kind: str) -> bool:
        """The clip shows ``kind`` and an alarm came once it was to be seen."""
        return self.holds(kind) is True and any(t >= self.onset for t in self.raised)

    def delay(self, kind: str) -> float | None:
        """Seconds from the onset to the first alarm; None where it was not found."""
        return min(t for t in self.raised if t >= self.onset) - self.onset if self.found(kind) else None

    def false_alarms(self, kind: str) -> int:
        """Alarms while there was nothing: all of a clip without ``kind``, those before the onset of one with it."""
        holds = self.holds(kind)
        return 0 if holds is None else sum(not holds or t < self.onset for t in self.raised)

    def quiet_seconds(self, kind: str) -> float:
        """Seconds watched in which an alarm would have been false."""
        holds = self.holds(kind)
        return 0.0 if holds is None else min(self.onset, self.watched) if holds else self.watched


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One kind over all clips that count. Shares are 0..1, None where there is no clip to tell; intervals are 95 %."""

    kind: str
    clips_with: int
    found: int
    clips_without: int
    silent: int
    false_alarms: int
    hours_without: float
    hours: float
    delays: Sequence[float]

    @property
    def recall(self) -> float | None:
        """Share of the clips that show it in which it was found."""
        return self.found / self.clips_with if self.clips_with else None

    @property
    def precision(self) -> float | None:
        """Share of the clips with an alarm in which there was something."""
        alarmed = self.found + self.clips_without - self.silent
        return self.found / alarmed if alarmed else None

    @property
    def silence(self) -> float | None:
        """Share of the clips without it that stayed silent."""
        return self.silent / self.clips_without if self.clips_without else None

    @property
    def in_time(self) -> int:
        """Clips found within IN_TIME seconds."""
        return sum(delay <= IN_TIME for delay in self.delays)

    @property
    def median_delay(self) -> float | None:
        """Seconds, over the clips in which it was found."""
        return median(self.delays) if self.delays else None

    @property
    def false_alarms_a_day(self) -> float | None:
        """False alarms a camera and day, if every hour were like the hours watched."""
        return self.false_alarms / self.hours_without * 24 if self.hours_without else None

    @property
    def false_alarms_a_day_range(self) -> tuple[float, float] | None:
        """What the true rate may be, a camera and day."""
        if not self.hours_without:
            return None
        low, high = poisson_interval(self.false_alarms)
        return low / self.hours_without * 24, high / self.hours_without * 24

    def proves(self) -> str:
        """One plain sentence on what so few clips prove."""
        said = []
        if self.clips_with:
            low, high = wilson_interval(self.found, self.clips_with)
            said.append(f"{self.found} of {self.clips_with} clips found is a recall between {low:.0%} and {high:.0%}")
        if self.clips_without:
            low, high = wilson_interval(self.silent, self.clips_without)
            said.append(f"{self.silent} of {self.clips_without} quiet clips silent is a share between {low:.0%} and {high:.0%}")
        if (of_day := self.false_alarms_a_day_range) is not None:
            minutes = f"{60 * self.hours_without:.1f} minutes without it"
            said.append(f"{minutes} allow {of_day[0]:.0f} to {of_day[1]:.0f} false alarms a camera and day")
        return f"With 95 % certainty: {'; '.join(said)}." if said else "No clip says anything about it."


def evaluated(kind: str, outcomes: Sequence[ClipOutcome]) -> Evaluation:
    """The figures of ``kind`` over ``outcomes``."""
    with_it = [o for o in outcomes if o.holds(kind) is True]
    without = [o for o in outcomes if o.holds(kind) is False]
    return Evaluation(
        kind=kind,
        clips_with=len(with_it),
        found=sum(o.found(kind) for o in with_it),
        clips_without=len(without),
        silent=sum(not o.raised for o in without),
        false_alarms=sum(o.false_alarms(kind) for o in outcomes),
        hours_without=sum(o.quiet_seconds(kind) for o in outcomes) / 3600,
        hours=sum(o.watched for o in with_it + without) / 3600,
        delays=[delay for o in with_it if (delay := o.delay(kind)) is not None],
    )


def wilson_interval(hits: int, of: int) -> tuple[float, float]:
    """Where the true share may lie when ``hits`` of ``of`` were seen, 95 % (E. B. Wilson, 1927); (0, 1) for none."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = hits / of, _Z * _Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson_interval(seen: int) -> tuple[float, float]:
    """What may be expected where ``seen`` events were counted, exact, 95 % (F. Garwood, 1936); one-sided for none: 3.0."""
    if seen == 0:
        return 0.0, _expected(0, 0.05)
    return _expected(seen - 1, 0.975), _expected(seen, 0.025)


def _expected(most: int, chance: float) -> float:
    """The expectation at which at most ``most`` events come with ``chance``, by bisection."""
    low, high = 0.0, 10.0 + 4.0 * most
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(most, middle) > chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_most(most: int, expected: float) -> float:
    """Chance of at most ``most`` events where ``expected`` come on average."""
    return math.fsum(math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(most + 1)) if expected else 1.0
