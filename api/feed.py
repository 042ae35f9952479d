"""The live feed's tail: one reader of SQL positions for all listeners of this process.

Listeners own no queue: each keeps the position it has sent and takes the next events from one shared window of the newest,
or, when it has fallen behind that, from SQL in pages. A slow one therefore costs no memory; HTTP drops it by time.
What must not go in: HTTP, JSON shapes, giving positions (``storage/outbox.py``).
"""

import asyncio
import contextlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

from sqlalchemy import Connection, func, select
from structlog import get_logger

from hazards.declarations import DeclarationMessage
from hazards.errors import Unavailable
from hazards.flood import WINDOW, Flood
from hazards.messages import DutyMessage, HazardMessage, IncidentMessage, IncidentState
from hazards.scope import Scope
from hazards.zone_state import Reason
from storage import schema
from storage.database import Database
from storage.incident_queries import Call, calls_since
from storage.outbox import FeedRow, feed_bounds, read_feed

log = get_logger(__name__)
PAGE = 500
REMEMBERED, MOST_REMEMBERED = 6 * WINDOW, 5_000
"""For how long (µs) it is remembered which incidents called somebody, and how many: what a new listener learns its flood from."""
_NAMES: dict[type, bytes] = {
    IncidentMessage: b"incident", HazardMessage: b"hazard", DutyMessage: b"duty", DeclarationMessage: b"declaration",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the feed, rendered once for everybody. ``name``: incident, hazard, duty or declaration.

    ``calls_at``: receipt of the alarm by which an incident newly calls somebody, UTC µs."""

    position: int
    zone: str
    enterprise: str | None
    data: bytes
    name: bytes = b"incident"
    calls_at: int | None = None


class Gone(Exception):
    """The wanted position is no longer kept, or was never given."""


class FeedTail:
    """Follows the positions. ``render``: a row to the bytes of its event, called once a row."""

    def __init__(
        self, database: Database, render: Callable[[FeedRow], bytes], *, kept: int, poll: float, behind_after: float, now: Callable[[], int]
    ) -> None:
        self._database, self._render, self._poll, self._now = database, render, poll, now
        self._behind_after = int(behind_after * 1_000_000)
        self._window: list[Event] = []  # the newest, in order; complete for every position above ``_floor``
        self._kept, self._floor = kept, 0
        self._calls: dict[tuple[str, int], tuple[int, Call]] = {}  # by incident and time: the position that told it first
        self._wake, self._news = asyncio.Event(), asyncio.Event()
        self.closed = asyncio.Event()  # the server is stopping: every stream ends
        self.newest = 0
        self.listeners = 0
        self.behind_since: int | None = None  # receipt of the oldest alarm that waits too long to be applied, UTC microseconds
        self._state_at = 0.0

    def wake(self) -> None:
        """There are new positions, perhaps. Call it on the event loop."""
        self._wake.set()

    async def run(self) -> None:
        """Follow until cancelled; SQL that is away is waited for."""
        started = False
        while True:
            try:
                if not started:
                    self.newest = self._floor = (await self._database.reading(feed_bounds))[1]
                    await self._recall()
                    started = True
                more = await self._advance()
                await self._look_behind()
            except Unavailable as e:
                log.warning("the feed waits for SQL", error=str(e))
                more = False
            if not more:
                await _wait(self._wake, self._poll)
                self._wake.clear()

    async def _recall(self) -> None:
        """Learn from SQL who called before this process began."""
        since = self._now() - REMEMBERED
        for call in await self._database.reading(lambda connection: calls_since(connection, since, limit=MOST_REMEMBERED)):
            self._first_told(call, self.newest)

    async def _advance(self) -> bool:
        rows = await self._database.reading(lambda connection: read_feed(connection, self.newest, limit=PAGE))
        self._window += [self._event(row) for row in rows]
        if len(self._window) > 2 * self._kept:
            self._floor = self._window[-self._kept - 1].position
            del self._window[: -self._kept]
        if rows:
            self.newest = rows[-1].position
            self._tell()
        return len(rows) == PAGE

    def _event(self, row: FeedRow) -> Event:
        name = _NAMES[type(row.message)]
        call = _call_of(row)
        calls_at = call.at if call is not None and self._first_told(call, row.position) else None
        return Event(row.position, row.zone, row.enterprise, self._render(row), name, calls_at)

    def _first_told(self, call: Call, position: int) -> bool:
        """Whether ``position`` is the first to tell of ``call``; later changes of the incident tell of it, too."""
        if call.at <= self._now() - REMEMBERED:
            return True
        first = self._calls.setdefault((call.incident, call.at), (position, call))[0]
        while len(self._calls) > MOST_REMEMBERED:
            del self._calls[next(iter(self._calls))]
        return first == position

    def flood(self, scope: Scope, upto: int) -> Flood:
        """The flood of a listener with ``scope`` that has been told everything up to position ``upto``."""
        found, since = Flood(), self._now() - REMEMBERED
        calls = [call.at for position, call in self._calls.values() if position <= upto and scope.sees(call.zone, call.enterprise)]
        for at in sorted(at for at in calls if at > since):
            found.take(at)
        return found

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _look_behind(self) -> None:
        if monotonic() - self._state_at < 1.0:
            return
        self._state_at = monotonic()
        oldest = await self._database.reading(_oldest_unapplied)
        behind = oldest if oldest is not None and oldest < self._now() - self._behind_after else None
        if behind != self.behind_since:
            self.behind_since = behind
            self._tell()

    async def check(self, after: int) -> None:
        """Raises Gone when events after ``after`` were dropped already, or ``after`` was never given."""
        oldest, newest = await self._database.reading(feed_bounds)
        if after > newest or (after < oldest - 1):
            raise Gone

    async def next(self, after: int, *, scope: Scope, timeout: float) -> tuple[Sequence[Event], int]:
        """Events after ``after`` in ``scope`` (at most a page) and the position reached; waits up to ``timeout`` seconds.

        Returns early with nothing when the state (``behind_since``) changed. Raises Gone when it fell behind all that is kept."""
        news = self._news
        if self.newest <= after:
            await _wait(news, timeout)
        if self.newest <= after:
            return (), after
        if after >= self._floor:
            return self._from_window(after, scope)
        return await self._from_sql(after, scope)

    def _from_window(self, after: int, scope: Scope) -> tuple[Sequence[Event], int]:
        start = bisect_right(self._window, after, key=lambda event: event.position)
        taken = self._window[start : start + PAGE]
        return [e for e in taken if scope.sees(e.zone, e.enterprise)], taken[-1].position

    async def _from_sql(self, after: int, scope: Scope) -> tuple[Sequence[Event], int]:
        await self.check(after)
        upto = self.newest
        rows = await self._database.reading(lambda connection: read_feed(connection, after, limit=PAGE, scope=scope))
        reached = rows[-1].position if len(rows) == PAGE else max(upto, rows[-1].position if rows else after)
        return [self._event(row) for row in rows], reached


def _call_of(row: FeedRow) -> Call | None:
    """When the incident of ``row`` began, or began again, to call somebody; None for anything else."""
    message = row.message
    if not isinstance(message, IncidentMessage) or message.quiet or message.state is not IncidentState.ACTIVE:
        return None
    if row.event != "opened" and message.reason != Reason.REACTIVATED:
        return None
    return Call(message.id, message.raised_at, row.zone, row.enterprise)


async def _wait(event: asyncio.Event, timeout: float) -> None:
    """Until the event or the time-out. Not ``wait_for``: before Python 3.12 that can swallow a cancellation."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await event.wait()


def _oldest_unapplied(connection: Connection) -> int | None:
    oldest: int | None = connection.execute(select(func.min(schema.forwarders.c.oldest_at))).scalar()
    return oldest
