"""Telemetry over HTTP: what is taken, what is refused and where the answer points, and whose devices one may speak for."""

import json
import time
from typing import Any

import httpx
import pytest

from bus.codecs import decode
from hazards.telemetry import TelemetryPack
from storage.journal import Lane
from tests.api.conftest import System, bearer

URL = "/api/v1/telemetry"
EXAMPLE = (  # the pack that outside checks send, with its base time taken out
    '[{"bn": "T-101/", "bt": %d, "n": "temperature", "u": "Cel", "v": 58.4}, {"n": "temperature", "t": 1, "v": 61.9},'
    ' {"n": "temperature", "t": 2, "v": 66.0},\n {"bn": "G-201/", "n": "flammable_gas", "u": "%%LEL", "t": 2, "v": 3.5}]'
)


async def kept(system: System) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """(zone, series) to (time, value) of all that stands in the journal's lane for telemetry."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row in await system.journal.read(Lane.TELEMETRY, 0, 10_000):
        pack = decode(TelemetryPack, row.payload)
        assert (row.id, row.zone) == (pack.id, pack.zone)
        for index, at, value in zip(*(column.tolist() for column in pack.columns()), strict=True):
            found.setdefault((pack.zone, pack.series[index]), []).append((at, value))
    return found


async def post(client: httpx.AsyncClient, *records: dict[str, Any], **options: Any) -> httpx.Response:
    return await client.post(URL, json=list(records), **options)


@pytest.mark.parametrize("media_type", ["application/senml+json", "application/json", "application/senml+json; charset=utf-8"])
async def test_the_example_pack_is_taken_and_stands_in_the_journal(operator: httpx.AsyncClient, system: System, media_type: str) -> None:
    began = int(time.time()) - 3600
    answer = await operator.post(URL, content=(EXAMPLE % began).encode(), headers={"Content-Type": media_type})
    assert answer.status_code == 202, answer.text
    said, rows = answer.json(), await system.journal.read(Lane.TELEMETRY, 0, 10)
    assert said == {"accepted": 4, "ids": [r.id for r in rows], "out_of_range": 0, "unregistered": 0, "ignored": []}
    at = began * 1_000_000
    assert await kept(system) == {
        ("smelter", "T-101/temperature"): [(at, 58.4), (at + 1_000_000, 61.9), (at + 2_000_000, 66.0)],
        ("tank", "G-201/flammable_gas"): [(at + 2_000_000, 3.5)],
    }


BAD: dict[str, tuple[bytes, str, str]] = {
    # body, pointer, part of the detail
    "not JSON": (b"temperature=5", "", "no JSON"),
    "NaN": (b'[{"n": "T-101/temperature", "v": NaN}]', "", "no JSON"),
    "Infinity": (b'[{"n": "T-101/temperature", "v": -Infinity}]', "", "no JSON"),
    "a huge exponent": (b'[{"n": "T-101/temperature", "v": 1e999}]', "/0/v", "out of range"),
    "a text as value": (b'[{"n": "T-101/temperature", "v": 1}, {"n": "T-101/temperature", "v": "2"}]', "/1/v", "expected float, got str"),
    "one record without its pack": (b'{"n": "T-101/temperature", "v": 1}', "", "expected array"),
    "nothing": (b"[]", "", "no records"),
    "no value": (b'[{"n": "T-101/temperature"}]', "/0", "no value"),
    "a unit of something else": (b'[{"n": "T-101/temperature", "u": "kPa", "v": 1}]', "/0/u", "can't be converted"),
    "a unit that nobody knows": (b'[{"n": "T-101/temperature", "u": "foot", "v": 1}]', "/0/u", "not known"),
    "a wrong base unit": (b'[{"n": "T-101/temperature", "v": 1}, {"bu": "m", "n": "T-101/temperature", "v": 1}]', "/1", "converted"),
    "no metric": (b'[{"n": "T-101", "v": 1}]', "/0/n", "no device and metric"),
    "a name that is none": (b'[{"n": "T 101/temperature", "v": 1}]', "/0/n", "no SenML name"),
    "ten minutes ahead": (b'[{"n": "T-101/temperature", "v": 1, "t": 600}]', "/0/t", "600 s ahead"),
    "of the year 2100": (b'[{"n": "T-101/temperature", "v": 1, "t": 4102444800}]', "/0/t", "ahead"),
    "a month and a day behind": (b'[{"n": "T-101/temperature", "v": 1, "t": -2678400}]', "/0/t", "31.0 days behind"),
    "a label to be understood": (b'[{"n": "T-101/temperature", "v": 1, "rev_": 2}]', "/0/rev_", "must be understood"),
    "nested without end": (b'[{"n": "T-101/temperature", "v": 1, "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}]", "", "nested"),
    "another format": (b"\x81\xa1n\x01", "", "no JSON"),
}


@pytest.mark.parametrize("name", list(BAD))
async def test_a_bad_pack_is_422_points_at_its_field_and_nothing_of_it_is_taken(
    operator: httpx.AsyncClient, system: System, name: str
) -> None:
    body, pointer, detail = BAD[name]
    answer = await operator.post(URL, content=body, headers={"Content-Type": "application/senml+json"})
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), problem
    assert problem.get("pointer", "") == pointer and detail in problem["detail"], problem
    assert await kept(system) == {}


async def test_the_good_records_of_a_bad_pack_are_not_taken(operator: httpx.AsyncClient, system: System) -> None:
    good = {"n": "T-101/temperature", "v": 20}
    answer = await post(operator, good, good, {"n": "G-201/flammable_gas", "u": "%vol", "v": 1})
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/2/u")
    assert answer.json()["hint"] == "send %LEL"
    assert await kept(system) == {}


async def test_a_body_of_ten_megabytes_is_413(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(URL, content=b"[" + b'{"n":"T-101/temperature","v":1},' * 320_000 + b"]")
    assert answer.status_code == 413


async def test_more_records_than_a_pack_may_have_is_413(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(URL, content=b"[" + b",".join([b"{}"] * 20_001) + b"]")
    assert answer.status_code == 413 and "20000 records" in answer.json()["detail"]


async def test_another_content_type_is_named(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(URL, content=b"[]", headers={"Content-Type": "application/senml+cbor"})
    assert answer.status_code == 422 and "senml+cbor" in answer.json()["detail"] and "senml+json" in answer.json()["hint"]


async def test_units_are_converted_to_the_sensor_s_own(operator: httpx.AsyncClient, system: System) -> None:
    assert (await post(operator, {"n": "T-101/temperature", "u": "K", "v": 333.15})).status_code == 202
    ((_, value),) = (await kept(system))["smelter", "T-101/temperature"]
    assert value == pytest.approx(60.0)


async def test_a_value_outside_the_range_is_kept_and_counted(operator: httpx.AsyncClient, system: System) -> None:
    said = (await post(operator, {"n": "T-101/temperature", "v": 1e6}, {"n": "T-101/temperature", "t": -1, "v": 20})).json()
    assert (said["accepted"], said["out_of_range"]) == (2, 1)
    assert [v for _, v in (await kept(system))["smelter", "T-101/temperature"]] == [1e6, 20.0]
    assert "bihuan_readings_out_of_range_total 1" in (await operator.get("/metrics")).text


async def test_an_unknown_device_waits_in_its_own_zone_and_a_text_is_named_as_ignored(operator: httpx.AsyncClient, system: System) -> None:
    records = [{"n": "NEW-1/temperature", "v": 1}, {"n": "T-101/note", "vs": "ok"}, {"n": "T-101/open", "vb": True}]
    said = (await post(operator, *records)).json()
    assert (said["accepted"], said["unregistered"], said["ignored"]) == (2, 2, ["/1/vs"])
    found = await kept(system)
    assert set(found) == {("unassigned", "NEW-1/temperature"), ("smelter", "T-101/open")}
    assert found["smelter", "T-101/open"][0][1] == 1.0


async def test_unknown_series_without_end_are_refused_and_known_ones_are_not(operator: httpx.AsyncClient, system: System) -> None:
    fill = [{"n": f"X-{n}/temperature", "v": 1} for n in range(2_000)]
    assert (await post(operator, *fill)).status_code == 202
    answer = await post(operator, {"n": "X-2000/temperature", "v": 1})
    assert answer.status_code == 429 and "not registered" in answer.json()["detail"]
    assert (await post(operator, {"n": "T-101/temperature", "v": 1}, {"n": "X-7/temperature", "v": 1})).status_code == 202


@pytest.mark.parametrize(("device", "status"), [("T-101", 202), ("unheard-of", 202), ("G-201", 403), ("P-1", 403)])
async def test_an_enterprise_speaks_for_its_own_devices(client: httpx.AsyncClient, system: System, device: str, status: int) -> None:
    headers = bearer(system.token("enterprise", "alu"))
    answer = await post(client, {"n": "T-101/temperature", "v": 1}, {"n": f"{device}/flammable_gas", "v": 1}, headers=headers)
    assert answer.status_code == status
    if status == 403:
        problem = answer.json()
        assert "record /1" in problem["detail"] and (problem["basis"], bool(problem["rule"])) == ("platform_default", True)
        assert await kept(system) == {}


async def test_an_analyst_is_no_source(client: httpx.AsyncClient, system: System) -> None:
    assert (await post(client, {"n": "T-101/temperature", "v": 1}, headers=bearer(system.token("analyst")))).status_code == 403


async def test_a_full_journal_says_so(operator: httpx.AsyncClient, system: System) -> None:
    system.journal.max_rows = 0
    answer = await post(operator, {"n": "T-101/temperature", "v": 1})
    assert answer.status_code == 503 and answer.json()["retryable"] is True and "retry-after" in answer.headers
    system.journal.max_rows = 1000
    assert (await post(operator, {"n": "T-101/temperature", "v": 1})).status_code == 202


async def test_a_pack_of_twenty_thousand_is_taken_in_packs_of_five_hundred(operator: httpx.AsyncClient, system: System) -> None:
    now = time.time()
    records = [{"n": "T-101/temperature", "t": now - n / 100, "v": n % 50} for n in range(20_000)]
    answer = await operator.post(URL, content=json.dumps(records))
    assert answer.status_code == 202 and answer.json()["accepted"] == 20_000
    rows = await system.journal.read(Lane.TELEMETRY, 0, 1000)
    assert len(rows) == 40 and [r.id for r in rows] == answer.json()["ids"]
