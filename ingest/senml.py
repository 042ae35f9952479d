"""SenML in JSON (RFC 8428) to measurements. Sans-I/O: bytes and the time of receipt in, resolved columns or one clear error out.

Base fields apply until they are replaced (section 4.1); a time below 2^28 s is relative to now (4.5.3). ``vb`` counts as 1 and 0;
``vs`` and ``vd`` are no telemetry: they are named in ``Measurements.ignored``, never dropped silently; a sum ``s`` is a series of its
own, ``METRIC.sum``. What must not go in: HTTP, MQTT, which sensors there are, whether a time is believable.
"""

import math
import re
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from hazards.errors import MalformedMessage, TooLarge, UnknownSchema
from ingest.measurements import Measurements
from ingest.media_type import check_media_type

MEDIA_TYPES = ("application/senml+json", "application/json", "")
MAX_RECORDS = 20_000
"""Records of one pack: more would hold the event loop and memory for too long."""
MAX_NAME = 256
"""Characters of a resolved name."""
RELATIVE_BELOW = 2**28
"""Seconds (section 4.5.3): a smaller time is relative to now."""
SUM = ".sum"
"""Ends the name of the series of a record's sum."""

_FARTHEST = 1e11  # seconds; beyond is no time, and as microseconds no int64
_VERSIONS = frozenset(range(1, 11)) | {26}  # 10: RFC 8428; 26: and the secondary units (RFC 9100, RFC 8798)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*")  # section 4.5.1
_MUST_BE_UNDERSTOOD = re.compile(rb'_"\s*:|\\u005[fF]')  # a label that ends in "_", or an escape that could hide one
_PLACE = re.compile(r"(?P<what>.*) - at `(?:key in )?\$(?P<path>.*)`", re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)")


class _Record(Struct, gc=False):
    """One record as sent. Labels that are not here are ignored, as section 4.4 asks, unless they end in "_"."""

    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: int | UnsetType = UNSET
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    vs: str | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: float | UnsetType = UNSET
    t: float | UnsetType = UNSET
    ut: float | UnsetType = UNSET


_pack = msgspec.json.Decoder(list[_Record])
_labels = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def parse(body: bytes, *, now: int, content_type: str = "", max_records: int = MAX_RECORDS) -> Measurements:
    """The measurements of a pack received at ``now`` (UTC µs).

    Raises MalformedMessage and UnknownSchema (``where``: a JSON pointer) and TooLarge."""
    check_media_type(content_type, MEDIA_TYPES)
    records = _decoded(body, max_records)
    found = Measurements(pointer=lambda number, field: _pointer(number, _there(records[number], field)))
    _Resolver(found, now).resolve(records)
    return found


def _pointer(record: int, field: str) -> str:
    return f"/{record}/{field}" if field else f"/{record}"


def _there(record: _Record, field: str) -> str:
    """``field``, or "" (the record itself) when what is wrong came from a base field."""
    return field if getattr(record, field, UNSET) is not UNSET else ""


def _decoded(body: bytes, max_records: int) -> list[_Record]:
    body = body.removeprefix(b"\xef\xbb\xbf")
    if body.count(b"{") > max_records:  # counted before anything is made of it: a body of {} alone would take 50 times its size
        raise TooLarge(f"more than {max_records} records", hint=f"send at most {max_records} records in a pack")
    try:
        if _MUST_BE_UNDERSTOOD.search(body):
            _check_labels(_labels.decode(body))
        records = _pack.decode(body)
    except msgspec.ValidationError as e:
        raise _explained(e) from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise MalformedMessage(f"this is no JSON: {e}", where="", hint="RFC 8259; NaN and Infinity are not in it") from e
    except RecursionError as e:
        raise MalformedMessage("nested too deeply", where="", hint="a SenML record is flat") from e
    if not records:
        raise MalformedMessage("the pack has no records", where="", hint="a SenML pack has at least one (RFC 8428, section 4)")
    return records


def _check_labels(records: list[dict[str, Any]]) -> None:
    for number, record in enumerate(records):
        for label in record:
            if label.endswith("_"):
                place = _pointer(number, label.replace("~", "~0").replace("/", "~1"))
                raise MalformedMessage("a label ending in _ must be understood, and is not", where=place, hint="RFC 8428, section 4.4")


def _explained(error: msgspec.ValidationError) -> MalformedMessage:
    """msgspec's "Expected `float`, got `str` - at `$[0].v`" as ours, at /0/v."""
    match = _PLACE.fullmatch(str(error))
    what, path = (match["what"], match["path"]) if match else (str(error), "")
    where = "".join(f"/{number or name}" for number, name in _STEP.findall(path))
    hint = "a SenML pack is a JSON array of records" if not where else ""
    return MalformedMessage(what.replace("`", "").replace("Expected", "expected"), where=where, hint=hint)


class _Resolver:
    """One pass over the records of a pack, with the base values that are in force."""

    def __init__(self, found: Measurements, now: int) -> None:
        self._found, self._now = found, now
        self._names = set[str]()  # checked ones
        self._base_name, self._base_unit, self._base_time = "", "", 0.0
        self._base_value: float | None = None
        self._base_sum: float | None = None
        self._version: int | None = None

    def resolve(self, records: list[_Record]) -> None:
        for number, record in enumerate(records):
            based = self._take_base(number, record)
            value, own = self._value(number, record)
            total = record.s is not UNSET or self._base_sum is not None
            if not own and record.n is UNSET and record.t is UNSET and record.u is UNSET and record.ut is UNSET and record.s is UNSET:
                if based:
                    continue  # a record of base fields only
                raise MalformedMessage("the record is empty", where=_pointer(number, ""))
            if not own and record.s is UNSET:
                if self._base_value is None and self._base_sum is None:
                    raise MalformedMessage("the record has no value", where=_pointer(number, ""), hint="one of v, vb, vs, vd, or a sum s")
                value = self._base_value  # a missing value counts as zero (section 4.3)
            name, at = self._name(number, record), self._time(number, record)
            unit = self._base_unit if record.u is UNSET else record.u
            if value is not None:
                self._found.add(number, name, unit, at, value)
            if total:
                self._found.add(number, name + SUM, unit, at, self._sum(number, record))

    def _take_base(self, number: int, record: _Record) -> bool:
        """Whether the record had a base field."""
        if record.bn is not UNSET:
            self._base_name = record.bn
        if record.bt is not UNSET:
            self._base_time = record.bt
        if record.bu is not UNSET:
            self._base_unit = record.bu
        if record.bv is not UNSET:
            self._base_value = record.bv
        if record.bs is not UNSET:
            self._base_sum = record.bs
        if record.bver is not UNSET:
            self._take_version(number, record.bver)
        return any(base is not UNSET for base in (record.bn, record.bt, record.bu, record.bv, record.bs, record.bver))

    def _take_version(self, number: int, version: int) -> None:
        if version not in _VERSIONS:
            raise UnknownSchema(f"SenML version {version} is not understood", where=_pointer(number, "bver"), hint="10, or 26 (RFC 9100)")
        if self._version not in (None, version):
            raise MalformedMessage("all records of a pack have one version", where=_pointer(number, "bver"), hint="RFC 8428, section 4.4")
        self._version = version

    def _value(self, number: int, record: _Record) -> tuple[float | None, bool]:
        """(the value if it is a number, whether the record has a value of any kind)."""
        if record.v is not UNSET:
            if record.vb is not UNSET or record.vs is not UNSET or record.vd is not UNSET:
                raise MalformedMessage("more than one value", where=_pointer(number, ""), hint="exactly one of v, vb, vs, vd")
            if self._base_value is None:
                return record.v, True
            if not math.isfinite(value := record.v + self._base_value):
                raise MalformedMessage("with the base value it is beyond all numbers", where=_pointer(number, "v"))
            return value, True
        given = [field for field, value in (("vb", record.vb), ("vs", record.vs), ("vd", record.vd)) if value is not UNSET]
        if len(given) > 1:
            raise MalformedMessage("more than one value", where=_pointer(number, ""), hint="exactly one of v, vb, vs, vd")
        if record.vb is not UNSET:
            return float(record.vb), True
        self._found.ignored.extend(_pointer(number, field) for field in given)
        return None, bool(given)

    def _sum(self, number: int, record: _Record) -> float:
        total = (0.0 if record.s is UNSET else record.s) + (self._base_sum or 0.0)
        if not math.isfinite(total):
            raise MalformedMessage("with the base sum it is beyond all numbers", where=_pointer(number, "s"))
        return total

    def _name(self, number: int, record: _Record) -> str:
        name = self._base_name if record.n is UNSET else self._base_name + record.n
        if name not in self._names:
            if not _NAME.fullmatch(name):
                raise MalformedMessage(
                    f"{name[:80]!r} is no SenML name", where=_pointer(number, "bn" if record.n is UNSET else "n"),
                    hint="letters, digits, - : . / _ , a letter or digit first (RFC 8428, section 4.5.1)",
                )  # fmt: skip
            if len(name) > MAX_NAME:
                raise MalformedMessage(f"a name of {len(name)} characters", where=_pointer(number, "n"), hint=f"at most {MAX_NAME}")
            self._names.add(name)
        return name

    def _time(self, number: int, record: _Record) -> int:
        """UTC µs. Both absent is zero, which is relative: now."""
        seconds = self._base_time if record.t is UNSET else self._base_time + record.t
        if not -_FARTHEST < seconds < _FARTHEST:
            raise MalformedMessage("this is no time", where=_pointer(number, "bt" if record.t is UNSET else "t"), hint="seconds since 1970")
        microseconds = round(seconds * 1e6)
        return self._now + microseconds if seconds < RELATIVE_BELOW else microseconds
