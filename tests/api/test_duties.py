"""Periodic duties over HTTP: who sees them, who may say that one was done, once."""

import asyncio

import httpx
import pytest

from storage.ledger_clocks import Keeper
from tests.api.conftest import System, bearer

MONTHLY = "monthly_inspection:department:"


class Silence:
    """A doorbell that nobody hears."""

    def ring(self) -> None: ...

    async def wait(self, timeout: float) -> bool:
        return False

    async def close(self) -> None: ...


@pytest.fixture
async def begun(system: System) -> System:
    """The duties of the present periods are there."""
    await Keeper(system.database, Silence(), system.app.state.services.now).round(asyncio.Event())
    return system


async def duties(client: httpx.AsyncClient, system: System, role: str, **query: str) -> list[dict[str, object]]:
    answer = await client.get("/api/v1/duties", headers=bearer(system.token(role)), params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, object]] = answer.json()["items"]
    return items


async def test_a_duty_says_what_until_when_by_which_rule_and_who_is_told(client: httpx.AsyncClient, begun: System) -> None:
    found = await duties(client, begun, "department")
    monthly = next(d for d in found if str(d["id"]).startswith(MONTHLY))
    assert monthly["name"] == {"zh": "每月专项检查", "en": "monthly special inspection"} and monthly["standing"] in ("open", "overdue")
    assert monthly["ruling"]["basis"] == "clause" and monthly["may_finish"] is True  # type: ignore[index]
    assert [(p["point"], p["tells"]) for p in monthly["points"]] == [("-3d", ["department"]), ("due", ["safety_office"])]  # type: ignore[attr-defined]
    assert [d["may_finish"] for d in await duties(client, begun, "operator")] == [False, False]
    assert [d["duty"] for d in await duties(client, begun, "bureau", post="park_command")] == ["quarterly_inspection"]


async def test_who_holds_the_post_says_once_that_it_was_done(client: httpx.AsyncClient, begun: System) -> None:
    monthly = next(str(d["id"]) for d in await duties(client, begun, "department") if str(d["id"]).startswith(MONTHLY))
    path, body = f"/api/v1/duties/{monthly}/commands", {"command": "done", "note": "检查12家"}
    refused = await client.post(path, json=body, headers=bearer(begun.token("park_command")))
    assert refused.status_code == 403 and refused.json()["rule"] == "monthly_inspection" and refused.json()["basis"] == "clause"
    assert refused.json()["ruling"]["sources"], refused.text
    done = await client.post(path, json=body, headers=bearer(begun.token("department")))
    assert done.status_code == 200 and done.json()["note"] == "检查12家" and done.json()["standing"] in ("done", "late")
    again = await client.post(path, json=body, headers=bearer(begun.token("department")))
    assert again.status_code == 409 and "said already" in again.json()["detail"]
    assert [d["id"] for d in await duties(client, begun, "department", state="done")] == [monthly]
    assert monthly not in [d["id"] for d in await duties(client, begun, "department", state="open")]


@pytest.mark.parametrize("role", ["enterprise", "analyst"])
async def test_duties_of_authorities_are_not_for_everybody(client: httpx.AsyncClient, begun: System, role: str) -> None:
    headers = bearer(begun.token(role, "alu" if role == "enterprise" else None))
    assert (await client.get("/api/v1/duties", headers=headers)).status_code == 403


async def test_a_duty_that_there_is_not_is_not_found(client: httpx.AsyncClient, begun: System) -> None:
    answer = await client.post("/api/v1/duties/none/commands", json={"command": "done"}, headers=bearer(begun.token("department")))
    assert answer.status_code == 404
