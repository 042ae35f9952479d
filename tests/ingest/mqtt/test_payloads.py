"""Payloads of MQTT messages: what each format reads, and that nothing but an error of ours comes out of nonsense."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazards.errors import BihuanError, MalformedMessage, TooLarge
from ingest.measurements import Measurements
from ingest.mqtt.letters import BURST, EVERY, MAX_BYTES, MAX_WAITING, LetterBox
from ingest.mqtt.payloads import MAX_PAYLOAD, decode
from ingest.mqtt.settings import FORMATS, MqttSettings, Subscription, settings_of

NOW = 1_795_340_000_000_000


def read(payload: bytes, row: Subscription, **said: str) -> list[tuple[str, str, int, float]]:
    found: Measurements = decode(row, said, payload, now=NOW)
    return list(zip(found.name, found.unit, found.at, found.value, strict=True))


@pytest.mark.parametrize(
    ("payload", "value"), [(b"58.4", 58.4), (b" -7\n", -7), (b"+1e3", 1000), (b".5", 0.5), (b"5.", 5), (b"true", 1), (b"OFF", 0)]
)
def test_a_plain_value(payload: bytes, value: float) -> None:
    row = Subscription("x", "plain", unit="Cel")
    assert read(payload, row, device="T-1", metric="temperature", zone="z") == [("T-1/temperature", "Cel", NOW, value)]


@pytest.mark.parametrize(
    "payload", [b"", b"  ", b"NaN", b"inf", b"-Infinity", b"1e999", b"0x10", b"1_000", b"1,5", b"58 Cel", b"\xff", b"9" * 65, "１".encode()]
)
def test_what_is_no_plain_value(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read(payload, Subscription("x", "plain"), device="T-1", metric="temperature")


def test_a_json_object_of_metrics_with_a_time_and_a_unit() -> None:
    row = Subscription("x", "json", device="T-1")
    body = b'{"temperature": 21.5, "humidity": 40, "open": true, "note": "ok", "time": "2026-11-22T10:00:00+08:00", "nested": {"a": 1}}'
    found = decode(row, {}, body, now=NOW)
    assert list(zip(found.name, found.value, strict=True)) == [("T-1/temperature", 21.5), ("T-1/humidity", 40.0), ("T-1/open", 1.0)]
    assert set(found.at) == {1_795_312_800_000_000} and found.ignored == ["/note", "/nested"]
    assert [found.pointer(n, "v") for n in found.record] == ["/temperature", "/humidity", "/open"]


@pytest.mark.parametrize(
    ("time", "at"), [(1_795_340_000, NOW), (1_795_340_000.5, NOW + 500_000), (1_795_340_000_000, NOW), (None, NOW), (0, 0)]
)
def test_a_time_in_seconds_or_milliseconds(time: float | None, at: int) -> None:
    assert read(json.dumps({"v": 1, "time": time}).encode(), Subscription("x", "json"), device="d")[0][2] == at


@pytest.mark.parametrize("time", ["yesterday", True, [], -1, 1e30])
def test_what_is_no_time_is_named(time: Any) -> None:
    with pytest.raises(MalformedMessage) as caught:
        read(json.dumps({"v": 1, "time": time}).encode(), Subscription("x", "json"), device="d")
    assert caught.value.where == "/time"


def test_the_fields_of_a_row_choose_and_rename() -> None:
    row = Subscription("x", "json", unit="Cel", fields={"temp": "temperature", "bat": "battery"}, time_field="ts", unit_field="u")
    assert read(b'{"temp": 1, "rssi": -70, "bat": 3.1, "seq": 7, "ts": 1795340000, "u": "K"}', row, device="d") == [
        ("d/temperature", "K", NOW, 1.0), ("d/battery", "K", NOW, 3.1),
    ]  # fmt: skip


def test_an_object_about_the_metric_of_its_topic() -> None:
    row = Subscription("x", "json", value_field="val")
    assert read(b'{"val": 3, "unit": "kPa", "other": 5}', row, device="d", metric="pressure") == [("d/pressure", "kPa", NOW, 3.0)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"5",
        b'"x"',
        b"null",
        b"{}",
        b'{"note": "x"}',
        b'{"v": NaN}',
        b'{"v": 1e999}',
        b'{"a b": 1}',
        b'{"a/b": 1}',
        b'{"v": 1, "unit": 5}',
        b"[" * 50_000,
    ],
)
def test_what_is_no_json_object_of_numbers(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read(body, Subscription("x", "json"), device="d")


def test_senml_may_leave_the_device_to_the_topic_and_not_name_another() -> None:
    row = Subscription("x", "senml")
    body = b'[{"n": "temperature", "v": 1}, {"n": "T-1/level", "v": 2}]'
    assert [r[0] for r in read(body, row, device="T-1")] == ["T-1/temperature", "T-1/level"]
    with pytest.raises(MalformedMessage) as caught:
        read(b'[{"n": "temperature", "v": 1}, {"n": "T-2/level", "v": 2}]', row, device="T-1")
    assert caught.value.where == "/1/n"


@pytest.mark.parametrize(
    "said",
    [
        {"device": "a b", "metric": "m"},
        {"device": "d" * 129, "metric": "m"},
        {"device": "d", "metric": "m\n"},
        {"metric": "m"},
        {"device": "d"},
    ],
)
def test_a_topic_that_names_no_device_or_metric(said: dict[str, str]) -> None:
    with pytest.raises(MalformedMessage):
        read(b"1", Subscription("x", "plain"), **said)


def test_a_payload_over_the_bound_is_not_read() -> None:
    with pytest.raises(TooLarge):
        read(b"1" * (MAX_PAYLOAD + 1), Subscription("x", "plain"), device="d", metric="m")


_objects = st.dictionaries(st.text(), st.none() | st.booleans() | st.floats() | st.text()).map(lambda d: json.dumps(d).encode())
_said = st.dictionaries(st.sampled_from(["device", "metric"]), st.text(min_size=1, max_size=5))


@given(payload=st.binary(max_size=200) | st.text().map(str.encode) | _objects, form=st.sampled_from(FORMATS), said=_said)
def test_no_payload_raises_anything_but_an_error_of_ours(payload: bytes, form: str, said: dict[str, str]) -> None:
    try:
        found = decode(Subscription("x", form), said, payload, now=NOW)
    except BihuanError as e:
        assert e.what
    else:
        assert all("/" in name for name in found.name) or form == "senml"


# --- what is put aside ---


def test_a_flood_keeps_a_burst_and_then_one_a_minute_with_the_count_of_the_others() -> None:
    box = LetterBox()
    kept = [box.put("row", "t", b"%d" % n, "no number", now=NOW + n) for n in range(1000)]
    assert sum(kept) == BURST == len(box.waiting)
    assert box.put("other row", "t", b"x", "no number", now=NOW + 1000)
    assert box.put("row", "t", b"y", "no number", now=NOW + 1000 + EVERY)
    assert box.waiting[-1].reason == f"no number; {1000 - BURST} more were refused since the last that was kept"
    assert not box.put("row", "t", b"z", "no number", now=NOW + 1001 + EVERY)


def test_a_letter_is_the_same_however_often_it_comes_and_holds_a_bounded_payload() -> None:
    box = LetterBox()
    box.put("row", "t\0", b"x" * (MAX_BYTES + 5), "too large", now=NOW)
    box.put("row", "t\0", b"x" * (MAX_BYTES + 5), "too large", now=NOW + 5)
    first, again = box.waiting
    assert (
        first.id == again.id and len(first.payload) == MAX_BYTES and "\0" not in first.topic and f"of {MAX_BYTES + 5} bytes" in first.reason
    )


def test_letters_that_wait_for_sql_are_bounded() -> None:
    box = LetterBox()
    for n in range(3 * MAX_WAITING):
        box.put(f"row {n}", "t", b"x", "r", now=NOW)
    assert len(box.waiting) == MAX_WAITING


# --- the section as it is kept ---


def test_the_kept_section_is_read_with_its_defaults() -> None:
    found = settings_of(
        {"mqtt": {"url": "mqtt://h", "protocol": 5, "later": 1, "subscriptions": [{"topic": "a/{device}", "format": "json"}]}}
    )
    assert found == MqttSettings(url="mqtt://h", protocol=5, subscriptions=[Subscription("a/{device}", "json")]) and found.is_5
    assert not MqttSettings(url="", subscriptions=[], protocol="3.1.1").is_5


def _section(**row: Any) -> dict[str, Any]:
    return {"url": "mqtt://h", "subscriptions": [{"topic": "a/{device}", "format": "json", **row}]}


@pytest.mark.parametrize(
    "section",
    [
        None, 5, {}, {"url": "mqtt://h"}, {"url": "mqtt://h", "subscriptions": []}, _section(topic="a/#/b"), _section(format="xml"),
        _section(qos=2), _section(fields=["a"]),
    ],
)  # fmt: skip
def test_a_section_that_can_not_be_used_is_like_none(section: Any) -> None:
    assert settings_of({"mqtt": section}) is None
