"""The whole loop on real parts: fire before a camera and heat by MQTT become one grave incident, a webhook, points, and a closed hazard.

Once on the embedded default (``bihuan up``), once as the compose file runs it: five processes on Kafka, PostgreSQL, InfluxDB and
Mosquitto. Every step shows by which rule it happened and who says that rule.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import yaml
from sqlalchemy import make_url

from benchmarks.client import Client
from tests.conftest import part
from tests.docker.broker import HardenedMosquitto
from tests.docker.compose import variables
from tests.push.receiver import SECRET, Receiver
from tests.real.influx import Influx
from tests.real.kafka import KafkaCluster
from tests.real.postgres import create_database, drop_database
from tests.real.rtsp import Rtsp, encode_for_rtsp
from tests.real.system import RunningSystem
from tests.whole.by_hand import ByHand, influx_token
from tests.whole.test_main_job import until_event

FIRE_SECONDS, QUIET_SECONDS = 300, 60
"""The camera sees a fire until the test puts another scene before it: how long a step takes does not matter."""
DISTRICT = "510800"
BASES = ("clause", "interpretation", "platform_default")
PASSWORDS = {"MQTT_PASSWORD": "only-for-tests-1", "MQTT_GATEWAY_PASSWORD": "only-for-tests-2"}
PLAN = {"responsibility": "李四，车间主任", "measures": "更换炉门密封", "funds": "5 万元", "time": "十日内", "contingency": "停炉撤人"}


def site_file(path: Path, *, camera: str, broker: str, webhook: str) -> Path:
    """A smelter with a camera and a thermometer; its enterprise is told by webhook."""
    site = {
        "site": {"id": "loop-park", "name": "示例园区", "district": DISTRICT, "time_zone": "Asia/Shanghai"},
        "enterprises": [{"id": "alu", "name": "示例铝业"}],
        "zones": [{"id": "smelter", "name": "熔铸车间", "enterprise": "alu", "grade": "red", "polygon": [[0, 0], [60, 0], [60, 40]]}],
        "devices": [
            {"id": "CAM-1", "zone": "smelter", "type": "camera", "url": camera, "detectors": ["flame"]},
            {"id": "T-101", "zone": "smelter", "type": "sensor", "metric": "temperature", "unit": "Cel", "range": [-40, 1200],
             "limits": {"high": 60, "high_high": 90}, "deadband": 2},
        ],
        "webhooks": [{"enterprise": "alu", "url": webhook, "secret_env": "ALU_WEBHOOK_SECRET", "allow_private": True}],
        "mqtt": {"url": broker, "username": "bihuan", "password_env": "MQTT_PASSWORD", "client_id": "bihuan-loop",
                 "subscriptions": [{"topic": "park/{zone}/{device}/{metric}", "format": "plain", "qos": 1}]},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(site, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


@dataclass
class Stage:
    """All that the loop runs on. ``influx`` is None where the time series is a SQLite file."""

    system: RunningSystem | ByHand
    broker: HardenedMosquitto
    receiver: Receiver
    influx: Influx | None
    put_out: Callable[[], None]  # the fire before the camera: its server comes back with a scene without one

    async def measure(self, celsius: float) -> None:
        """What the park's gateway says of the thermometer."""
        gateway = aiomqtt.Client("127.0.0.1", self.broker.port, username="gateway", password=PASSWORDS["MQTT_GATEWAY_PASSWORD"])
        async with gateway:
            await gateway.publish("park/smelter/T-101/temperature", f"{celsius}", qos=1)

    async def told(self, kind: str, seconds: float = 90) -> dict[str, Any]:
        """The first webhook of that type; its signature was checked on arrival."""
        limit = time.monotonic() + seconds
        while not (found := [got.body for got in self.receiver.got if got.body["type"] == kind]):
            assert time.monotonic() < limit, f"no {kind} within {seconds} s, only {[got.body['type'] for got in self.receiver.got]}"
            await asyncio.sleep(0.05)
        body: dict[str, Any] = found[0]
        return body


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = await Receiver().start()
    yield made
    await made.stop()


@pytest.fixture
def ending() -> Any:
    with ExitStack() as stack:
        yield stack


def on_one_machine(ending: ExitStack, folder: Path, site: Path) -> RunningSystem:
    system = RunningSystem(folder / "data", site=site)
    ending.callback(lambda: print(system.log_tail()))
    ending.callback(system.end)
    return system


def as_in_production(ending: ExitStack, folder: Path, site: Path, influx: Influx) -> ByHand:
    """Kafka and PostgreSQL of this test; the services of the compose file find all of it under these addresses."""
    cluster = KafkaCluster(part("KAFKA"), folder / "kafka")
    ending.callback(cluster.stop)
    server = part("POSTGRES")
    database = make_url(create_database(server))
    ending.callback(drop_database, server, database.render_as_string(hide_password=False))
    (folder / "token").write_text(influx_token(influx, ("read", "buckets"), ("write", "buckets"), ("read", "orgs")))
    given = {name: f"given-{name.lower()}" for name, rest in variables().items() if rest.startswith(":?")}
    given |= PASSWORDS | {"POSTGRES_PASSWORD": str(database.password or "trusted")}
    places = {
        "kafka:9092": cluster.addresses,
        "bihuan@postgres:5432/bihuan": f"{database.username}@{database.host}:{database.port}/{database.database}",
        "http://influxdb:8086": influx.url, "/tokens/bihuan": str(folder / "token"), "/var/lib/bihuan-evidence": str(folder / "evidence"),
        "/etc/bihuan/site.yaml": str(site),
    }  # fmt: skip
    system = ByHand(folder / "hand", given, places, {"ALU_WEBHOOK_SECRET": SECRET})
    ending.callback(lambda: print(system.log_tail()))
    ending.callback(system.stop)
    return system


@pytest.fixture
def stage(
    request: pytest.FixtureRequest, tmp_path: Path, media: Path, rtsp: Rtsp, receiver: Receiver, ending: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Stage]:  # fmt: skip
    """``stage("embedded")`` or ``stage("production")``, ready to be started."""

    def made(flavour: str) -> Stage:
        fire = encode_for_rtsp(tmp_path / "fire.mp4", (media / "fire/04_wood_stove.mp4", 2, FIRE_SECONDS))
        quiet = encode_for_rtsp(tmp_path / "quiet.mp4", (media / "negative/03_bottles.mp4", 0, QUIET_SECONDS))
        burning = rtsp(gate=fire)

        def put_out() -> None:
            burning.stop()
            rtsp(port=burning.port, gate=quiet)

        broker = HardenedMosquitto(part("MQTT"), tmp_path / "mosquitto", PASSWORDS)
        ending.callback(broker.stop)
        for name, value in (*PASSWORDS.items(), ("ALU_WEBHOOK_SECRET", SECRET)):
            monkeypatch.setenv(name, value)
        site = site_file(tmp_path / "site.yaml", camera=burning.url("gate"), broker=f"mqtt://127.0.0.1:{broker.port}",
                         webhook=receiver.url("/alu"))  # fmt: skip
        if flavour == "embedded":
            return Stage(on_one_machine(ending, tmp_path, site), broker, receiver, None, put_out)
        influx: Influx = request.getfixturevalue("influx")
        influx.request("POST", "/api/v2/orgs", {"name": "bihuan"})
        influx.org = "bihuan"
        return Stage(as_in_production(ending, tmp_path, site, influx), broker, receiver, influx, put_out)

    return made


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flavour", ["embedded", "production"])
async def test_from_the_flame_and_the_heat_to_the_closed_hazard(stage: Callable[[str], Stage], flavour: str) -> None:
    on = await asyncio.to_thread(stage, flavour)
    await asyncio.to_thread(on.system.start)
    operator, company, bureau, command = on.system.client("operator"), *(Client(on.system.url) for _ in range(3))
    async with operator, company, bureau, command, aclosing(operator.feed("0")) as events:
        await they_sign_in(on, company, bureau, command)
        incident = await two_sources_make_one_grave_incident(on, operator, events)
        await the_enterprise_was_told(on, incident)
        hazard = await a_rule_proposes_and_a_person_confirms(operator, bureau, incident)
        await no_closing_while_it_burns(company, bureau, hazard, incident)
        await on.measure(30.0)
        await asyncio.to_thread(on.put_out)
        await until_event(events, lambda i: i["id"] == incident["id"] and i["state"] in ("cleared", "closed"), 120)
        await closed_when_the_fire_is_out(on, company, bureau, command, hazard)
        await every_step_names_its_rule_and_basis(operator, hazard, incident)
        await the_points_stand(on, operator, incident, hazard)
    if isinstance(on.system, ByHand):
        assert set(on.system.stop().values()) == {0}, "each process ends cleanly"


async def two_sources_make_one_grave_incident(on: Stage, operator: Client, events: AsyncIterator[Any]) -> dict[str, Any]:
    await on.measure(25.0)
    seen = await until_event(events, lambda i: i["family"] == "fire" and i["state"] == "active", 120)
    assert (seen["zone"], seen["kinds"], seen["severity"], seen["certainty"]) == ("smelter", ["flame"], 2, "possible")
    assert (await operator.command(seen["id"], "acknowledge")).status == 200
    await on.measure(71.5)
    grave = await until_event(events, lambda i: i["id"] == seen["id"] and i["severity"] == 1, 90)
    assert (grave["certainty"], grave["kinds"], grave["devices"]) == ("observed", ["flame", "temperature_high"], ["CAM-1", "T-101"])
    assert grave["annunciation"] == "unacknowledged", "acknowledged at 2 is not acknowledged at 1"
    why = grave["corroboration"]
    assert (why["rule"], why["basis"], [s["device"] for s in why["sources"]]) == ("fire", "platform_default", ["CAM-1", "T-101"])
    assert [i["id"] for i in await operator.incidents() if i["zone"] == "smelter"] == [seen["id"]], "one fire, one incident"
    print(f"incident: {why['sentence']['zh']}")
    return grave


async def the_enterprise_was_told(on: Stage, incident: dict[str, Any]) -> None:
    first = await on.told("incident.opened")
    assert (first["data"]["id"], first["data"]["severity"]) == (incident["id"], 2)
    raised = await on.told("incident.severity_raised")
    assert (raised["data"]["id"], raised["data"]["severity"], raised["data"]["certainty"]) == (incident["id"], 1, "observed")


async def they_sign_in(on: Stage, company: Client, bureau: Client, command: Client) -> None:
    """Deciding on a hazard is a person's."""
    for client, name, role in ((company, "li", "enterprise"), (bureau, "zhao", "department"), (command, "qian", "park_command")):
        password = await asyncio.to_thread(on.system.person, name, role, "alu" if role == "enterprise" else None)
        await client.sign_in(name, password)


async def give(client: Client, hazard: str, command: str, **fields: Any) -> dict[str, Any]:
    """A command that is carried out."""
    answer = await client.request("POST", f"/api/v1/hazards/{hazard}/commands", json={"command": command, **fields})
    assert answer.status == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def refused(client: Client, hazard: str, command: str, **fields: Any) -> dict[str, Any]:
    """A command that a rule refuses: 409, 403 to this role, or 422 where something is missing that the rule asks for."""
    answer = await client.request("POST", f"/api/v1/hazards/{hazard}/commands", json={"command": command, **fields})
    problem: dict[str, Any] = answer.json()
    assert answer.status in (403, 409, 422) and problem["rule"] and problem["basis"] in BASES, answer.text
    print(f"{command} refused: {problem['rule']} ({problem['basis']})")
    return problem


async def a_rule_proposes_and_a_person_confirms(operator: Client, bureau: Client, incident: dict[str, Any]) -> str:
    (hazard,) = await operator.pages("/api/v1/hazards", incident=incident["id"])
    assert (hazard["state"], hazard["kind"], hazard["grade"], hazard["confirmed"]) == ("proposed", "fire", "major", False)
    assert (await refused(bureau, hazard["id"], "confirm", grade="major"))["rule"] == "criterion_for_major"
    confirmed = await give(bureau, hazard["id"], "confirm", grade="major", criterion="demo-2")
    assert (confirmed["state"], confirmed["confirmed"], confirmed["due_ruling"]["basis"]) == ("confirmed", True, "clause")
    return str(hazard["id"])


async def no_closing_while_it_burns(company: Client, bureau: Client, hazard: str, incident: dict[str, Any]) -> None:
    assert (await refused(company, hazard, "start_rectification"))["rule"] == "plan_before_rectification"
    assert (await give(company, hazard, "plan", **PLAN))["state"] == "planned"
    assert (await refused(company, hazard, "start_rectification"))["rule"] == "plan_approval"
    assert (await give(bureau, hazard, "approve_plan"))["tracks"]["plan"] == "approved"
    assert (await give(company, hazard, "start_rectification"))["state"] == "rectifying"
    no = await refused(company, hazard, "claim", note="已整改完毕")
    assert no["rule"] == "evidence_gate" and no["gate"]["verdict"] == "refuted"
    (against,) = no["gate"]["evidence"]
    assert (against["incident"], against["why"], against["devices"]) == (incident["id"], "standing", ["CAM-1"])
    assert (await refused(bureau, hazard, "close"))["rule"] == "close_by_list"
    assert (await refused(company, hazard, "close"))["rule"] == "accepted_by_authority"


async def closed_when_the_fire_is_out(on: Stage, company: Client, bureau: Client, command: Client, hazard: str) -> None:
    claimed = await give(company, hazard, "claim", note="已更换密封，现场清理完毕")
    assert (claimed["state"], claimed["claim"]["verdict"]) == ("claimed", "clear")
    assert (await refused(bureau, hazard, "accept"))["rule"] == "expert_acceptance"
    for client, post in ((command, "park_command"), (bureau, "department")):
        await give(client, hazard, "inspect", posts=[post], experts=["郑工"], passed=True, note="现场核查合格")
    assert (await give(bureau, hazard, "accept", note="验收合格"))["state"] == "accepted"
    assert (await give(bureau, hazard, "close"))["state"] == "closed"
    assert (await on.told("hazard.closed"))["data"]["id"] == hazard


async def every_step_names_its_rule_and_basis(operator: Client, hazard: str, incident: dict[str, Any]) -> None:
    record = await operator.pages(f"/api/v1/hazards/{hazard}/events")
    assert [e["event"] for e in record] == [
        "proposed", "confirmed", "plan_filed", "plan_approved", "rectification_started", "gate_refused", "claimed", "inspected",
        "inspected", "accepted", "closed",
    ]  # fmt: skip
    for entry in record:
        ruling = entry["ruling"]
        assert ruling["rule"] and ruling["basis"] in BASES and ruling["text"]["zh"]
        assert (ruling["basis"] == "platform_default") == (not ruling["sources"]), "only a document is cited as one"
        print(f"{entry['event']}: {ruling['text']['zh']} ({ruling['basis_name']['zh']})")
    timeline = await operator.pages(f"/api/v1/incidents/{incident['id']}/events")
    raised = next(e for e in timeline if e["event"] == "severity_raised")
    assert (raised["details"]["rule"], raised["details"]["basis"], raised["why"]) == (
        "fire", "platform_default", incident["corroboration"]["sentence"],
    )  # fmt: skip


async def the_points_stand(on: Stage, operator: Client, incident: dict[str, Any], hazard: str) -> None:
    """Readings through the API in both; in InfluxDB itself also alarms, incident and hazard."""
    limit = time.monotonic() + 90
    while (values := await readings(operator)) != [25.0, 71.5, 30.0]:
        assert time.monotonic() < limit, f"points: {values}"
        await asyncio.sleep(0.2)
    if on.influx is None:
        return
    alarms = [r for r in await rows(on, "alarms", "incident") if r["_value"] == incident["id"]]
    assert {(r["device"], r["kind"]) for r in alarms} == {("CAM-1", "flame"), ("T-101", "temperature_high")}
    assert {r["certainty"] for r in await rows(on, "incidents", "id") if r["severity"] == "1"} == {"observed"}
    lived = {"proposed", "confirmed", "planned", "rectifying", "claimed", "accepted", "closed"}
    while missing := lived - {r["state"] for r in await rows(on, "hazards", "id") if r["_value"] == hazard}:
        assert time.monotonic() < limit, f"points of {missing}"  # the last ones may still be on their way to InfluxDB
        await asyncio.sleep(0.2)


async def readings(operator: Client) -> list[float]:
    answer = await operator.get("/api/v1/series", device="T-101", metric="temperature", resolution="raw")
    return [point["value"] for point in answer["points"]]


async def rows(on: Stage, measurement: str, field: str) -> list[dict[str, str]]:
    assert on.influx is not None
    flux = f"""from(bucket: "bihuan_{DISTRICT}") |> range(start: -1h)
        |> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}")"""
    return await asyncio.to_thread(on.influx.query, flux)
