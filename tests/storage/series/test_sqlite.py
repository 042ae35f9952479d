"""What only a file can do to us: not be there, be read while it is written, be full of old rows."""

import asyncio
from pathlib import Path

import pytest

from hazards.errors import StorageUnavailable
from storage.series.port import Retention, SeriesQuery
from storage.series.sqlite import STEP, SqliteSeries
from tests.storage.series.conftest import NOON, TANK, raw

QUERY = SeriesQuery(device=TANK.device, metric=TANK.metric, start=NOON - 10**12, end=NOON + 10**12, limit=10**6)


async def test_another_process_reads_while_this_one_writes(tmp_path: Path) -> None:
    writer, reader = SqliteSeries(tmp_path / "s.sqlite"), SqliteSeries(tmp_path / "s.sqlite", writing=False)
    with pytest.raises(StorageUnavailable):
        await reader.read(QUERY)  # not there yet
    await writer.ensure()
    assert await reader.read(QUERY) == []
    await writer.write_raw(raw((1, 1)))
    writes = asyncio.gather(*(writer.write_raw(raw(*((n * 100 + t, t) for t in range(100)))) for n in range(50)))
    while not writes.done():
        (run,) = await reader.read(QUERY)
        assert len(run.at) % 100 in (0, 1)
        await asyncio.sleep(0)
    with pytest.raises(StorageUnavailable):
        await reader.write_raw(raw((1, 1)))
    await reader.close()
    await writer.close()


async def test_writes_go_on_while_many_old_rows_are_dropped(tmp_path: Path) -> None:
    series = SqliteSeries(tmp_path / "s.sqlite")
    await series.ensure()
    for n in range(10):
        await series.write_raw(raw(*((n * STEP - 10 * STEP + t, t) for t in range(STEP))))
    dropping = asyncio.create_task(series.drop_old(Retention({"telemetry": 0}), now=NOON))
    writes = 0
    while not dropping.done():
        await series.write_raw(raw((1 + writes, writes)))
        writes += 1
    assert writes >= 5, "a write waits for one step, not for all of them"
    (run,) = await series.read(QUERY)
    assert len(run.at) == writes
    await series.close()


async def test_what_a_failed_transaction_named_is_named_again(tmp_path: Path) -> None:
    series = SqliteSeries(tmp_path / "s.sqlite")
    with pytest.raises(StorageUnavailable, match="no such table"):
        await series.write_raw(raw((1, 1)))
    await series.ensure()
    await series.write_raw(raw((1, 1)))
    (run,) = await series.read(QUERY)
    assert run.tags == TANK
    await series.close()
