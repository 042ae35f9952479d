"""What only InfluxDB can do to us: refuse a line, be away, be killed, have no bucket, know no token."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from hazards.errors import StorageUnavailable
from storage.series.influx import InfluxAccess, InfluxSeries
from storage.series.port import EventPoint, Retention, SeriesQuery
from tests.real.influx import Influx
from tests.real.ports import free_port
from tests.storage.series.conftest import NOON, SECOND, raw


def access(server: Influx, bucket: str, **other: str) -> InfluxAccess:
    return InfluxAccess(server.url, other.get("org", server.org), other.get("token", server.token), bucket)


def event(number: int, **fields: str | float | bool) -> EventPoint:
    return EventPoint("alarms", NOON * 1000 + number, {"zone": "smelter"}, fields)


async def count(server: Influx, bucket: str, measurement: str) -> int:
    flux = f'from(bucket: "{bucket}") |> range(start: 0, stop: 2100-01-01T00:00:00Z)'
    flux += f' |> filter(fn: (r) => r._measurement == "{measurement}")'
    return sum(int(r["_value"]) for r in await asyncio.to_thread(server.query, f"{flux} |> count()"))


async def test_a_field_of_another_type_is_given_back_with_the_reason_and_the_rest_is_written(shared_influx: Influx) -> None:
    series = InfluxSeries(access(shared_influx, "conflict"))
    await series.ensure()
    assert not await series.write_points([event(0, score=0.5)])
    good = [event(n, score=0.5) for n in range(1, 3000)]
    bad = [event(5000 + n, score="high") for n in range(3)]
    rejected = await series.write_points([*good[:1000], bad[0], *good[1000:2000], *bad[1:], *good[2000:]])
    assert len(rejected) == 3 and all(b'score="high"' in r.lines and "type" in r.reason for r in rejected)
    assert await count(shared_influx, "conflict", "alarms") == 3000
    await series.close()


async def test_many_refused_lines_do_not_cost_many_requests(shared_influx: Influx) -> None:
    series = InfluxSeries(access(shared_influx, "conflicts"))
    await series.ensure()
    await series.write_points([event(0, score=0.5)])
    rejected = await series.write_points([event(n, score="high") for n in range(1, 2001)])
    assert sum(r.lines.count(b"\n") + 1 for r in rejected) == 2000 and len(rejected) < 1500
    assert await count(shared_influx, "conflicts", "alarms") == 1
    await series.close()


async def test_what_the_bucket_does_not_keep_is_no_dead_letter(shared_influx: Influx) -> None:
    org = (await asyncio.to_thread(shared_influx.request, "GET", f"/api/v2/orgs?org={shared_influx.org}"))["orgs"][0]["id"]  # type: ignore[index]
    rules = [{"type": "expire", "everySeconds": 3600}]
    await asyncio.to_thread(shared_influx.request, "POST", "/api/v2/buckets", {"orgID": org, "name": "short", "retentionRules": rules})
    series, now = InfluxSeries(access(shared_influx, "short")), time.time() - NOON / SECOND
    assert not await series.write_raw(raw(*((now - 7200 - n, n) for n in range(50)), (now, 1)))
    assert await count(shared_influx, "short", "telemetry") == 1
    await series.close()


async def test_old_points_are_dropped_again_and_again(shared_influx: Influx) -> None:
    series = InfluxSeries(access(shared_influx, "dropping"))
    await series.ensure()
    await series.write_raw(raw(*((t, t) for t in range(100))))
    for n in (10, 20, 20, 60):
        await series.drop_old(Retention({"telemetry": 0}), now=NOON + n * SECOND)
        assert await count(shared_influx, "dropping", "telemetry") == 100 - n
    await series.close()


async def test_a_killed_server_is_away_and_holds_what_it_answered_after_its_restart(influx: Influx) -> None:
    series = InfluxSeries(access(influx, "killed"))
    await series.ensure()
    assert not await series.write_raw(raw(*((t, t) for t in range(1000))))
    await asyncio.to_thread(influx.kill)
    with pytest.raises(StorageUnavailable, match="does not answer"):
        await series.write_raw(raw((2000, 1)))
    with pytest.raises(StorageUnavailable):
        await series.read(SeriesQuery(device="T-1", metric="temperature", start=NOON, end=NOON + SECOND))
    with pytest.raises(StorageUnavailable):
        await series.ensure()
    await asyncio.to_thread(influx.restart)
    await series.write_raw(raw((2000, 1)))
    assert await count(influx, "killed", "telemetry") == 1001
    await series.close()


async def test_what_is_set_up_wrongly_says_what_to_do(shared_influx: Influx) -> None:
    nowhere = InfluxSeries(InfluxAccess(f"http://127.0.0.1:{free_port()}", "o", "t", "b"))
    with pytest.raises(StorageUnavailable, match="does not answer"):
        await nowhere.ensure()
    stranger = InfluxSeries(access(shared_influx, "b", token="wrong"))
    with capture_logs() as said:
        await stranger.ensure()  # a token may be for writing only: the write will tell
    assert said[0]["status"] == 401
    with pytest.raises(StorageUnavailable, match="check the token"):
        await stranger.write_raw(raw((1, 1)))
    homeless = InfluxSeries(access(shared_influx, "b", org="nobody"))
    await homeless.ensure()
    with pytest.raises(StorageUnavailable, match="check organisation and bucket"):
        await homeless.write_raw(raw((1, 1)))
    bucketless = InfluxSeries(access(shared_influx, "never_made"))
    with pytest.raises(StorageUnavailable, match="bucket"):
        await bucketless.write_raw(raw((1, 1)))
    for series in (nowhere, stranger, homeless, bucketless):
        await series.close()


async def test_two_processes_make_one_bucket(shared_influx: Influx) -> None:
    several = [InfluxSeries(access(shared_influx, "at_once")) for _ in range(4)]
    await asyncio.gather(*(s.ensure() for s in several))
    for series in several:
        await series.close()
    assert len((await asyncio.to_thread(shared_influx.request, "GET", "/api/v2/buckets?name=at_once"))["buckets"]) == 1  # type: ignore[arg-type]


def test_the_token_is_not_shown(shared_influx: Influx) -> None:
    assert shared_influx.token not in repr(access(shared_influx, "b"))


def restricted(server: Influx, bucket: str, *actions: str) -> str:
    """A token that may do ``actions`` in ``bucket``, and nothing else."""
    org = server.request("GET", f"/api/v2/orgs?org={server.org}")["orgs"][0]["id"]  # type: ignore[index]
    made = server.request("POST", "/api/v2/buckets", {"orgID": org, "name": bucket, "retentionRules": []})
    rights = [{"action": a, "resource": {"type": "buckets", "id": made["id"], "orgID": org}} for a in actions]
    return str(server.request("POST", "/api/v2/authorizations", {"orgID": org, "permissions": rights})["token"])


@pytest.mark.parametrize("actions", [("write",), ("read", "write")])
async def test_a_token_for_one_bucket_is_enough(shared_influx: Influx, actions: tuple[str, ...]) -> None:
    bucket = f"only_{len(actions)}"
    token = await asyncio.to_thread(restricted, shared_influx, bucket, *actions)
    series = InfluxSeries(access(shared_influx, bucket, token=token))
    await series.ensure()
    assert not await series.write_raw(raw((1, 1)))
    query = SeriesQuery(device="T-1", metric="temperature", start=NOON, end=NOON + 2 * SECOND)
    if "read" in actions:
        assert len(await series.read(query)) == 1
        await series.drop_old(Retention({"telemetry": 0}), now=NOON + 10 * SECOND)
        assert await series.read(query) == []
    else:
        with pytest.raises(StorageUnavailable):
            await series.read(query)
    await series.close()
