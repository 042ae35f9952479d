"""The camera's stamps and our clock: lateness, drift, jumps."""

import pytest

from ingest.cameras.placing import OVERLOADED, Move, next_move, spread
from ingest.cameras.surge import SurgeMeter
from ingest.cameras.timeline import Timeline


def test_time_goes_forward_whatever_the_stamps_do() -> None:
    timeline, seen = Timeline(100.0), []
    for n, stamp in enumerate([5.0, 5.1, 5.2, 5.15, 5.3, 2.0, 2.1, 900.0, 900.1, None, 900.3]):
        seen.append(timeline.place(stamp, 100.0 + n / 10).t)
    assert seen == sorted(set(seen))
    assert seen[-1] == pytest.approx(1.0, abs=0.3)
    assert timeline.jumps == 2


def test_a_packet_that_waited_on_its_way_is_late_by_that_much() -> None:
    timeline = Timeline(0.0)
    for n in range(100):
        assert timeline.place(n / 10, 50 + n / 10).late == pytest.approx(0.0)
    assert timeline.place(10.0, 60.7).late == pytest.approx(0.7)
    assert timeline.place(11.0, 61.0).late == pytest.approx(0.0)


def test_a_clock_that_runs_fast_is_measured_and_does_not_make_packets_late() -> None:
    timeline = Timeline(0.0)
    late = [timeline.place(n / 10 * 1.001, n / 10).late for n in range(6000)]
    assert timeline.gained == pytest.approx(0.57, abs=0.05), "a thousandth of 600 s"
    slow = Timeline(0.0)
    late += [slow.place(n / 10 * 0.999, n / 10).late for n in range(6000)]
    assert slow.gained == pytest.approx(-0.57, abs=0.05)
    assert max(late) < 0.1


def test_a_jump_back_shows_as_time_that_was_lost() -> None:
    timeline = Timeline(0.0)
    for n in range(20):
        timeline.place(1000 + n / 10 - (60 if n >= 10 else 0), n / 10)
    assert timeline.jumps == 1
    assert timeline.gained == pytest.approx(-60.0, abs=0.2)


def test_a_still_scene_makes_no_surge_and_movement_does() -> None:
    meter = SurgeMeter()
    assert not any(meter.feed(200 + 40 * (n % 3), key=n % 24 == 0) for n in range(100))
    assert not meter.feed(2500, key=False), "one large packet is a frame that was refreshed"
    assert meter.feed(2500, key=False)
    assert not meter.feed(230, key=False)
    assert not any(meter.feed(40_000, key=True) for _ in range(3)), "key frames are large always"
    meter.reject()
    assert not any(meter.feed(2500, key=False) for _ in range(2)), "nothing moved in the last one"
    assert any(meter.feed(6000, key=False) for _ in range(2))


def test_cameras_are_spread_by_what_they_cost() -> None:
    assert spread({"a": 0.5, "b": 0.3, "c": 0.2}, 2) == [["a"], ["b", "c"]]
    assert spread({"a": 0.02, "b": 0.02, "c": 0.02}, 2) == [["a", "c"], ["b"]]
    assert spread({"a": 0.1}, 4) == [["a"]]
    assert spread({}, 2) == []


def test_one_camera_moves_from_an_overloaded_process_where_that_helps() -> None:
    assert next_move({1: {"a": 0.5, "b": 0.5}, 2: {"c": 0.1}}) == Move("a", 1, 2)
    assert next_move({1: {"a": 0.4, "b": 0.4}, 2: {"c": 0.1}}) is None, "it is not overloaded"
    assert next_move({1: {"a": 0.5, "b": 0.5}, 2: {"c": 0.9}}) is None, "nobody has room"
    assert next_move({1: {"a": OVERLOADED + 0.1}, 2: {}}) is None, "alone it is no better off elsewhere"
    assert next_move({1: {"a": 0.3, "b": 0.3}, 2: {}}, late=[1]) == Move("a", 1, 2)
    assert next_move({1: {"a": 0.9, "b": 0.2}}) is None
