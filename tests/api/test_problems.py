"""Every error is a problem detail; the table is complete; headers protect; the catalogues know every code."""

import contextlib
import dataclasses
import re
import socket
from typing import get_args

import httpx
import pytest
import structlog

from api import problems
from api.present import Annunciation, without_password
from api.roles import COMMANDS, ROUTES, Role
from api.settings import ApiSettings
from api.words import LANGUAGES, Words
from hazards import errors
from hazards.across import RULES as ACROSS
from hazards.annunciation import AlarmState
from hazards.correlation import RULES, Modality
from hazards.inhibition import INHIBITIONS
from hazards.kinds import FAMILIES
from hazards.messages import Certainty
from hazards.quieting import Quiet
from hazards.zone_state import Reason
from tests.api.conftest import Server, System, alarm, bearer


def tree(root: type[errors.BihuanError]) -> set[type[errors.BihuanError]]:
    found = {root}
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            found |= tree(child)
    return found


def test_every_error_of_the_tree_has_its_status() -> None:
    assert set(problems.STATUS) == tree(errors.BihuanError)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/api/v1/nowhere", 404), ("DELETE", "/healthz", 405), ("GET", "/console/../api/app.py", 404),
     ("GET", "/console/no.js", 404), ("BREW", "/", 405), ("GET", "/api/v1/incidents/", 404)],
)  # fmt: skip
async def test_what_is_not_there_is_a_problem_too(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["status"] == status


async def test_an_accident_inside_is_a_500_that_tells_nothing(
    client: httpx.AsyncClient, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_work: object) -> None:
        raise RuntimeError("secret path /srv/x")

    headers = bearer(system.token("operator"))
    await client.get("/api/v1/session", headers=headers)
    monkeypatch.setattr(system.database, "reading", broken)
    with structlog.testing.capture_logs() as logs:
        answer = await client.get("/api/v1/incidents", headers=headers)
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text and answer.headers["x-content-type-options"] == "nosniff"
    assert [line["log_level"] for line in logs] == ["error"]


@pytest.mark.parametrize("path", ["/", "/console/style.css", "/healthz", "/api/v1/incidents", "/nowhere", "/openapi.json"])
async def test_every_answer_carries_the_protecting_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


async def test_ready_says_whether_alarms_can_be_taken(client: httpx.AsyncClient, system: System) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ok", "what": ""}
    system.ready = errors.JournalFull("the journal is full")
    answer = await client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["detail"] == "the journal is full"
    assert (await client.get("/healthz")).status_code == 200


def test_a_body_that_does_not_arrive_is_given_up(server: Server) -> None:
    services = server.system.app.state.services
    server.system.app.state.services = dataclasses.replace(services, settings=ApiSettings(body_timeout=0.2))
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{")
        answer = b"".join(iter(lambda: line.recv(4096), b""))  # to the end: the line is closed
    assert answer.startswith(b"HTTP/1.1 408 ") and b"application/problem+json" in answer


@pytest.mark.parametrize("before", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["first", "after another"])
def test_a_head_that_does_not_arrive_is_given_up_however_it_drips(server: Server, monkeypatch: pytest.MonkeyPatch, before: bytes) -> None:
    monkeypatch.setattr("api.http_protocol.HEAD_SECONDS", 1.0)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        if before:
            line.sendall(before)
            while not line.recv(4096).endswith(b"}"):
                pass
        line.sendall(b"GET /healthz HTTP/1.1\r\n")
        line.settimeout(0.1)
        answer = b""
        while not answer:
            with contextlib.suppress(TimeoutError):
                answer = line.recv(4096)
                break
            line.sendall(b"x: y\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_reason_of_an_incident_has_no_gaps() -> None:
    words = Words.load()
    for reason in Reason:
        key = words.first(f"reason.of_incident.{reason.value}", f"reason.{reason.value}")
        assert all("{" not in words.catalogues[language][key] for language in LANGUAGES), key


async def test_figures_name_routes_and_nothing_of_the_park(operator: httpx.AsyncClient, system: System) -> None:
    await operator.post("/api/v1/alarms", json=alarm("a"))
    await system.apply()
    await operator.get("/api/v1/zones/smelter")
    text = (await operator.get("/metrics")).text
    assert 'bihuan_http_requests_total{method="GET",route="/api/v1/zones/{id}",status="200"} 1' in text
    assert "bihuan_alarms_accepted_total 1" in text and "smelter" not in text and "CAM" not in text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \S+ .+|[a-z_]+(\{[^}]*(\{\w+(:path)?\}[^}]*)*\})? [-+0-9.einf]+", line), line


def test_passwords_in_addresses_are_hidden() -> None:
    assert without_password("rtsp://u:p@h:554/x?y") == "rtsp://***@h:554/x?y"
    assert without_password("file:clips/a.mp4") == "file:clips/a.mp4"
    assert without_password("rtsp://[broken@h") == ""


def test_both_catalogues_have_the_same_keys_and_parameters() -> None:
    words = Words.load().catalogues
    assert words["zh"].keys() == words["en"].keys()
    for key in words["zh"]:
        assert set(re.findall(r"\{(\w+)\}", words["zh"][key])) == set(re.findall(r"\{(\w+)\}", words["en"][key])), key


def test_every_code_that_the_server_says_has_its_text() -> None:
    codes = [f"reason.{r.value}" for r in Reason] + [f"role.{r.value}" for r in Role] + [f"do.{name}" for name in COMMANDS]
    codes += [f"family.{name}" for name in FAMILIES] + [f"severity.{n}" for n in range(1, 5)]
    events = "pending opened reactivated severity_raised certainty_raised cleared closed acknowledged unshelved"
    codes += [f"event.{e}" for e in (*events.split(), "quietened", "sounded", "reminded", "flood_began")]
    codes += [f"certainty.{c}" for c in Certainty] + [f"modality.{m}" for m in Modality]
    codes += [f"basis.{rule.basis}" for rule in (*RULES, *ACROSS, *INHIBITIONS)]
    codes += [f"quiet.{quiet}" for quiet in Quiet] + [f"alarm_state.{state}" for state in AlarmState]
    codes += [f"annunciation.{word}" for word in get_args(Annunciation)]
    catalogues = Words.load().catalogues
    assert [code for code in codes for language in LANGUAGES if code not in catalogues[language]] == []


async def test_the_description_is_complete(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    for (method, path), row in ROUTES.items():
        if not path.startswith("/api/"):
            continue
        operation = described["paths"][path][method.lower()]
        assert operation["summary"] and operation["description"]
        problem_statuses = {s for s, r in operation["responses"].items() if "application/problem+json" in r.get("content", {})}
        assert "503" in problem_statuses
        assert (row.roles is None) == ("security" not in operation)
        assert row.roles is None or {"401", "403"} <= problem_statuses
