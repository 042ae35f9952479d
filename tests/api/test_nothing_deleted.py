"""Nothing of the ledger can be deleted through the API: every route is tried on a ledger without the database's own guards."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.roles import ROUTES
from bihuan.ledger.anchoring import Anchoring, AnchorPlan
from hazards.ledger.lifecycle import COMMANDS
from storage import schema
from storage.database import Database
from tests.api.conftest import System
from tests.api.test_hazards import Ledger

KEPT = {
    "hazards": ("id",), "hazard_events": ("hazard", "number", "body", "digest"), "evidence": ("sha256",),
    "declarations": ("id", "kind", "zone", "starts_at", "entered_at"),
    "anchors": ("number", "body", "signature"), "anchor_heads": ("anchor", "place", "hazard", "number", "digest"),
}  # fmt: skip
DELETING = {("DELETE", "/api/v1/session"), ("DELETE", "/api/v1/tokens/{id}")}
"""The only routes that take something away: a sign-in and a machine's right."""


def recorded(database: Database) -> dict[str, set[tuple[Any, ...]]]:
    """What must be there for ever."""
    with database.read() as connection:
        return {
            name: {tuple(row) for row in connection.execute(select(*(schema.metadata.tables[name].c[c] for c in columns)))}
            for name, columns in KEPT.items()
        }


def test_no_route_is_made_for_deleting_but_those_of_sign_ins_and_tokens() -> None:
    assert {key for key in ROUTES if key[0] == "DELETE"} == DELETING


@pytest.mark.parametrize("role", ["administrator", "operator", "bureau", "enterprise:alu"])
async def test_no_route_and_no_command_takes_anything_from_the_record(
    client: httpx.AsyncClient, system: System, tmp_path: Path, role: str
) -> None:
    ledger = Ledger(client, system)
    made = await ledger.put_down()
    picture = b"\x89PNG\r\n\x1a\n"
    kept = await client.post(
        f"/api/v1/hazards/{made['id']}/evidence", content=picture, headers=ledger.of("operator") | {"content-type": "image/png"}
    )
    sha256 = kept.json()["sha256"]
    shutdown = {"kind": "shutdown", "zone": made["zone"], "reason": "检修"}
    assert (await client.post("/api/v1/declarations", json=shutdown, headers=ledger.of("administrator"))).status_code == 201
    plan = AnchorPlan(key=tmp_path / "anchor.key")
    await Anchoring(system.database, plan, lambda: system.site).step()
    before = recorded(system.database)
    assert all(before.values()), "there is something of each to lose"
    bodies: list[Any] = [None, {}, {"delete": True}, {"zones": [], "enterprises": [], "devices": []}]
    bodies += [{"command": command, "reason": "r", "note": "n", "text": "t", "grade": "general"} for command in COMMANDS]
    bodies += [{"command": word} for word in ("delete", "remove", "purge", "reset")]
    for method, path in sorted(ROUTES):
        if path in ("/api/v1/feed",):
            continue  # it does not end, and reads
        filled = path.replace("{id}", made["id"]).replace("{sha256}", sha256).replace("{number}", "1").replace("{path:path}", "style.css")
        for verb in {method, "DELETE", "PUT", "PATCH"}:
            for body in bodies if verb == method != "GET" else [None]:
                answer = await client.request(verb, filled, json=body, headers=ledger.of(role))
                assert answer.status_code < 500, (verb, filled, body)
        after = recorded(system.database)
        assert [name for name in before if not before[name] <= after[name]] == [], (method, path)
