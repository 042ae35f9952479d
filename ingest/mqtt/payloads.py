"""Payloads to measurements: SenML, JSON objects, plain values. Sans-I/O: bytes and what the topic said in, columns or one error out.

What must not go in: which sensors there are, whether a time is believable, acknowledging.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hazards.errors import MalformedMessage, TooLarge
from hazards.telemetry import series_name
from ingest import senml
from ingest.measurements import Measurements
from ingest.mqtt.settings import Subscription
from ingest.rfc3339 import parse_time

MAX_PAYLOAD = 1_000_000
"""Bytes; a larger one serves only to fill memory."""
MAX_FIELDS = 500
"""Numbers of one JSON object."""
MILLISECONDS_FROM = 1e11
"""A larger number as a time is in milliseconds: as seconds it would be after the year 5138."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_WORDS = {"true": 1.0, "false": 0.0, "on": 1.0, "off": 0.0}
_ODD = re.compile(r"[\x00-\x20\x7f]")

_any_json = msgspec.json.Decoder()


def decode(row: Subscription, said: Mapping[str, str], payload: bytes, *, now: int) -> Measurements:
    """The measurements of one message; ``said`` is what its topic says, ``now`` the time of receipt (UTC µs).

    Raises MalformedMessage, UnknownSchema and TooLarge."""
    if len(payload) > MAX_PAYLOAD:
        raise TooLarge(f"a payload of {len(payload)} bytes", hint=f"at most {MAX_PAYLOAD}")
    device = _identifier(said.get("device") or row.device, "device")
    metric = _identifier(said.get("metric") or row.metric, "metric")
    return _FORMATS[row.format](row, device, metric, payload, now)


def _identifier(text: str, what: str) -> str:
    if len(text) > 128 or _ODD.search(text) or "/" in text:
        raise MalformedMessage(f"{text[:80]!r} can't be a {what}", hint="up to 128 characters, no space and no slash")
    return text


def _plain(row: Subscription, device: str, metric: str, payload: bytes, now: int) -> Measurements:
    found = Measurements()
    found.add(0, _named(device, metric), row.unit, now, _plain_number(payload))
    return found


def _plain_number(payload: bytes) -> float:
    try:
        text = payload.decode("ascii").strip() if len(payload) <= 64 else ""
    except UnicodeDecodeError:
        text = ""
    value = _WORDS.get(text.lower())
    if value is None:
        if not _NUMBER.fullmatch(text):
            raise MalformedMessage(f"{payload[:40]!r} is no number", hint="a decimal number alone; NaN and infinity are none")
        value = float(text)
    if not math.isfinite(value):
        raise MalformedMessage(f"{text} is beyond all numbers")
    return value


def _named(device: str, metric: str) -> str:
    if not device or not metric:
        missing = "device" if not device else "metric"
        raise MalformedMessage(f"the topic names no {missing}", hint=f"put {{{missing}}} into the template, or give {missing}:")
    return series_name(device, metric)


def _senml(_row: Subscription, device: str, _metric: str, payload: bytes, now: int) -> Measurements:
    found = senml.parse(payload, now=now)
    if device:
        found.name = [_of_device(device, name, found, n) for n, name in enumerate(found.name)]
    return found


def _of_device(device: str, name: str, found: Measurements, n: int) -> str:
    """``name`` when it is of the topic's device; a name without a device is a metric of it."""
    if "/" not in name:
        return series_name(device, name)
    if not name.startswith(device + "/"):
        place = found.pointer(found.record[n], "n")
        raise MalformedMessage(f"{name!r} is not of the topic's device {device!r}", where=place, hint="a device speaks for itself only")
    return name


def _json(row: Subscription, device: str, metric: str, payload: bytes, now: int) -> Measurements:
    try:
        body = _any_json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise MalformedMessage(f"this is no JSON: {e}", hint="RFC 8259; NaN and Infinity are not in it") from e
    except RecursionError as e:
        raise MalformedMessage("nested too deeply") from e
    if not isinstance(body, dict):
        raise MalformedMessage("a JSON object is expected", hint='{"METRIC": value, …}')
    at = _time(body.get(row.time_field), row.time_field, now)
    unit = body.get(row.unit_field, row.unit)
    if not isinstance(unit, str):
        raise MalformedMessage("a text is expected", where=_place(row.unit_field))
    taken = {row.value_field: metric} if metric else row.fields or None
    apart = {row.time_field, row.unit_field}
    keys = list[str]()
    found = Measurements(pointer=lambda record, field: _place(row.unit_field if field == "u" and row.unit_field in body else keys[record]))
    for key, value in body.items():
        if (taken is not None and key not in taken) or (taken is None and key in apart):
            continue
        number = _number(value)
        if number is None:
            found.ignored.append(_place(key))
            continue
        found.add(len(keys), _named(device, _identifier(taken[key] if taken else key, "metric")), unit, at, number)
        keys.append(key)
    if not keys:
        expected = " or ".join(taken) if taken else "a metric"
        raise MalformedMessage(f"there is no number for {expected[:200]}", hint='{"METRIC": value, …}')
    if len(keys) > MAX_FIELDS:
        raise TooLarge(f"{len(keys)} numbers in one object", hint=f"at most {MAX_FIELDS}")
    return found


def _number(value: Any) -> float | None:
    """A number or a truth value as a float; None for what is neither."""
    if isinstance(value, int | float):
        number = float(value)  # the decoder gives no integer above 64 bits
        return number if math.isfinite(number) else None
    return None


def _time(value: Any, key: str, now: int) -> int:
    """UTC µs of a number of seconds or milliseconds or an RFC 3339 text; ``now`` for None. Raises MalformedMessage."""
    if value is None:
        return now
    if isinstance(value, str):
        try:
            return parse_time(value)
        except ValueError as e:
            raise MalformedMessage(f"this is no time: {e}", where=_place(key), hint="RFC 3339, or seconds since 1970") from e
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MILLISECONDS_FROM * 1e4:
        raise MalformedMessage("this is no time", where=_place(key), hint="RFC 3339, or seconds or milliseconds since 1970")
    return round(value * (1e6 if value < MILLISECONDS_FROM else 1e3))


def _place(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


_FORMATS: dict[str, Callable[[Subscription, str, str, bytes, int], Measurements]] = {"senml": _senml, "json": _json, "plain": _plain}
