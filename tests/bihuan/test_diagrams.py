"""The drawings in docs/ are those of the tables."""

import pytest

from bihuan.diagrams import DOCS, DRAWINGS


@pytest.mark.parametrize("name", list(DRAWINGS))
def test_the_drawing_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == DRAWINGS[name](), "run python -m bihuan.diagrams"
