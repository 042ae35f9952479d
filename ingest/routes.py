"""The ways through the journal's lanes, as data: which rows, as which records, and what settles them.

| route | rows | goes on as | settled by | then |
|---|---|---|---|---|
| alarms | lane alarms | packs of up to 200 signals | SQL shows the alarm or its dead letter | released |
| telemetry, durable Kafka | lane telemetry | each row one record | Kafka's acknowledgement | released |
| evaluate, embedded broker | packs of readings | each row one record | the mark of evaluate | left to ``store`` |
| store, embedded broker | packs of readings | what ``evaluate`` sends; else marked as evaluated | marks of evaluate and store | released |
| rollups, embedded broker | packs of roll-ups | each row one record | the mark of store | released |

On the embedded broker two routes share the packs of readings, because two agents work on them and only one may be waited
for: while the time series is away for minutes, ``store`` fills its window and stops, at the cost of disk, and ``evaluate``
goes on, so that alarms come as ever. What its broker holds twice is bounded: after the broker was replaced, ``store`` sends
again what evaluate had done before, a window at a time, with the header ``done`` that makes evaluate pass it over.
Rows that nobody overtook are never sent again on one broker (``Bounds.overtaken_only``): their reader is slow or away, and
each repeat would only fill a log that is kept in memory. What must not go in: tasks, clients, bookkeeping.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from bus.codecs import SCHEMAS, SignalPack, decode, encode, schema_of
from bus.headers import done_header
from bus.producer import Record
from bus.topics import ALARMS, ROLLUPS, TELEMETRY, Topic
from hazards.errors import BadInput, MalformedMessage
from hazards.messages import Signal
from hazards.telemetry import RollupPack, TelemetryPack
from ingest.bounds import Bounds
from storage.dead_letters import settled_ids
from storage.journal import JournalEntry, Lane
from storage.telemetry_marks import EVALUATE, STORE, forget, marked

TELEMETRY_PACK = 64
"""Rows of one zone that are handed to the broker together."""

Look = Callable[[Connection, Sequence[str]], set[str]]


@dataclass(frozen=True, slots=True)
class Shipment:
    """One record and the rows of the journal that it carries."""

    record: Record
    rows: Sequence[JournalEntry]


Unreadable = tuple[JournalEntry, str]
Ship = Callable[[Sequence[JournalEntry]], tuple[list[Shipment], list[Unreadable]]]


def _any(_: JournalEntry) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way. ``ship``: rows of one zone as records, and those that nobody could read, with the reason.

    ``settled``: which ids had all their effects, None: acknowledged is enough. ``carries``: which rows of the lane are meant.
    ``owed``: which ids this route has to send itself, the others being sent by another route (None: it sends all).
    ``releases``: settled rows leave the journal; ``forget`` clears up in SQL after them. ``poll``: seconds between looks for
    rows of other processes; ``ask``: shortest and longest seconds between questions to SQL."""

    name: str
    lane: Lane
    topic: Topic
    ship: Ship
    settled: Look | None
    carries: Callable[[JournalEntry], bool] = _any
    owed: Look | None = None
    releases: bool = True
    forget: Callable[[Connection, Sequence[str]], None] | None = None
    bounds: Bounds = field(default_factory=Bounds)
    poll: float = 0.02
    ask: tuple[float, float] = (0.02, 0.1)


def alarm_routes(bounds: Bounds | None = None) -> tuple[Route, ...]:
    """The lane of alarms, on any broker."""
    return (Route(name="alarms", lane=Lane.ALARMS, topic=ALARMS, ship=_signals, settled=settled_ids, bounds=bounds or Bounds()),)


def telemetry_routes(*, durable: bool, broker_bound: int = 256_000_000, store: bool = True) -> tuple[Route, ...]:
    """The lane of telemetry, on a Kafka that keeps what it has (``durable``), or on the embedded one of ``broker_bound`` bytes.

    ``store``: whether there is a store agent to wait for."""
    acknowledged = Route(
        name="telemetry", lane=Lane.TELEMETRY, topic=TELEMETRY, ship=_as_they_are, settled=None, bounds=Bounds(pack_rows=TELEMETRY_PACK)
    )
    if durable:
        return (acknowledged,)
    bounds = Bounds(pack_rows=TELEMETRY_PACK, patience=30.0, overtaken_only=True)
    evaluate = Route(name="evaluate", lane=Lane.TELEMETRY, topic=TELEMETRY, ship=_as_they_are, carries=_is_readings, settled=_evaluated,
                     releases=False, bounds=bounds, ask=(0.2, 1.0))  # fmt: skip
    if not store:
        rollups = replace(acknowledged, name="rollups", topic=ROLLUPS, carries=_is_no_readings)
        return replace(evaluate, releases=True, forget=forget), rollups
    behind = replace(bounds, window=5_000, window_bytes=max(broker_bound // 6, 200_000))
    return (
        evaluate,
        Route(name="store", lane=Lane.TELEMETRY, topic=TELEMETRY, ship=_as_evaluated, carries=_is_readings,
              settled=_evaluated_and_stored, owed=_evaluated, forget=forget, bounds=behind, poll=0.25, ask=(0.25, 1.0)),
        Route(name="rollups", lane=Lane.TELEMETRY, topic=ROLLUPS, ship=_as_they_are, carries=_is_no_readings,
              settled=_stored, forget=forget, bounds=behind, ask=(0.25, 1.0)),
    )  # fmt: skip


# --- which rows, and what settles them ---

_READINGS, _ROLLUPS = SCHEMAS[TelemetryPack], SCHEMAS[RollupPack]


def _is_readings(entry: JournalEntry) -> bool:
    try:
        return schema_of(entry.payload) == _READINGS
    except BadInput:
        return False


def _is_no_readings(entry: JournalEntry) -> bool:
    """Roll-ups, and what nobody knows: somebody has to put that aside."""
    return not _is_readings(entry)


def _evaluated(connection: Connection, ids: Sequence[str]) -> set[str]:
    return marked(connection, ids, (EVALUATE,))


def _stored(connection: Connection, ids: Sequence[str]) -> set[str]:
    return marked(connection, ids, (STORE,))


def _evaluated_and_stored(connection: Connection, ids: Sequence[str]) -> set[str]:
    return marked(connection, ids, (EVALUATE, STORE))


# --- rows as records ---


def _signals(rows: Sequence[JournalEntry]) -> tuple[list[Shipment], list[Unreadable]]:
    """All rows as one pack."""
    readable, signals, unreadable = list[JournalEntry](), list[Signal](), list[Unreadable]()
    for row in rows:
        try:
            signals.append(decode(Signal, row.payload))
            readable.append(row)
        except BadInput as e:
            unreadable.append((row, str(e)))
    if not readable:
        return [], unreadable
    return [Shipment(Record(ALARMS.name, encode(SignalPack(readable[0].zone, signals))), readable)], unreadable


_TOPIC_OF = {_READINGS: TELEMETRY, _ROLLUPS: ROLLUPS}


def _as_they_are(rows: Sequence[JournalEntry], headers: tuple[tuple[str, bytes], ...] = ()) -> tuple[list[Shipment], list[Unreadable]]:
    """Each row a record of its own, by what its envelope says it is; its body is nobody's business here."""
    shipments, unreadable = list[Shipment](), list[Unreadable]()
    for row in rows:
        try:
            schema = schema_of(row.payload)
            if schema not in _TOPIC_OF:
                raise MalformedMessage(f"a {schema!r} message has no place in the lane of telemetry")
            shipments.append(Shipment(Record(_TOPIC_OF[schema].name, row.payload, headers), [row]))
        except BadInput as e:
            unreadable.append((row, str(e)))
    return shipments, unreadable


def _as_evaluated(rows: Sequence[JournalEntry]) -> tuple[list[Shipment], list[Unreadable]]:
    return _as_they_are(rows, done_header(EVALUATE))


def as_on_the_topic(row: JournalEntry) -> bytes:
    """What the topic would have held of a row: a dead letter is read and replayed like any other; what nobody can read stays as it is."""
    try:
        return encode(SignalPack(row.zone, [decode(Signal, row.payload)]))
    except BadInput:
        return row.payload
