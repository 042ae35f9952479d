"""Sends what is due: the gravest first, then the oldest, so many at once in all and for each endpoint, and records what came of it.

A dead endpoint can't hold others: each has few places, and those that fail have one each and at most half of all together. Nothing is
written before an attempt, so one that was cut off is made again with the same webhook-id. What must not go in: making deliveries.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog
from msgspec import Struct

from hazards.errors import Unavailable
from push.endpoints import Endpoint
from push.schedule import SECOND, TIMEOUT, Verdict, next_attempt, pause, verdict
from push.sending import Outcome, Sender
from storage.database import Database
from storage.deliveries import Attempted, Due, EndpointRow, Look, State, look, record_attempts

log = structlog.get_logger("push")


class DeliverySettings(Struct, frozen=True, kw_only=True):
    """Bounds of the deliverer. Seconds."""

    parallel: int = 64
    parallel_of_endpoint: int = 4
    down_from: int = 3  # failures in a row after which an endpoint counts as down: one attempt at a time
    timeout: float = TIMEOUT
    poll: float = 1.0  # a fallback when nobody rings
    stop_timeout: float = 0.7  # attempts under way may end for so long; those cut off are made again at the next start


class Deliverer:
    """The one sender of a database (see ``push/run.py``). ``wake`` it when there may be something new."""

    def __init__(
        self, database: Database, sender: Sender, endpoints: Callable[[], Mapping[str, Endpoint]], settings: DeliverySettings, *,
        now: Callable[[], int], jitter: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        self._database, self._sender, self._endpoints, self._settings = database, sender, endpoints, settings
        self._now, self._jitter = now, jitter
        self._woken = asyncio.Event()
        self._in_flight: dict[str, tuple[str, asyncio.Task[None]]] = {}  # delivery to endpoint and attempt
        self._done: list[Attempted] = []
        self._to_record = asyncio.Event()
        self.counts: Counter[State] = Counter()

    def wake(self) -> None:
        """Look for what is due, now."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled; then let what is under way end, for a moment."""
        recording = asyncio.create_task(self._record())
        try:
            while True:
                wait = await self._round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._woken.wait()
                self._woken.clear()
                if recording.done():
                    recording.result()  # it ends only by failing: outcomes that nobody records must not pile up
        finally:
            await self._finish()
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)

    async def _round(self) -> float:
        """Start what is due and has a place; seconds until it is worth looking again."""
        endpoints, now = self._endpoints(), self._now()
        sendable = {e.id for e in endpoints.values() if not e.trouble}
        flying, most = list(self._in_flight), self._settings.parallel_of_endpoint
        try:
            found = await self._database.reading(lambda c: look(c, sendable, now=now, most=most, in_flight=flying))
        except Unavailable as e:
            log.warning("deliveries wait", error=str(e))
            return self._settings.poll
        for due in self._chosen(found):
            task = asyncio.create_task(self._attempt(due, endpoints[due.endpoint], found.endpoints[due.endpoint]))
            self._in_flight[due.id] = (due.endpoint, task)
        if found.next_at is None:
            return self._settings.poll
        return min(self._settings.poll, max(0.0, (found.next_at - self._now()) / SECOND))

    def _chosen(self, found: Look) -> list[Due]:
        """Those of ``found.due`` that have a place."""
        down = {e.id for e in found.endpoints.values() if e.failures >= self._settings.down_from}
        taken = Counter(endpoint for endpoint, _ in self._in_flight.values())
        free = self._settings.parallel - len(self._in_flight)
        for_down = self._settings.parallel // 2 - sum(n for endpoint, n in taken.items() if endpoint in down)
        chosen = []
        for due in found.due:
            is_down = due.endpoint in down
            places = 1 if is_down else self._settings.parallel_of_endpoint
            if free <= 0 or taken[due.endpoint] >= places or (is_down and for_down <= 0):
                continue
            taken[due.endpoint] += 1
            free -= 1
            for_down -= is_down
            chosen.append(due)
        return chosen

    async def _attempt(self, due: Due, endpoint: Endpoint, row: EndpointRow) -> None:
        outcome = await self._sender.send(endpoint, due.id, due.body)
        result = consequence(due, row, outcome, now=self._now(), jitter=self._jitter())
        if result.state is State.WAITING:
            log.info("not delivered", delivery=due.id, endpoint=endpoint.id, attempt=due.attempts + 1, error=result.error)
        elif result.state is not State.DELIVERED:
            log.warning("given up", delivery=due.id, endpoint=endpoint.id, attempts=due.attempts + 1, error=result.error)
        self._done.append(result)
        self._to_record.set()

    async def _record(self) -> None:
        """Write outcomes, as many as have come, in one transaction; while SQL is away they wait here and their places stay taken."""
        while True:
            await self._to_record.wait()
            self._to_record.clear()
            await self._record_done()

    async def _record_done(self) -> None:
        done, self._done = self._done, []
        while done:
            try:
                await self._database.writing(lambda c: record_attempts(c, done, down_from=self._settings.down_from))
                break
            except Unavailable as e:
                log.warning("outcomes wait to be recorded", error=str(e))
                await asyncio.sleep(0.5)
        for result in done:
            self._in_flight.pop(result.due.id, None)
            self.counts[result.state] += 1
        self.wake()

    async def _finish(self) -> None:
        tasks = [task for _, task in self._in_flight.values() if not task.done()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.stop_timeout)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stop_timeout):
                await self._record_done()


def consequence(due: Due, endpoint: EndpointRow, outcome: Outcome, *, now: int, jitter: float) -> Attempted:
    """What an attempt's outcome means for its delivery and its endpoint."""
    means = verdict(outcome.status)
    if means is Verdict.DELIVERED:
        return Attempted(due, outcome.at, outcome.took_ms, outcome.status, "", State.DELIVERED, None)
    if means is Verdict.GONE:
        return Attempted(due, outcome.at, outcome.took_ms, outcome.status, outcome.error, State.DEAD, None, gone=True)
    again = next_attempt(due.severity, due.failed + 1, now=now, jitter=jitter, wait=outcome.wait or 0)
    slow = means is Verdict.SLOW_DOWN or bool(outcome.wait)
    until = now + pause(endpoint.slowed + 1, outcome.wait) if slow else None
    state = State.DEAD if again is None else State.WAITING
    return Attempted(due, outcome.at, outcome.took_ms, outcome.status, outcome.error, state, again, slow, until)
