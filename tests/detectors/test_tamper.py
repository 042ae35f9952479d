"""Tamper and frozen pictures: what is done to a camera is found within ten seconds, night, fog, shaking and a passing lorry are nothing."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.base import Transition
from detectors.pyramid import frame_of
from detectors.tamper import Parameters
from detectors.watch import Watch
from ingest.cameras.source import VideoSource
from tests.detectors.moving_scenes import NO_ALARM, nothing, person, scene, shifted, states, watch_over, watched
from tests.detectors.tampering import HARMLESS, TAMPERED, Change, lights_off, moved

Picture = NDArray[np.uint8]
BEGINS = 12.0


def walkers(picture: NDArray[np.float32], t: float) -> None:
    """Two people walk about all the time."""
    person(picture, 40 + (t * 30) % 300, 200)
    person(picture, 320 - (t * 22) % 280, 260, height=90, shade=140)


def tampered(change: Change, seconds: float, rate: float, *, until: float = 1e9) -> Iterator[Picture]:
    for n, picture in enumerate(scene(BEGINS + seconds, walkers, rate=rate)):
        t = n / rate - BEGINS
        yield change(picture, t) if 0 <= t < until else picture


@pytest.mark.parametrize("rate", [6.0, 0.5])
@pytest.mark.parametrize("name", TAMPERED)
def test_what_is_done_to_a_camera_is_found_within_ten_seconds_and_named(name: str, rate: float) -> None:
    change, names = TAMPERED[name]
    (raised,) = watched(["tamper"], tampered(change, 14, rate), rate=rate)
    assert (raised.kind, raised.state) == ("tamper", "raised")
    assert BEGINS < raised.t <= BEGINS + 10
    assert raised.fired[0] in names
    assert raised.box == (0, 0, 352, 288)


def test_it_is_cleared_when_the_view_is_back() -> None:
    raised, cleared = watched(["tamper"], tampered(TAMPERED["covered"][0], 20, 4, until=9), rate=4)
    assert cleared.state == "cleared"
    assert BEGINS + 9 < cleared.t < BEGINS + 15
    assert raised.t < cleared.t


@pytest.mark.parametrize("rate", [6.0, 0.5])
@pytest.mark.parametrize("name", HARMLESS)
def test_lamps_off_night_sight_and_a_lorry_are_no_tampering(name: str, rate: float) -> None:
    assert watched(["tamper", "frozen"], tampered(HARMLESS[name], 20, rate), rate=rate) == []


@pytest.mark.parametrize("name", NO_ALARM)
def test_light_weather_and_a_swaying_mast_are_no_tampering(name: str) -> None:
    assert watched(["tamper", "frozen"], scene(20, NO_ALARM[name], rate=4), rate=4) == []


def fog(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    """Fog rises over two minutes until a tenth of the contrast is left."""
    left = max(0.1, 1 - t / 130)
    return picture * left + 170 * (1 - left)


def dusk(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
    return picture * max(0.08, 1 - t / 130)


@pytest.mark.parametrize("weather", [fog, dusk])
def test_fog_that_rises_and_night_that_falls_are_no_tampering(weather: Callable[..., Any]) -> None:
    assert watched(["tamper"], scene(150, weather, rate=1), rate=1) == []


def test_a_camera_that_was_turned_while_the_stream_was_broken_is_found() -> None:
    watch = Watch(["tamper"])
    assert watch_over(watch, scene(10, nothing, rate=2), rate=2) == []
    watch.interrupt()
    assert states(watch_over(watch, (moved(p, 0) for p in scene(6, nothing, rate=2)), rate=2)) == ["raised"]


def test_a_camera_that_turns_on_purpose_and_a_place_that_is_black_by_night() -> None:
    def turns(picture: NDArray[np.float32], t: float) -> NDArray[np.float32]:
        return shifted(picture, 90 * (t > 10), 0)

    assert states(watched(["tamper"], scene(20, turns, rate=2), rate=2)) == ["raised"]
    assert watched(["tamper"], scene(20, turns, rate=2), rate=2, parameters={"tamper": Parameters(turns=True)}) == []
    dark = TAMPERED["black"][0]
    assert watched(["tamper"], tampered(dark, 14, 2), rate=2, parameters={"tamper": Parameters(dark_at_night=True)}) == []


def test_a_view_that_stays_changed_becomes_the_usual_one() -> None:
    given = {"tamper": Parameters(accept_after=60)}
    raised, cleared = watched(["tamper"], tampered(moved, 90, 1), rate=1, parameters=given)
    assert BEGINS + 60 < cleared.t < BEGINS + 75
    assert raised.t < BEGINS + 6


@pytest.mark.parametrize("rate", [6.0, 0.5])
def test_a_picture_that_stands_still_is_frozen_and_lives_again(rate: float) -> None:
    pictures = list(scene(34, walkers, rate=rate))
    stop, go = round(10 * rate), round(22 * rate)
    raised, cleared = watched(["frozen"], iter(pictures[:stop] + [pictures[stop]] * (go - stop) + pictures[go:]), rate=rate)
    assert 10 + 6 <= raised.t <= 10 + 10
    assert raised.fired == ("same_picture",)
    assert 22 <= cleared.t < 27


def test_a_repeated_picture_that_was_encoded_anew_is_frozen_once_the_usual_life_is_known(tmp_path: Path, media: Path) -> None:
    """A real clip, back and forth for 24 s, then its last picture; H.264 with key frames every two seconds."""
    pictures = [frame.full() for frame in islice(VideoSource(str(media / "negative/10_highway_trees.avi")).frames(), 240)][::4]
    living = [(pictures + pictures[::-1])[n % 120] for n in range(12 * 24)]
    coded = tmp_path / "frozen.mp4"
    write(coded, [*living, *[living[-1]] * 12 * 16])
    for step in (1, 24):  # every picture, and key frames only
        watch, seen = Watch(["frozen"]), list[Transition]()
        for frame in VideoSource(str(coded)).frames():
            if frame.n % step == 0:
                seen += watch.feed(frame_of(frame.small(), frame.t, frame.n))
        assert states(seen)[:1] == ["raised"]
        assert 24 + 6 <= seen[0].t <= 24 + 14


def write(path: Path, pictures: list[Picture]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"b": "300k", "maxrate": "300k", "bufsize": "600k", "preset": "veryfast"})
        stream.height, stream.width, stream.pix_fmt, stream.gop_size = *pictures[0].shape[:2], "yuv420p", 24
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def test_an_empty_scene_with_the_faintest_noise_and_a_dark_room_are_not_frozen() -> None:
    assert watched(["frozen"], scene(60, nothing, rate=2, noise=1.5), rate=2) == []
    dark = (np.zeros((288, 352, 3), np.uint8) for _ in range(80))
    assert watched(["frozen"], dark, rate=2) == []


def clip(media: Path, file: str, rate: float = 4.0) -> list[Picture]:
    """At most 12 s of a real clip, ``rate`` pictures a second."""
    due, pictures = 0.0, []
    for frame in VideoSource(str(media / file)).frames():
        if frame.t >= due - 1e-3:
            pictures.append(frame.small())
            due += 1 / rate
        if frame.t > 12:
            break
    return pictures


@pytest.mark.parametrize("file", ["negative/01_lot_overhead_red_car.mp4", "negative/10_highway_trees.avi", "people/01_one_by_one.mp4"])
def test_real_clips_are_quiet_and_everything_done_to_them_is_found(media: Path, file: str) -> None:
    pictures = clip(media, file)
    run = [pictures[n % len(pictures)] for n in range(88)]
    assert watched(["tamper", "frozen"], iter(run), rate=4) == []
    late = {}
    for name, (change, _) in TAMPERED.items():
        changed = iter(run[:48] + [change(p, n / 4) for n, p in enumerate(run[48:])])
        told = watched(["tamper"], changed, rate=4)
        late[name] = round(told[0].t - 12, 1) if states(told) == ["raised"] else None
    print(file, late)
    assert all(delay is not None and 0 <= delay <= 10 for delay in late.values()), late
    assert watched(["tamper"], iter(run[:48] + [lights_off(p, 0) for p in run[48:]]), rate=4) == []


def test_a_real_camera_that_is_moved_is_found(media: Path) -> None:
    pictures = islice(clip(media, "negative/12_dark_window_moved.mp4", rate=10), 100)
    raised, *_ = watched(["tamper"], pictures, rate=10)
    assert raised.t >= 3.3, "it is moved from the 100th picture at 30 a second on"
    assert {"moved", "view_lost"} & set(raised.fired)
