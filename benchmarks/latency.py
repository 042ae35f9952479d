"""POST to feed: how long after its POST began does an alarm reach a listener of the live feed, at 100 alarms/s.

Alarms go to many groups, raised and cleared in turn, each group about once a second; the n-th alarm of a group has arrived when the
feed shows its incident with at least n alarms. What must not go in: throughput (``alarms``).
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.client import Client, alarm_event
from benchmarks.figures import Figure, percentile, rounded
from benchmarks.park import Place, places, write_park
from benchmarks.system import System
from hazards.errors import Unavailable

ZONES = 12
Group = tuple[str, str]


@dataclass
class Probe:
    """Posts at a steady rate and notes for each alarm when its POST began, when it was accepted and when the feed showed it.

    Times are ``time.perf_counter`` seconds. ``latencies``: seconds from the POST to the feed, in order of arrival."""

    client: Client
    park: list[Place]
    source: str = "bench"
    padding: int = 0  # characters of text in each alarm
    posted: int = 0
    accepted: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    _listener: asyncio.Task[None] | None = None
    _waiting: dict[Group, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    _turns: dict[Group, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _sent: dict[Group, int] = field(default_factory=lambda: defaultdict(int))
    _last_position: str = "0"  # from the beginning: nothing may be missed while the stream is being opened

    async def post_for(self, seconds: float, rate: float) -> None:
        """Post ``rate`` alarms a second, open loop: a slow answer does not slow the next POST."""
        began, tasks = time.perf_counter(), set[asyncio.Task[None]]()
        for n in range(int(seconds * rate)):
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
            task = asyncio.create_task(self._post(self.park[n % len(self.park)]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _post(self, place: Place) -> None:
        self._sent[place.group] += 1
        number = self._sent[place.group]
        identity = f"{self.source}-{place.device}-{number}"
        action = "raised" if number % 2 else "cleared"
        event = alarm_event(identity, place.device, place.kind, action, source=self.source, message="." * self.padding)
        self._waiting[place.group].append((number, time.perf_counter()))
        self.posted += 1
        async with self._turns[place.group]:  # an end that overtakes its beginning would be an incident of its own
            answer = await self.client.post_alarms(event)
        if answer.status == 202:
            self.accepted.add(identity)
        else:
            self.refused.append(f"{answer.status} {answer.text}")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Follow the feed meanwhile, resuming where it was whenever the server ends the stream."""
        self._listener = asyncio.create_task(self._listen())
        try:
            yield
        finally:
            self._listener.cancel()

    async def _listen(self) -> None:
        while True:
            async for event in self.client.feed(self._last_position):
                self._last_position = event.id or self._last_position
                if event.event == "incident":
                    self._arrived((event.data["zone"], event.data["family"]), event.data["alarm_count"])

    def _arrived(self, group: Group, count: int) -> None:
        now = time.perf_counter()
        for number, began in self._waiting[group]:
            if number <= count:
                self.latencies.append(now - began)
                self.arrivals.append(now)
        self._waiting[group] = [w for w in self._waiting[group] if w[0] > count]

    @property
    def missing(self) -> int:
        """Alarms posted that the feed has not shown yet."""
        return sum(map(len, self._waiting.values()))

    async def wait_for_all(self, seconds: float) -> None:
        """Return when the feed has shown every alarm. Unavailable if it has not within ``seconds``."""
        limit = time.perf_counter() + seconds
        while self.missing:
            if self._listener is not None and self._listener.done():
                self._listener.result()
            if time.perf_counter() > limit:
                raise Unavailable(f"{self.missing} of {self.posted} alarms did not reach the feed within {seconds:g} s")
            await asyncio.sleep(0.01)


async def measure(system: System, *, rate: float, seconds: float, warm_up: float) -> list[float]:
    """Latencies in seconds of ``seconds`` × ``rate`` alarms, after ``warm_up`` seconds of the same load that are not counted."""
    async with Client(system.url, system.token()) as client:
        probe = Probe(client, places(ZONES))
        async with probe.listening():
            await probe.post_for(warm_up, rate)
            await probe.wait_for_all(30)
            probe.latencies.clear()
            await probe.post_for(seconds, rate)
            await probe.wait_for_all(30)
    if probe.refused:
        raise Unavailable(f"{len(probe.refused)} alarms were not accepted, the first: {probe.refused[0]}")
    return probe.latencies


def run(*, kafka: str = "", database: str = "", rate: float = 100, seconds: float = 30, warm_up: float = 5) -> Iterator[Figure]:
    """p50, p99 and the maximum in milliseconds on a system started for it: embedded, or on ``kafka`` and ``database``."""
    settings = {k: v for k, v in {"KAFKA": kafka, "DATABASE": database}.items() if v}
    with TemporaryDirectory(prefix="bihuan-bench-") as folder:
        site = write_park(Path(folder) / "site.yaml", ZONES)
        with System(Path(folder) / "data", site=site, settings=settings) as system:
            latencies = [1000 * x for x in asyncio.run(measure(system, rate=rate, seconds=seconds, warm_up=warm_up))]
    where = "kafka" if kafka else "embedded"
    bound = {"p99 allowed": 150.0 if kafka else 200.0}
    yield Figure(f"latency.{where}.p50", rounded(percentile(latencies, 50)), "ms")
    yield Figure(f"latency.{where}.p99", rounded(percentile(latencies, 99)), "ms", bound)
    yield Figure(f"latency.{where}.max", rounded(max(latencies)), "ms")
    yield Figure(f"latency.{where}.alarms", len(latencies), "alarms")
