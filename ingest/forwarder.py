"""Carries what was accepted from one lane of the journal to Kafka: a connection, the routes of the lane, and the switch of brokers.

Each lane has a forwarder of its own with a producer of its own, so that alarms never wait behind telemetry.
What must not go in: what becomes of rows (``ingest/routes.py``, ``ingest/flow.py``), Kafka's client (``bus/producer.py``).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import structlog
from msgspec import structs

from bus.producer import Producer
from bus.topics import DEFAULT_PARTITIONS
from hazards.errors import Unavailable
from ingest.broker_link import BrokerLink
from ingest.door import utc_now
from ingest.flow import Flow
from ingest.patience import patiently
from ingest.routes import Route, alarm_routes
from storage.database import Database
from storage.forwarders import note_standing
from storage.journal import Journal, Lane, Standing

NOTE_EVERY = 1.0
LATE = 2_000_000
"""Microseconds after which an unapplied row is worth telling in SQL."""
DRAIN = 0.5
"""Seconds to wait for the old broker's alarms before a switch; the rest is sent again on the new one."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a forwarder did so far. ``unapplied`` and ``oldest_at`` (UTC µs) are of its lane, at most a second old.

    ``bytes_written`` is what went to ``broker`` since it became the one."""

    sent: int
    released: int
    unapplied: int
    oldest_at: int | None
    bytes_written: int
    broker: str
    connected: bool


class Forwarder:
    """The one forwarder of a lane of a journal. ``producer_factory`` makes an unstarted Producer for an address.

    ``routes``: all of one lane. ``partitions``: how many each topic has."""

    def __init__(
        self, journal: Journal, database: Database, producer_factory: Callable[[str], Producer], broker: str, *,
        routes: Sequence[Route] = alarm_routes(), partitions: int = DEFAULT_PARTITIONS,
    ) -> None:  # fmt: skip
        self._journal, self._database = journal, database
        self._lane = routes[0].lane
        self._link = BrokerLink(producer_factory, broker, self._begin_anew)
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._flows = [Flow(route, journal, database, self._link, self._flowing, partitions=partitions) for route in routes]
        for flow in self._flows:
            flow.others = [other for other in self._flows if other is not flow]
        self._standing: Standing | None = None

    @property
    def progress(self) -> Progress:
        """Counts for a beat; cheap, no I/O."""
        waiting, oldest_at = self._standing.of(self._lane) if self._standing else (0, None)
        sent, released = (sum(getattr(flow, name) for flow in self._flows) for name in ("sent", "released"))
        connected = self._link.producer is not None
        return Progress(sent, released, waiting, oldest_at, self._link.bytes_written, self._link.address, connected)

    async def run(self) -> None:
        """Forward until cancelled. Outages of the broker, SQL and the journal's disk are waited out."""
        loop = asyncio.get_running_loop()
        for flow in self._flows:
            self._journal.listen(lambda heard=flow.heard: loop.call_soon_threadsafe(heard))  # type: ignore[misc]
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._link.run, self._note, *(flow.run for flow in self._flows)):
                    group.create_task(work())
        finally:
            await self._link.close()

    async def switch_broker(self, address: str) -> None:
        """Write to another broker from now on: connect, let alarms drain for up to 0.5 s, switch, send the rest again.

        Raises BrokerUnavailable, and stays with the old one, when the new one does not answer."""
        try:
            await self._link.switch(address, self._drain)
        finally:
            self._flowing.set()
            for flow in self._flows:
                flow.resume()

    async def _drain(self) -> None:
        """Packs of telemetry are done with only at evaluate's next checkpoint, seconds later: nobody waits for that."""
        self._flowing.clear()
        until = monotonic() + (DRAIN if self._lane is Lane.ALARMS else 0.0)
        while not all(flow.drained for flow in self._flows) and monotonic() < until:  # noqa: ASYNC110 - two loops and SQL have a part
            await asyncio.sleep(0.01)

    def _begin_anew(self) -> None:
        for flow in self._flows:
            flow.begin_anew()

    # --- what others see ---

    async def _note(self) -> None:
        """Keep ``progress`` fresh, and the row in SQL while an alarm is late and once more when none is any longer."""
        told_late = True  # a former life may have left a late row behind
        while True:
            standing = self._standing = await patiently("journal.standing", self._journal.standing)
            now = utc_now()
            late = standing.oldest_at is not None and now - standing.oldest_at > LATE
            if self._lane is Lane.ALARMS and (late or told_late):
                told = standing if late else structs.replace(standing, oldest_at=None, oldest_zone=None)
                try:
                    await self._database.writing(lambda c: note_standing(c, self._journal.id, told, now=now))  # noqa: B023
                    told_late = late
                except Unavailable as e:
                    log.debug("forwarder.not_noted", error=str(e))
            await asyncio.sleep(NOTE_EVERY)
