"""Pictures and clips of an incident over HTTP: who sees them, what is signed of them, and holds that keep them."""

from datetime import datetime

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from api.present import evidence_url
from hazards.camera_evidence import Role, Statement
from storage.camera_evidence import oldest_free
from storage.evidence_archive import EvidenceArchive
from storage.evidence_sweep import Bounds, EvidenceSweep
from tests.api.conftest import System, alarm, bearer
from tests.api.ledger import Ledger, paper

HOLDS = "/api/v1/evidence-holds"
CLIP = b"\x00\x00\x00\x18ftypmp42 packets"


async def filmed(client: httpx.AsyncClient, system: System) -> tuple[str, Statement]:
    """An incident of CAM-1 and its clip, kept and signed as the video part does; the incident's id."""
    told = alarm("e-1")
    headers = bearer(system.token("administrator")) | {"content-type": "application/cloudevents+json"}
    assert (await client.post("/api/v1/alarms", json=told, headers=headers)).status_code < 300
    await system.apply()
    (incident,) = (await client.get("/api/v1/incidents", headers=headers)).json()["items"]
    (signal,) = (await client.get(f"/api/v1/incidents/{incident['id']}/alarms", headers=headers)).json()["items"]
    onset = round(_seconds(signal["at"]) * 1_000_000)
    key = Ed25519PrivateKey.generate()
    archive = EvidenceArchive(
        system.evidence, system.database, system.folder / "waiting", sign=lambda data: key.sign(data).hex(),
        public_key=key.public_key().public_bytes_raw().hex(),
    )  # fmt: skip
    said = archive.keep(CLIP, Statement(
        sha256="", media_type="video/mp4", size=0, device="CAM-1", zone=incident["zone"], kind="flame", onset=onset, role=Role.CLIP,
        begins=onset - 5_000_000, ends=onset + 5_000_000,
    ))  # fmt: skip
    assert archive.note_down(system.now()) == 1
    return incident["id"], said


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_an_incident_shows_its_clip_and_what_was_signed_of_it(client: httpx.AsyncClient, system: System) -> None:
    incident, said = await filmed(client, system)
    own, other = (bearer(system.token("enterprise", name)) for name in ("alu", "chem"))
    (file,) = (await client.get(f"/api/v1/incidents/{incident}/evidence", headers=own)).json()["items"]
    assert (file["role"], file["sha256"], file["held"], file["removed_at"]) == ("clip", said.sha256, False, None)
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(file["public_key"]))
    public.verify(bytes.fromhex(file["signature"]), file["statement"].encode())
    bytes_of = await client.get(file["url"], headers=own)
    assert bytes_of.content == CLIP and bytes_of.headers["content-type"] == "video/mp4"
    assert "content-disposition" not in bytes_of.headers
    for path in (f"/api/v1/incidents/{incident}/evidence", evidence_url(said.sha256)):
        assert (await client.get(str(path), headers=other)).status_code == 404


async def test_a_hold_keeps_it_and_one_that_is_lifted_lets_it_go(client: httpx.AsyncClient, system: System) -> None:
    incident, said = await filmed(client, system)
    bureau, own = bearer(system.token("bureau")), bearer(system.token("enterprise", "alu"))
    times = {"begins": "2020-01-01T00:00:00Z", "ends": "2100-01-01T00:00:00Z"}
    body = {"zone": said.zone, "reason": "事故调查", "command_id": "1", **times}
    assert (await client.post(HOLDS, json=body, headers=own)).status_code == 403
    made = await client.post(HOLDS, json=body, headers=bureau)
    again = await client.post(HOLDS, json=body, headers=bureau)
    assert (made.status_code, again.status_code, again.json()) == (201, 200, made.json())
    assert [h["id"] for h in (await client.get(HOLDS, headers=own)).json()["items"]] == [made.json()["id"]]
    assert (await client.get(HOLDS, headers=bearer(system.token("enterprise", "chem")))).json()["items"] == []
    (file,) = (await client.get(f"/api/v1/incidents/{incident}/evidence", headers=own)).json()["items"]
    assert file["held"]
    sweep = EvidenceSweep(system.database, system.evidence, Bounds(days=90, most=0, free=0))
    assert sweep.sweep(system.now()).short == len(CLIP)
    lifted = [await client.post(f"{HOLDS}/{made.json()['id']}/lift", json={"reason": "结案"}, headers=bureau) for _ in range(2)]
    assert [a.status_code for a in lifted] == [200, 409]
    assert sweep.sweep(system.now()).crowded == 1
    (file,) = (await client.get(f"/api/v1/incidents/{incident}/evidence", headers=own)).json()["items"]
    assert (file["url"], file["removed_for"], bool(file["removed_at"])) == (None, "space", True)
    assert (await client.get(str(evidence_url(said.sha256)), headers=own)).status_code == 404


@pytest.mark.parametrize(
    ("change", "where"), [({"zone": "nowhere"}, "/zone"), ({"begins": "2100-02-01T00:00:00Z"}, "/ends"), ({"ends": "soon"}, "/ends")]
)
async def test_a_hold_that_makes_no_sense_is_refused_with_the_place(
    client: httpx.AsyncClient, system: System, change: dict[str, str], where: str
) -> None:
    body = {"zone": "smelter", "begins": "2026-01-01T00:00:00Z", "ends": "2026-01-02T00:00:00Z", "reason": "事故", **change}
    answer = await client.post(HOLDS, json=body, headers=bearer(system.token("bureau")))
    assert 400 <= answer.status_code < 500 and where in answer.text


async def test_what_a_hazard_s_claim_names_is_held(client: httpx.AsyncClient, system: System) -> None:
    ledger = Ledger(client, system)
    hazard = await ledger.rectifying(zone="smelter")
    _, said = await filmed(client, system)
    with system.database.read() as connection:
        assert oldest_free(connection) == [said]
    await ledger.give(hazard, f"enterprise:{hazard['enterprise']}", "claim", note="已整改", evidence=[paper(sha256=said.sha256)])
    with system.database.read() as connection:
        assert oldest_free(connection) == []


async def test_a_browser_gets_the_part_of_a_clip_that_it_asks_for(client: httpx.AsyncClient, system: System) -> None:
    _, said = await filmed(client, system)
    own, url, size = bearer(system.token("enterprise", "alu")), str(evidence_url(said.sha256)), len(CLIP)
    tag = (await client.get(url, headers=own)).headers["etag"]
    parts = [
        ("bytes=0-", CLIP, f"bytes 0-{size - 1}/{size}"), ("bytes=4-7", CLIP[4:8], f"bytes 4-7/{size}"),
        ("bytes=-5", CLIP[-5:], f"bytes {size - 5}-{size - 1}/{size}"), ("bytes=9-999999", CLIP[9:], f"bytes 9-{size - 1}/{size}"),
    ]  # fmt: skip
    for asked, content, where in parts:
        answer = await client.get(url, headers=own | {"Range": asked, "If-Range": tag})
        assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, content, where), asked
    for whole in ("bytes=0-1,4-5", "lines=1-2", "bytes=7-4", "bytes=x"):
        answer = await client.get(url, headers=own | {"Range": whole})
        assert (answer.status_code, answer.content, answer.headers["accept-ranges"]) == (200, CLIP, "bytes"), whole
    changed = await client.get(url, headers=own | {"Range": "bytes=0-3", "If-Range": '"another"'})
    assert (changed.status_code, changed.content) == (200, CLIP)
    beyond = await client.get(url, headers=own | {"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    other = await client.get(url, headers=bearer(system.token("enterprise", "chem")) | {"Range": "bytes=0-3"})
    assert other.status_code == 404
