"""Alarms towards people over HTTP: listed by state, scoped, with their words."""

import httpx

from tests.api.conftest import System, alarm, bearer


async def test_alarms_that_are_not_normal_are_listed_with_their_words(operator: httpx.AsyncClient, system: System) -> None:
    events = [alarm("a"), alarm("b", device="G-201", kind="flammable_gas_high"), alarm("c", device="G-201", kind="flammable_gas_high",
                                                                                       action="cleared")]  # fmt: skip
    await operator.post("/api/v1/alarms", json=events)
    await system.apply()
    items = (await operator.get("/api/v1/alarm-states")).json()["items"]
    assert {(i["device"], i["state"], i["standing"]) for i in items} == {
        ("CAM-1", "unacknowledged", True), ("G-201", "returned_unacknowledged", False),
    }  # fmt: skip
    assert all(i["state_name"]["zh"] and i["kind_name"]["en"] and i["incident"] for i in items)
    standing = (await operator.get("/api/v1/alarm-states", params={"state": "unacknowledged"})).json()["items"]
    assert [i["device"] for i in standing] == ["CAM-1"]
    page = (await operator.get("/api/v1/alarm-states", params={"limit": 1})).json()
    rest = (await operator.get("/api/v1/alarm-states", params={"cursor": page["next"]})).json()
    assert len(page["items"]) == len(rest["items"]) == 1 and rest["next"] is None


async def test_an_enterprise_sees_its_own(client: httpx.AsyncClient, system: System) -> None:
    events = [alarm("a"), alarm("b", device="G-201", kind="intrusion")]
    await client.post("/api/v1/alarms", json=events, headers=bearer(system.token("operator")))
    await system.apply()
    own = bearer(system.token("enterprise", enterprise="alu"))
    items = (await client.get("/api/v1/alarm-states", headers=own)).json()["items"]
    assert [i["device"] for i in items] == ["CAM-1"]
    assert (await client.get("/api/v1/alarm-states")).status_code == 401
