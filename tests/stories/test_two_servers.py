"""Two servers over one database, as behind a load balancer: people at both command one hazard at once, on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.conftest import PASSWORD, Server, System, bearer, run_server
from tests.api.ledger import BY_HAND
from tests.storage.at_once import at_once


class Desk:
    """Somebody at one of the servers: a machine's token, or a person who signed in there."""

    def __init__(self, server: Server, *, token: str = "", person: str = "") -> None:
        self.client = httpx.Client(base_url=f"{server.url}/api/v1", timeout=60)
        if token:
            self.client.headers.update(bearer(token))
        else:
            me = self.client.post("/session", json={"name": person, "password": PASSWORD})
            self.client.headers["X-CSRF-Token"] = me.json()["csrf"]
            assert self.client.post("/session/confirm", json={"password": PASSWORD}).status_code == 204

    def give(self, hazard: str, command: str, **fields: Any) -> httpx.Response:
        return self.client.post(f"/hazards/{hazard}/commands", json={"command": command, **fields})

    def done(self, hazard: str, command: str, **fields: Any) -> dict[str, Any]:
        answer = self.give(hazard, command, **fields)
        assert answer.status_code == 200, answer.text
        after: dict[str, Any] = answer.json()
        return after


@contextmanager
def running(system: System) -> Iterator[Server]:
    with closing(system), contextmanager(run_server)(system) as server:
        yield server


@pytest.fixture
def servers(tmp_path: Path, database_url: str) -> Iterator[tuple[Server, Server]]:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    with running(System(folders[0], database_url=database_url)) as a, running(System(folders[1], database_url=database_url)) as b:
        yield a, b


@pytest.fixture
def sit_down() -> Iterator[Callable[..., Desk]]:
    """Makes a desk; they are all left at the end."""
    with ExitStack() as leaving:

        def made(server: Server, **who: str) -> Desk:
            desk = Desk(server, **who)
            leaving.callback(desk.client.close)
            return desk

        yield made


def together(*works: Callable[[], httpx.Response]) -> list[httpx.Response]:
    return [answer for answer in at_once(*works) if isinstance(answer, httpx.Response)]


def test_two_people_at_two_servers_one_wins_and_the_other_sees_what_changed(
    servers: tuple[Server, Server], sit_down: Callable[..., Desk]
) -> None:
    a, b = servers
    for name, role in (("zhao", "department"), ("zhou", "bureau"), ("qian", "park_command")):
        a.system.user(name, role)
    a.system.user("li", "enterprise", "alu")
    zhao, zhou, qian = sit_down(a, person="zhao"), sit_down(b, person="zhou"), sit_down(b, person="qian")
    company = sit_down(b, person="li")
    made = zhao.client.post("/hazards", json=BY_HAND).json()
    first, second = together(
        partial(zhao.give, made["id"], "confirm", grade="serious", version=1),
        partial(zhou.give, made["id"], "confirm", grade="general", version=1),
    )
    assert sorted((first.status_code, second.status_code)) == [200, 409]
    won, lost, winner = (first, second, "zhao") if first.status_code == 200 else (second, first, "zhou")
    problem = lost.json()
    assert problem["type"] == "urn:bihuan:problem:conflict" and problem["pointer"] == "/version"
    assert problem["detail"] == f"{winner} did confirmed at version 2, you looked at 1" and problem["hint"] == "look again, then repeat"
    (change,) = problem["changes"]
    assert (change["number"], change["actor"], change["event"], change["event_name"]["zh"]) == (2, winner, "confirmed", "确认定级")
    for desk in (zhao, zhou):
        seen = desk.client.get(f"/hazards/{made['id']}").json()
        assert (seen["version"], seen["grade"], seen["confirmed_by"]) == (2, won.json()["grade"], winner)

    if won.json()["grade"] == "general":
        zhou.done(made["id"], "regrade", grade="serious", reason="扩大")
    company.done(made["id"], "request_extension", days=5, cause="weather", reason="暴雨")
    answers = together(*[partial(desk.give, made["id"], "sign_extension") for desk in (zhao, qian, zhao, qian)])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[:2] == [200, 200] and set(statuses[2:]) <= {403, 409}, "who signed already: 403, or 409 once it is granted"
    record = zhou.client.get(f"/hazards/{made['id']}/events").json()["items"]
    assert [entry["event"] for entry in record][-2:] == ["extension_signed", "extension_granted"]


def test_nothing_that_was_answered_with_200_is_lost(servers: tuple[Server, Server], sit_down: Callable[..., Desk]) -> None:
    desks = [sit_down(server, token=servers[0].system.token("department")) for server in (*servers, *servers)]
    made = desks[0].client.post("/hazards", json=BY_HAND).json()
    rounds = 8

    def writes(n: int) -> list[int]:
        return [desks[n].done(made["id"], "comment", text=f"{n}-{turn}")["version"] for turn in range(rounds)]

    at_once(*[partial(writes, n) for n in range(len(desks))])
    record = desks[1].client.get(f"/hazards/{made['id']}/events?limit=1000").json()["items"]
    said = [entry["details"]["text"] for entry in record[1:]]
    assert sorted(said) == sorted(f"{n}-{turn}" for n in range(len(desks)) for turn in range(rounds))
    assert [entry["number"] for entry in record] == list(range(1, len(desks) * rounds + 2))
    for n in range(len(desks)):
        assert [text for text in said if text.startswith(f"{n}-")] == [f"{n}-{turn}" for turn in range(rounds)], "each in its own order"
