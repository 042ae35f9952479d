"""GET /alarm-quality: the figures of what the application merged itself, for whom, of which window and position; and /metrics."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.app import utc_now
from api.roles import Role
from hazards.alarm_floods import floor_period
from hazards.zones import Position
from storage import schema
from storage.database import sqlite_url
from storage.part_notes import note_part
from storage.site_store import apply_site
from tests.api.conftest import SITE, System, alarm, bearer

POSITIONS = [Position("north", "北岗", ["smelter"]), Position("south", "南岗", ["tank", "depot"], seats=2)]
PATH = "/api/v1/alarm-quality"


class Still(System):
    """Its clock stands where the test began, so that no border of a period passes meanwhile."""

    def __post_init__(self) -> None:
        self.still = utc_now()
        super().__post_init__()

    def now(self) -> int:
        return self.still


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    postgres: str = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return postgres or sqlite_url(tmp_path / "of-both.sqlite")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = Still(tmp_path, site=msgspec.structs.replace(SITE, positions=POSITIONS))
    yield made
    made.close()


@pytest.fixture
async def on_both(tmp_path: Path, url: str) -> AsyncIterator[tuple[httpx.AsyncClient, System]]:
    system = Still(tmp_path, database_url=url)
    async with (
        system.app.router.lifespan_context(system.app),
        httpx.AsyncClient(transport=httpx.ASGITransport(system.app), base_url="http://bihuan.test") as client,
    ):
        yield client, system
    system.close()


def ago(system: System, seconds: float) -> str:
    """A time that long before the last whole period ended."""
    at = floor_period(system.now()) / 1e6 - seconds
    return datetime.fromtimestamp(at, UTC).isoformat()


async def happen(client: httpx.AsyncClient, system: System) -> None:
    """An hour ago a flame and a leak; eleven intrusions within a minute half an hour ago; one just now."""
    events = [
        {**alarm("a"), "time": ago(system, 3600)}, {**alarm("b", device="G-201", kind="gas_leak"), "time": ago(system, 3590)},
        *({**alarm(f"p-{n}", device="CAM-2", kind="intrusion", action="pulse"), "time": ago(system, 1800 - 5 * n)} for n in range(11)),
        {**alarm("now", device="P-1", kind="pressure_high"), "time": ago(system, 0)},
    ]  # fmt: skip
    answer = await client.post("/api/v1/alarms", json=events, headers=bearer(system.token("operator")))
    assert answer.status_code == 202, answer.text
    await system.apply()


async def ask(
    client: httpx.AsyncClient, system: System, role: str = "operator", *, enterprise: str | None = None, district: str | None = None,
    **given: Any,
) -> dict[str, Any]:  # fmt: skip
    answer = await client.get(PATH, params=given, headers=bearer(system.token(role, enterprise=enterprise, district=district)))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def values(found: dict[str, Any]) -> dict[str, Any]:
    return {f["name"]: f["value"] for f in found["figures"]}


async def test_a_day_of_figures_each_with_target_verdict_and_basis(on_both: tuple[httpx.AsyncClient, System]) -> None:
    client, system = on_both
    await happen(client, system)
    operator = bearer(system.token("operator"))
    (incident,) = (await client.get("/api/v1/incidents?zone=smelter", headers=operator)).json()["items"]
    done = await client.post(f"/api/v1/incidents/{incident['id']}/commands", json={"command": "acknowledge"}, headers=operator)
    assert done.status_code == 200
    found = await ask(client, system)
    assert len(found["counts"]) == 144 and sum(found["counts"]) == values(found)["annunciated"] >= 3
    assert {f["name"] for f in found["figures"] if f["target"] is None} == {
        "annunciated", "share_above_1", "share_above_2", "flood_count", "flood_longest", "flood_peak", "acknowledged_maximum",
        "never_acknowledged", "standing", "unacknowledged", "raised",
    }  # fmt: skip
    rate = next(f for f in found["figures"] if f["name"] == "rate_average")
    assert rate["verdict"] == "good" and rate["verdict_name"]["zh"] == "良好" and rate["label"]["en"] == "Average rate"
    assert rate["target"] == {"good": 1, "manageable": 2, "at_least": False, "strict": False, "basis": "eemua_191",
                              "basis_name": {"zh": "EEMUA 191", "en": "EEMUA 191"}, "check": False, "second": None}  # fmt: skip
    assert all("quality." not in f["label"]["zh"] for f in found["figures"])
    assert values(found)["raised"] == 13 and values(found)["chattering"] == 1
    worst = found["bad_actors"][0]
    assert (worst["device"], worst["kind"], worst["alarms"], worst["chatters"], worst["zone"]) == ("CAM-2", "intrusion", 11, 9, "depot")
    assert found["chattering"] == [worst] and worst["share"] == pytest.approx(11 / 13)
    assert 0 <= values(found)["acknowledged_maximum"] < 60, "of an hour ago, and received just now"
    assert found["now"]["rate"] == 1 and found["now"]["flood"] is False and [p["id"] for p in found["positions"]] == ["all"]
    assert datetime.fromisoformat(found["end"]) - datetime.fromisoformat(found["start"]) == timedelta(days=1)


async def test_who_sees_whose_figures(client: httpx.AsyncClient, system: System) -> None:
    await happen(client, system)
    for role in Role:
        own = "chem" if role is Role.ENTERPRISE else None
        found = await ask(client, system, role.value, enterprise=own)
        devices = {a["device"] for a in found["bad_actors"]}
        assert devices == ({"G-201", "CAM-2"} if own else {"CAM-1", "G-201", "CAM-2"})
        assert [p["zones"] for p in found["positions"]] == ([[], ["tank", "depot"]] if own else [["smelter"], ["tank", "depot"]])
    nothing = await ask(client, system, "bureau", district="520000")
    assert nothing["bad_actors"] == [] and sum(nothing["counts"]) == 0 and values(nothing)["standing"] == 0
    assert [p["zones"] for p in nothing["positions"]] == [[], []]
    assert (await client.get(PATH)).status_code == 401


async def test_positions_share_the_alarms_out_and_seats_the_load(client: httpx.AsyncClient, system: System) -> None:
    await happen(client, system)
    whole = await ask(client, system)
    north, south = await ask(client, system, position="north"), await ask(client, system, position="south")
    assert (whole["seats"], north["seats"], south["seats"]) == (3, 1, 2)
    assert [a + b for a, b in zip(north["counts"], south["counts"], strict=True)] == whole["counts"]
    assert [a["device"] for a in north["bad_actors"]] == ["CAM-1"], "the pipeline's came just now; nobody lists it, so it is the first's"
    assert (north["now"]["rate"], south["now"]["rate"], whole["now"]["rate"]) == (1, 0, pytest.approx(1 / 3))
    assert values(south)["rate_average"] == pytest.approx(sum(south["counts"]) / 144 / 2)
    assert [p["rate"]["value"] for p in whole["positions"]] == [values(north)["rate_average"], values(south)["rate_average"]]


async def test_demonstrations_are_asked_for_by_themselves(client: httpx.AsyncClient, system: System) -> None:
    await happen(client, system)
    with system.database.write() as connection:
        connection.execute(schema.incidents.update().where(schema.incidents.c.zone == "depot").values(synthetic=True))
    real, shown = await ask(client, system), await ask(client, system, synthetic="true")
    assert (real["synthetic"], shown["synthetic"]) == (False, True)
    assert {a["device"] for a in real["bad_actors"]} == {"CAM-1", "G-201"} and {a["device"] for a in shown["bad_actors"]} == {"CAM-2"}


async def test_a_demonstration_shows_its_own_figures_unless_others_are_asked_for(client: httpx.AsyncClient, system: System) -> None:
    await happen(client, system)
    with system.database.write() as connection:
        connection.execute(schema.incidents.update().values(synthetic=True))
        apply_site(connection, msgspec.structs.replace(SITE, synthetic=True), by="test", now=2)
    await system.reload_site()
    own, others = await ask(client, system), await ask(client, system, synthetic="false")
    assert (own["synthetic"], others["synthetic"]) == (True, False)
    assert values(own)["annunciated"] > 0 == values(others)["annunciated"]
    assert values(own)["top_ten_share"] is None, "ten of three sources are always all"


async def test_windows_are_whole_periods(client: httpx.AsyncClient, system: System) -> None:
    await happen(client, system)
    found = await ask(client, system, **{"from": ago(system, 3650), "to": ago(system, 2395)})
    assert datetime.fromisoformat(found["start"]) == datetime.fromisoformat(ago(system, 4200))
    assert datetime.fromisoformat(found["end"]) == datetime.fromisoformat(ago(system, 2400))
    assert found["counts"] == [0, 2, 0] and found["now"] is None and values(found)["standing"] > 0
    ahead = await ask(client, system, to="2099-01-01T00:00:00Z")
    assert datetime.fromisoformat(ahead["end"]) == datetime.fromisoformat(ago(system, 0)), "what is to come is not counted"


WRONG = {
    "no time": ({"from": "yesterday"}, "from", "RFC 3339"),
    "no offset": ({"to": "2026-11-22T10:00:00"}, "to", "RFC 3339"),
    "backwards": ({"from": "2026-11-22T10:00:00Z", "to": "2026-11-21T10:00:00Z"}, "from", ""),
    "too short": ({"from": "2026-11-22T10:01:00Z", "to": "2026-11-22T10:09:00Z"}, "from", ""),
    "too long": ({"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:10:00Z"}, "from", "each month"),
    "nobody's position": ({"position": "west"}, "position", "north, south"),
}


@pytest.mark.parametrize(("given", "where", "hint"), WRONG.values(), ids=WRONG)
async def test_a_wrong_question_is_answered_with_where_and_what_to_do(
    client: httpx.AsyncClient, system: System, given: dict[str, str], where: str, hint: str
) -> None:
    answer = await client.get(PATH, params=given, headers=bearer(system.token("operator")))
    problem = answer.json()
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    assert problem["pointer"] == where and hint in str(problem)


async def test_metrics_tell_the_present_load_that_the_store_noted(client: httpx.AsyncClient, system: System) -> None:
    figures = {"alarm_rate": 3.5, "floods": 1, "standing": 4, "stale": 2, "unacknowledged": 3, "stored": 1}
    with system.database.write() as connection:
        note_part(connection, "store", "a", figures, now=system.now())
        note_part(connection, "store", "b", {"stored": 1}, now=system.now())
    text = (await client.get("/metrics")).text.splitlines()
    told = {"bihuan_alarm_rate 3.5", "bihuan_alarm_floods 1", "bihuan_alarms_standing 4", "bihuan_alarms_stale 2"}
    assert told | {"bihuan_alarms_unacknowledged 3"} <= set(text)
    with system.database.write() as connection:
        note_part(connection, "store", "a", {"stored": 1}, now=system.now())
    assert not [line for line in (await client.get("/metrics")).text.splitlines() if line.startswith("bihuan_alarm_rate")], "nobody knows"
