"""Patrol rounds over HTTP: who starts one over which cameras, what is judged stays, who reads it."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import System, bearer

URL = "/api/v1/patrol-rounds"


async def started(client: httpx.AsyncClient, headers: dict[str, str], **more: Any) -> dict[str, Any]:
    answer = await client.post(URL, json={"seconds": 5, **more}, headers=headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_round_records_who_looked_at_which_camera_when_and_what_they_judged(client: httpx.AsyncClient, system: System) -> None:
    wang, li = system.person("wang", "operator"), system.person("li", "operator")
    made = await started(client, wang, zones=["depot", "smelter"], command_id="1")
    assert [(look["camera"], look["zone_name"], look["judgement"]) for look in made["looks"]] == [
        ("CAM-2", "危废库", None), ("CAM-1", "熔铸车间", None)
    ]  # fmt: skip
    again = await client.post(URL, json={"seconds": 9, "command_id": "1"}, headers=wang)
    assert (again.status_code, again.json()) == (200, made), "the same request is one round"
    looks = f"{URL}/{made['id']}/looks"
    normal = {"camera": "CAM-2", "judgement": "normal", "pictured": True}
    for _ in range(2):
        assert (await client.post(looks, json=normal, headers=wang)).status_code == 200
    other = await client.post(looks, json=normal, headers=li)
    assert other.status_code == 409 and "judged before" in other.text
    silent = await client.post(looks, json={"camera": "CAM-1", "judgement": "abnormal", "pictured": True, "note": " "}, headers=wang)
    assert silent.status_code == 422 and "/note" in silent.text
    elsewhere = await client.post(looks, json={**normal, "camera": "CAM-9"}, headers=wang)
    assert elsewhere.status_code == 422 and "/camera" in elsewhere.text
    ended = (await client.post(f"{URL}/{made['id']}/end", headers=li)).json()
    assert (ended["ended_by"], ended["cameras"], ended["normal"], ended["unjudged"]) == ("li", 2, 1, 1)
    late = await client.post(looks, json={"camera": "CAM-1", "judgement": "normal", "pictured": True}, headers=wang)
    assert late.status_code == 409 and "over" in late.text
    assert (await client.post(f"{URL}/{made['id']}/end", headers=wang)).json()["ended_by"] == "li"
    told = (await client.get(f"{URL}/{made['id']}", headers=li)).json()
    assert [(look["judgement"], look["judged_by"], look["pictured"]) for look in told["looks"]] == [("normal", "wang", True), (None,) * 3]


async def test_each_sees_of_a_round_what_lies_in_the_own_zones(client: httpx.AsyncClient, system: System) -> None:
    alu, chem = (system.person(name, "enterprise", name) for name in ("alu", "chem"))
    whole = await started(client, system.person("wang", "operator"))
    assert whole["cameras"] == 2
    own = await started(client, alu)
    assert [look["camera"] for look in own["looks"]] == ["CAM-1"]
    assert [(r["id"], r["cameras"]) for r in (await client.get(URL, headers=alu)).json()["items"]] == [(own["id"], 1), (whole["id"], 1)]
    assert [(r["id"], r["unjudged"]) for r in (await client.get(URL, headers=chem)).json()["items"]] == [(whole["id"], 1)]
    assert (await client.get(f"{URL}/{own['id']}", headers=chem)).status_code == 404
    assert [look["camera"] for look in (await client.get(f"{URL}/{whole['id']}", headers=chem)).json()["looks"]] == ["CAM-2"]
    first = (await client.get(URL, params={"limit": 1}, headers=alu)).json()
    second = (await client.get(URL, params={"limit": 1, "cursor": first["next"]}, headers=alu)).json()
    assert [r["id"] for page in (first, second) for r in page["items"]] == [own["id"], whole["id"]] and second["next"] is None


@pytest.mark.parametrize(
    ("body", "where"),
    [({"zones": ["nowhere"]}, "/zones/0"), ({"zones": ["pipeline"]}, "/zones"), ({"seconds": 1}, "/seconds"), ({"x": 1}, "/x")],
)
async def test_a_round_that_makes_no_sense_is_refused_with_the_place(
    client: httpx.AsyncClient, system: System, body: dict[str, Any], where: str
) -> None:
    answer = await client.post(URL, json=body, headers=bearer(system.token("operator")))
    assert answer.status_code == 422 and f'"{where}"' in answer.text
    assert (await client.post(URL, json={}, headers=bearer(system.token("analyst")))).status_code == 403
