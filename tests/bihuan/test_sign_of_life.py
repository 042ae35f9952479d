"""The sign of life: given while all parts work, gone when stopped, stale when a part is dead."""

import os
import time
from pathlib import Path

import pytest

from bihuan.sign_of_life import STALE, SignOfLife, check
from hazards.errors import Unavailable


def test_it_is_well_from_the_first_sign_until_the_end(tmp_path: Path) -> None:
    sign = SignOfLife(tmp_path, "worker")
    with pytest.raises(Unavailable, match="no bihuan works"):
        check(tmp_path)
    sign.give()
    assert check(tmp_path) == check(tmp_path, "worker") == ["worker"]
    sign.end()
    sign.end()
    with pytest.raises(Unavailable):
        check(tmp_path, "worker")


def test_one_silent_part_of_two_is_named(tmp_path: Path) -> None:
    for name in ("api", "ingest"):
        SignOfLife(tmp_path, name).give()
    long_ago = time.time() - STALE - 5
    os.utime(tmp_path / "alive.ingest", (long_ago, long_ago))
    with pytest.raises(Unavailable, match=r"has not worked for 3\d s") as caught:
        check(tmp_path)
    assert caught.value.where == "ingest"
    assert check(tmp_path, "api") == ["api"]
