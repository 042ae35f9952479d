"""Points of a series over HTTP: a resolution that fits, the site's time, one unit, and nobody else's."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest

from api.app import utc_now
from storage.series.port import RawBlock, RollupBlock, SeriesTags
from tests.api.conftest import System, bearer

SECOND = 1_000_000
T_101 = SeriesTags("T-101", "temperature", "smelter", "alu", "Cel")


async def write_raw(system: System, start: int, values: list[float], tags: SeriesTags = T_101) -> None:
    at = start + np.arange(len(values)) * SECOND
    await system.time_series.write_raw(RawBlock([tags], np.zeros(len(values), np.int64), at, np.array(values, float)))


async def write_rollups(system: System, resolution: int, start: int, n: int, tags: SeriesTags = T_101) -> None:
    number = np.arange(n, dtype=float)
    block = RollupBlock(resolution, [tags], np.zeros(n, np.int64), start + np.arange(n) * resolution * SECOND, np.full(n, 2), number,
                        number + 1, number + 2, number + 1.5)  # fmt: skip
    await system.time_series.write_rollups(block)


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND).astimezone().isoformat()


async def ask(
    client: httpx.AsyncClient, system: System, role: str = "analyst", enterprise: str | None = None, **query: Any
) -> httpx.Response:  # fmt: skip
    parameters = {"device": "T-101", "metric": "temperature"} | {k.rstrip("_"): v for k, v in query.items()}
    headers = bearer(system.token(role, enterprise))
    return await client.get("/api/v1/series", params={k: v for k, v in parameters.items() if v is not None}, headers=headers)


async def test_a_short_range_gives_raw_readings_with_unit_and_limits(client: httpx.AsyncClient, system: System) -> None:
    start = (utc_now() // SECOND - 300) * SECOND
    await write_raw(system, start, [20.5, 21.0, 22.25])
    answer = await ask(client, system, from_=iso(start + SECOND), to=iso(start + 3 * SECOND))
    found = answer.json()
    assert answer.status_code == 200, answer.text
    assert (found["resolution"], found["window"], found["unit"], found["zone"]) == ("raw", 0, "Cel", "smelter")
    assert found["limits"] == {"low_low": None, "low": None, "high": 60.0, "high_high": 80.0} and found["range"] == [-40.0, 1200.0]
    assert [p["value"] for p in found["points"]] == [21.0, 22.25] and found["next"] is None
    at = found["points"][0]["at"]
    assert at.endswith("+08:00") and datetime.fromisoformat(at).timestamp() * SECOND == start + SECOND


@pytest.mark.parametrize(
    ("seconds", "resolution", "window"),
    [(600, "raw", 0), (1800, "1s", 1), (7200, "1s", 5), (4 * 3600, "1m", 60), (86_400, "1m", 60), (6 * 86_400, "1m", 300),
     (30 * 86_400, "15m", 1800), (366 * 86_400, "15m", 21_600)],
)  # fmt: skip
async def test_the_resolution_fits_the_range(client: httpx.AsyncClient, system: System, seconds: int, resolution: str, window: int) -> None:
    now = utc_now()
    found = (await ask(client, system, from_=iso(now - seconds * SECOND), to=iso(now))).json()
    assert (found["resolution"], found["window"]) == (resolution, window)


async def test_windows_are_combined_exactly(client: httpx.AsyncClient, system: System) -> None:
    start = (utc_now() // (3600 * SECOND) - 2) * 3600 * SECOND
    await write_rollups(system, 1, start, 7000)
    found = (await ask(client, system, from_=iso(start), to=iso(start + 7200 * SECOND))).json()
    assert (found["resolution"], found["window"], len(found["points"])) == ("1s", 5, 1400)
    first = found["points"][0]
    assert {k: first[k] for k in ("min", "mean", "max", "last", "count")} == {"min": 0, "mean": 3, "max": 6, "last": 5.5, "count": 10}


async def test_a_day_s_window_begins_at_the_site_s_midnight(client: httpx.AsyncClient, system: System) -> None:
    now = utc_now()
    start = now - 4 * 366 * 86_400 * SECOND
    await write_rollups(system, 900, start // (900 * SECOND) * 900 * SECOND, 400)
    found = (await ask(client, system, from_=iso(start), to=iso(now))).json()
    assert found["window"] == 86_400
    assert all(p["at"].endswith("T00:00:00+08:00") for p in found["points"]) and len(found["points"]) in (5, 6)


async def test_more_raw_readings_than_wanted_become_rollups(client: httpx.AsyncClient, system: System) -> None:
    start = (utc_now() // (60 * SECOND) - 14) * 60 * SECOND
    await write_raw(system, start, list(range(700)))
    await write_rollups(system, 1, start, 700)
    found = (await ask(client, system, from_=iso(start), to=iso(start + 700 * SECOND), limit=500)).json()
    assert (found["resolution"], found["window"]) == ("1s", 2) and len(found["points"]) == 350


async def test_a_resolution_that_was_asked_for_is_paged(client: httpx.AsyncClient, system: System) -> None:
    start = (utc_now() // SECOND - 300) * SECOND
    await write_raw(system, start, list(range(250)))
    values: list[float] = []
    begin: str | None = iso(start)
    pages = 0
    while begin is not None:
        found = (await ask(client, system, from_=begin, to=iso(start + 250 * SECOND), resolution="raw", limit=100)).json()
        values += [p["value"] for p in found["points"]]
        begin, pages = found["next"], pages + 1
    assert values == list(range(250)) and pages == 3


async def test_an_enterprise_sees_its_own_also_of_the_past(client: httpx.AsyncClient, system: System) -> None:
    start = (utc_now() // SECOND - 300) * SECOND
    await write_raw(system, start, [1.0])
    await write_raw(system, start + SECOND, [2.0], SeriesTags("T-101", "temperature", "tank", "chem", "Cel"))
    window = {"from_": iso(start - SECOND), "to": iso(start + 10 * SECOND)}
    assert (await ask(client, system, "enterprise", "chem", **window)).status_code == 404, "it stands at the other one's now"
    mine = (await ask(client, system, "enterprise", "alu", **window)).json()
    assert [p["value"] for p in mine["points"]] == [1.0]
    everybody = (await ask(client, system, **window)).json()
    assert [p["value"] for p in everybody["points"]] == [1.0, 2.0]
    assert (await ask(client, system, "enterprise", "alu", device="UNKNOWN", **window)).status_code == 404


async def test_a_unit_that_changed_is_converted_or_said(client: httpx.AsyncClient, system: System) -> None:
    start = (utc_now() // SECOND - 300) * SECOND
    await write_raw(system, start, [300.0], SeriesTags("T-101", "temperature", "smelter", "alu", "K"))
    await write_raw(system, start + SECOND, [5.0], SeriesTags("T-101", "temperature", "smelter", "alu", "kPa"))
    await write_raw(system, start + 2 * SECOND, [27.0])
    found = (await ask(client, system, from_=iso(start), to=iso(start + 10 * SECOND))).json()
    assert [round(p["value"], 6) for p in found["points"]] == [26.85, 27.0] and found["left_out"] == ["kPa"]


async def test_a_device_that_nobody_registered_has_points_too(client: httpx.AsyncClient, system: System) -> None:
    start = (utc_now() // SECOND - 300) * SECOND
    await write_raw(system, start, [7.0], SeriesTags("NEW", "pressure", "unassigned"))
    found = (await ask(client, system, device="NEW", metric="pressure", from_=iso(start), to=iso(start + SECOND))).json()
    assert (found["zone"], found["unit"], [p["value"] for p in found["points"]]) == ("unassigned", "", [7.0])


async def test_which_series_there_are(client: httpx.AsyncClient, system: System) -> None:
    everything = (await ask(client, system, device=None, metric=None)).json()
    assert [(s["device"], s["metric"]) for s in everything["items"]] == [("G-201", "flammable_gas"), ("T-101", "temperature")]
    first = (await ask(client, system, device=None, metric=None, limit=1)).json()
    rest = (await ask(client, system, device=None, metric=None, limit=1, cursor=first["next"])).json()
    assert first["items"] + rest["items"] == everything["items"] and rest["next"] is None
    (tank,) = (await ask(client, system, device=None, metric=None, zone="tank")).json()["items"]
    assert (tank["device"], tank["unit"], tank["zone"]) == ("G-201", "%LEL", "tank")
    own = (await ask(client, system, "enterprise", "alu", device=None, metric=None)).json()
    assert [s["device"] for s in own["items"]] == ["T-101"]
    assert (await ask(client, system, "enterprise", "alu", device=None, metric=None, zone="tank")).json()["items"] == []


@pytest.mark.parametrize(
    ("query", "pointer", "detail"),
    [({"from_": "yesterday"}, "from", "not of the form"), ({"to": "2026-11-22T10:15:30"}, "to", "not of the form"),
     ({"from_": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:00:00Z"}, "from", "empty"),
     ({"device": None}, "device", "belongs to a device"), ({"resolution": "2s"}, "resolution", "raw")],
)  # fmt: skip
async def test_what_is_wrong_is_said(client: httpx.AsyncClient, system: System, query: dict[str, Any], pointer: str, detail: str) -> None:
    problem = (await ask(client, system, **query)).json()
    assert problem["status"] == 422 and detail in str(problem) and pointer in str(problem)


async def test_a_plus_that_became_a_space_and_the_edges_of_the_calendar_are_understood(client: httpx.AsyncClient, system: System) -> None:
    headers = bearer(system.token("analyst"))
    for begin, end in (("2026-11-22T10:00:00+08:00", "2026-11-22T11:00:00%2B08:00"), ("0000-01-01T00:00:00Z", "9999-12-31T23:59:60Z")):
        answer = await client.get(f"/api/v1/series?device=T-101&metric=temperature&from={begin}&to={end}", headers=headers)
        assert answer.status_code == 200 and answer.json()["points"] == []


async def test_without_a_time_series_it_is_away(client: httpx.AsyncClient, system: System) -> None:
    system.app.state.services = replace(system.app.state.services, time_series=None)
    answer = await ask(client, system)
    assert answer.status_code == 503 and answer.json()["retryable"]
