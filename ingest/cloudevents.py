"""CloudEvents 1.0 (JSON, batch, HTTP binary mode) to reports. Sans-I/O: bytes in, typed reports or one clear error out.

A batch is taken whole or not at all; an error names its field by JSON pointer (RFC 6901). What is well formed is never
refused for what it says: an unknown device, kind or time is the admission's business (architecture 3.9).
What must not go in: HTTP, roles, the journal, the site.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from hazards.admission import Report
from hazards.errors import MalformedMessage, TooLarge
from hazards.kinds import KIND_PATTERN
from hazards.messages import Action
from ingest.media_type import check_media_type
from ingest.rfc3339 import parse_time

TYPES = {"bihuan.alarm.raised": Action.RAISED, "bihuan.alarm.cleared": Action.CLEARED, "bihuan.alarm.pulse": Action.PULSE}
MEDIA_TYPES = ("application/cloudevents+json", "application/cloudevents-batch+json", "application/json", "")

MAX_EVENTS = 1000
"""Events in one batch."""
MAX_EVENT_BYTES = 256 * 1024
"""Bytes of one event: CloudEvents asks intermediaries for 64 KiB at least; Kafka's default message is 1 MiB at most."""
MAX_DEPTH = 32
"""Nesting of one event; deeper ones serve only to exhaust a reader's stack."""
LENGTHS = {"id": 1024, "source": 1024, "subject": 256}
"""Characters of the attributes that are keys further on."""

_PLAIN = (str, float, bool)  # types of JSON whose values are storable as they are
_CONTEXT = {"id", "source", "specversion", "type", "subject", "time", "datacontenttype", "data", "data_base64"}
RULES = "rule/"
"""Sources of what the platform's rules raise, by ids that can be worked out beforehand: nobody else may use them up."""
LONGEST_MESSAGE = 2000
"""Characters of a message that are kept; it travels with the incident."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # not in a CloudEvents String, section 3.1
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SNAPSHOT = re.compile(r"[0-9a-f]{64}")
_SEQUENCES = range(2**63)

_anything = msgspec.json.Decoder()
_many = msgspec.json.Decoder(list[Raw])


def parse(body: bytes, content_type: str = "", *, max_events: int = MAX_EVENTS) -> list[Report]:
    """Reports of one event (a JSON object) or a batch (a JSON array), in order; an id that repeats in the batch counts once.

    Either shape is taken under each of MEDIA_TYPES, since many senders only say ``application/json``.
    Raises MalformedMessage (``where``: "/data/kind", in a batch "/3/data/kind") and TooLarge."""
    check_media_type(content_type, MEDIA_TYPES)
    text = body.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
    if not text:
        raise MalformedMessage("the body is empty", where="", hint="send a CloudEvent as JSON")
    if not text.startswith(b"["):
        return [_report(_event(text, ""), "")]
    events = _decoded(_many.decode, text, "")
    if len(events) > max_events:
        raise TooLarge(f"a batch of {len(events)} events", where="", hint=f"send at most {max_events} at once")
    reports: dict[tuple[str, str | None], Report] = {}
    for n, raw in enumerate(events):
        report = _report(_event(bytes(raw), f"/{n}"), f"/{n}")
        reports.setdefault((report.source, report.source_id), report)
    return list(reports.values())


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether an HTTP request carries its event in binary mode: attributes in ``ce-`` headers, data as the body."""
    return any(name.lower() == "ce-specversion" for name in headers)


def parse_binary(headers: Mapping[str, str], body: bytes) -> list[Report]:
    """The one report of a binary-mode request (HTTP binding 3.1); errors point as if it had been structured.

    Raises MalformedMessage and TooLarge."""
    event: dict[str, Any] = {name.lower()[3:]: _header(name, value) for name, value in headers.items() if name.lower().startswith("ce-")}
    event.pop("data", None)
    event.pop("data_base64", None)
    if body.strip():
        event["data"] = _event(body, "/data")
    return [_report(event, "")]


def _header(name: str, value: str) -> str:
    """A header's value as the attribute it stands for: quotes and percent-encoding undone (HTTP binding 3.1.3.2)."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    text = unquote(value)
    if _SURROGATE.search(text):
        raise MalformedMessage("not text", where=f"/{_escaped(name.lower()[3:])}")
    return text


def _decoded(decode: Callable[[bytes], Any], text: bytes, where: str) -> Any:
    try:
        return decode(text)
    except RecursionError as e:
        raise MalformedMessage("nested too deeply", where=where, hint=f"at most {MAX_DEPTH} levels") from e
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as e:
        raise MalformedMessage(f"not JSON: {e}", where=where) from e


def _event(text: bytes, where: str) -> dict[str, Any]:
    """One JSON object, guarded against size, depth and numbers that can't be stored."""
    if len(text) > MAX_EVENT_BYTES:
        raise TooLarge(f"an event of {len(text)} bytes", where=where, hint=f"at most {MAX_EVENT_BYTES}")
    event = _decoded(_anything.decode, text, where)
    if not isinstance(event, dict):
        raise MalformedMessage("a JSON object belongs here", where=where)
    return {
        name: value if type(value) in _PLAIN else _storable(value, f"{where}/{_escaped(name)}", 1)
        for name, value in event.items() if value is not None
    }  # fmt: skip


def _storable(value: Any, where: str, depth: int) -> Any:
    """``value`` with integers beyond 64 bits as doubles, the precision JSON promises (RFC 7493)."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        try:
            return float(value)
        except OverflowError as e:
            raise MalformedMessage("a number beyond a double", where=where) from e
    if isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            raise MalformedMessage("nested too deeply", where=where, hint=f"at most {MAX_DEPTH} levels")
        if isinstance(value, dict):
            return {
                name: v if type(v) in _PLAIN else _storable(v, f"{where}/{_escaped(name)}", depth + 1) for name, v in value.items()
            }  # fmt: skip
        return [_storable(v, f"{where}/{n}", depth + 1) for n, v in enumerate(value)]
    return value


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _report(event: dict[str, Any], where: str) -> Report:
    """The report of one decoded event. Attributes that are null were dropped: JSON format 2.1 makes them unset."""
    if (version := _text(event, "specversion", where)) != "1.0":
        raise MalformedMessage(f"specversion {version!r} is not taken here", where=f"{where}/specversion", hint="CloudEvents 1.0")
    identity, source = _text(event, "id", where), _text(event, "source", where)
    if source.startswith(RULES):
        what = f"{source[:60]!r} is the platform's own"
        raise MalformedMessage(what, where=f"{where}/source", hint=f"a device's source does not begin with {RULES}")
    kind_of_event = _text(event, "type", where)
    if kind_of_event not in TYPES:
        raise MalformedMessage(f"type {kind_of_event!r} is not taken here", where=f"{where}/type", hint=f"one of {', '.join(TYPES)}")
    data, data_where = _data(event, where)
    return Report(
        source=source,
        source_id=identity,
        device=_device(event, data, where),
        action=TYPES[kind_of_event],
        at=_time(event, where),
        kind=_kind(data, data_where),
        severity=_severity(data, data_where),
        score=_number(data, "score", data_where, 0.0, 1.0),
        box=_box(data, data_where),
        message=_message(data, data_where),
        snapshot=data.pop("snapshot") if _is_snapshot(data.get("snapshot")) else None,
        sequence=data.pop("sequence") if type(data.get("sequence")) is int and data["sequence"] in _SEQUENCES else 0,
        details=_details(event, data),
    )


def _text(event: dict[str, Any], name: str, where: str) -> str:
    """A required attribute: a String that is not empty."""
    value = event.get(name)
    if value is None:
        raise MalformedMessage(f"{name!r} is missing", where=f"{where}/{name}", hint="CloudEvents 1.0 requires it")
    if not isinstance(value, str) or not value or _CONTROL.search(value):
        raise MalformedMessage("a string of printable characters belongs here", where=f"{where}/{name}")
    if len(value) > LENGTHS.get(name, 1024):
        raise MalformedMessage(f"{len(value)} characters", where=f"{where}/{name}", hint=f"at most {LENGTHS.get(name, 1024)}")
    return value


def _device(event: dict[str, Any], data: dict[str, Any], where: str) -> str:
    """``subject``; a sender that gives none is taken as the device itself, and shows up on the waiting list."""
    if event.get("subject") is not None:
        return _text(event, "subject", where)
    named = data.get("device")
    if isinstance(named, str) and 0 < len(named) <= LENGTHS["subject"] and not _CONTROL.search(named):
        return str(data.pop("device"))
    return str(event["source"])[-LENGTHS["subject"] :]


def _time(event: dict[str, Any], where: str) -> int | None:
    if event.get("time") is None:
        return None
    try:
        return parse_time(_text(event, "time", where))
    except ValueError as e:
        raise MalformedMessage(f"not an RFC 3339 time: {e}", where=f"{where}/time", hint="for example 2026-11-22T10:15:30+08:00") from e


def _data(event: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
    """The event's data as a JSON object, and where it stands."""
    if event.get("data_base64") is not None:
        place = f"{where}/data_base64"
        if event.get("data") is not None:
            raise MalformedMessage("data stands here too", where=place, hint="send one of the two")
        try:
            return _event(base64.b64decode(event["data_base64"], validate=True), place), place
        except (binascii.Error, TypeError, ValueError) as e:
            raise MalformedMessage(f"not base64: {e}", where=place) from e
    data = event.get("data")
    if data is None:
        raise MalformedMessage("'data' is missing", where=f"{where}/data", hint="an object with at least a kind")
    if not isinstance(data, dict):
        raise MalformedMessage("a JSON object belongs here", where=f"{where}/data")
    return {name: value for name, value in data.items() if value is not None}, f"{where}/data"


def _kind(data: dict[str, Any], where: str) -> str:
    kind = data.pop("kind", None)
    if not isinstance(kind, str) or not KIND_PATTERN.fullmatch(kind):
        what = "'kind' is missing" if kind is None else "not a kind"
        raise MalformedMessage(what, where=f"{where}/kind", hint="lower_snake_case of 1 to 64 characters, a letter first")
    return kind


def _severity(data: dict[str, Any], where: str) -> int | None:
    severity = data.pop("severity", None)
    if severity is not None and (isinstance(severity, bool) or severity not in (1, 2, 3, 4)):
        raise MalformedMessage("not a severity", where=f"{where}/severity", hint="1 (gravest), 2, 3 or 4")
    return None if severity is None else int(severity)


def _number(data: dict[str, Any], name: str, where: str, low: float, high: float) -> float | None:
    value = data.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise MalformedMessage(f"not a number from {low:g} to {high:g}", where=f"{where}/{name}")
    return float(value)


def _box(data: dict[str, Any], where: str) -> tuple[float, float, float, float] | None:
    box = data.pop("box", None)
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4:
        raise MalformedMessage("not a box", where=f"{where}/box", hint="x, y, width, height in pixels of the frame")
    for n, side in enumerate(box):
        if isinstance(side, bool) or not isinstance(side, int | float):
            raise MalformedMessage("not a number", where=f"{where}/box/{n}")
    x, y, w, h = (float(side) for side in box)
    return x, y, w, h


def _message(data: dict[str, Any], where: str) -> str:
    message = data.pop("message", "")
    if not isinstance(message, str):
        raise MalformedMessage("a string belongs here", where=f"{where}/message")
    return message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - 1] + "…"  # no alarm is refused for its words


def _is_snapshot(value: object) -> bool:
    return isinstance(value, str) and _SNAPSHOT.fullmatch(value) is not None


def _details(event: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """What has no field of its own: the rest of the data, and extension attributes (with ``ce_`` before a name that is taken)."""
    details = dict(data)
    for name, value in event.items():
        if name not in _CONTEXT:
            details[f"ce_{name}" if name in details else name] = value
    return details
