"""Admission: identity and the sender's clock. A well-formed alarm is always taken."""

import pytest
from msgspec import structs

from hazards.admission import LATEST_AHEAD, OLDEST_BEHIND, Report, admit
from hazards.messages import Action, Clock
from tests.hazards.signals import NOON


def report(at: int | None, source_id: str | None = "1") -> Report:
    return Report(source="s", source_id=source_id, device="D", kind="flame", action=Action.RAISED, at=at)


@pytest.mark.parametrize(
    ("at", "clock", "believed", "kept"),
    [
        (NOON - 1, Clock.TRUSTED, NOON - 1, None),
        (None, Clock.ABSENT, NOON, None),
        (0, Clock.WRONG, NOON, 0),  # 1970
        (4_102_444_800_000_000, Clock.WRONG, NOON, 4_102_444_800_000_000),  # 2100
        (NOON + LATEST_AHEAD, Clock.TRUSTED, NOON + LATEST_AHEAD, None),
        (NOON + LATEST_AHEAD + 1, Clock.WRONG, NOON, NOON + LATEST_AHEAD + 1),
        (NOON - OLDEST_BEHIND, Clock.TRUSTED, NOON - OLDEST_BEHIND, None),
    ],
)
def test_a_wrong_clock_gets_the_time_of_receipt_and_a_flag(at: int | None, clock: Clock, believed: int, kept: int | None) -> None:
    signal = admit(report(at), zone="z", synthetic=False, received_at=NOON)
    assert (signal.clock, signal.at, signal.sent_at) == (clock, believed, kept)


def test_the_id_does_not_depend_on_when_it_was_received() -> None:
    for source_id in ("1", None):
        ids = {admit(report(NOON, source_id), zone=z, synthetic=False, received_at=NOON + n).id for n, z in enumerate("ab")}
        assert len(ids) == 1


def test_the_senders_own_id_is_kept_as_it_came() -> None:
    assert admit(report(NOON, " Ü/1 "), zone="z", synthetic=False, received_at=NOON).source_id == " Ü/1 "


def test_one_enterprise_can_not_use_up_another_s_ids() -> None:
    said = [structs.replace(report(NOON), realm=realm) for realm in ("", "enterprise/a ", "enterprise/b ")]
    ids = {admit(r, zone="z", synthetic=False, received_at=NOON).id for r in said}
    assert len(ids) == 3
