"""What was pushed, to those who may see it; replay; endpoints on and off."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.app import utc_now
from hazards.identity import delivery_id, endpoint_id
from storage import schema
from storage.deliveries import Attempted, Due, EndpointRow, State, look, put_deliveries, record_attempts, sync_endpoints
from tests.api.conftest import System, bearer

ALU = EndpointRow(endpoint_id("alu", "https://alu.example/hook"), "alu", "https://alu.example/hook")
CITY = EndpointRow(endpoint_id(None, "https://city:hunter2@city.example/hook"), None, "https://city:hunter2@city.example/hook")


@pytest.fixture
def pushed(system: System) -> System:
    """Three incidents told to both endpoints; alu's first was refused with 410, the city's first delivered."""
    with system.database.write() as connection:
        sync_endpoints(connection, [ALU, CITY], now=1)
        put_deliveries(connection, [row(e, n) for e in (ALU, CITY) for n in (1, 2, 3)])
    attempted(system, CITY, 1, 200, State.DELIVERED)
    attempted(system, ALU, 1, 410, State.DEAD, gone=True)
    return system


def row(endpoint: EndpointRow, position: int) -> dict[str, Any]:
    return {
        "id": delivery_id(endpoint.id, position), "endpoint": endpoint.id, "enterprise": endpoint.enterprise, "position": position,
        "subject": f"incident-{position}", "event": "incident.opened", "severity": 1, "body": b'{"type":"incident.opened","data":{}}',
        "told": "{}", "state": "waiting", "next_at": 5, "created_at": position, "last_error": None,
    }  # fmt: skip


def attempted(system: System, endpoint: EndpointRow, position: int, status: int, state: State, *, gone: bool = False) -> None:
    due = Due(delivery_id(endpoint.id, position), endpoint.id, "", 1, position, 0, 0, b"")
    error = "" if status == 200 else f"HTTP {status}"
    with system.database.write() as connection:
        record_attempts(connection, [Attempted(due, 7, 12, status, error, state, None, gone=gone)], down_from=3)


async def test_the_list_is_newest_first_and_filtered_and_paged(pushed: System, operator: httpx.AsyncClient) -> None:
    everything = (await operator.get("/api/v1/deliveries")).json()["items"]
    assert len(everything) == 6 and [d["subject"] for d in everything[:2]] == ["incident-3", "incident-3"]
    assert {d["state"]: d["state_name"]["zh"] for d in everything} == {
        "waiting": "待推送", "delivered": "已送达", "dead": "推送失败", "cancelled": "已取消",
    }  # fmt: skip
    dead = (await operator.get("/api/v1/deliveries", params={"state": "dead"})).json()["items"]
    assert [(d["endpoint"], d["last_status"], d["event_name"]["zh"]) for d in dead] == [(ALU.id, 410, "事件发生")]
    assert len((await operator.get("/api/v1/deliveries", params={"endpoint": CITY.id})).json()["items"]) == 3
    assert len((await operator.get("/api/v1/deliveries", params={"subject": "incident-2"})).json()["items"]) == 2
    first = (await operator.get("/api/v1/deliveries", params={"limit": 4})).json()
    rest = (await operator.get("/api/v1/deliveries", params={"limit": 4, "cursor": first["next"]})).json()
    assert [d["id"] for d in first["items"] + rest["items"]] == [d["id"] for d in everything] and rest["next"] is None


async def test_one_delivery_comes_with_its_attempts_and_its_body(pushed: System, operator: httpx.AsyncClient) -> None:
    one = (await operator.get(f"/api/v1/deliveries/{delivery_id(CITY.id, 1)}")).json()
    assert one["tried"][0]["status"] == 200 and one["tried"][0]["took_ms"] == 12
    assert one["body"]["type"] == "incident.opened"
    assert one["url"] == "https://***@city.example/hook", "a password in an address is not shown"


async def test_an_enterprise_sees_its_own_and_replays_nothing(pushed: System, client: httpx.AsyncClient) -> None:
    headers = bearer(pushed.token("enterprise", "alu"))
    items = (await client.get("/api/v1/deliveries", headers=headers)).json()["items"]
    assert {d["endpoint"] for d in items} == {ALU.id} and len(items) == 3
    assert [w["id"] for w in (await client.get("/api/v1/webhooks", headers=headers)).json()["items"]] == [ALU.id]
    city = delivery_id(CITY.id, 1)
    assert (await client.get(f"/api/v1/deliveries/{city}", headers=headers)).status_code == 404
    assert (await client.get(f"/api/v1/webhooks/{CITY.id}", headers=headers)).status_code == 404
    assert (await client.post(f"/api/v1/deliveries/{items[0]['id']}/replay", headers=headers)).status_code == 403
    other = bearer(pushed.token("enterprise", "chem"))
    assert (await client.get("/api/v1/deliveries", headers=other)).json()["items"] == []


async def test_a_replay_is_due_at_once_with_a_fresh_plan_and_says_who(pushed: System, operator: httpx.AsyncClient) -> None:
    target = delivery_id(CITY.id, 1)
    again = (await operator.post(f"/api/v1/deliveries/{target}/replay")).json()
    assert again["state"] == "waiting" and again["replayed_by"].startswith("token:") and again["next_at"]
    with pushed.database.read() as connection:
        (due,) = [d for d in look(connection, {CITY.id}, now=utc_now() + 1, most=4).due if d.id == target]
    assert (due.attempts, due.failed) == (1, 0)


async def test_an_endpoint_turned_off_by_410_is_seen_and_turned_on_again(pushed: System, operator: httpx.AsyncClient) -> None:
    dead = delivery_id(ALU.id, 1)
    refused = await operator.post(f"/api/v1/deliveries/{dead}/replay")
    assert refused.status_code == 409 and "turn it on" in refused.json()["hint"]
    (off,) = [w for w in (await operator.get("/api/v1/webhooks")).json()["items"] if not w["on"]]
    assert off["id"] == ALU.id and off["turned_off_by"] == "endpoint" and "410" in off["turned_off_why"]
    assert (off["dead"], off["cancelled"], off["waiting"]) == (1, 2, 0)
    on = await operator.post(f"/api/v1/webhooks/{ALU.id}/commands", json={"command": "turn_on"})
    assert on.json()["on"] is True and on.json()["turned_off_why"] is None
    assert (await operator.post(f"/api/v1/webhooks/{ALU.id}/commands", json={"command": "turn_on"})).status_code == 409
    assert (await operator.post(f"/api/v1/deliveries/{dead}/replay")).status_code == 200


async def test_an_endpoint_turned_off_by_a_person_cancels_what_waits(pushed: System, operator: httpx.AsyncClient) -> None:
    off = await operator.post(f"/api/v1/webhooks/{CITY.id}/commands", json={"command": "turn_off", "reason": "接收端维护"})
    assert off.json()["on"] is False and off.json()["turned_off_why"] == "接收端维护" and off.json()["cancelled"] == 2
    with pushed.database.read() as connection:
        table = schema.deliveries
        errors = set(connection.scalars(select(table.c.last_error).where(table.c.endpoint == CITY.id, table.c.state == "cancelled")))
    assert len(errors) == 1 and "turned off by token:" in errors.pop()
    no_reason = await operator.post(f"/api/v1/webhooks/{CITY.id}/commands", json={"command": "turn_off"})
    assert no_reason.status_code == 422


async def test_what_is_not_there_is_404_and_a_strange_state_422(pushed: System, operator: httpx.AsyncClient) -> None:
    assert (await operator.get("/api/v1/deliveries/none")).status_code == 404
    assert (await operator.post("/api/v1/deliveries/none/replay")).status_code == 404
    assert (await operator.post("/api/v1/webhooks/none/commands", json={"command": "turn_on"})).status_code == 404
    assert (await operator.get("/api/v1/deliveries", params={"state": "lost"})).status_code == 422
    assert (await operator.get("/api/v1/deliveries", params={"cursor": "x"})).status_code == 422
