"""Who is looked at next: still cameras by key frames, moving ones at four a second and less under load, bursts first. A simulated core."""

from dataclasses import dataclass, field

import pytest

from detectors.base import Attention
from ingest.cameras.schedule import QUIET_AFTER, Line, Schedule

RATE, GROUP = 12.0, 24
"""Frames a second of a simulated camera, and frames from one key frame to the next."""


@dataclass
class Simulated:
    """A core that looks at simulated cameras; a look at everything new costs ``decode`` s a packet and ``look`` s once."""

    moving: int = 0
    still: int = 0
    burst: int = 0
    decode: float = 0.0015
    look: float = 0.003
    looks: dict[str, list[float]] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)
    took: dict[str, int] = field(default_factory=dict)

    def run(self, seconds: float) -> None:
        schedule, now = Schedule(), 0.0
        wanted = {f"m{n}": Attention.MOVING for n in range(self.moving)} | {f"s{n}": Attention.STILL for n in range(self.still)}
        wanted |= {f"b{n}": Attention.BURST for n in range(self.burst)}
        phase = {name: i / (RATE * len(wanted)) for i, name in enumerate(wanted)}
        schedule.lines = {name: Line(name, attention=wanted[name]) for name in wanted}
        while now < seconds:
            for name, line in schedule.lines.items():
                n = int((now - phase[name]) * RATE) if now >= phase[name] else -1
                line.newest = (n, phase[name] + n / RATE)
                if n >= 0:
                    k = n - (n + hash_of(name)) % GROUP
                    line.key = (k, phase[name] + k / RATE) if k >= 0 else line.key
            chosen = schedule.choose(now)
            if chosen is None:
                now += 0.005
                continue
            mode = chosen.mode(now)
            still = mode == Attention.STILL
            number, came = chosen.key if still else chosen.newest
            since_key = number - chosen.key[0] + 1 if mode == Attention.MOVING else number
            packets = 1 if still else min(number - chosen.taken, since_key)
            cost = packets * self.decode + self.look * (packets if mode == Attention.BURST else 1)
            self.ages.append(now - came)
            self.looks.setdefault(chosen.camera, []).append(now)
            self.took[chosen.camera] = self.took.get(chosen.camera, 0) + packets
            chosen.looked(now, taken=number, moving=not still, attention=wanted[chosen.camera], cost=cost)
            now += cost

    def rate(self, kind: str, seconds: float) -> float:
        """The fewest looks a second of a camera of ``kind``."""
        names = [name for name in self.looks if name.startswith(kind)]
        return min(len([t for t in self.looks[name] if t > 2.0]) for name in names) / (seconds - 2.0)


def hash_of(name: str) -> int:
    return sum(map(ord, name)) * 7


def test_a_few_cameras_are_looked_at_as_often_as_they_may_and_no_more() -> None:
    core = Simulated(moving=3, still=3, burst=1)
    core.run(20)
    assert core.rate("m", 20) == pytest.approx(4.0, abs=0.5)
    assert core.rate("s", 20) == pytest.approx(0.5, abs=0.1), "its key frames, every two seconds"
    assert core.took["b0"] >= 0.95 * 20 * RATE, "every frame"
    assert max(core.ages) < 0.1


def test_on_a_full_core_moving_cameras_fall_to_two_looks_a_second_before_anything_gets_old() -> None:
    core = Simulated(moving=32, look=0.006)
    core.run(20)
    assert 1.9 <= core.rate("m", 20) <= 3.5
    assert max(core.ages) < 0.3


def test_a_burst_keeps_all_its_frames_beside_a_crowd_that_moves() -> None:
    core = Simulated(moving=34, burst=2)
    core.run(20)
    assert min(core.took["b0"], core.took["b1"]) >= 0.9 * 20 * RATE
    assert core.rate("m", 20) >= 1.9
    assert max(core.ages) < 0.9


def test_still_cameras_beside_a_crowd_that_moves_keep_their_key_frames_young() -> None:
    core = Simulated(moving=45, still=10)
    core.run(20)
    assert core.rate("s", 20) >= 0.4
    assert max(core.ages) < 0.9


def test_a_camera_falls_asleep_after_quiet_and_larger_packets_wake_it_for_a_moment() -> None:
    line = Line("c")
    line.looked(10.0, taken=5, moving=True, attention=Attention.STILL, cost=0.0)
    assert line.mode(10.0 + QUIET_AFTER - 0.1) == Attention.MOVING
    assert line.mode(10.0 + QUIET_AFTER) == Attention.STILL
    line.newest = (9, 20.0)
    assert line.deadline(20.0) is None, "no key frame came"
    line.wakes(20.0)
    assert line.deadline(20.0) is not None
    assert line.mode(21.1) == Attention.STILL


def looks_of(line: Line, seconds: float, *, moving: bool = False, stands: bool = False) -> list[Attention]:
    """How a camera is looked at ten times a second that always has a candidate."""
    modes = []
    for tick in range(int(seconds * 10)):
        now = 100.0 + tick / 10
        line.looked(now, taken=tick, moving=moving, attention=Attention.BURST, cost=0.0, stands=stands)
        modes.append(line.mode(now))
    return modes


def test_a_candidate_in_a_picture_where_nothing_moves_gets_a_few_seconds_and_then_only_now_and_then() -> None:
    modes = looks_of(Line("lamp"), 120)
    assert set(modes[:30]) == {Attention.BURST}
    assert 0.03 < modes[200:].count(Attention.BURST) / len(modes[200:]) < 0.12
    assert modes[-1] in (Attention.STILL, Attention.BURST)
    assert set(looks_of(Line("flame"), 60, moving=True)) == {Attention.BURST}
    assert set(looks_of(Line("alarm"), 60, stands=True)) == {Attention.BURST}


def test_a_camera_that_costs_more_than_its_share_is_looked_at_less_often_on_a_full_core() -> None:
    schedule = Schedule()
    busy = Line("busy", newest=(5, 0.0), looked_at=0.0, awake_until=99.0)
    schedule.lines["busy"] = busy
    for _ in range(10):
        assert schedule.choose(10.0) is busy, "very late"
    assert schedule.late > 1.0
    del schedule.lines["busy"]
    for n in range(10):
        schedule.lines[f"c{n}"] = Line(f"c{n}", newest=(5, 10.0), looked_at=9.7, awake_until=99.0, share=0.05, taken=5)
    heavy = schedule.lines["c0"]
    heavy.share, heavy.taken = 0.6, 4
    assert schedule.choose(10.0) is None, "its step is stretched"
    for _ in range(300):
        schedule.choose(9.0)
    assert schedule.choose(10.0) is heavy
