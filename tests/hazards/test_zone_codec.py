"""A zone's state by versions: an upgrade and two versions side by side lose nothing."""

import base64
from typing import Any

import msgspec
import pytest

from hazards.errors import MalformedMessage, UnknownSchema
from hazards.merging import merge, wake
from hazards.surroundings import Surroundings
from hazards.zone_codec import SCHEMA, decode_state, encode_state
from hazards.zone_state import ZoneState
from tests.hazards.signals import NOON, SECOND, signal

FIRST = base64.b64decode(
    "gqZhbGFybXODq0NBTS0xIGZsYW1lhaZkZXZpY2WlQ0FNLTGka2luZKVmbGFtZaVwaGFzZahzdGFuZGluZ6dsYXN0X2F0zwAGYOgjOtAArWxhc3"
    "RfcmVjZWl2ZWTPAAZg6CM60ACrQ0FNLTIgc21va2WFpmRldmljZaVDQU0tMqRraW5kpXNtb2tlpXBoYXNlp2xhdGNoZWSnbGFzdF9hdM8ABmDo"
    "I2iWwK1sYXN0X3JlY2VpdmVkzwAGYOgjaJbAr0NBTS0xIGludHJ1c2lvboSmZGV2aWNlpUNBTS0xpGtpbmSpaW50cnVzaW9up2xhc3RfYXTPAA"
    "Zg6CPEJECtbGFzdF9yZWNlaXZlZM8ABmDoI8QkQKlpbmNpZGVudHOCpGZpcmXeABCiaWTZJDhhMjg5MzA0LTViOWUtNTI2ZC1hMGNiLTMwNGY0"
    "MDcyMjgxZaZmYW1pbHmkZmlyZalvcGVuZWRfYXTPAAZg6CM60AClc3RhdGWmYWN0aXZlqHNldmVyaXR5Aqp1cGRhdGVkX2F0zwAGYOgjaJbApn"
    "JlYXNvbqdsYXRjaGVkpWtpbmRzkqVmbGFtZaVzbW9rZadkZXZpY2VzkqVDQU0tMaVDQU0tMqdwcmVzZW50kqtDQU0tMSBmbGFtZatDQU0tMiBz"
    "bW9rZaVjb3VudAOpcmFpc2VkX2F0zwAGYOgjOtAAq2FubnVuY2lhdGVkw6ljZXJ0YWludHmmbGlrZWx5rWNvcnJvYm9yYXRpb26GpHJ1bGWkZm"
    "lyZaViYXNpc7BwbGF0Zm9ybV9kZWZhdWx0pW5lZWRzp2RldmljZXOpY2VydGFpbnR5pmxpa2VseaR0ZXh0gqJ6aNkh5ZCM57G75p2l5rqQ55qE"
    "5Lik5Y+w6K6+5aSH5LiA6Ie0omVu2St0d28gZGV2aWNlcyB3aXRoIG9uZSBraW5kIG9mIGV2aWRlbmNlIGFncmVlp3NvdXJjZXOShKZkZXZpY2"
    "WlQ0FNLTGka2luZKVmbGFtZahtb2RhbGl0eaVvdGhlcqJhdM8ABmDoIzrQAISmZGV2aWNlpUNBTS0ypGtpbmSlc21va2WobW9kYWxpdHmlb3Ro"
    "ZXKiYXTPAAZg6CNKEkCnc291cmNlc5KEpmRldmljZaVDQU0tMaRraW5kpWZsYW1lqG1vZGFsaXR5pW90aGVyomF0zwAGYOgjOtAAhKZkZXZpY2"
    "WlQ0FNLTKka2luZKVzbW9rZahtb2RhbGl0eaVvdGhlcqJhdM8ABmDoI0oSQKZhY2Nlc3PeAA6iaWTZJGY1ODBmYjM2LTAyYzgtNTQxMS1hNzdl"
    "LTJhZjQ3ZTgxYTg1M6ZmYW1pbHmmYWNjZXNzqW9wZW5lZF9hdM8ABmDoI3fZAKVzdGF0ZadjbGVhcmVkqHNldmVyaXR5Aqp1cGRhdGVkX2F0zw"
    "AGYOgjxCRApnJlYXNvbqVlbmRlZKVraW5kc5GpaW50cnVzaW9up2RldmljZXORpUNBTS0xpWNvdW50AqlyYWlzZWRfYXTPAAZg6CN32QCqY2xl"
    "YXJlZF9hdM8ABmDoI8QkQKthbm51bmNpYXRlZMOnc291cmNlc5GEpmRldmljZaVDQU0tMaRraW5kqWludHJ1c2lvbqhtb2RhbGl0eaVvdGhlcq"
    "JhdM8ABmDoI3fZAA=="
)
"""Written by the version before schemas: a fire of two cameras, one that latches, an intruder who has left."""


def test_a_state_of_the_first_schema_is_read_and_its_alarms_stand_towards_people() -> None:
    state = decode_state(FIRST)
    assert {key: (a.phase.value, a.state.value, a.group) for key, a in state.alarms.items() if a.group} == {
        "CAM-1 flame": ("standing", "unacknowledged", "fire"), "CAM-2 smoke": ("latched", "latched", "fire"),
    }  # fmt: skip
    before = {group: incident.id for group, incident in state.incidents.items()}
    merged = merge(state, [signal(9, kind="temperature_high", device="T-1", at=30), signal(10, "cleared", at=31)], Surroundings("smelter"))
    assert {d.incident for d in merged.decisions} == {before["fire"]}, "the incident goes on"
    assert decode_state(encode_state(state)) == state
    then = wake(state, NOON + 32 * SECOND, Surroundings("smelter", acknowledged=(before["fire"],)))
    assert set(then.alarms) >= {"CAM-1 flame", "CAM-2 smoke"}, "what an older version did not tell of is told"
    assert state.alarms["CAM-2 smoke"].state.value == "normal", "and an acknowledgement lets the latch go"


def test_a_worker_carries_along_what_a_newer_one_has_put_beside_the_state() -> None:
    state = ZoneState()
    merge(state, [signal(1)], Surroundings("smelter"))
    schema, fields = msgspec.msgpack.decode(encode_state(state))
    newer = msgspec.msgpack.encode((schema, fields | {"weather": {"wind": [3, 7]}, "crew": "B"}))
    older = decode_state(newer)
    merge(older, [signal(2, kind="intrusion", at=1)], Surroundings("smelter"))
    wake(older, NOON + SECOND, Surroundings("smelter"))
    _, written = msgspec.msgpack.decode(encode_state(older))
    assert (written["weather"], written["crew"], set(written["incidents"])) == ({"wind": [3, 7]}, "B", {"fire", "access"})
    assert "unknown" not in written and decode_state(encode_state(older)) == older


def test_a_schema_of_the_future_is_left_alone() -> None:
    with pytest.raises(UnknownSchema, match=f"schema {SCHEMA + 1}, this worker knows {SCHEMA}"):
        decode_state(msgspec.msgpack.encode((SCHEMA + 1, {"anything": "at all"})))


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x92\x02", b"\x91\x02", b"\x92\xa1x\x80", b"\x92\x02\x81\xa6alarms\x05", b"\x80\x80"])
def test_nonsense_is_said_to_be_nonsense(body: Any) -> None:
    with pytest.raises(MalformedMessage):
        decode_state(body)
