"""A camera's own stamps and our clock, put together: seconds that only go forward, how late a packet is, how the camera's clock drifts.

Pure: arrival times are arguments. What must not go in: packets, sockets.
"""

from dataclasses import dataclass

JUMP = 5.0
"""Seconds that stamps may differ from our clock between two packets before it counts as a jump of the camera's clock."""
BACK = 0.5
"""Seconds that stamps may go back: more is a jump too."""
WINDOW = 30.0
"""Seconds within which the quickest packet says what a packet's usual way takes."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One packet: ``t`` seconds of the stream; ``late``: seconds it came later than the quickest of the last minute."""

    t: float
    late: float


class Timeline:
    """The time of one camera, over all its connections; ``began``: monotonic seconds of its zero."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._t = -1.0
        self.jumps = 0
        self.gained = 0.0
        """Seconds that the camera's clock gained on ours since it connected, with its jumps; negative: it went back or is slow."""
        self.connect()

    def connect(self) -> None:
        """A new connection: its stamps begin anywhere."""
        self._anchor: tuple[float, float] | None = None  # stamp, arrival
        self._last: tuple[float, float] | None = None
        self._quickest = self._before = self._first_quickest = 0.0
        self._window = 0.0
        self._windows = 0
        self._jumped = self.gained = 0.0

    def place(self, stamp: float | None, arrival: float, *, keeps_pace: bool = True) -> Placed:
        """Where a packet belongs that carries ``stamp`` seconds (None: none) and came at ``arrival``.

        ``keeps_pace``: it came as the camera sent it; a file comes as fast as it is read, its stamps are taken as they are."""
        if stamp is None:
            return Placed(self._forward(arrival - self._began), 0.0)
        if self._anchor is None or self._last is None:
            self._begin(stamp, arrival)
            return Placed(self._forward(arrival - self._began), 0.0)
        step, passed = stamp - self._last[0], arrival - self._last[1]
        self._last = stamp, arrival
        if step < -BACK or (keeps_pace and step - passed > JUMP):
            self.jumps += 1
            self._jumped += step - passed
            self.gained += step - passed
            self._begin(stamp, arrival)
            return Placed(self._forward(arrival - self._began), 0.0)
        way = (arrival - self._anchor[1]) - (stamp - self._anchor[0])
        t = self._forward(self._anchor[1] - self._began + stamp - self._anchor[0])
        return Placed(t, self._late(way, arrival) if keeps_pace else 0.0)

    def _begin(self, stamp: float, arrival: float) -> None:
        self._anchor = self._last = stamp, arrival
        self._quickest = self._before = 0.0
        self._window, self._windows = arrival, 0

    def _late(self, way: float, arrival: float) -> float:
        if arrival - self._window >= WINDOW:
            if self._windows == 0:
                self._first_quickest = self._quickest
            self._before, self._quickest = self._quickest, way
            self._window, self._windows = arrival, self._windows + 1
            self.gained = self._jumped + self._first_quickest - self._before
        self._quickest = min(self._quickest, way)
        return max(0.0, way - min(self._before, self._quickest))

    def _forward(self, t: float) -> float:
        self._t = t if t > self._t else self._t + 0.001
        return self._t
