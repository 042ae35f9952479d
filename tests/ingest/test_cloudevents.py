"""CloudEvents in, reports out: what is taken as it stands, what is refused and where the error points."""

import base64
import json
from typing import Any

import pytest

from bus.codecs import encode
from hazards.admission import admit
from hazards.errors import MalformedMessage, TooLarge
from hazards.messages import Action
from ingest.cloudevents import LONGEST_MESSAGE, MAX_EVENT_BYTES, is_binary, parse, parse_binary

EXAMPLE: dict[str, Any] = {
    "specversion": "1.0", "id": "7c1b0f1e-9a51-4d0e-9a41-5b8f5f0a2f11", "source": "device/CAM-2", "type": "bihuan.alarm.raised",
    "time": "2026-11-22T10:15:30+08:00", "subject": "CAM-2", "datacontenttype": "application/json",
    "data": {"kind": "intrusion", "score": 0.91, "box": [412, 190, 60, 150], "message": "person in the waste depot"},
}  # fmt: skip


def event(**changes: Any) -> dict[str, Any]:
    """The example with attributes changed; MISSING takes one away; keys with data__ change its data."""
    made = {**EXAMPLE, "data": dict(EXAMPLE["data"])}
    for name, value in changes.items():
        target = made["data"] if name.startswith("data__") else made
        key = name.removeprefix("data__")
        if value is MISSING:
            target.pop(key, None)
        else:
            target[key] = value
    return made


MISSING = object()


def body(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def test_the_example_is_taken_as_it_stands() -> None:
    (report,) = parse(body(EXAMPLE), "application/cloudevents+json; charset=UTF-8")
    assert (report.source, report.source_id, report.device) == ("device/CAM-2", EXAMPLE["id"], "CAM-2")
    assert (report.kind, report.action, report.at) == ("intrusion", Action.RAISED, 1_795_313_730_000_000)
    assert (report.score, report.box, report.message, report.severity) == (0.91, (412, 190, 60, 150), "person in the waste depot", None)
    assert report.details == {} and report.snapshot is None


@pytest.mark.parametrize("content_type", ["application/cloudevents+json", "application/cloudevents-batch+json", "application/json", ""])
def test_one_and_many_are_taken_under_each_media_type(content_type: str) -> None:
    assert len(parse(body(EXAMPLE), content_type)) == 1
    assert [r.source_id for r in parse(body([event(id="b"), event(id="a")]), content_type)] == ["b", "a"]
    assert parse(b" [ ] ", content_type) == []


def test_the_three_types_are_the_three_actions() -> None:
    batch = [event(id=a, type=f"bihuan.alarm.{a}") for a in ("raised", "cleared", "pulse")]
    assert [r.action for r in parse(body(batch))] == [Action.RAISED, Action.CLEARED, Action.PULSE]


def test_an_id_that_repeats_in_a_batch_counts_once_and_only_for_its_source() -> None:
    batch = [event(id="a", data__score=0.1), event(id="a", data__score=0.9), event(id="a", source="device/CAM-3"), event(id="b")]
    assert [(r.source, r.source_id, r.score) for r in parse(body(batch))] == [
        ("device/CAM-2", "a", 0.1),
        ("device/CAM-3", "a", 0.91),
        ("device/CAM-2", "b", 0.91),
    ]


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z", None])
def test_no_time_that_is_a_time_is_refused_for_what_it_says(time: str | None) -> None:
    (report,) = parse(body(event(time=time)))
    assert (report.at is None) == (time is None)
    encode(admit(report, zone="depot", synthetic=False, received_at=1_795_313_730_000_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"data__kind": "something_new_2"},
        {"subject": "未登记的设备"},
        {"data__severity": 1},
        {"data__severity": None},
        {"data__score": 0},
        {"data__score": 1},
        {"data__box": [-1.5, 0, 0, 1e9]},
        {"data__message": "第一行\n第二行"},
        {"data__box": None},
        {"data__score": MISSING},
        {"datacontenttype": MISSING},
        {"dataschema": "https://example.org/s"},
        {"data__snapshot": "ab" * 32},
        {"traceparent": "00-1-2-01"},
    ],
)
def test_a_well_formed_alarm_is_never_refused(changes: dict[str, Any]) -> None:
    assert len(parse(body(event(**changes)))) == 1


def test_what_has_no_field_of_its_own_is_kept_in_details() -> None:
    odd = event(traceparent="00-1", channel="outer", severity="high", data__channel=3, data__sequence=7, data__snapshot="http://x/y.jpg")
    (report,) = parse(body(odd))
    assert report.details == {
        "traceparent": "00-1", "channel": 3, "ce_channel": "outer", "severity": "high", "snapshot": "http://x/y.jpg",
    }  # fmt: skip
    assert report.sequence == 7 and report.severity is None


def test_a_sender_without_subject_is_its_own_device() -> None:
    (named,) = parse(body(event(subject=MISSING, data__device="CAM-9")))
    (unnamed,) = parse(body(event(subject=None)))
    assert (named.device, unnamed.device, named.details) == ("CAM-9", "device/CAM-2", {})


def test_data_may_come_as_base64() -> None:
    (report,) = parse(body(event(data=MISSING, data_base64=base64.b64encode(body({"kind": "flame"})).decode())))
    assert report.kind == "flame"


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"id": MISSING}, "/id"),
    ({"id": ""}, "/id"),
    ({"id": 7}, "/id"),
    ({"id": None}, "/id"),
    ({"id": "a\x00b"}, "/id"),
    ({"id": "x" * 1025}, "/id"),
    ({"source": MISSING}, "/source"),
    ({"source": "a\nb"}, "/source"),
    ({"specversion": MISSING}, "/specversion"),
    ({"specversion": "0.3"}, "/specversion"),
    ({"specversion": 1.0}, "/specversion"),
    ({"type": MISSING}, "/type"),
    ({"type": "com.github.push"}, "/type"),
    ({"type": "bihuan.alarm.exploded"}, "/type"),
    ({"type": ["bihuan.alarm.raised"]}, "/type"),
    ({"subject": ""}, "/subject"),
    ({"subject": {"a": 1}}, "/subject"),
    ({"subject": "x" * 257}, "/subject"),
    ({"time": "yesterday"}, "/time"),
    ({"time": 1795313730}, "/time"),
    ({"time": "2026-11-22T10:15:30"}, "/time"),
    ({"time": ""}, "/time"),
    ({"data": MISSING}, "/data"),
    ({"data": None}, "/data"),
    ({"data": "flame"}, "/data"),
    ({"data": [1]}, "/data"),
    ({"data_base64": "eHg="}, "/data_base64"),
    ({"data": None, "data_base64": "!"}, "/data_base64"),
    ({"data": None, "data_base64": 1}, "/data_base64"),
    ({"data": None, "data_base64": "eHg="}, "/data_base64"),
    ({"data__kind": MISSING}, "/data/kind"),
    ({"data__kind": "Flame"}, "/data/kind"),
    ({"data__kind": "flame\n"}, "/data/kind"),
    ({"data__kind": "9lives"}, "/data/kind"),
    ({"data__kind": "f" * 65}, "/data/kind"),
    ({"data__kind": True}, "/data/kind"),
    ({"data__severity": 0}, "/data/severity"),
    ({"data__severity": 5}, "/data/severity"),
    ({"data__severity": True}, "/data/severity"),
    ({"data__severity": "1"}, "/data/severity"),
    ({"data__severity": 1.5}, "/data/severity"),
    ({"data__severity": [1]}, "/data/severity"),
    ({"data__score": -0.1}, "/data/score"),
    ({"data__score": 1.01}, "/data/score"),
    ({"data__score": True}, "/data/score"),
    ({"data__score": 10**30}, "/data/score"),
    ({"data__score": "0.5"}, "/data/score"),
    ({"data__box": [1, 2, 3]}, "/data/box"),
    ({"data__box": [1, 2, 3, 4, 5]}, "/data/box"),
    ({"data__box": "1,2,3,4"}, "/data/box"),
    ({"data__box": {"x": 1}}, "/data/box"),
    ({"data__box": [1, 2, "3", 4]}, "/data/box/2"),
    ({"data__box": [True, 2, 3, 4]}, "/data/box/0"),
    ({"data__box": [1, 2, 3, None]}, "/data/box/3"),
    ({"data__message": 5}, "/data/message"),
]


@pytest.mark.parametrize(("changes", "pointer"), MALFORMED, ids=[f"{n}-{p}" for n, (_, p) in enumerate(MALFORMED)])
def test_an_error_points_at_its_field(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MalformedMessage) as single:
        parse(body(event(**changes)))
    assert single.value.where == pointer and single.value.what
    with pytest.raises(MalformedMessage) as batch:
        parse(body([event(id="1"), event(id="2"), event(**changes), event(id="4")]))
    assert batch.value.where == f"/2{pointer}"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"null",
        b"1",
        b'"x"',
        b"{",
        b"[1]",
        b"[[]]",
        b"{}{}",
        b"not json",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b"<Notify/>",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=range(22),
)
def test_what_is_no_event_is_malformed(text: bytes) -> None:
    with pytest.raises((MalformedMessage, TooLarge)):
        parse(text, "application/json")


def test_a_foreign_media_type_or_charset_is_named() -> None:
    for content_type in ("text/xml", "application/cloudevents+avro", "application/json; charset=gb18030"):
        with pytest.raises(MalformedMessage, match="not taken here"):
            parse(body(EXAMPLE), content_type)


def test_a_byte_order_mark_is_tolerated() -> None:
    assert len(parse(b"\xef\xbb\xbf" + body(EXAMPLE))) == 1


def test_numbers_beyond_64_bits_are_kept_as_doubles_and_beyond_those_refused() -> None:
    (report,) = parse(body(event(data__serial=2**80, data__list=[{"n": -(2**70)}])))
    assert report.details == {"serial": float(2**80), "list": [{"n": float(-(2**70))}]}
    encode(admit(report, zone="depot", synthetic=False, received_at=0))
    text = body(event(data__serial="HERE")).replace(b'"HERE"', b"1" + b"0" * 310)
    with pytest.raises(MalformedMessage):
        parse(text)


def test_deep_nesting_points_at_its_place() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"a/b": deep}
    with pytest.raises(MalformedMessage) as e:
        parse(body([event(data__deep=deep)]))
    assert e.value.where.startswith("/0/data/deep/a~1b/a~1b")


def test_batches_and_events_over_their_bounds_are_too_large() -> None:
    with pytest.raises(TooLarge):
        parse(body([event(id=str(n)) for n in range(1001)]))
    assert len(parse(body([event(id=str(n)) for n in range(1000)]))) == 1000
    with pytest.raises(TooLarge) as big:
        parse(body([EXAMPLE, event(id="2", data__message="x" * MAX_EVENT_BYTES)]))
    assert big.value.where == "/1"


def test_binary_mode_says_the_same_as_structured_mode() -> None:
    headers = {f"CE-{name}": value for name, value in EXAMPLE.items() if name not in {"data", "datacontenttype"}}
    headers |= {"ce-zone": "%E7%86%94%E9%93%B8", "ce-note": '"a \\"b\\""', "content-type": "application/json"}
    assert is_binary(headers) and not is_binary({"content-type": "application/json"})
    (binary,) = parse_binary(headers, body(EXAMPLE["data"]))
    (structured,) = parse(body(event(zone="熔铸", note='a "b"')))
    assert binary == structured
    with pytest.raises(MalformedMessage) as e:
        parse_binary(headers, b'{"kind": 5}')
    assert e.value.where == "/data/kind"
    with pytest.raises(MalformedMessage) as e:
        parse_binary({**headers, "ce-id": ""}, body(EXAMPLE["data"]))
    assert e.value.where == "/id"


def test_the_sources_of_the_platforms_rules_are_nobody_elses() -> None:
    with pytest.raises(MalformedMessage, match="the platform's own") as refused:
        parse(body(event(source="rule/methane_high", id="M-B/methane/rule:methane_high/1795313730000000/raised")))
    assert refused.value.where == "/source"


def test_a_long_message_is_cut_and_costs_no_alarm() -> None:
    (report,) = parse(body(event(data__message="火" * 60_000)))
    assert len(report.message) == LONGEST_MESSAGE and report.message.endswith("火…")
