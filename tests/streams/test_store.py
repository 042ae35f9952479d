"""The store process' work on the embedded broker: nothing is lost while the time series or SQL is away, nothing is doubled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from sqlalchemy import select

from bus.admin import ensure_topics
from bus.codecs import encode
from bus.topics import DEFAULT_PARTITIONS, ROLLUPS, TELEMETRY
from hazards.errors import StorageUnavailable
from hazards.messages import HazardMessage
from hazards.telemetry import Reading, RollupPack, TelemetryPack, pack_readings
from hazards.zones import Device, Enterprise, Grade, Site, Zone
from storage import schema
from storage.database import Database
from storage.doorbell import open_followers_bell
from storage.incidents import apply_signals
from storage.outbox import announce_hazard, give_positions
from storage.series.influx import InfluxAccess, InfluxSeries
from storage.series.port import RAW, RawBlock, Rejected, SeriesQuery, SeriesRun, TimeSeries
from storage.series.sqlite import SqliteSeries
from storage.site_store import Registry
from streams import store as streams_store
from streams import worker as streams_worker
from streams.app import WorkerApp, WorkerSettings
from streams.progress import WorkerProgress
from streams.store import AT_MOST, Store, run_store
from streams.transport import Consumer
from streams.worker import Run
from tests.hazards.signals import NOON, SECOND, signal
from tests.real.influx import Influx
from tests.real.kafka import EmbeddedBroker, KafkaCluster
from tests.real.ports import free_port
from tests.streams.signals import producing, send

SITE = Site(
    id="park", name="园区", enterprises=[Enterprise("alu", "铝业")], zones=[Zone("smelter", "熔铸", Grade.RED, "alu")],
    devices=[
        Device("T-1", "smelter", "sensor", settings={"metric": "temperature", "unit": "Cel"}),
        Device("T-2", "smelter", "sensor", settings={"metric": "temperature", "unit": "K", "compression": 0.5}),
    ],
)  # fmt: skip


def registry(version: int = 1, site: Site = SITE) -> Registry:
    return Registry(version, site, {z.id: z for z in site.zones}, {d.id: d for d in site.devices})


def telemetry(numbers: Sequence[int], *, device: str = "T-1", zone: str = "smelter") -> TelemetryPack:
    """A pack of one reading a second: the value is its number."""
    return pack_readings(zone, [Reading(f"{device}/temperature", NOON + n * SECOND, float(n)) for n in numbers], NOON)


def rollup(start: int, count: int, *, resolution: int = 60) -> RollupPack:
    values = {name: np.array([float(count)]).tobytes() for name in ("minimum", "mean", "maximum", "last")}
    return RollupPack(id=f"r{start}-{count}-{resolution}", zone="smelter", resolution=resolution, series=["T-1/temperature"],
                      index=np.zeros(1, "<u2").tobytes(), start=np.array([NOON + start * SECOND], "<i8").tobytes(),
                      count=np.array([count], "<u4").tobytes(), **values)  # fmt: skip


async def run_of(series: TimeSeries, device: str = "T-1", resolution: int = RAW) -> SeriesRun | None:
    query = SeriesQuery(device=device, metric="temperature", start=NOON - 3600 * SECOND, end=NOON + 10**6 * SECOND, resolution=resolution,
                        limit=10**6)  # fmt: skip
    runs = await series.read(query)
    return runs[0] if runs else None


async def stored(series: TimeSeries, wanted: Sequence[int], *, seconds: float = 60, device: str = "T-1") -> None:
    """Wait until exactly the readings ``wanted`` stand in ``series``."""
    found: list[float] = []
    try:
        async with asyncio.timeout(seconds):
            while len(found) < len(wanted):
                run = await run_of(series, device)
                found = [] if run is None else run.last.tolist()
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{len(found)} of {len(wanted)} readings stored") from None
    assert found == [float(n) for n in wanted]


class Progress:
    def __init__(self) -> None:
        self.latest = WorkerProgress(ready=False, assigned=[])

    def __call__(self, progress: WorkerProgress) -> None:
        self.latest = progress


@asynccontextmanager
async def storing(
    broker: str, database: Database, series: TimeSeries, *, marks: bool = False, site: Callable[[], Registry] = registry, alone: bool = True
) -> AsyncIterator[Progress]:
    """``run_store`` in this process, stopped at the end."""
    settings = WorkerSettings(broker=broker, alone=alone, report_interval=0.1, commit_interval=0.05)
    stop, progress = asyncio.Event(), Progress()
    bell = open_followers_bell(database.engine.url.render_as_string(hide_password=False), free_port())
    task = asyncio.create_task(run_store(settings, database, bell, series, site, progress, stop, marks=marks))
    try:
        yield progress
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)
        await bell.close()


@pytest.fixture
async def series(tmp_path: Path) -> AsyncIterator[TimeSeries]:
    made = SqliteSeries(tmp_path / "series.sqlite")
    await made.ensure()
    yield made
    await made.close()


async def put(broker: str, *packs: TelemetryPack | RollupPack) -> None:
    await ensure_topics(broker, DEFAULT_PARTITIONS, 1)
    async with producing(broker) as producer:
        for pack in packs:
            topic = TELEMETRY if isinstance(pack, TelemetryPack) else ROLLUPS
            await send(producer, [(pack.zone.encode(), encode(pack))], topic.name)


async def marks_of(database: Database) -> set[tuple[str, str]]:
    table = schema.telemetry_marks
    return set(await database.reading(lambda c: [(r.id, r.agent) for r in c.execute(select(table.c.id, table.c.agent))]))


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_readings_and_rollups_are_stored_and_marked(
    embedded_broker: EmbeddedBroker, sqlite_database: Database, series: TimeSeries
) -> None:
    packs = [telemetry(range(n, n + 10)) for n in range(0, 500, 10)]
    rollups = [rollup(0, 3), rollup(60, 5), rollup(0, 9)]
    async with storing(embedded_broker.address, sqlite_database, series, marks=True) as progress:
        await put(embedded_broker.address, *packs, *rollups, packs[7], packs[8])  # who was not sure sent again
        await stored(series, range(500))

        async def all_marked() -> bool:
            return await marks_of(sqlite_database) == {(p.id, "store") for p in [*packs, *rollups]}

        await until(all_marked)
        run = await run_of(series, resolution=60)
        assert run is not None and list(run.count) == [9, 5] and run.tags.unit == "Cel" and run.tags.enterprise == "alu"

        async def reported() -> bool:
            return progress.latest.ready and progress.latest.applied >= 503

        await until(reported)
        assert progress.latest.trouble == ""


async def test_what_cant_be_understood_is_put_aside_and_the_stream_goes_on(
    embedded_broker: EmbeddedBroker, sqlite_database: Database, series: TimeSeries
) -> None:
    good = telemetry(range(5))
    half = msgspec.structs.replace(good, at=good.at[:-3])
    short = msgspec.structs.replace(good, at=good.at[:-8])
    lost = msgspec.structs.replace(good, series=[])
    odd = rollup(0, 1, resolution=17)
    bad = [b"\xff\x00garbage", b"", encode(rollup(0, 1)), *(encode(p) for p in (half, short, lost))]
    async with storing(embedded_broker.address, sqlite_database, series):
        await ensure_topics(embedded_broker.address, DEFAULT_PARTITIONS, 1)
        async with producing(embedded_broker.address) as producer:
            await send(producer, [(b"smelter", value) for value in bad], TELEMETRY.name)
            await send(producer, [(b"smelter", encode(odd)), (b"smelter", encode(rollup(60, 2)))], ROLLUPS.name)
            await send(producer, [(b"smelter", encode(good))], TELEMETRY.name)
        await stored(series, range(5))

        async def put_aside() -> bool:
            letters = await sqlite_database.reading(lambda c: c.execute(select(schema.dead_letters)).all())
            return {bytes(row.payload) for row in letters} == {*bad, encode(odd)} and all(row.reason for row in letters)

        await until(put_aside)


async def test_influxdb_killed_for_a_while_costs_nothing(
    embedded_broker: EmbeddedBroker, sqlite_database: Database, influx: Influx
) -> None:
    series = InfluxSeries(InfluxAccess(influx.url, influx.org, influx.token, "bihuan_test", timeout=5))
    async with storing(embedded_broker.address, sqlite_database, series, marks=True) as progress:
        await put(embedded_broker.address, *(telemetry(range(n, n + 50)) for n in range(0, 1000, 50)))
        await stored(series, range(1000))
        await asyncio.to_thread(influx.kill)
        missed = [telemetry(range(n, n + 50)) for n in range(1000, 3000, 50)]
        await put(embedded_broker.address, *missed)

        async def troubled() -> bool:
            return "does not answer" in progress.latest.trouble

        await until(troubled)
        assert not await marks_of(sqlite_database) & {(p.id, "store") for p in missed}, "nothing is done with before it is written"
        await asyncio.to_thread(influx.restart)
        await stored(series, range(3000))

        async def settled() -> bool:
            return progress.latest.trouble == ""

        await until(settled)
    await series.close()


async def test_a_store_that_was_stopped_goes_on_where_it_was(
    embedded_broker: EmbeddedBroker, sqlite_database: Database, series: TimeSeries
) -> None:
    async with storing(embedded_broker.address, sqlite_database, series):
        await put(embedded_broker.address, telemetry(range(100)))
        await stored(series, range(100))
    await put(embedded_broker.address, telemetry(range(100, 200)))
    async with storing(embedded_broker.address, sqlite_database, series):
        await stored(series, range(200))


class Troubled(SqliteSeries):
    """Fails as told before it writes."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.errors: list[Exception] = []

    async def write_raw(self, block: RawBlock) -> Sequence[Rejected]:
        if self.errors:
            raise self.errors.pop(0)
        return await super().write_raw(block)


@pytest.fixture
async def troubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Troubled]:
    monkeypatch.setattr(streams_store, "LONGEST_PAUSE", 0.01)
    made = Troubled(tmp_path / "series.sqlite")
    await made.ensure()
    yield made
    await made.close()


async def test_what_is_away_is_waited_for_and_what_nobody_foresaw_is_put_aside(sqlite_database: Database, troubled: Troubled) -> None:
    store = Store(sqlite_database, troubled, registry, marks=True)
    troubled.errors = [StorageUnavailable("away") for _ in range(5)]
    await store.store_raw([encode(telemetry(range(10)))])
    await stored(troubled, range(10))
    troubled.errors = [KeyError("nobody foresaw this")]
    pack = telemetry(range(10, 20))
    await store.store_raw([encode(pack)])
    await store.store_raw([encode(telemetry(range(20, 30)))])
    await stored(troubled, [*range(10), *range(20, 30)])
    (letter,) = await sqlite_database.reading(lambda c: c.execute(select(schema.dead_letters)).all())
    assert bytes(letter.payload) == encode(pack) and "nobody foresaw" in letter.reason
    assert (pack.id, "store") in await marks_of(sqlite_database), "the journal need not keep what was put aside"


async def test_sql_that_is_away_holds_the_acknowledgement_back(sqlite_database: Database, series: TimeSeries, monkeypatch: Any) -> None:
    monkeypatch.setattr(streams_store, "LONGEST_PAUSE", 0.01)
    store, failures = Store(sqlite_database, series, registry, marks=True), 4
    writing = sqlite_database.writing

    async def sometimes(work: Any) -> Any:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise StorageUnavailable("SQL is away")
        return await writing(work)

    monkeypatch.setattr(sqlite_database, "writing", sometimes)
    pack = telemetry(range(3))
    await store.store_raw([encode(pack)])
    assert failures < 0 and (pack.id, "store") in await marks_of(sqlite_database)


async def test_compression_follows_the_site_and_a_new_site_renames(sqlite_database: Database, series: TimeSeries) -> None:
    present = [registry()]
    store = Store(sqlite_database, series, lambda: present[0])

    def slow(first: int) -> bytes:  # 0.01 a second
        readings = [Reading("T-2/temperature", NOON + n * SECOND, n / 100) for n in range(first, first + 500)]
        return encode(pack_readings("smelter", readings, NOON))

    await store.store_raw([slow(0), slow(500)])
    run = await run_of(series, "T-2")
    assert run is not None and len(run.at) <= 25 and run.tags.unit == "K"
    held = run.last[np.searchsorted(run.at, NOON + np.arange(1000) * SECOND, side="right") - 1]
    assert np.abs(held - np.arange(1000) / 100).max() <= 0.5
    assert store.tally.applied + store.tally.repeated == 1000
    plain = Site(id="park", name="园区", zones=[Zone("smelter", "熔铸", Grade.RED, "other")], devices=[])
    present[0] = registry(2, plain)
    await store.store_raw([slow(1000)])
    query = SeriesQuery(device="T-2", metric="temperature", start=NOON, end=NOON + 2000 * SECOND, enterprise="other")
    (renamed,) = await series.read(query)
    assert len(renamed.at) == 500 and renamed.tags.unit == "", "nobody registered it any more: exact, and without a unit"


async def test_the_outbox_s_rows_become_points_and_equal_times_stay_apart(
    embedded_broker: EmbeddedBroker, database: Database, influx: Influx
) -> None:
    series = InfluxSeries(InfluxAccess(influx.url, influx.org, influx.token, "bihuan_test"))
    await series.ensure()
    signals = [signal(n, kind="odd_thing", device="D-1", at=0) for n in range(12)]
    signals += [signal(100 + n, device=f"NEW-{n}", zone="unassigned", at=1) for n in range(5)]
    hazard = HazardMessage(id="h1", zone="smelter", enterprise="alu", kind="fire", grade="general", confirmed=False, state="proposed",
                           event="proposed", title="", opened_at=NOON, updated_at=NOON, version=1, actor="li", due_at=NOON + 7)  # fmt: skip
    with database.write() as connection:
        apply_signals(connection, signals, now=NOON)
        announce_hazard(connection, [(hazard, "proposed")], now=NOON)
    if not database.is_sqlite:
        with database.write() as connection:
            give_positions(connection)

    async def rows(measurement: str, field: str = "id") -> list[dict[str, str]]:
        flux = (
            f'from(bucket: "bihuan_test") |> range(start: 0, stop: 2100-01-01T00:00:00Z) '
            f'|> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}")'
        )
        return await asyncio.to_thread(influx.query, flux)

    async def there() -> bool:
        return bool(await rows("hazards"))

    for _ in range(2):  # a store that forgot where it was writes the same points again
        async with storing(embedded_broker.address, database, series):
            await until(there)
        assert {r["_value"] for r in await rows("alarms")} == {s.id for s in signals}
        assert {r["device"] for r in await rows("alarms")} == {"D-1", "unregistered"}
        assert {r["_value"] for r in await rows("alarms", "source_device")} == {"D-1", *(f"NEW-{n}" for n in range(5))}
        incidents = await rows("incidents")
        assert len(incidents) == 6 and {r["state"] for r in incidents} == {"active"}
        (point,) = await rows("hazards")
        assert (point["_value"], point["grade"], point["state"], point["event"]) == ("h1", "general", "proposed", "proposed")
        with database.write() as connection:
            connection.execute(schema.followers.update().values(position=0))
    await series.close()


async def test_what_waits_for_the_time_series_waits_in_kafka_and_not_in_memory(
    embedded_broker: EmbeddedBroker, sqlite_database: Database, troubled: Troubled, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Run] = []

    class Seen(Run):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            runs.append(self)

    monkeypatch.setattr(streams_store, "Run", Seen)
    troubled.errors = [StorageUnavailable("away") for _ in range(100_000)]
    await ensure_topics(embedded_broker.address, DEFAULT_PARTITIONS, 1)
    async with producing(embedded_broker.address) as producer:
        packs = ((f"zone-{n % 40}".encode(), encode(telemetry([n]))) for n in range(20_000))
        await send(producer, packs, TELEMETRY.name)
    async with storing(embedded_broker.address, sqlite_database, troubled) as progress:
        held = [0]
        async with asyncio.timeout(90):
            while held[-1] <= AT_MOST or len(set(held[-3:])) > 1:
                await asyncio.sleep(0.5)
                app = runs[0].app if runs else None
                held.append(0 if app is None else cast(Consumer, app.consumer).deliveries.unacknowledged())
        assert held[-1] < 3_000, f"{held} of 20,000 messages are held while nothing can be stored"
        assert progress.latest.messages == 0 and progress.latest.trouble == "away"
        troubled.errors.clear()

        async def all_done() -> bool:
            return progress.latest.applied == 20_000

        await until(all_done)
        await stored(troubled, range(20_000))


async def test_stores_that_come_and_go_on_kafka_lose_nothing(
    fresh_kafka: KafkaCluster, sqlite_database: Database, troubled: Troubled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitions move while readings flow, also while nothing can be stored for longer than Faust allows between two polls."""
    original = streams_worker.build_app

    def impatient(*arguments: Any) -> WorkerApp:
        app = original(*arguments)
        app.conf.broker_max_poll_interval = 3.0
        return app

    monkeypatch.setattr(streams_worker, "build_app", impatient)
    broker, sent, enough = fresh_kafka.addresses, 0, asyncio.Event()

    async def flow() -> None:
        nonlocal sent
        async with producing(broker) as producer:
            while not enough.is_set():
                packs = [(f"zone-{(sent + n) % 40}".encode(), encode(telemetry([sent + n]))) for n in range(20)]
                await send(producer, packs, TELEMETRY.name)
                sent += 20
                await asyncio.sleep(0.02)

    await ensure_topics(broker, DEFAULT_PARTITIONS, 1)
    async with storing(broker, sqlite_database, troubled, alone=False) as first:
        flowing = asyncio.create_task(flow())
        for outage in (0, 6):
            async with storing(broker, sqlite_database, troubled, alone=False) as second:

                async def both_work() -> bool:
                    return first.latest.applied > 0 and second.latest.applied > 200

                await until(both_work)
                troubled.errors = [StorageUnavailable("away")] * 100_000 * outage
                await asyncio.sleep(outage)
            await asyncio.sleep(outage)  # the other one's partitions come back while nothing can be stored
            troubled.errors = []
        enough.set()
        await flowing
        await stored(troubled, range(sent))
