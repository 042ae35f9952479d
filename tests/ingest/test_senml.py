"""SenML: RFC 8428 by its own examples, against a plain resolver, and against bodies that are none."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hazards.errors import BihuanError, MalformedMessage, TooLarge, UnknownSchema
from ingest import senml

NOW = 1_795_340_000_000_000


def parse(*records: dict[str, Any], now: int = NOW) -> list[tuple[str, str, int, float]]:
    """(name, unit, time in µs, value) of a pack."""
    found = senml.parse(json.dumps(records).encode(), now=now)
    return list(zip(found.name, found.unit, found.at, found.value, strict=True))


def test_one_record_without_time_is_of_now() -> None:
    """RFC 8428, 5.1.1."""
    assert parse({"n": "urn:dev:ow:10e2073a01080063", "u": "Cel", "v": 23.1}) == [("urn:dev:ow:10e2073a01080063", "Cel", NOW, 23.1)]


def test_base_values_apply_until_they_are_replaced() -> None:
    """RFC 8428, 5.1.3, with a second base."""
    assert parse(
        {"bn": "urn:dev:ow:10e2073a0108006:", "bt": 1.276020076e9, "bu": "A", "bver": 5, "n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "t": -5, "v": 1.2},
        {"bn": "other/", "bu": "W", "bt": 1.4e9, "n": "power", "t": 0.25, "v": 1.4},
    ) == [
        ("urn:dev:ow:10e2073a0108006:voltage", "V", 1_276_020_076_000_000, 120.1),
        ("urn:dev:ow:10e2073a0108006:current", "A", 1_276_020_071_000_000, 1.2),
        ("other/power", "W", 1_400_000_000_250_000, 1.4),
    ]


@pytest.mark.parametrize(
    ("bt", "t", "at"),
    [
        (None, None, NOW), (None, 0, NOW), (None, -2.5, NOW - 2_500_000), (-10, 3, NOW - 7_000_000),
        (0, 2**28 - 1, NOW + (2**28 - 1) * 1_000_000), (2**28, 0, 2**28 * 1_000_000), (1.5e9, -0.000001, 1_499_999_999_999_999),
        (2**28, -1, NOW + (2**28 - 1) * 1_000_000),  # it is the sum that is relative or not
    ],
)  # fmt: skip
def test_a_time_below_2_to_the_28_is_relative_to_now(bt: float | None, t: float | None, at: int) -> None:
    record = {"n": "a/b", "v": 1} | ({} if bt is None else {"bt": bt}) | ({} if t is None else {"t": t})
    assert parse(record)[0][2] == at


def test_base_values_and_sums_are_added_and_a_missing_one_counts_as_zero() -> None:
    records = [
        {"bn": "m/", "bv": 20, "n": "a", "v": 1.5}, {"n": "b"}, {"n": "c", "s": 7}, {"bs": 100, "n": "d", "s": 1}, {"n": "e", "v": 0},
    ]  # fmt: skip
    assert [(name, value) for name, _, _, value in parse(*records)] == [
        ("m/a", 21.5), ("m/b", 20.0), ("m/c.sum", 7.0), ("m/d.sum", 101.0), ("m/e", 20.0), ("m/e.sum", 100.0),
    ]  # fmt: skip


def test_a_truth_value_is_1_or_0_and_texts_and_data_are_named_as_ignored() -> None:
    body = [
        {"bn": "d/", "n": "open", "vb": True},
        {"n": "shut", "vb": False},
        {"n": "label", "vs": "Schlüssel"},
        {"n": "nfc", "vd": "aGkgCg"},
    ]
    found = senml.parse(json.dumps(body).encode(), now=NOW)
    assert (found.name, found.value, found.ignored) == (["d/open", "d/shut"], [1.0, 0.0], ["/2/vs", "/3/vd"])


def test_a_record_of_base_fields_alone_and_labels_nobody_knows_are_no_fault() -> None:
    assert parse({"bn": "d/", "bt": 1.5e9}, {"n": "a", "v": 1, "note": {"deep": [1]}, "x_y": 1}) == [
        ("d/a", "", 1_500_000_000_000_000, 1.0)
    ]


BAD: dict[str, tuple[bytes, str]] = {
    "not even JSON": (b"<sensml/>", ""),
    "cut off": (b'[{"n":"a/b","v":1}', ""),
    "no array": (b'{"n":"a/b","v":1}', ""),
    "an array of numbers": (b"[1]", "/0"),
    "no record": (b"[]", ""),
    "an empty record": (b"[{}]", "/0"),
    "null": (b'[{"n":"a/b","v":null}]', "/0/v"),
    "a truth as number": (b'[{"n":"a/b","v":true}]', "/0/v"),
    "a number as truth": (b'[{"n":"a/b","vb":1}]', "/0/vb"),
    "a name of a number": (b'[{"n":5,"v":1}]', "/0/n"),
    "a list as time": (b'[{"n":"a/b","v":1},{"n":"a/b","v":1,"t":[]}]', "/1/t"),
    "NaN": (b'[{"n":"a/b","v":NaN}]', ""),
    "Infinity": (b'[{"n":"a/b","v":Infinity}]', ""),
    "an exponent beyond all numbers": (b'[{"n":"a/b","v":1e400}]', "/0/v"),
    "as many digits": (b'[{"n":"a/b","v":' + b"9" * 400 + b"}]", "/0/v"),
    "a base value that overflows": (b'[{"bv":1.7e308,"n":"a/b","v":1.7e308}]', "/0/v"),
    "a base sum that overflows": (b'[{"bs":1.7e308,"n":"a/b","s":1.7e308}]', "/0/s"),
    "a time beyond time": (b'[{"n":"a/b","v":1,"t":1e300}]', "/0/t"),
    "a base time beyond time": (b'[{"bt":-1e300,"n":"a/b","v":1}]', "/0/bt"),
    "two values": (b'[{"n":"a/b","v":1,"vb":true}]', "/0"),
    "two other values": (b'[{"n":"a/b","vs":"x","vd":"eA"}]', "/0"),
    "no value": (b'[{"n":"a/b","t":1}]', "/0"),
    "no name": (b'[{"v":1}]', "/0/bn"),
    "a name with a space": (b'[{"n":"a b","v":1}]', "/0/n"),
    "a name with a NUL": (b'[{"n":"a\\u0000","v":1}]', "/0/n"),
    "a name of another alphabet": ('[{"n":"温度","v":1}]'.encode(), "/0/n"),
    "a name that begins with a slash": (b'[{"bn":"/x","n":"a","v":1}]', "/0/n"),
    "a name without end": (b'[{"n":"' + b"a" * 300 + b'","v":1}]', "/0/n"),
    "half a surrogate pair": (b'[{"n":"\\ud800","v":1}]', ""),
    "a label to be understood": (b'[{"n":"a/b","v":1},{"n":"a/b","v":1,"sig_":1}]', "/1/sig_"),
    "one hidden by an escape": (b'[{"n":"a/b","v":1,"sig\\u005F" :1}]', "/0/sig_"),
    "two versions": (b'[{"bver":10,"n":"a/b","v":1},{"bver":9,"n":"a/b","v":1}]', "/1/bver"),
    "nested without end": (b'[{"n":"a/b","v":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", ""),
    "nested without end at the top": (b"[" * 100_000, "/0"),
    "not UTF-8": (b'[{"n":"\xff","v":1}]', ""),
    "UTF-16": ('[{"n":"a/b","v":1}]'.encode("utf-16"), ""),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_is_no_senml_is_named_at_its_place(name: str) -> None:
    body, place = BAD[name]
    with pytest.raises(MalformedMessage) as caught:
        senml.parse(body, now=NOW)
    assert caught.value.where == place, caught.value


def test_a_newer_version_is_told_from_nonsense() -> None:
    with pytest.raises(UnknownSchema) as caught:
        parse({"bver": 11, "n": "a/b", "v": 1})
    assert caught.value.where == "/0/bver"
    assert parse({"bver": 26, "n": "a/b", "v": 1}), "RFC 9100: 10 and the secondary units"


def test_the_number_of_records_is_bounded_before_memory_is_taken() -> None:
    body = b"[" + b",".join([b"{}"] * 2_000_000) + b"]"
    began = time.thread_time()  # of the processor: others may be at work
    with pytest.raises(TooLarge):
        senml.parse(body, now=NOW)
    assert time.thread_time() - began < 0.5
    assert len(senml.parse(json.dumps([{"n": "a/b", "v": 1}] * senml.MAX_RECORDS).encode(), now=NOW)) == senml.MAX_RECORDS


@settings(max_examples=300)
@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        lambda v: json.dumps(v).encode()
    )
)
def test_no_body_raises_anything_but_an_error_of_ours(body: bytes) -> None:
    try:
        senml.parse(body, now=NOW)
    except BihuanError as e:
        assert e.what


# --- against a plain resolver, written from RFC 8428 section 4.6 alone ---


def reference(records: list[dict[str, Any]]) -> list[tuple[str, str, int, float]]:
    base: dict[str, Any] = {}
    out = []
    for record in records:
        base |= {k: v for k, v in record.items() if k in ("bn", "bt", "bu", "bv", "bs")}
        own = {k: v for k, v in record.items() if k not in ("bn", "bt", "bu", "bv", "bs", "bver")}
        if not own:
            continue
        seconds = float(base.get("bt", 0.0)) + own.get("t", 0.0) if "t" in own else float(base.get("bt", 0.0))
        at = round(seconds * 1e6) + (NOW if seconds < 2**28 else 0)
        name, unit = base.get("bn", "") + own.get("n", ""), own.get("u", base.get("bu", ""))
        if "v" in own:
            out.append((name, unit, at, own["v"] + base["bv"] if "bv" in base else own["v"]))
        elif "vb" in own:
            out.append((name, unit, at, 1.0 if own["vb"] else 0.0))
        elif "bv" in base and "s" not in own and "vs" not in own:
            out.append((name, unit, at, base["bv"]))
        if "s" in own or "bs" in base:
            out.append((name + ".sum", unit, at, own.get("s", 0.0) + base.get("bs", 0.0)))
    return out


_numbers = st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9).map(float)
_names = st.text("abcXYZ019-:./_", min_size=1, max_size=8)
_base = st.fixed_dictionaries(
    {},
    optional={
        "bn": _names.map(lambda n: "d" + n + "/"),
        "bt": st.floats(-1000, 2e9),
        "bu": st.sampled_from(["Cel", "%", "kPa"]),
        "bv": _numbers,
        "bs": _numbers,
        "bver": st.just(10),
    },
)
_value = st.one_of(
    st.fixed_dictionaries({"v": _numbers}, optional={"s": _numbers}),
    st.fixed_dictionaries({"vb": st.booleans()}),
    st.fixed_dictionaries({"s": _numbers}),
    st.fixed_dictionaries({"vs": st.text(max_size=5)}),
)
_own = st.builds(
    lambda n, v, rest: {"n": n} | v | rest,
    _names,
    _value,
    st.fixed_dictionaries({}, optional={"u": st.sampled_from(["V", "/"]), "t": st.floats(-1000, 1000), "ut": st.just(5.0)}),
)
_records = st.lists(st.builds(lambda base, own: base | own, _base, _own | st.just({})), min_size=1, max_size=12).map(
    lambda records: [{"bn": "dev/", **records[0]}, *[r for r in records[1:] if r]]
)


@settings(max_examples=300)
@given(_records)
def test_a_pack_resolves_as_the_plain_resolver_says(records: list[dict[str, Any]]) -> None:
    expected = reference(records)
    found = parse(*records)
    assert [f[:3] for f in found] == [e[:3] for e in expected]
    assert all(math.isclose(f[3], e[3], rel_tol=0, abs_tol=0) for f, e in zip(found, expected, strict=True))
