"""Rows of the outbox as points: deterministic, equal times apart, only tags that are few."""

import pytest

from bus.codecs import encode
from hazards.errors import BadInput
from hazards.identity import signal_id
from hazards.messages import Action, AlarmRecord, AlarmRecords
from storage.followers import Entry
from storage.series.events import nanoseconds, points_of
from storage.series.lines import event_lines
from tests.hazards.signals import NOON


def entry(payload: bytes, topic: str = "", position: int = 7) -> Entry:
    return Entry(position, topic, "alarms", "", "smelter", "alu", payload, NOON)


def record(number: int, *, at: int = NOON, device: str = "D-1") -> AlarmRecord:
    return AlarmRecord(
        id=signal_id("test", str(number)), device=device, kind="flame", action=Action.RAISED, at=at, received_at=NOON + 5, severity=1,
        incident="i1", reason="opened", score=0.5, synthetic=True,
    )  # fmt: skip


@pytest.mark.parametrize(("at", "within"), [(NOON, 10**6), (NOON + 123_000, 10**6), (NOON + 123_456, 10**3)])
def test_the_time_stays_within_what_the_sender_measured(at: int, within: int) -> None:
    found = {nanoseconds(at, f"id-{n}") - at * 1000 for n in range(500)}
    assert min(found) >= 0 and max(found) < within and len(found) > 350


def test_a_hundred_alarms_of_one_device_in_one_second_are_a_hundred_points() -> None:
    payload = encode(AlarmRecords(zone="smelter", enterprise="alu", records=[record(n) for n in range(100)]))
    points = points_of(entry(payload))
    assert len({(p.at, tuple(sorted(p.tags.items()))) for p in points}) == 100
    assert points == points_of(entry(payload)), "the same row gives the same points"
    place = {"zone": "smelter", "enterprise": "alu", "synthetic": "true"}
    assert points[0].tags == place | {"device": "D-1", "kind": "flame", "action": "raised"}
    assert event_lines(points)[0].startswith("alarms,action=raised,device=D-1,enterprise=alu,kind=flame,synthetic=true,zone=smelter id=")


def test_devices_that_nobody_registered_share_one_tag() -> None:
    records = [record(n, device=f"NEW-{n}") for n in range(50)]
    points = points_of(entry(encode(AlarmRecords(zone="unassigned", enterprise=None, records=records))))
    assert {p.tags["device"] for p in points} == {"unregistered"} and "enterprise" not in points[0].tags
    assert [p.fields["source_device"] for p in points] == [f"NEW-{n}" for n in range(50)]


def test_what_cant_be_read_is_bad_input_and_other_topics_are_nothing() -> None:
    with pytest.raises(BadInput):
        points_of(entry(b"garbage"))
    assert points_of(entry(b"garbage", "notices")) == []
