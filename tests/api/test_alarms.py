"""The door over HTTP: whole or not at all, clear answers, bounds, and whose devices one may speak for."""

import asyncio
import json
import socket
import time

import httpx
import pytest

from tests.api.conftest import Server, System, alarm, bearer


async def test_an_alarm_gets_its_202_and_becomes_an_incident(operator: httpx.AsyncClient, system: System) -> None:
    answer = await operator.post("/api/v1/alarms", json=alarm("7c1b", score=0.91, box=[412, 190, 60, 150], message="火苗"))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "ids": ["7c1b"]})
    assert await system.apply() == 1
    (incident,) = (await operator.get("/api/v1/incidents")).json()["items"]
    assert (incident["zone"], incident["kinds"], incident["state"], incident["severity"]) == ("smelter", ["flame"], "active", 2)
    assert (incident["certainty"], incident["certainty_name"]["zh"], incident["corroboration"]) == ("possible", "待核实", None)
    assert (incident["zone_name"], incident["enterprise_name"], incident["annunciation"]) == ("熔铸车间", "示例铝业", "unacknowledged")
    assert incident["opened_at"].endswith("+08:00")
    (signal,) = (await operator.get(f"/api/v1/incidents/{incident['id']}/alarms")).json()["items"]
    assert (signal["id"], signal["source"], signal["box"], signal["message"]) == ("7c1b", "device/CAM-1", [412, 190, 60, 150], "火苗")
    assert "第一条" in signal["why"]["zh"] and "first" in signal["why"]["en"]


async def test_a_batch_and_the_same_batch_again(operator: httpx.AsyncClient, system: System) -> None:
    batch = [alarm(f"a{n}", device="T-101", kind="temperature_high") for n in range(5)]
    for _ in range(2):
        answer = await operator.post("/api/v1/alarms", json=batch)
        assert answer.json() == {"accepted": 5, "ids": [f"a{n}" for n in range(5)]}
    assert await system.apply() == 5


async def test_binary_mode(operator: httpx.AsyncClient) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "b1", "ce-source": "nvr", "ce-type": "bihuan.alarm.pulse", "ce-subject": "X"}
    answer = await operator.post("/api/v1/alarms", json={"kind": "line_crossing"}, headers=headers)
    assert (answer.status_code, answer.json()["ids"]) == (202, ["b1"])


async def test_one_bad_event_refuses_the_batch_and_names_its_field(operator: httpx.AsyncClient, system: System) -> None:
    batch = [alarm("a"), alarm("b", kind="Not A Kind"), alarm("c")]
    answer = await operator.post("/api/v1/alarms", json=batch)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["pointer"] == "/1/data/kind" and problem["type"] == "urn:bihuan:problem:malformed-message"
    assert await system.apply() == 0


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xfe", b"{}", b"[1]", b"null", b"[" * 5000, b'{"specversion":"0.3"}'])
async def test_what_can_not_be_read_is_422(operator: httpx.AsyncClient, body: bytes) -> None:
    answer = await operator.post("/api/v1/alarms", content=body, headers={"Content-Type": "application/cloudevents+json"})
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("year", ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00+08:00"])
async def test_an_impossible_time_is_accepted_and_flagged(operator: httpx.AsyncClient, system: System, year: str) -> None:
    assert (await operator.post("/api/v1/alarms", json={**alarm("t"), "time": year})).status_code == 202
    await system.apply()
    (incident,) = (await operator.get("/api/v1/incidents")).json()["items"]
    (signal,) = (await operator.get(f"/api/v1/incidents/{incident['id']}/alarms")).json()["items"]
    assert signal["clock"] == "wrong" and signal["sent_at"][:4] == year[:4] and signal["at"] == signal["received_at"]


async def test_an_unknown_device_and_kind_wait_in_view(operator: httpx.AsyncClient, system: System) -> None:
    assert (await operator.post("/api/v1/alarms", json=alarm("u", device="新设备", kind="meteorite"))).status_code == 202
    await system.apply()
    (incident,) = (await operator.get("/api/v1/incidents?zone=unassigned")).json()["items"]
    assert incident["zone_name"] == "未登记设备" and incident["kind_names"][0]["known"] is False
    (waiting,) = (await operator.get("/api/v1/waiting")).json()["items"]
    assert (waiting["device"], waiting["alarms"]) == ("新设备", 1)


@pytest.mark.parametrize(("device", "status"), [("CAM-1", 202), ("unheard-of", 202), ("G-201", 403), ("P-1", 403)])
async def test_an_enterprise_speaks_for_its_own_devices(client: httpx.AsyncClient, system: System, device: str, status: int) -> None:
    headers = bearer(system.token("enterprise", "alu"))
    answer = await client.post("/api/v1/alarms", json=[alarm("own"), alarm("other", device=device)], headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["basis"] == "platform_default"
        assert await system.apply() == 0


async def test_one_enterprise_can_not_use_up_another_s_ids(client: httpx.AsyncClient, system: System) -> None:
    for enterprise, device in (("chem", "NEW-1"), ("alu", "CAM-1")):
        said = {**alarm("seq-1", device=device), "source": "device/CAM-1"}
        assert (await client.post("/api/v1/alarms", json=said, headers=bearer(system.token("enterprise", enterprise)))).status_code == 202
    assert await system.apply() == 2


async def test_an_analyst_is_no_source(client: httpx.AsyncClient, system: System) -> None:
    assert (await client.post("/api/v1/alarms", json=alarm("x"), headers=bearer(system.token("analyst")))).status_code == 403


async def test_a_full_journal_says_so_and_takes_nothing(operator: httpx.AsyncClient, system: System) -> None:
    system.journal.max_rows = 2
    assert (await operator.post("/api/v1/alarms", json=[alarm("1"), alarm("2")])).status_code == 202
    answer = await operator.post("/api/v1/alarms", json=[alarm("3"), alarm("4")])
    assert answer.status_code == 503 and answer.json()["retryable"] is True and "retry-after" in answer.headers
    assert await system.apply() == 2


def test_ten_megabytes_are_413_while_still_arriving(server: Server) -> None:
    """The declared length alone is enough; without one, counting is. The rest is not waited for."""
    host, port = server.url.removeprefix("http://").split(":")
    token = server.system.token("operator")
    head = f"POST /api/v1/alarms HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as s:
        s.sendall(f"{head}Content-Length: 10000000\r\n\r\n".encode() + b"[")
        assert s.recv(65536).startswith(b"HTTP/1.1 413")
    with socket.create_connection((host, int(port)), timeout=60) as s:
        s.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
        for _ in range(10):
            s.sendall(chunk)
        answer = s.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413") and b"application/problem+json" in answer


def test_an_ordinary_client_reads_the_413_of_a_large_body(server: Server) -> None:
    answer = httpx.post(f"{server.url}/api/v1/alarms", content=b"x" * 11_000_000, headers=bearer(server.system.token("operator")))
    assert answer.status_code == 413 and answer.json()["type"] == "urn:bihuan:problem:too-large"


def test_nobody_reads_a_large_body_before_knowing_who_sends_it(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as s:
        s.sendall(b"POST /api/v1/alarms HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n")
        assert s.recv(65536).startswith(b"HTTP/1.1 401")


def test_a_large_batch_does_not_stall_the_loop(server: Server) -> None:
    """While nearly 10 MB of events are parsed, other answers stay quick."""
    text = "x" * 9400
    body = json.dumps([alarm(f"e{n}", message=text) for n in range(1000)]).encode()
    assert 9_000_000 < len(body) < 10_000_000
    token = server.system.token("operator")

    async def measure() -> tuple[int, float, float]:
        async with httpx.AsyncClient(base_url=server.url, timeout=120) as client:
            headers = {**bearer(token), "Content-Type": "application/json"}
            posting = asyncio.create_task(client.post("/api/v1/alarms", content=body, headers=headers))
            slowest, sent = 0.0, time.perf_counter()
            while not posting.done():
                began = time.perf_counter()
                await client.get("/healthz")
                slowest = max(slowest, time.perf_counter() - began)
            return (await posting).status_code, slowest, time.perf_counter() - sent

    status, slowest, took = asyncio.run(measure())
    assert status == 202
    assert slowest < max(0.5, 0.8 * took), f"an answer took {slowest:.3f} s, the batch {took:.3f} s"
