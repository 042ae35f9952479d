"""A zone's state as bytes, by versions: what an older one wrote is read, what a newer one wrote is left alone. Pure.

Within one ``SCHEMA`` fields are only added, at the top or deeper, with defaults. A worker that does not know a field at the top of the
state carries its bytes along, so that workers of two versions may take turns on one zone. A change that an older worker must not write
over is a new SCHEMA: that worker refuses the zone until it is upgraded. What must not go in: SQL, merging.
"""

import msgspec

from hazards.alarm_state import ALARMING, Phase
from hazards.annunciation import AlarmState
from hazards.errors import MalformedMessage, UnknownSchema
from hazards.incident_course import ANEW
from hazards.messages import IncidentState
from hazards.telling import News
from hazards.zone_state import ZoneState, put_in

SCHEMA = 2
"""1: the state alone. 2: (schema, state); the states of ISA-18.2, flood, quiet."""
_ARRAYS = range(0x90, 0xA0)
_encoder = msgspec.msgpack.Encoder()
_exact: msgspec.msgpack.Decoder[tuple[int, ZoneState]] = msgspec.msgpack.Decoder(tuple[int, ZoneState])
_first: msgspec.msgpack.Decoder[ZoneState] = msgspec.msgpack.Decoder(ZoneState)
_parts: msgspec.msgpack.Decoder[tuple[int, dict[str, msgspec.Raw]]] = msgspec.msgpack.Decoder(tuple[int, dict[str, msgspec.Raw]])
_schema: msgspec.msgpack.Decoder[tuple[int, msgspec.Raw]] = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
_KNOWN = frozenset(ZoneState.__struct_fields__)


def encode_state(state: ZoneState) -> bytes:
    """The bytes of ``state``, with what a newer worker had put beside it."""
    if not state.unknown:
        return _encoder.encode((SCHEMA, state))
    fields = msgspec.msgpack.decode(_encoder.encode(state), type=dict[str, msgspec.Raw])
    fields.pop("unknown", None)
    return _encoder.encode((SCHEMA, fields | {name: msgspec.Raw(value) for name, value in state.unknown.items()}))


def decode_state(body: bytes) -> ZoneState:
    """What ``encode_state`` of this or an older version made.

    Raises UnknownSchema for a newer SCHEMA (nothing is wrong with it: this worker is too old) and MalformedMessage for anything else."""
    try:
        if not body or body[0] not in _ARRAYS:
            return _of_first(_first.decode(body))
        try:
            schema, state = _exact.decode(body)
        except msgspec.ValidationError:  # of another version, or nonsense
            schema, state = _of_another(body)
        _check(schema)
        return state
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise MalformedMessage(f"a zone's state that can't be read: {e}", where="zone_states") from e


def _check(schema: int) -> None:
    if schema > SCHEMA:
        raise UnknownSchema(f"a zone's state of schema {schema}, this worker knows {SCHEMA}", where="zone_states",
                            hint="upgrade this worker; the state and its signals are kept")  # fmt: skip


def _of_another(body: bytes) -> tuple[int, ZoneState]:
    """A state with fields at its top that this version does not know: they are carried along as they are."""
    _check(_schema.decode(body)[0])
    schema, fields = _parts.decode(body)
    known = {name: value for name, value in fields.items() if name in _KNOWN}
    state = msgspec.msgpack.decode(_encoder.encode(known), type=ZoneState)
    state.unknown = {name: bytes(value) for name, value in fields.items() if name not in _KNOWN}
    return schema, state


def _of_first(state: ZoneState) -> ZoneState:
    """A state of schema 1 as one of today: which incident an alarm is in, and how it stands towards people; its next wake tells."""
    state.declared = ANEW
    for group, incident in state.incidents.items():
        for key in incident.present:
            alarm = state.alarms[key]
            put_in(alarm, incident, group)
            if alarm.phase in ALARMING:
                alarm.state = AlarmState.LATCHED if alarm.phase is Phase.LATCHED else AlarmState.UNACKNOWLEDGED
        if incident.state is IncidentState.ACTIVE:
            incident.news = News.CHANGE
    return state
