"""Codecs: everything comes back as it went, and what is foreign is told apart from what is newer."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.codecs import SCHEMAS, SignalPack, decode, encode
from hazards.errors import BihuanError, MalformedMessage, UnknownSchema
from hazards.messages import Action, Clock, IncidentMessage, IncidentState, Signal
from hazards.telemetry import TelemetryPack

TIMES = st.integers(-(2**53), 2**53)
WORDS = st.text(max_size=20)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | WORDS
DETAILS = st.dictionaries(WORDS, PLAIN, max_size=3)
SIGNALS = st.builds(
    Signal, id=WORDS, source=WORDS, source_id=WORDS, device=WORDS, zone=WORDS, kind=WORDS, action=st.sampled_from(Action), at=TIMES,
    received_at=TIMES, clock=st.sampled_from(Clock), sent_at=st.none() | TIMES, severity=st.none() | st.integers(1, 4),
    score=st.none() | st.floats(0, 1), box=st.none() | st.tuples(*[st.floats(0, 5000)] * 4), message=WORDS, snapshot=st.none() | WORDS,
    synthetic=st.booleans(), details=DETAILS,
)  # fmt: skip
INCIDENTS = st.builds(
    IncidentMessage, id=WORDS, zone=WORDS, family=WORDS, kinds=st.lists(WORDS, max_size=3), devices=st.lists(WORDS, max_size=3),
    state=st.sampled_from(IncidentState), severity=st.integers(1, 4), opened_at=TIMES, updated_at=TIMES, version=st.integers(1, 9),
    alarm_count=st.integers(1, 9), reason=WORDS, acknowledged_by=st.none() | WORDS, shelved_until=st.none() | TIMES,
)  # fmt: skip
MESSAGES = st.one_of(SIGNALS, INCIDENTS, st.builds(SignalPack, zone=WORDS, signals=st.lists(SIGNALS, max_size=4)))


@given(MESSAGES)
@settings(max_examples=300)
def test_everything_comes_back_as_it_went(message: Any) -> None:
    assert decode(type(message), encode(message)) == message


@given(st.binary(max_size=300), st.sampled_from(sorted(SCHEMAS, key=str)))
def test_nonsense_is_malformed_and_never_anything_else(data: bytes, kind: Any) -> None:
    with pytest.raises(BihuanError):
        decode(kind, data)


@given(MESSAGES, st.data())
@settings(deadline=None)
def test_half_a_message_is_malformed(message: Any, data: st.DataObject) -> None:
    whole = encode(message)
    with pytest.raises(MalformedMessage):
        decode(type(message), whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_a_newer_major_version_is_parked_and_another_message_is_malformed() -> None:
    with pytest.raises(UnknownSchema, match="incident/2"):
        decode(IncidentMessage, msgspec.msgpack.encode(("incident/2", {})))
    with pytest.raises(MalformedMessage, match="'signal/1' message"):
        decode(IncidentMessage, msgspec.msgpack.encode(("signal/1", {})))


def test_a_field_that_a_newer_build_added_is_passed_over() -> None:
    pack = {"zone": "z", "signals": [], "added_later": 1}
    assert decode(SignalPack, msgspec.msgpack.encode(("signals/1", pack))) == SignalPack("z", [])


@pytest.mark.parametrize("kind", [SignalPack, TelemetryPack])
def test_what_is_nested_too_deeply_is_malformed_and_nothing_worse(kind: type[SignalPack | TelemetryPack]) -> None:
    deep = b"\x91" * 100_000 + b"\xc0"
    for value in (deep, b"\x92\xa9signals/1" + deep, b"\x92\xabtelemetry/1" + deep):
        with pytest.raises(MalformedMessage):
            decode(kind, value)
