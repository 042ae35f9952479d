"""The drawings in docs/ are those of the tables."""

from bihuan.diagrams import DRAWN, alarm_states


def test_the_drawing_is_up_to_date() -> None:
    assert DRAWN.read_text() == alarm_states(), "run python -m bihuan.diagrams"
