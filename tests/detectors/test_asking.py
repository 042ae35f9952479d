"""When a detector asks for a burst: at once for what is new, ever more seldom for what was looked at and is nothing."""

import numpy as np
import pytest

from detectors.asking import BURST_SECONDS, CELL, FIRST_PAUSE, LONGEST_PAUSE, Asking
from detectors.base import Mask

SHAPE = (180, 320)


def wall(pixels: int = 80, column: int = 3) -> Mask:
    """``pixels`` candidates in one cell of row 2."""
    mask = np.zeros(SHAPE, np.bool_)
    cell = np.zeros(CELL * CELL, np.bool_)
    cell[:pixels] = True
    mask[2 * CELL : 3 * CELL, column * CELL : (column + 1) * CELL] = cell.reshape(CELL, CELL)
    return mask


NOTHING = np.zeros(SHAPE, np.bool_)


def asked(asking: Asking, mask: Mask, start: float, seconds: float, rate: float = 2.0) -> list[float]:
    """Seconds at which a burst begins while ``mask`` is seen from ``start`` on."""
    began = []
    for n in range(round(seconds * rate)):
        before = asking.wanted
        asking.look(mask, start + n / rate, 4)
        if asking.wanted and not before:
            began.append(start + n / rate)
    return began


def test_nothing_asks_for_nothing() -> None:
    assert asked(Asking(), NOTHING, 0, 60) == []


def test_a_red_wall_is_looked_at_at_once_and_then_ever_more_seldom() -> None:
    began = asked(Asking(), wall(), 0, 300)
    pauses = np.diff(began)
    assert began[0] == 0
    assert pauses[0] == pytest.approx(BURST_SECONDS + FIRST_PAUSE, abs=0.5)
    assert (np.diff(pauses) >= 0).all()
    assert pauses[-1] == pytest.approx(BURST_SECONDS + LONGEST_PAUSE, abs=0.5)
    assert len(began) * BURST_SECONDS < 0.1 * 300, "a judged wall takes less than a tenth of the time"


def test_a_candidate_elsewhere_asks_at_once() -> None:
    asking = Asking()
    asked(asking, wall(), 0, 100)
    while asking.wanted:
        asked(asking, wall(), 100, 3)
    assert asked(asking, wall() | wall(column=9), 110, 1) == [110]
    assert asked(Asking(), wall(), 0, 1) == [0], "after a gap at once"


def test_what_drives_by_does_not_ask_where_frames_come_often() -> None:
    asking = Asking()
    asking.look(NOTHING, 0.0, 4)
    for n in range(1, 60):
        asking.look(wall(column=n // 3), n / 10, 4)
        assert not asking.wanted
    assert asked(asking, wall(column=19), 6.0, 2, rate=10)[0] == pytest.approx(6.3, abs=0.15)


def test_a_judged_place_that_changes_is_looked_at_again_soon() -> None:
    asking = Asking()
    last = asked(asking, wall(40), 0, 200)[-1]
    start = last + BURST_SECONDS + 0.5
    asked(asking, wall(40), start, 1)
    began = asked(asking, wall(120), start + 1, 10)
    assert began and began[0] <= start + 1 + FIRST_PAUSE


def test_evidence_keeps_the_burst_up() -> None:
    asking = Asking()
    for n in range(100):
        asking.look(wall(), n / 10, 4, promising=True)
        assert asking.wanted
    asking.look(wall(), 13.0, 4)
    assert not asking.wanted


def test_a_place_that_was_long_empty_is_new_again_and_a_new_size_starts_anew() -> None:
    asking = Asking()
    asked(asking, wall(), 0, 100)
    asked(asking, NOTHING, 100, 200, rate=0.5)
    assert asked(asking, wall(), 300, 1) == [300]
    asking.look(np.ones((100, 33), np.bool_), 303.0, 4)
    assert asking.wanted
