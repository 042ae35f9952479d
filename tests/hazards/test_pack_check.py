"""A pack that can't be evaluated is refused before anything is done with it."""

import msgspec
import numpy as np
import pytest

from hazards.errors import MalformedMessage
from hazards.pack_check import LATEST, check_pack
from hazards.telemetry import Reading, pack_readings
from tests.hazards.telemetry_histories import NOON

PACK = pack_readings("hall", [Reading("T-1/temperature", NOON, 20.0), Reading("T-2/temperature", NOON + 1, 1e308)], NOON)


def times(*at: int) -> bytes:
    return np.array(at, "<i8").tobytes()


def test_a_sound_pack_is_taken_and_so_is_an_empty_one() -> None:
    check_pack(PACK)
    check_pack(msgspec.structs.replace(PACK, value=np.array([1e308, 1e308]).tobytes(), at=times(0, LATEST - 1)))
    check_pack(pack_readings("hall", [], NOON))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"at": times(NOON, -1)}, "a time that is none"), ({"at": times(NOON, LATEST)}, "a time that is none"),
        ({"at": times(-(2**63), NOON)}, "a time that is none"), ({"at": times(NOON)}, "columns of 2, 1 and 2 readings"),
        ({"at": b"123"}, "columns are not whole"), ({"value": np.array([1.0, np.nan]).tobytes()}, "no number"),
        ({"value": np.array([np.inf, -np.inf]).tobytes()}, "no number"), ({"received_at": -1}, "received at -1"),
        ({"index": np.array([0, 2], "<u2").tobytes()}, "a reading of series 2 of 2"),
    ],
)  # fmt: skip
def test_one_that_is_not_is_refused_with_the_reason(changed: dict[str, object], said: str) -> None:
    with pytest.raises(MalformedMessage, match=said):
        check_pack(msgspec.structs.replace(PACK, **changed))
