"""Every cue that a detector of a scene can name is known in Chinese and English."""

import pytest

from detectors.cue_words import CUE_WORDS, said
from detectors.tamper import CUES

NAMED = ["travel", "size", "stay", "crossed_in", "crossed_out", "people", "empty", "stands", "same_picture", "almost_same_picture"]


@pytest.mark.parametrize("name", [*CUES, *NAMED])
def test_each_has_words(name: str) -> None:
    assert CUE_WORDS[name].en
    assert any("\u4e00" <= letter <= "\u9fff" for letter in CUE_WORDS[name].zh)


def test_they_are_said_with_their_figures() -> None:
    assert said(("people",), {"people": 12.0}, chinese=True) == "人数 12.0 人"
    assert said(("travel", "size"), {"travel": 0.214}) == "distance gone, share of the picture 21%, of the size of a person or vehicle"
