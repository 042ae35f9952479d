"""Clocks of devices over HTTP: corrected or not believed, flagged, counted and shown; for readings a known error is no refusal."""

from datetime import UTC, datetime
from typing import Any

import httpx

from bus.codecs import decode
from hazards.telemetry import TelemetryPack
from storage.journal import Lane
from tests.api.conftest import System, alarm, bearer

HOUR = 3600 * 1_000_000
EIGHT = 8 * HOUR


def stamped(identity: str, at: int) -> dict[str, Any]:
    """A flame of CAM-1 with the time ``at``."""
    return {**alarm(identity), "time": datetime.fromtimestamp(at / 1e6, UTC).isoformat()}


async def shown(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Signals of the one incident, in the order of their ids."""
    (incident,) = (await client.get("/api/v1/incidents")).json()["items"]
    items = (await client.get(f"/api/v1/incidents/{incident['id']}/alarms")).json()["items"]
    return sorted(items, key=lambda item: item["id"])


async def test_a_device_in_the_wrong_time_zone_is_corrected_flagged_and_shown(operator: httpx.AsyncClient, system: System) -> None:
    for n in range(4):
        at = system.now()
        assert (await operator.post("/api/v1/alarms", json=stamped(f"z{n}", at + EIGHT))).status_code == 202
        system.later(minutes=1)
    await system.apply()
    signals = await shown(operator)
    assert [s["clock"] for s in signals] == ["wrong", "wrong", "corrected", "corrected"]
    last = signals[-1]
    believed, said, received = (datetime.fromisoformat(last[name]) for name in ("at", "sent_at", "received_at"))
    assert (said - believed).total_seconds() == 8 * 3600 and abs((received - believed).total_seconds()) < 5
    device = (await operator.get("/api/v1/devices/CAM-1")).json()
    assert (device["clock"]["state"], device["clock"]["fault"], device["clock"]["ahead_seconds"]) == ("corrected", "time_zone", 28_800.0)
    assert device["clock"]["fault_name"] == {"zh": "时区设置错误", "en": "wrong time zone"}
    listed = {d["id"]: d["clock"] for d in (await operator.get("/api/v1/devices")).json()["items"]}
    assert [name for name, clock in listed.items() if clock] == ["CAM-1"]
    assert 'bihuan_device_clocks{heard="http",state="corrected"} 1' in (await operator.get("/metrics")).text


async def test_a_clock_of_1970_stays_at_the_time_of_receipt_and_is_counted(operator: httpx.AsyncClient, system: System) -> None:
    for n in range(4):
        assert (await operator.post("/api/v1/alarms", json=stamped(f"r{n}", n * 60_000_000))).status_code == 202
    await system.apply()
    signals = await shown(operator)
    assert {s["clock"] for s in signals} == {"wrong"} and all(s["at"] == s["received_at"] for s in signals)
    assert (await operator.get("/api/v1/devices/CAM-1")).json()["clock"]["state"] == "distrusted"
    assert 'bihuan_device_clocks{heard="http",state="distrusted"} 1' in (await operator.get("/metrics")).text


async def test_what_a_link_kept_while_it_was_down_keeps_its_times(operator: httpx.AsyncClient, system: System) -> None:
    began = system.now() - 2 * HOUR
    batch = [stamped(f"k{n}", began + n * 60_000_000) for n in range(60)]
    assert (await operator.post("/api/v1/alarms", json=batch)).status_code == 202
    await system.apply()
    signals = await shown(operator)
    assert {s["clock"] for s in signals} == {"trusted"} and {s["sent_at"] for s in signals} == {None}
    assert (await operator.get("/api/v1/devices/CAM-1")).json()["clock"] is None


async def test_readings_far_ahead_are_refused_until_the_error_is_known_and_then_shifted(client: httpx.AsyncClient, system: System) -> None:
    headers = bearer(system.token("enterprise", "alu"))

    async def post(value: float) -> httpx.Response:
        at = (system.now() + EIGHT) / 1e6
        body = [{"bn": "T-101/", "bt": at, "n": "temperature", "u": "Cel", "v": value}, {"n": "temperature", "t": -1, "v": value}]
        return await client.post("/api/v1/telemetry", json=body, headers=headers)

    answers = [(await post(20.0 + n)).status_code for n in range(4)]
    assert answers == [422, 422, 202, 202]
    for row in await system.journal.read(Lane.TELEMETRY, 0, 10):
        assert all(abs(at - system.now()) < 60_000_000 for at in decode(TelemetryPack, row.payload).columns()[1].tolist())
    assert (await client.get("/api/v1/devices/T-101", headers=bearer(system.token("operator")))).json()["clock"]["fault"] == "time_zone"


async def test_nobody_teaches_the_clock_of_anothers_device(client: httpx.AsyncClient, system: System) -> None:
    foreign = bearer(system.token("enterprise", "chem"))
    for n in range(4):
        body = [{"n": "T-101/temperature", "t": (system.now() + EIGHT) / 1e6, "u": "Cel", "v": float(n)}]
        assert (await client.post("/api/v1/telemetry", json=body, headers=foreign)).status_code in (403, 422)
    assert not len(system.telemetry_door.clocks)
