"""Periodic duties over HTTP: who sees them, who may say that one was done, once."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest

from storage.ledger_clocks import Keeper
from storage.site_store import apply_site
from tests.api.conftest import Server, System, alarm, bearer
from tests.api.test_feed import Listener, listening

MONTHLY = "monthly_inspection:department:"


class Silence:
    """A doorbell that nobody hears."""

    def ring(self) -> None: ...

    async def wait(self, timeout: float) -> bool:
        return False

    async def close(self) -> None: ...


def until_incident(feed: Listener) -> Iterator[tuple[str, str, Any]]:
    while (event := feed.next())[0] != "incident":
        yield event


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
    assert [(p["point"], p["tells"]) for p in monthly["points"]] == [("-3d", ["department"]), ("due", ["department", "safety_office"])]  # type: ignore[attr-defined]
    assert [d["may_finish"] for d in await duties(client, begun, "operator")] == [False] * 4
    assert {d["duty"] for d in await duties(client, begun, "bureau", post="park_command")} == {"monthly_inspection", "quarterly_inspection"}


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


@pytest.mark.parametrize(
    ("district", "sees"), [(None, True), ("510000", True), ("510800", True), ("510802", True), ("510802001", False), ("510803", False)]
)
async def test_duties_are_for_those_of_the_site_s_district_and_above(
    client: httpx.AsyncClient, begun: System, district: str | None, sees: bool
) -> None:  # fmt: skip
    site = msgspec.structs.replace(begun.site, district="510802")
    with begun.database.write() as connection:
        apply_site(connection, site, by="test", now=2)
    await begun.reload_site()
    headers = bearer(begun.token("department", district=district))
    found = (await client.get("/api/v1/duties", headers=headers)).json()["items"]
    assert bool(found) == sees
    monthly = next(str(d["id"]) for d in await duties(client, begun, "department") if str(d["id"]).startswith(MONTHLY))
    answer = await client.post(f"/api/v1/duties/{monthly}/commands", json={"command": "done"}, headers=headers)
    assert answer.status_code == (200 if sees else 404)


@pytest.mark.parametrize(("role", "hears"), [("department", True), ("safety_office", True), ("operator", True), ("analyst", False)])
def test_a_point_that_has_passed_is_an_event_of_the_feed_for_those_who_see_duties(server: Server, role: str, hears: bool) -> None:
    system = server.system
    keeper = Keeper(system.database, Silence(), system.now)
    server.run(keeper.round(asyncio.Event()))
    system.later(days=100)
    server.run(keeper.round(asyncio.Event()))
    server.post(alarm("afterwards"))
    with listening(server, system.token(role), after=0) as feed:
        told = [data for name, _, data in until_incident(feed) if name == "duty"]
    assert bool(told) == hears
    if hears:
        monthly = next(notice for notice in told if notice["id"].startswith(MONTHLY))
        assert monthly["event"] == "overdue" and monthly["tells"] == monthly["roles"] == ["department", "safety_office"]
        assert monthly["event_name"]["zh"] == "履职逾期" and monthly["ruling"]["rule"] == "monthly_inspection"
