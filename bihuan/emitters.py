"""Where the worker's rule alarms and roll-ups go: into the journal beside the embedded broker, straight to a Kafka that keeps them.

Adapters of ``streams.emit.Emitter``; both return when what they were given is durable, and raise Unavailable when it is to be given
again. What must not go in: rules, roll-ups, retries.
"""

import asyncio
from collections.abc import Callable, Sequence
from uuid import uuid4

from msgspec import structs

from bus.codecs import SignalPack, encode
from bus.producer import Producer, Record
from bus.topics import ALARMS, ROLLUPS
from hazards.admission import Report
from hazards.errors import BrokerUnavailable
from hazards.messages import Signal
from hazards.telemetry import RollupPack
from ingest.bounds import PACK_SIGNALS
from ingest.door import Door, Places, signals_of, utc_now
from storage.journal import Journal, JournalRow, Lane

ROLLUP_SHARE = 0.9
"""The part of the journal's bound up to which roll-ups are taken: above that of telemetry (0.8), because a pack of readings leaves
the journal only after its roll-ups are in it, and below that of alarms."""
RECORDS = 64
"""Records of one zone that are handed to Kafka together."""


class JournalEmitter:
    """Into the journal of the data folder, from where the forwarders carry it on."""

    def __init__(self, journal: Journal, registry: Callable[[], Places]) -> None:
        self._journal, self._door = journal, Door(journal, registry)

    async def emit_alarms(self, reports: Sequence[Report]) -> None:
        """Through the door, like every alarm."""
        await self._door.accept(reports)

    async def emit_rollups(self, packs: Sequence[RollupPack]) -> None:
        """As rows of the lane of telemetry, each under an id of its own.

        An id made of the content would be wrong: after a crash a bucket may be told with 8 readings, with 7 and with 8 again, and the
        third must come after the second, not be taken for the first, which may still wait here."""
        told = [structs.replace(pack, id=str(uuid4())) for pack in packs]
        rows = [JournalRow(pack.id, pack.zone, encode(pack)) for pack in told]
        await self._journal.append(Lane.TELEMETRY, rows, share=ROLLUP_SHARE)

    async def close(self) -> None:
        """The journal is the process'."""


class KafkaEmitter:
    """To topics ``alarms`` and ``rollups`` of a Kafka that keeps what it acknowledged (acks=all). ``make``: an unstarted Producer."""

    def __init__(self, make: Callable[[], Producer], registry: Callable[[], Places], now: Callable[[], int] = utc_now) -> None:
        self._make, self._registry, self._now = make, registry, now
        self._producer: Producer | None = None
        self._connecting = asyncio.Lock()

    @property
    def bytes_written(self) -> int:
        """Bytes written over the present connection."""
        return self._producer.bytes_written if self._producer else 0

    async def emit_alarms(self, reports: Sequence[Report]) -> None:
        """As the door admits them, in packs of one zone, zones beside each other."""
        zones: dict[str, list[Signal]] = {}
        for signal in signals_of(reports, self._registry(), self._now()):
            zones.setdefault(signal.zone, []).append(signal)
        await self._send({zone: _packed(zone, signals) for zone, signals in zones.items()})

    async def emit_rollups(self, packs: Sequence[RollupPack]) -> None:
        """Each pack one record."""
        zones: dict[str, list[Record]] = {}
        for pack in packs:
            zones.setdefault(pack.zone, []).append(Record(ROLLUPS.name, encode(pack)))
        await self._send(zones)

    async def close(self) -> None:
        """End the connection."""
        if self._producer is not None:
            await self._producer.stop()

    async def _send(self, zones: dict[str, list[Record]]) -> None:
        producer = await self._connected()
        try:
            async with asyncio.TaskGroup() as group:
                for zone, records in zones.items():
                    group.create_task(self._send_zone(producer, zone, records))
        except* BrokerUnavailable as e:
            if self._producer is producer:
                self._producer = None
                await producer.stop(0.2)
            raise e.exceptions[0] from None

    @staticmethod
    async def _send_zone(producer: Producer, zone: str, records: list[Record]) -> None:
        for start in range(0, len(records), RECORDS):
            for outcome in await producer.send_records(zone, records[start : start + RECORDS]):
                if not isinstance(outcome, int):
                    raise outcome

    async def _connected(self) -> Producer:
        async with self._connecting:
            if self._producer is None:
                producer = self._make()
                await producer.start()
                self._producer = producer
            return self._producer


def _packed(zone: str, signals: list[Signal]) -> list[Record]:
    starts = range(0, len(signals), PACK_SIGNALS)
    return [Record(ALARMS.name, encode(SignalPack(zone, signals[start : start + PACK_SIGNALS]))) for start in starts]
