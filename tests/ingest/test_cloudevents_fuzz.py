"""CloudEvents, with anything at all sent: a report that can be stored and read again, or one of our errors."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bus.codecs import decode, encode
from hazards.admission import admit
from hazards.errors import BihuanError, MalformedMessage, TooLarge
from hazards.messages import Signal
from ingest.cloudevents import parse, parse_binary
from tests.ingest.test_cloudevents import EXAMPLE, MISSING, event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        *EXAMPLE,
        "data_base64",
        "traceparent",
        "data__kind",
        "data__severity",
        "data__score",
        "data__box",
        "data__message",
        "data__snapshot",
        "data__sequence",
        "data__device",
    ]
)


@given(st.dictionaries(FIELDS, JSON | st.just(MISSING), max_size=4))
@example({"data__severity": 2.0})
def test_whatever_is_taken_can_be_stored_and_read_again(changes: dict[str, Any]) -> None:
    data = changes.pop("data", None)
    made = event(**changes)
    if data is not None and data is not MISSING:
        made["data"] = data
    try:
        reports = parse(json.dumps(made).encode())
    except BihuanError as e:
        assert isinstance(e, MalformedMessage | TooLarge)
        return
    for report in reports:
        signal = admit(report, zone="depot", synthetic=False, received_at=1_795_313_730_000_000)
        assert decode(Signal, encode(signal)) == signal


@given(st.binary(max_size=300) | JSON.map(lambda v: json.dumps(v).encode()), st.sampled_from(["", "application/json"]) | st.text())
def test_any_bytes_are_reports_or_one_of_our_errors(data: bytes, content_type: str) -> None:
    try:
        parse(data, content_type)
    except BihuanError:
        pass


@given(
    st.dictionaries(st.sampled_from(["ce-id", "ce-source", "ce-specversion", "ce-type", "Ce-Time", "ce-x", "x"]), st.text(st.characters())),
    st.binary(max_size=50),
)
def test_any_headers_are_a_report_or_one_of_our_errors(headers: dict[str, str], data: bytes) -> None:
    try:
        parse_binary({"ce-specversion": "1.0", "ce-type": "bihuan.alarm.pulse"} | headers, data)
    except BihuanError:
        pass
