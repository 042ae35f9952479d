"""Messages to bytes and back. Sans-I/O.

Every value on a topic is msgpack of ``[schema, body]``; ``schema`` is "NAME/MAJOR". Fields are only ever added
within a major version; an unknown major version raises ``UnknownSchema`` and is parked, anything else that can't be
read raises ``MalformedMessage`` and is dead-lettered. What must not go in: topics, clients, decisions.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from hazards.declarations import DeclarationMessage
from hazards.errors import MalformedMessage, UnknownSchema
from hazards.messages import AlarmRecords, DutyMessage, HazardMessage, IncidentMessage, Signal
from hazards.telemetry import RollupPack, TelemetryPack

T = TypeVar("T", bound=Struct)


class SignalPack(Struct, frozen=True):
    """One or more signals of one zone, in the order of acceptance: a value of topic ``alarms``."""

    zone: str
    signals: list[Signal]


SCHEMAS: dict[type[Struct], str] = {
    SignalPack: "signals/1", IncidentMessage: "incident/1", Signal: "signal/1", TelemetryPack: "telemetry/1", RollupPack: "rollup/1",
    HazardMessage: "hazard/1", DutyMessage: "duty/1", DeclarationMessage: "declaration/1",
    AlarmRecords: "alarm-records/1",
}  # fmt: skip
"""Each message type and its schema: a new message is one line here."""

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are no message; the last for what is nested too deeply."""
_encoder = msgspec.msgpack.Encoder()
_envelope = msgspec.msgpack.Decoder(tuple[str, Raw])
_bodies: dict[type[Struct], msgspec.msgpack.Decoder[Any]] = {t: msgspec.msgpack.Decoder(t) for t in SCHEMAS}


def encode(message: Struct) -> bytes:
    """Bytes of ``message`` in its envelope."""
    return _encoder.encode((SCHEMAS[type(message)], message))


def schema_of(data: bytes) -> str:
    """Which message ``data`` is ("telemetry/1"), read off its envelope without decoding it. Raises MalformedMessage."""
    try:
        return _envelope.decode(data)[0]
    except _UNREADABLE as e:
        raise MalformedMessage(f"not a bihuan message: {e}") from e


def decode(kind: type[T], data: bytes) -> T:
    """The message of type ``kind`` in ``data``. Raises MalformedMessage or UnknownSchema."""
    expected = SCHEMAS[kind]
    try:
        schema, body = _envelope.decode(data)
    except _UNREADABLE as e:
        raise MalformedMessage(f"not a bihuan message: {e}", where=expected) from e
    if schema != expected:
        name, _, major = schema.partition("/")
        if name == expected.partition("/")[0] and major.isdigit():
            raise UnknownSchema(f"version {schema} is not known here, {expected} is", hint="replay after the upgrade")
        raise MalformedMessage(f"a {schema!r} message where {expected} belongs", where=expected)
    try:
        message: T = _bodies[kind].decode(body)
    except _UNREADABLE as e:
        raise MalformedMessage(str(e), where=expected) from e
    return message
