"""A sensor's message to the live feed and to an enterprise's webhook, with 2,000 other readings a second in the background.

Each sample is the first time that a sensor breaks its limit, so it opens an incident of its own. What must not go in: throughput
(``telemetry``), what a delivery holds.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import yaml
from aiohttp import web

from benchmarks.client import Client
from benchmarks.figures import Figure, LeftOut, percentile, rounded
from benchmarks.kafka import TOOL, real_kafka
from benchmarks.system import System, free_port
from hazards.errors import Unavailable

METRICS = {"temperature": ("Cel", "heat"), "flammable_gas": ("%LEL", "gas"), "pressure": ("kPa", "process")}
"""Metric to unit and the family of its alarms."""
LIMIT, CALM, HOT = 60.0, 20.0, 70.0
BACKGROUND = 200  # devices
SECRET = "BENCH_WEBHOOK_SECRET"  # noqa: S105
ALLOWED = 500.0
Group = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Probe:
    """One sensor that breaks its limit once."""

    device: str
    zone: str
    metric: str

    @property
    def group(self) -> Group:
        """Zone and family: no other probe opens an incident there."""
        return self.zone, METRICS[self.metric][1]


def probes(count: int) -> list[Probe]:
    """``count`` probes, one a zone and family."""
    metrics = list(METRICS)
    return [Probe(f"P-{n}", f"probe-{n // len(metrics)}", metrics[n % len(metrics)]) for n in range(count)]


def write_site(path: Path, chosen: list[Probe], webhook: str) -> Path:
    """A site file with the probes, the background's sensors and a webhook for the one enterprise."""
    zones = [*dict.fromkeys(p.zone for p in chosen), *(f"hall-{n}" for n in range(BACKGROUND // 20))]
    sensors = [(p.device, p.zone, p.metric) for p in chosen] + [(f"B-{n}", f"hall-{n // 20}", "temperature") for n in range(BACKGROUND)]
    site = {
        "site": {"id": "bench-park", "name": "测试园区", "district": "510800", "time_zone": "Asia/Shanghai"},
        "enterprises": [{"id": "alu", "name": "测试铝业"}],
        "zones": [
            {"id": zone, "name": zone, "enterprise": "alu", "grade": "red", "polygon": [[99 * n, 0], [99 * n + 9, 0], [99 * n, 9]]}
            for n, zone in enumerate(zones)
        ],
        "devices": [
            {"id": device, "zone": zone, "type": "sensor", "metric": metric, "unit": METRICS[metric][0], "limits": {"high": LIMIT}}
            for device, zone, metric in sensors
        ],
        "webhooks": [{"enterprise": "alu", "url": webhook, "secret_env": SECRET, "allow_private": True}],
    }  # fmt: skip
    path.write_text(yaml.safe_dump(site, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


@dataclass
class Arrivals:
    """When each probe was sent and when it was seen, ``time.perf_counter`` seconds by group; the first sight counts."""

    sent: dict[Group, float] = field(default_factory=dict)
    feed: dict[Group, float] = field(default_factory=dict)
    webhook: dict[Group, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def latencies(self, seen: dict[Group, float]) -> list[float]:
        """Milliseconds from sending to ``seen``, of all that were sent."""
        return [1000 * (seen[group] - at) for group, at in self.sent.items() if group in seen]

    def missing(self) -> int:
        """Probes that were sent and not seen everywhere."""
        return sum(group not in self.feed or group not in self.webhook for group in self.sent)


class Receiver:
    """A webhook's receiver on loopback that answers 204 and notes what came."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/alu"
        application = web.Application()
        application.router.add_post("/alu", self._take)
        self._runner = web.AppRunner(application, access_log=None)

    async def __aenter__(self) -> "Receiver":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        now, body = time.perf_counter(), msgspec.json.decode(await request.read())
        data = body.get("data", {})
        if "zone" in data and "family" in data:
            self._arrivals.webhook.setdefault((data["zone"], data["family"]), now)
        return web.Response(status=204)


async def _listen(client: Client, arrivals: Arrivals) -> None:
    position = "0"
    while True:
        async for event in client.feed(position):
            position = event.id or position
            if event.event == "incident":
                arrivals.feed.setdefault((event.data["zone"], event.data["family"]), time.perf_counter())


async def _post(client: Client, records: list[dict[str, Any]], arrivals: Arrivals) -> None:
    answer = await client.request("POST", "/api/v1/telemetry", json=records, content_type="application/senml+json")
    if answer.status != 202:
        arrivals.refused.append(f"{answer.status} {answer.text[:300]}")


async def _background(client: Client, rate: float, arrivals: Arrivals) -> None:
    """``rate`` readings/s in messages of 100, open loop, until cancelled."""
    began, posts = time.perf_counter(), set[asyncio.Task[None]]()
    for n in range(10**9):
        await asyncio.sleep(max(0.0, began + n * 100 / rate - time.perf_counter()))
        now = datetime.now(UTC).timestamp()
        names = [f"B-{(n * 100 + i) % BACKGROUND}/temperature" for i in range(100)]
        records = [{"n": name, "u": "Cel", "v": CALM + i % 7, "t": now} for i, name in enumerate(names)]
        task = asyncio.create_task(_post(client, records, arrivals))
        posts.add(task)
        task.add_done_callback(posts.discard)


async def _probe(client: Client, chosen: list[Probe], a_second: float, arrivals: Arrivals) -> None:
    """Send each probe's hot reading, ``a_second`` of them a second."""
    began, posts = time.perf_counter(), []
    for n, probe in enumerate(chosen):
        await asyncio.sleep(max(0.0, began + n / a_second - time.perf_counter()))
        record = {"n": f"{probe.device}/{probe.metric}", "u": METRICS[probe.metric][0], "v": HOT, "t": datetime.now(UTC).timestamp()}
        arrivals.sent[probe.group] = time.perf_counter()
        posts.append(asyncio.create_task(_post(client, [record], arrivals)))
    await asyncio.gather(*posts)


async def measure(system: System, chosen: list[Probe], arrivals: Arrivals, *, rate: float, warm_up: float, a_second: float = 10) -> None:
    """Send all probes into the background's load and wait until feed and webhook have shown them."""
    async with Client(system.url, system.token()) as client:
        tasks = [asyncio.create_task(_listen(client, arrivals)), asyncio.create_task(_background(client, rate, arrivals))]
        try:
            await asyncio.sleep(warm_up)
            await _probe(client, chosen, a_second, arrivals)
            limit = time.perf_counter() + 30
            while arrivals.missing():
                if time.perf_counter() > limit:
                    break
                await asyncio.sleep(0.05)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    if arrivals.refused:
        raise Unavailable(f"{len(arrivals.refused)} messages were not accepted, the first: {arrivals.refused[0]}")
    if arrivals.missing():
        feed, webhook = (len(arrivals.sent) - len(seen) for seen in (arrivals.feed, arrivals.webhook))
        raise Unavailable(f"of {len(arrivals.sent)} alarms {feed} did not reach the feed and {webhook} not the webhook within 30 s")


async def _flavour(where: str, settings: dict[str, str], *, count: int, rate: float, warm_up: float) -> list[Figure]:
    arrivals, chosen = Arrivals(), probes(count)
    async with Receiver(arrivals) as receiver:
        with TemporaryDirectory(prefix="bihuan-bench-") as folder:
            site = write_site(Path(folder) / "site.yaml", chosen, receiver.url)
            system = System(Path(folder) / "data", site=site, settings=settings)
            system.environment[SECRET] = "whsec_" + "YmVuY2ggYmVuY2ggYmVuY2ggYmVuY2ggYmVuY2g="
            await asyncio.to_thread(system.start)
            try:
                await measure(system, chosen, arrivals, rate=rate, warm_up=warm_up)
            finally:
                await asyncio.to_thread(system.stop)
    figures = []
    for goal, seen in (("feed", arrivals.feed), ("webhook", arrivals.webhook)):
        took = arrivals.latencies(seen)
        figures.append(Figure(f"push.{where}.{goal}.p50", rounded(percentile(took, 50)), "ms"))
        figures.append(Figure(f"push.{where}.{goal}.p99", rounded(percentile(took, 99)), "ms", {"p99 allowed": ALLOWED}))
    return figures


def run(*, kafka: str = "", database: str = "", count: int = 300, rate: float = 2000, warm_up: float = 5) -> Iterator[Figure | LeftOut]:
    """p50 and p99 in milliseconds, once embedded and once on Kafka (and on ``database`` where it is given)."""
    yield from asyncio.run(_flavour("embedded", {}, count=count, rate=rate, warm_up=warm_up))
    if not kafka and not os.environ.get(TOOL):
        yield LeftOut("push.kafka", f"there is no Kafka: set BIHUAN_KAFKA or {TOOL}")
        return
    with real_kafka(kafka) as addresses:
        settings = {"KAFKA": addresses, **({"DATABASE": database} if database else {})}
        yield from asyncio.run(_flavour("kafka", settings, count=count, rate=rate, warm_up=warm_up))
