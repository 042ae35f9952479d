"""The MQTT intake: messages to the telemetry door, each acknowledged after it is on disk, in the order of arrival (MQTT 5, 4.6).

A message that can't be taken becomes a dead letter and is acknowledged; a full journal or a stuck disk is waited for, unacknowledged, so
that the broker keeps what comes. What must not go in: formats (``payloads.py``), sockets (``link.py``), units and times (the door).
"""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiomqtt
import structlog

from hazards.errors import BadInput, NotPermitted, Throttled, Unavailable
from hazards.scope import EVERYTHING, Scope
from ingest.door import utc_now
from ingest.measurements import Measurements
from ingest.mqtt.letters import LetterBox
from ingest.mqtt.link import Arrived, Link
from ingest.mqtt.payloads import decode
from ingest.mqtt.settings import MqttSettings, Subscription, settings_of
from ingest.mqtt.topics import TopicTemplate
from ingest.telemetry_door import Taken
from storage.dead_letters import DeadLetter
from storage.site_store import Registry

IN_HAND = 2_000
"""Messages taken from the connection and not yet acknowledged."""
LOOK_SECONDS = 1.0
"""Between looks whether the site file's section changed."""
IN_THREAD_FROM = 64_000
"""Bytes of a payload that is decoded off the event loop."""
SETTLED_SECONDS = 30.0
"""A connection that lasted so long starts the back-off anew."""
REMEMBERED = 10 * 1_000_000
"""µs before the end of a connection: what was stored since then is known when the broker sends it again, its acknowledgement being lost."""
LAST_SECONDS = 1.0
"""For what is in hand when the intake is told to stop."""

log = structlog.get_logger(__name__)

InHand = asyncio.Queue[tuple[Arrived, asyncio.Task[None] | None]]
"""Messages in the order of arrival and the work on each."""


class Accepting(Protocol):
    """The telemetry door (``ingest.telemetry_door.TelemetryDoor``)."""

    async def accept(self, found: Measurements, *, scope: Scope = EVERYTHING) -> Taken:
        """Durably take all, or raise."""


@dataclass(slots=True)
class Standing:
    """What an intake did and how it stands; for a beat and for people. ``problem``: why it is not connected, or a refused filter."""

    configured: bool = False
    connected: bool = False
    problem: str = ""
    filters: tuple[str, ...] = ()
    messages: int = 0
    readings: int = 0
    refused: int = 0
    retained: int = 0
    dropped: int = 0


class MqttIntake:
    """Follows the section ``mqtt`` of the site that ``registry`` gives. ``keep_letters`` writes dead letters to SQL (raises Unavailable);
    ``environ`` is where passwords are looked up by the names in the section; ``now`` is UTC µs."""

    def __init__(
        self, registry: Callable[[], Registry], door: Accepting, keep_letters: Callable[[Sequence[DeadLetter]], Awaitable[object]], *,
        environ: Mapping[str, str], now: Callable[[], int] = utc_now,
    ) -> None:  # fmt: skip
        self._registry, self._door, self._keep_letters, self._environ, self._now = registry, door, keep_letters, environ, now
        self._letters, self._posted = LetterBox(), asyncio.Event()
        self._rows: list[tuple[TopicTemplate, Subscription]] = []
        self._filters = set[str]()  # of this session, so that those gone from the site file can be given up
        self._done: dict[int, tuple[bytes, int]] = {}  # packet id to digest and time of receipt of what was taken or put aside
        self._stalled: asyncio.Event | None = None  # set when the door takes again
        self.standing = Standing()

    async def run(self) -> None:
        """Take messages until cancelled. Outages of the broker, SQL and the journal's disk are waited out."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_letters())
            group.create_task(self._follow())

    async def _follow(self) -> None:
        loop, tries = asyncio.get_running_loop(), 0
        while True:
            settings = settings_of(self._registry().site.settings)
            self.standing.configured = settings is not None
            if settings is None:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            began = loop.time()
            try:
                await self._connection(settings)
                tries = 0
                continue  # the section changed
            except (aiomqtt.MqttError, OSError, ValueError) as e:
                self.standing.problem = str(e) or type(e).__name__
            finally:
                self.standing.connected = False
            tries = 0 if loop.time() - began > SETTLED_SECONDS else tries + 1
            pause = min(0.25 * 2**tries, 30.0) * random.uniform(0.5, 1.0)
            log.warning("mqtt.not_connected", broker=settings.url, error=self.standing.problem, again_in=round(pause, 1))
            await asyncio.sleep(pause)

    async def _connection(self, settings: MqttSettings) -> None:
        """Work on one connection until the section changes. Raises MqttError and OSError."""
        self._rows = [(TopicTemplate(row.topic), row) for row in settings.subscriptions]
        password = self._environ.get(settings.password_env) if settings.password_env else None
        link = Link(settings, settings.client_id or f"bihuan-{self._registry().site.id}", password, self._now)
        in_hand: InHand = asyncio.Queue(IN_HAND)
        async with link:
            taking = asyncio.create_task(self._take(link, in_hand))
            jobs = [asyncio.create_task(job) for job in (self._acknowledge(link, in_hand), link.lost(), self._watch(settings))]
            try:
                await self._subscribe(link)
                _end_if_cancelled()
                self.standing.connected = True
                log.info("mqtt.connected", broker=settings.url, subscriptions=len(self._rows))
                done, _ = await asyncio.wait([taking, *jobs], return_when=asyncio.FIRST_COMPLETED)
                for job in done:
                    job.result()
            finally:
                taking.cancel()
                await self._last(link, in_hand)
                for job in jobs:
                    job.cancel()
                await asyncio.gather(taking, *jobs, return_exceptions=True)
                while not in_hand.empty():
                    if work := in_hand.get_nowait()[1]:
                        work.cancel()
                self.standing.dropped += link.dropped
                since = self._now() - REMEMBERED
                self._done = {mid: done for mid, done in self._done.items() if done[1] >= since}

    async def _subscribe(self, link: Link) -> None:
        wanted = {template.filter: row for template, row in reversed(self._rows)}
        self.standing.problem = ""
        for gone in sorted(self._filters - wanted.keys()):
            await link.unsubscribe(gone)
        for topic_filter, row in wanted.items():
            if refusal := await link.subscribe(topic_filter, row.qos):
                self.standing.problem = f"the broker refuses {topic_filter}: {refusal}"
                log.error("mqtt.subscription_refused", filter=topic_filter, reason=refusal)
        self._filters = set(wanted)
        self.standing.filters = tuple(wanted)

    async def _watch(self, settings: MqttSettings) -> None:
        while settings_of(self._registry().site.settings) == settings:  # noqa: ASYNC110 - the registry is a snapshot that is asked
            await asyncio.sleep(LOOK_SECONDS)

    async def _last(self, link: Link, in_hand: InHand) -> None:
        """Give what is in hand a moment to reach the disk and be acknowledged: else it comes again."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await in_hand.join()
                await link.settle()
        except aiomqtt.MqttError:
            pass  # the connection is gone already
        except TimeoutError:
            log.info("mqtt.left_unacknowledged", messages=in_hand.qsize())

    # --- messages ---

    async def _take(self, link: Link, in_hand: InHand) -> None:
        while True:
            message = await link.next()
            self.standing.messages += 1
            await in_hand.put((message, self._begin(message)))

    async def _acknowledge(self, link: Link, in_hand: InHand) -> None:
        while True:
            message, work = await in_hand.get()
            if work is not None:
                await work
            if message.qos:
                self._done[message.mid] = (_digest(message), message.at)
            link.acknowledge(message)
            in_hand.task_done()

    def _begin(self, message: Arrived) -> asyncio.Task[None] | None:
        """The work on ``message``, or None when there is none: it is only acknowledged."""
        row, said = self._row_of(message.topic)
        if row is None:
            self._refuse("", message, "no subscription has this form of topic")
        elif message.retained:
            self.standing.retained += 1  # of unknown age: as a reading it would hide that the sensor is silent
        elif message.again and self._done.get(message.mid, (b"",))[0] == _digest(message):
            pass  # done already, only the acknowledgement was lost
        else:
            return asyncio.get_running_loop().create_task(self._keep(row, said, message))
        return None

    def _row_of(self, topic: str) -> tuple[Subscription | None, dict[str, str]]:
        for template, row in self._rows:
            if (said := template.match(topic)) is not None:
                return row, said
        return None, {}

    async def _keep(self, row: Subscription, said: dict[str, str], message: Arrived) -> None:
        """Put ``message`` on disk, or aside with the reason."""
        try:
            if len(message.payload) > IN_THREAD_FROM:
                found = await asyncio.to_thread(decode, row, said, message.payload, now=message.at)
            else:
                found = decode(row, said, message.payload, now=message.at)
            accepted = await self._accept(found, Scope(enterprise=row.enterprise))  # not in the sum: others add to it meanwhile
            self.standing.readings += accepted
        except (BadInput, NotPermitted, Throttled) as e:
            self._refuse(row.topic, message, str(e))
        except Exception as e:
            log.exception("mqtt.message_failed", topic=message.topic)
            self._refuse(row.topic, message, f"an error inside: {e!r}")

    async def _accept(self, found: Measurements, scope: Scope) -> int:
        """Readings taken. While the door can't take any, one message tries for all; the others follow it in the order they came."""
        while True:
            while self._stalled is not None:
                await self._stalled.wait()
            try:
                return (await self._door.accept(found, scope=scope)).accepted
            except Unavailable as e:
                if self._stalled is None:
                    log.warning("mqtt.waits", error=str(e))
                    return await self._try_for_all(found, scope)

    async def _try_for_all(self, found: Measurements, scope: Scope) -> int:
        stalled = self._stalled = asyncio.Event()
        pause = 0.1
        try:
            while True:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 2.0)
                try:
                    return (await self._door.accept(found, scope=scope)).accepted
                except Unavailable:
                    continue
        finally:  # also when this message turns out to be refused, or is given up: another one tries then
            self._stalled = None
            stalled.set()

    # --- what can't be taken ---

    def _refuse(self, origin: str, message: Arrived, reason: str) -> None:
        self.standing.refused += 1
        if self._letters.put(origin, message.topic, message.payload, reason, now=self._now()):
            log.warning("mqtt.refused", topic=message.topic[:200], reason=reason, refused=self.standing.refused)
            self._posted.set()

    async def _write_letters(self) -> None:
        while True:
            await self._posted.wait()
            letters = list(self._letters.waiting)
            try:
                await self._keep_letters(letters)
            except Unavailable as e:
                log.warning("mqtt.letters_wait", letters=len(letters), error=str(e))
                await asyncio.sleep(2.0)
                continue
            for letter in letters:
                if self._letters.waiting and self._letters.waiting[0] is letter:  # else pushed out by newer ones meanwhile
                    self._letters.waiting.popleft()
            if not self._letters.waiting:
                self._posted.clear()


def _end_if_cancelled() -> None:
    """Raise a cancellation that aiomqtt has swallowed: it waits with ``asyncio.wait_for``, which before Python 3.12 forgets one that
    comes with the broker's answer."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _digest(message: Arrived) -> bytes:
    return hashlib.sha256(message.topic.encode() + b"\0" + message.payload).digest()
