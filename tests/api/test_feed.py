"""The feed over a real socket: nothing missed from the list on, resumable, told when it is too old, scoped, bounded."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from api.settings import ApiSettings
from storage import accounts, schema
from storage.outbox import read_feed
from tests.api.conftest import Server, System, alarm, bearer, run_server


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Server]:
    """A server with a short heartbeat, a small window and a short patience."""
    settings = ApiSettings(principal_freshness=0.0, feed_heartbeat=0.2, feed_kept=3, feed_send_timeout=1.0, feed_listeners=4)
    system = System(tmp_path, settings=settings)
    yield from run_server(system)
    system.close()


class Listener:
    """Reads one feed stream. ``next`` gives (event, id, data) or, for a comment, ("", "", text)."""

    def __init__(self, response: httpx.Response) -> None:
        self.response, self._lines = response, response.iter_lines()

    def next(self, *, comments: bool = False) -> tuple[str, str, Any]:
        fields: dict[str, str] = {}
        for line in self._lines:
            if line.startswith(":"):
                if comments:
                    return "", "", line[1:].strip()
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                return fields["event"], fields.get("id", ""), json.loads(fields["data"])
            else:
                fields = {}
        raise EOFError

    def incident(self) -> tuple[int, dict[str, Any]]:
        while True:
            event, position, data = self.next()
            if event == "incident":
                return int(position), data


@contextlib.contextmanager
def listening(server: Server, token: str, *, after: int | None = None, last: str | None = None) -> Iterator[Listener]:
    headers = bearer(token) | ({"Last-Event-ID": last} if last is not None else {})
    query = "" if after is None else f"?after={after}"
    with httpx.stream("GET", f"{server.url}/api/v1/feed{query}", headers=headers, timeout=90) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Listener(response)


def test_from_the_lists_position_on_nothing_is_missed(server: Server) -> None:
    token = server.system.token("operator")
    server.post(alarm("before"))
    listed = httpx.get(f"{server.url}/api/v1/incidents", headers=bearer(token))
    position = int(listed.headers["Feed-Position"])
    server.post(alarm("between", device="G-201", kind="flammable_gas_high"))  # after the list, before the stream
    with listening(server, token, after=position) as feed:
        assert feed.incident()[1]["zone"] == "tank"
        server.post(alarm("later", device="CAM-2"))
        position, incident = feed.incident()
        assert incident["zone"] == "depot" and incident["annunciation"] == "unacknowledged" and incident["why"]["zh"]
        answer = httpx.post(
            f"{server.url}/api/v1/incidents/{incident['id']}/commands", json={"command": "acknowledge"}, headers=bearer(token)
        )
        assert answer.status_code == 200
        server.run(server.system.position())
        assert feed.incident()[1]["annunciation"] == "acknowledged"
    with listening(server, token, last=str(position)) as resumed:
        assert resumed.incident()[1]["annunciation"] == "acknowledged"


def test_without_a_position_it_begins_now(server: Server) -> None:
    server.post(alarm("old"))
    token = server.system.token("operator")
    with listening(server, token) as feed:
        assert feed.next()[0] == "status"
        server.post(alarm("new", device="G-201", kind="flammable_gas_high"))
        assert feed.incident()[1]["zone"] == "tank"


def test_every_event_in_order_and_once_also_from_sql(quick: Server) -> None:
    """The window keeps three: the rest comes from SQL, in the same order. Every second position is an alarm record's."""
    for n in range(12):
        quick.post(alarm(f"n{n}", device=f"N-{n}", kind="device_fault"))
    token = quick.system.token("operator")
    with listening(quick, token, after=0) as feed:
        positions = [feed.incident()[0] for _ in range(12)]
    assert positions == list(range(1, 25, 2))


@pytest.mark.parametrize("wanted", [2, 999_999])
def test_a_position_that_is_not_kept_or_never_was_gets_reset(server: Server, wanted: int) -> None:
    for n in range(5):
        server.post(alarm(f"n{n}", device=f"N-{n}", kind="device_fault"))
    with server.system.database.write() as connection:
        connection.execute(delete(schema.outbox).where(schema.outbox.c.position <= 4))
        newest = read_feed(connection, 0)[-1].position
    with listening(server, server.system.token("operator"), last=str(wanted)) as feed:
        event, position, data = feed.next()
        assert (event, position, data) == ("reset", str(newest), {"position": newest})
        server.post(alarm("after", device="G-201", kind="flammable_gas_high"))
        assert feed.incident()[0] > newest


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", f"?after={10**30}"])
def test_what_is_no_position_is_422(server: Server, query: str) -> None:
    answer = httpx.get(f"{server.url}/api/v1/feed{query}", headers=bearer(server.system.token("operator")))
    assert answer.status_code == 422


def test_an_enterprise_hears_only_its_own(server: Server) -> None:
    with listening(server, server.system.token("enterprise", "alu"), after=0) as feed:
        server.post(alarm("theirs", device="G-201", kind="flammable_gas_high"), alarm("nobodys", device="??"))
        server.post(alarm("own"))
        assert feed.incident()[1]["zone"] == "smelter"
    with listening(server, server.system.token("enterprise", "alu"), after=0) as again:
        assert again.incident()[1]["zone"] == "smelter"


def test_the_line_shows_that_it_is_alive(quick: Server) -> None:
    with listening(quick, quick.system.token("operator")) as feed:
        assert feed.next()[0] == "status"
        assert [feed.next(comments=True)[2] for _ in range(3)] == ["beat"] * 3


def test_a_revoked_token_ends_its_stream(quick: Server) -> None:
    token = quick.system.token("operator")
    with listening(quick, token) as feed:
        feed.next()
        with quick.system.database.write() as connection:
            found = accounts.find_token(connection, accounts.secret_hash(token))
            assert found is not None
            accounts.revoke_token(connection, found.id, now=1)
        with pytest.raises(EOFError):
            feed.next()


def test_status_says_since_when_alarms_wait(quick: Server) -> None:
    with listening(quick, quick.system.token("operator")) as feed:
        assert feed.next()[2] == {"behind_since": None}
        with quick.system.database.write() as connection:
            connection.execute(schema.forwarders.insert().values(journal="j", unapplied=5, oldest_at=1_700_000_000_000_000, updated_at=1))
        assert feed.next()[2] == {"behind_since": "2023-11-15T06:13:20+08:00"}


def test_too_many_listeners_are_refused_and_leavers_make_room(quick: Server) -> None:
    token = quick.system.token("operator")
    with contextlib.ExitStack() as stack:
        heard = [stack.enter_context(listening(quick, token)) for _ in range(4)]
        assert all(feed.next()[0] == "status" for feed in heard)
        assert httpx.get(f"{quick.url}/api/v1/feed", headers=bearer(token)).status_code == 429
    deadline = time.monotonic() + 60
    while quick.system.app.state.services.feed.listeners:
        assert time.monotonic() < deadline
    with listening(quick, token) as feed:
        feed.next()


def test_a_listener_that_takes_nothing_is_dropped_while_others_go_on(quick: Server) -> None:
    host, port = quick.url.removeprefix("http://").split(":")
    token = quick.system.token("operator")
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect((host, int(port)))
        stuck.sendall(f"GET /api/v1/feed?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        with listening(quick, token, after=0) as feed:
            services = quick.system.app.state.services
            number, deadline = 0, time.monotonic() + 120
            while services.metrics.feed_dropped == 0:
                assert time.monotonic() < deadline
                quick.post(
                    *(alarm(f"m{number + n}", device=f"M-{number + n}", kind="device_fault", message="长" * 3000) for n in range(200))
                )
                number += 200
                for _ in range(200):
                    feed.incident()
            assert services.feed.listeners == 1


def test_stopping_the_server_ends_streams_at_once(tmp_path: Path) -> None:
    system = System(tmp_path)
    running = run_server(system)
    server = next(running)
    ended = threading.Event()

    def listen() -> None:
        with listening(server, server.system.token("operator")) as feed, contextlib.suppress(EOFError):
            while True:
                started.set()
                feed.next()
        ended.set()

    started = threading.Event()
    thread = threading.Thread(target=listen)
    thread.start()
    assert started.wait(60)
    began = time.monotonic()
    with contextlib.suppress(StopIteration):
        next(running)
    assert ended.wait(60) and time.monotonic() - began < 30
    thread.join()
    system.close()


def test_a_listener_in_a_flood_is_told_so_and_nothing_is_left_out(server: Server) -> None:
    token = server.system.token("operator")
    with listening(server, token) as feed:
        for n in range(12):
            server.post(alarm(f"n{n}", device=f"N-{n}", kind="device_fault"))
        told = [feed.next() for _ in range(14)]
        assert [data["since"] is not None for event, _, data in told if event == "flood"] == [True]
        assert sum(event == "incident" for event, _, _ in told) == 12


def flood_told(server: Server, token: str) -> bool:
    """What somebody who comes from the list is told of the flood at the beginning."""
    listed = httpx.get(f"{server.url}/api/v1/incidents", headers=bearer(token))
    with listening(server, token, after=int(listed.headers["Feed-Position"])) as feed:
        return next(data["since"] is not None for event, _, data in iter(feed.next, None) if event == "flood")


def test_who_listens_anew_learns_the_flood_it_is_in_and_no_other(tmp_path: Path) -> None:
    """Once a page that was loaded again forgot it, and every row came back; nor may a restart forget it."""
    system = System(tmp_path)
    running = run_server(system)
    server = next(running)
    operator, chem = system.token("operator"), system.token("enterprise", "chem")
    assert not flood_told(server, operator)
    for n in range(12):
        server.post(alarm(f"n{n}", device=f"N-{n}", kind="device_fault"))
    assert flood_told(server, operator)
    assert not flood_told(server, chem)
    with contextlib.suppress(StopIteration):
        next(running)
    again = System(tmp_path)
    for server in run_server(again):
        assert flood_told(server, operator) and not flood_told(server, chem)
        again.later(minutes=11)
        assert not flood_told(server, operator)
    system.close()
    again.close()


def test_what_is_done_about_an_incident_that_came_back_calls_nobody_anew(server: Server) -> None:
    token = server.system.token("operator")
    for action in ("raised", "cleared", "raised"):
        server.post(alarm(f"n-{time.time()}", "T-101", "temperature_high", action))
    (incident,) = httpx.get(f"{server.url}/api/v1/incidents", headers=bearer(token)).json()["items"]
    for n in range(12):
        sent = {"command": "comment", "text": str(n)}
        assert httpx.post(f"{server.url}/api/v1/incidents/{incident['id']}/commands", json=sent, headers=bearer(token)).status_code == 200
    server.run(server.system.position())
    assert not flood_told(server, token)
