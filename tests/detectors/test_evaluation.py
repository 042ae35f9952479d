"""Figures of an evaluation: by clip, with what few clips prove; and the words of cues."""

import pytest

from detectors.cue_words import CUE_WORDS, said
from detectors.evaluation import ClipOutcome, evaluated, poisson_interval, wilson_interval
from detectors.flame import COLOURED, WHITE_HOT
from detectors.smoke_score import NO_SMOKE, SMOKE


def clip(label: str, *raised: float, onset: float = 0.0, watched: float = 36.0) -> ClipOutcome:
    return ClipOutcome(f"{label}.mp4", label, onset, watched, raised)


CLIPS = [
    clip("fire", 2.0, 9.0), clip("fire", 8.0, onset=3.0), clip("fire"), clip("fire", 1.0, onset=5.0),
    clip("smoke"), clip("negative", 4.0, 5.0), clip("people"), clip("negative"),
]  # fmt: skip


def test_flame_is_counted_by_clip_and_an_alarm_before_the_fire_is_false() -> None:
    figures = evaluated("flame", CLIPS)
    assert (figures.clips_with, figures.found, figures.clips_without, figures.silent) == (4, 2, 4, 3)
    assert figures.recall == pytest.approx(0.5)
    assert figures.precision == pytest.approx(2 / 3)
    assert figures.silence == pytest.approx(0.75)
    assert figures.delays == [2.0, 5.0]
    assert (figures.median_delay, figures.in_time) == (3.5, 1)
    assert figures.false_alarms == 3
    assert figures.hours_without * 3600 == pytest.approx(4 * 36 + 3 + 5)
    assert figures.false_alarms_a_day == pytest.approx(3 / (152 / 86400))


def test_clips_whose_label_does_not_say_are_not_counted() -> None:
    figures = evaluated("smoke", CLIPS)
    assert (figures.clips_with, figures.clips_without) == (1, 3)
    assert figures.hours == pytest.approx(4 * 36 / 3600)
    unknown = evaluated("camera_covered", CLIPS)
    assert (unknown.recall, unknown.precision, unknown.silence, unknown.false_alarms_a_day) == (None, None, None, None)
    assert unknown.proves() == "No clip says anything about it."


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 0, 0, 1), (8, 9, 0.565, 0.980), (0, 10, 0, 0.278), (10, 10, 0.722, 1), (50, 100, 0.404, 0.596)]
)
def test_intervals_of_shares_are_those_of_the_tables(hits: int, of: int, low: float, high: float) -> None:
    assert wilson_interval(hits, of) == pytest.approx((low, high), abs=0.001)


@pytest.mark.parametrize(("seen", "low", "high"), [(0, 0, 2.996), (1, 0.0253, 5.572), (5, 1.623, 11.668), (30, 20.24, 42.83)])
def test_intervals_of_counts_are_those_of_the_tables(seen: int, low: float, high: float) -> None:
    assert poisson_interval(seen) == pytest.approx((low, high), rel=0.002)


def test_what_few_clips_prove_is_said_in_words() -> None:
    words = evaluated("flame", CLIPS).proves()
    assert "2 of 4 clips found is a recall between 15% and 85%" in words
    assert "false alarms a camera and day" in words


def test_cues_are_said_in_both_languages() -> None:
    cues = {"turns": 6.13, "lasting": 0.52, "new_thing": 3.0}
    assert said(["turns", "lasting"], cues, chinese=True) == "闪烁 6.1 次/秒，持续在原处 52%"
    assert said(["turns", "new_thing", "gone"], cues) == "flicker 6.1 turns a second, new_thing 3, gone"
    assert all(words.zh and words.en for words in CUE_WORDS.values())


def test_every_cue_of_flame_and_smoke_has_words() -> None:
    assert {*COLOURED, *WHITE_HOT, *SMOKE, *NO_SMOKE} <= set(CUE_WORDS)
