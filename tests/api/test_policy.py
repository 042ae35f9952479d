"""The policy pack over the API: shown with its versions, checked by line, applied by the administrator alone."""

import httpx

from bihuan.policy_file import PACKS
from tests.api.conftest import System, bearer
from tests.packs import POLICY

TEXT = (PACKS / "guangyuan.yaml").read_text("utf-8")
YAML = {"Content-Type": "application/yaml"}


async def test_the_pack_in_force_and_its_versions_are_shown_to_all(client: httpx.AsyncClient, system: System) -> None:
    headers = bearer(system.token("analyst"))
    pack = (await client.get("/api/v1/policy", headers=headers)).json()
    assert (pack["version"], [g["grade"] for g in pack["grades"]]) == (POLICY.version, ["general", "serious", "major"])
    other = (await client.get("/api/v1/policy?version=shanxi-1", headers=headers)).json()
    assert other["id"] == "shanxi" and len(other["grades"]) == 2
    assert (await client.get("/api/v1/policy?version=none", headers=headers)).status_code == 404
    found = (await client.get("/api/v1/policy/versions", headers=headers)).json()["items"]
    assert {v["version"]: v["in_force"] for v in found} == {POLICY.version: True, "shanxi-1": False}


async def test_a_pack_is_checked_by_line_and_applied_once(client: httpx.AsyncClient, system: System) -> None:
    admin, bureau = (bearer(system.token(role)) | YAML for role in ("administrator", "bureau"))
    wrong = TEXT.replace("rule: major_limit}", "rule: nope}")
    answer = await client.post("/api/v1/policy/check", content=wrong.encode(), headers=admin)
    assert answer.status_code == 422 and "there is no rule" in answer.text and "line" in answer.text
    assert (await client.put("/api/v1/policy", content=TEXT.encode(), headers=bureau)).status_code == 403
    checked = (await client.post("/api/v1/policy/check", content=TEXT.encode(), headers=admin)).json()
    assert checked["version"] == POLICY.version and any("draft" in w for w in checked["warnings"])
    taken = TEXT.replace("most_days: 15", "most_days: 20")
    assert (await client.put("/api/v1/policy", content=taken.encode(), headers=admin)).status_code == 409
    new = taken.replace(f"version: {POLICY.version}", "version: guangyuan-9")
    assert (await client.put("/api/v1/policy", content=new.encode(), headers=admin)).json() == {
        "id": "guangyuan", "version": "guangyuan-9", "changed": True,
    }  # fmt: skip
    assert (await client.put("/api/v1/policy", content=new.encode(), headers=admin)).json()["changed"] is False
    assert (await client.get("/api/v1/policy", headers=admin)).json()["version"] == "guangyuan-9"
