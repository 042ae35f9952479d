"""Flame and smoke on real clips: how many are found, how many scenes without alarm. Numbers, printed; bounds, asserted."""

import csv
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from detectors.base import Attention, Frame, Transition
from detectors.watch import Watch
from ingest.cameras.source import VideoSource

BEGINS = {  # seconds at which flame is first to be seen, by eye, where it is not the first frame
    "fire/01_storage_units_fisheye_cctv.mp4": 3.5, "fire/04_wood_stove.mp4": 0.83, "fire/08_campfire_person.mp4": 0.8,
}


@dataclass(frozen=True)
class Outcome:
    file: str
    label: str
    told: list[Transition]
    frames: int
    seconds: float  # of work
    when_asked: float | None = None  # when it is raised if a key frame is looked at every 2 s, and every frame only while a burst is wanted

    def first(self, kind: str) -> float | None:
        return next((x.t for x in self.told if x.kind == kind and x.state == "raised"), None)

    @property
    def raised(self) -> float | None:
        return self.first("flame")


def watched(media: Path, file: str, label: str) -> Outcome:
    watch, frames, spent = Watch(["flame", "smoke"]), 0, 0.0
    seldom, key, when_asked = Watch(["flame"]), float("-inf"), None
    told: list[Transition] = []
    for frame in VideoSource(str(media / file)).frames():
        if watch.due(frame.t):
            small = frame.small()
            seen = Frame(small, frame.size_wh[0] / small.shape[1], frame.size_wh, frame.t, frame.n)
            began = time.thread_time()
            told += watch.feed(seen)
            spent += time.thread_time() - began
            frames += 1
            if label == "fire" and (frame.t - key >= 2 or seldom.attention is Attention.BURST):
                key = frame.t if frame.t - key >= 2 else key
                later = seldom.feed(Frame(small, seen.scale, seen.size_wh, frame.t, frame.n))
                when_asked = when_asked or next((x.t for x in later if x.state == "raised"), None)
    return Outcome(file, label, told + watch.end(), frames, spent, when_asked)


@pytest.fixture(scope="module")
def outcomes(media: Path) -> dict[str, list[Outcome]]:
    with (media / "index.csv").open() as rows:
        clips = [(row["file"], row["label"]) for row in csv.DictReader(rows)]
    found: dict[str, list[Outcome]] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(lambda clip: watched(media, *clip), clips):
            found.setdefault(outcome.label, []).append(outcome)
            first = f"flame {outcome.first('flame')}  smoke {outcome.first('smoke')}"
            print(f"{outcome.file:45s} {first}  {1000 * outcome.seconds / outcome.frames:.1f} ms a frame")
    return found


@pytest.mark.timeout(600)
def test_at_least_eight_of_nine_fires_are_found_most_within_three_seconds(outcomes: dict[str, list[Outcome]]) -> None:
    delays = {o.file: o.raised - BEGINS.get(o.file, 0.0) for o in outcomes["fire"] if o.raised is not None}
    print({file: round(delay, 2) for file, delay in delays.items()})
    assert len(delays) >= len(outcomes["fire"]) - 1
    assert sum(delay <= 3.0 for delay in delays.values()) >= len(outcomes["fire"]) - 2


def test_most_are_found_as_soon_where_frames_are_looked_at_closely_only_when_asked_for(outcomes: dict[str, list[Outcome]]) -> None:
    delays = {o.file: round(o.when_asked - BEGINS.get(o.file, 0.0), 2) for o in outcomes["fire"] if o.when_asked is not None}
    print(delays)
    assert sum(delay <= 3.0 for delay in delays.values()) >= len(outcomes["fire"]) - 2


def test_at_most_one_scene_without_fire_alarms(outcomes: dict[str, list[Outcome]]) -> None:
    false = [o.file for label in ("negative", "people") for o in outcomes[label] if o.raised is not None]
    assert len(false) <= 1, false


def test_smoke_is_found_in_four_of_five_clips_and_in_at_most_one_without(outcomes: dict[str, list[Outcome]]) -> None:
    assert sum(o.first("smoke") is not None for o in outcomes["smoke"]) >= len(outcomes["smoke"]) - 1
    false = [o.file for label in ("negative", "people") for o in outcomes[label] if o.first("smoke") is not None]
    assert len(false) <= 1, false


def test_everything_raised_is_cleared_and_boxes_lie_in_the_picture(outcomes: dict[str, list[Outcome]]) -> None:
    for outcome in (o for group in outcomes.values() for o in group):
        for kind in ("flame", "smoke"):
            states = [x.state for x in outcome.told if x.kind == kind]
            assert states == ["raised", "cleared"] * (len(states) // 2), outcome.file
        for x in outcome.told:
            left, top, width, height = x.box
            assert left >= 0 <= top
            assert width >= 0 <= height
