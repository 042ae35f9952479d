"""The policy pack over the API: shown with its versions, checked by line, applied by the administrator alone."""

import httpx

from bihuan.policy_file import PACKS
from tests.api.conftest import System, bearer
from tests.api.ledger import Ledger
from tests.api.test_ledger import csv_rows
from tests.packs import POLICY, SHANXI

TEXT = (PACKS / "guangyuan.yaml").read_text("utf-8")
YAML = {"Content-Type": "application/yaml"}


async def test_the_pack_in_force_and_its_versions_are_shown_to_all(client: httpx.AsyncClient, system: System) -> None:
    headers = bearer(system.token("analyst"))
    pack = (await client.get("/api/v1/policy", headers=headers)).json()
    assert (pack["version"], [g["grade"] for g in pack["grades"]]) == (POLICY.version, ["general", "serious", "major"])
    other = (await client.get(f"/api/v1/policy?version={SHANXI.version}", headers=headers)).json()
    assert other["id"] == "shanxi" and len(other["grades"]) == 2
    assert (await client.get("/api/v1/policy?version=none", headers=headers)).status_code == 404
    found = (await client.get("/api/v1/policy/versions", headers=headers)).json()["items"]
    assert {v["version"]: v["in_force"] for v in found} == {POLICY.version: True, SHANXI.version: False}


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


async def test_a_hazard_is_shown_by_the_pack_under_which_it_was_opened(client: httpx.AsyncClient, system: System) -> None:
    """Names, rules, kinds and choices, in lists, in full, and on its record."""
    ledger = Ledger(client, system)
    old = await ledger.put_down(kind="fire", zone="smelter")
    new_text = TEXT.replace(f"version: {POLICY.version}", "version: guangyuan-9").replace("    zh: 较大\n", "    zh: 严重\n")
    new_text = new_text.replace("kinds: {}", "kinds: {fire: {zh: 火灾风险, en: risk of fire, families: [fire]}}")
    new_text = new_text.replace("rule: serious_limit}", "rule: serious_limit_9}").replace("  serious_limit:\n", "  serious_limit_9:\n")
    new_text = new_text.replace("zh: 江西省2020年文件,", "zh: 另一份文件,")
    admin = ledger.of("administrator") | YAML
    answer = await ledger.client.put("/api/v1/policy", content=new_text.encode(), headers=admin)
    assert answer.status_code == 200, answer.text
    refused = await ledger.refused(old, "bureau", "close", 409, "close_by_list")
    assert refused["ruling"]["sources"][0]["title"]["zh"] == "江西省2020年文件", "a refusal is explained by the hazard's own pack"
    new = await ledger.put_down(kind="fire", zone="tank")  # of another enterprise: no repeat
    wanted = {old["id"]: ("较大", "火灾隐患", POLICY.version), new["id"]: ("严重", "火灾风险", "guangyuan-9")}
    rows = (await ledger.get("/hazards")).json()["items"]
    assert {row["id"]: (row["grade_name"]["zh"], row["kind_name"]["zh"]) for row in rows} == {i: w[:2] for i, w in wanted.items()}
    exported = csv_rows(await ledger.get("/hazards/export?format=csv&language=zh"))
    assert {row["隐患编号"]: (row["等级"], row["类别"], row["政策包版本"]) for row in exported} == wanted
    for hazard, (grade, kind, version) in wanted.items():
        confirmed = await ledger.give({"id": hazard}, "bureau", "confirm", grade="serious")
        assert confirmed.status_code == 200, confirmed.text
        shown = confirmed.json()
        assert (shown["grade_name"]["zh"], shown["kind_name"]["zh"], shown["policy"]) == (grade, kind, version)
        assert [g["name"]["zh"] for g in shown["grades"]] == ["一般", grade, "重大"]
        assert shown["due_ruling"]["rule"] == ("serious_limit" if version == POLICY.version else "serious_limit_9")
        record = (await ledger.get(f"/hazards/{hazard}/events")).json()["items"]
        assert {entry["policy"] for entry in record} == {version}
    pack = (await ledger.get("/policy")).json()
    assert next(k for k in pack["kinds"] if k["kind"] == "fire")["name"]["zh"] == "火灾风险"
