"""The MQTT intake on a real Mosquitto: what is acknowledged is on disk, what is not comes again, and nonsense stops nothing."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bus.codecs import decode
from hazards.errors import JournalFull
from hazards.scope import EVERYTHING, Scope
from hazards.telemetry import TelemetryPack
from ingest.measurements import Measurements
from ingest.mqtt.intake import MqttIntake
from ingest.mqtt.link import Link
from ingest.telemetry_door import Taken
from storage.journal import Lane
from storage.site_store import Registry
from tests.ingest.mqtt.scene import Scene, publish, registry, until
from tests.real.mqtt import Mosquitto

HOT = "park/smelter/T-101/temperature"


@pytest.fixture(params=["5", "3.1.1"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto) -> Scene:
    """Once with each version of the protocol."""
    return Scene(tmp_path / "scene", registry(mosquitto.url, protocol=request.param))


async def test_each_format_reaches_the_journal(scene: Scene, mosquitto: Mosquitto) -> None:
    senml = [{"bn": "G-201/", "n": "flammable_gas", "u": "%LEL", "v": 12.5}, {"n": "flammable_gas", "t": -1, "v": 12.0}]
    async with scene.intake() as intake:
        await publish(
            mosquitto.port, (HOT, b"58.5"), ("sensors/T-101", b'{"temperature": 333.15, "unit": "K", "time": %d}' % time.time()),
            ("gateway/7", json.dumps(senml).encode()),
        )  # fmt: skip
        await until(lambda: intake.standing.readings == 4)
        assert (intake.standing.messages, intake.standing.readings, intake.standing.refused) == (3, 4, 0)
    assert await scene.values() == {"T-101/temperature": [58.5, pytest.approx(60.0)], "G-201/flammable_gas": [12.5, 12.0]}


async def test_what_comes_while_the_intake_is_away_is_kept_by_the_broker(scene: Scene, mosquitto: Mosquitto) -> None:
    async with scene.intake():
        pass
    await publish(mosquitto.port, *((HOT, b"%d" % n) for n in range(100)))
    async with scene.intake() as intake:
        await until(lambda: intake.standing.readings >= 100)
    assert await scene.values() == {"T-101/temperature": [float(n) for n in range(100)]}


async def test_a_restart_of_the_broker_loses_nothing(scene: Scene, mosquitto: Mosquitto) -> None:
    async with scene.intake() as intake:
        await publish(mosquitto.port, *((HOT, b"%d" % n) for n in range(50)))
        await until(lambda: intake.standing.readings == 50)
        await asyncio.to_thread(mosquitto.stop)
        await until(lambda: not intake.standing.connected)
        assert intake.standing.problem
        await asyncio.to_thread(mosquitto.start)
        await publish(mosquitto.port, *((HOT, b"%d" % n) for n in range(50, 100)))
        await until(lambda: intake.standing.readings >= 100)
    assert sorted((await scene.values())["T-101/temperature"]) == [float(n) for n in range(100)]


async def test_a_cancellation_that_comes_with_the_brokers_answer_is_not_forgotten(
    scene: Scene, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiomqtt can swallow it (Python 3.11's ``asyncio.wait_for``): the intake would never end."""
    subscribe, subscribed = Link.subscribe, asyncio.Event()

    async def forgetful(link: Link, topic_filter: str, qos: int) -> str:
        answer = await subscribe(link, topic_filter, qos)
        if not subscribed.is_set():
            subscribed.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
        return answer

    monkeypatch.setattr(Link, "subscribe", forgetful)
    running = asyncio.create_task(MqttIntake(lambda: scene.site, scene.door, scene.keep_letters, environ={}).run())
    await subscribed.wait()
    running.cancel()
    await asyncio.wait([running], timeout=20)
    assert running.cancelled()


class FullFor:
    """A door whose journal is full for the first ``refusals`` calls."""

    def __init__(self, scene: Scene, refusals: int) -> None:
        self.door, self.refusals = scene.door, refusals

    async def accept(self, found: Measurements, *, scope: Scope = EVERYTHING) -> Taken:
        if self.refusals > 0:
            self.refusals -= 1
            raise JournalFull("full")
        return await self.door.accept(found, scope=scope)


async def test_a_full_journal_is_waited_for_and_what_waits_stays_with_the_broker(scene: Scene, mosquitto: Mosquitto) -> None:
    full = FullFor(scene, 10**9)
    async with scene.intake(full) as intake:
        await publish(mosquitto.port, *((HOT, b"%d" % n) for n in range(30)))
        await until(lambda: intake.standing.messages >= 20)  # a broker of MQTT 3.1.1 may let no more be underway
        full.refusals = 0
        await until(lambda: intake.standing.readings == 30)
    assert (await scene.values())["T-101/temperature"] == [float(n) for n in range(30)]
    full.refusals = 10**9
    async with scene.intake(full) as intake:  # ended while it waits: nothing was acknowledged
        await publish(mosquitto.port, (HOT, b"77"))
        await until(lambda: intake.standing.messages == 1)
    async with scene.intake() as intake:
        await until(lambda: intake.standing.readings == 1)
    assert (await scene.values())["T-101/temperature"][-1] == 77.0


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.ingest.mqtt.scene import Scene, registry

class Killing:
    def __init__(self, door): self.door = door
    async def accept(self, found, *, scope):
        if sys.argv[4] == "after":
            await self.door.accept(found, scope=scope)
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    scene = Scene(Path(sys.argv[1]), registry(sys.argv[2], protocol=sys.argv[3]))
    async with scene.intake(Killing(scene.door)):
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_killed_between_receipt_and_acknowledgement_the_reading_stands_once(
    scene: Scene, mosquitto: Mosquitto, moment: str
) -> None:
    section = scene.site.site.settings["mqtt"]
    command = [sys.executable, "-c", KILLED, str(scene.folder), mosquitto.url, section["protocol"], moment]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None and b"ready" in [line.strip() async for line in _until_ready(process.stdout)]
    at = int(time.time())
    await publish(mosquitto.port, ("sensors/T-101", b'{"temperature": 61.5, "time": %d}' % at))
    assert await process.wait() == -signal.SIGKILL
    assert len(await scene.values()) == (1 if moment == "after" else 0)
    async with scene.intake() as intake:
        await until(lambda: intake.standing.readings == 1)
    packs = [decode(TelemetryPack, row.payload) for row in await scene.journal.read(Lane.TELEMETRY, 0, 10)]
    readings = {(p.series[0], p.columns()[1].tolist()[0], p.columns()[2].tolist()[0]) for p in packs}
    assert readings == {("T-101/temperature", at * 1_000_000, 61.5)}, "the same series and time: one reading, however often it came"


async def _until_ready(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    async for line in stream:
        yield line
        if line.strip() == b"ready":
            return


BAD = {
    "a topic of no known form": ("plant/T-101/temperature", b"1", "no subscription"),
    "text for a number": (HOT, b"hot", "is no number"),
    "not a number": (HOT, b"NaN", "is no number"),
    "infinity": (HOT, b"-inf", "is no number"),
    "nothing": (HOT, b"", "is no number"),
    "bytes": (HOT, b"\xff\xfe", "is no number"),
    "a huge exponent": (HOT, b"1e999", "beyond all numbers"),
    "no JSON": ("sensors/T-101", b"{", "no JSON"),
    "NaN in JSON": ("sensors/T-101", b'{"temperature": NaN}', "no JSON"),
    "JSON without a number": ("sensors/T-101", b'{"temperature": "hot"}', "no number"),
    "JSON without end": ("sensors/T-101", b'{"a":' * 5000, "nested"),
    "a wrong unit": ("sensors/T-101", b'{"temperature": 5, "unit": "kPa"}', "can't be converted"),
    "ten minutes ahead": ("sensors/T-101", b'{"temperature": 5, "time": 4102444800}', "ahead"),
    "a wrong SenML value": ("gateway/1", b'[{"n": "G-201/flammable_gas", "v": "x"}]', "/0/v"),
    "another enterprise's device": ("gateway/1", b'[{"n": "T-101/temperature", "v": 1}]', "somebody else"),
    "a megabyte and more": ("gateway/1", b"[" * 1_000_001, "1000001 bytes"),
}


async def test_what_can_not_be_taken_is_put_aside_with_its_reason_and_stops_nothing(scene: Scene, mosquitto: Mosquitto) -> None:
    async with scene.intake() as intake:
        await publish(mosquitto.port, *((topic, payload) for topic, payload, _ in BAD.values()), (HOT, b"20"))
        await until(lambda: intake.standing.readings == 1)
        await until(lambda: len(scene.letters) == len(BAD))
        assert (intake.standing.refused, intake.standing.messages) == (len(BAD), len(BAD) + 1)
    reasons = {(letter.topic, letter.payload): letter.reason for letter in scene.letters}
    for name, (topic, payload, said) in BAD.items():
        assert said in reasons[f"mqtt/{topic}", payload[:65536]], name
    async with scene.intake() as intake:  # acknowledged: they do not come again
        await publish(mosquitto.port, (HOT, b"21"))
        await until(lambda: intake.standing.readings == 1)
        assert intake.standing.messages == 1
    assert await scene.values() == {"T-101/temperature": [20.0, 21.0]}


async def test_a_flood_on_an_unknown_topic_leaves_a_sample_and_a_count(scene: Scene, mosquitto: Mosquitto) -> None:
    async with scene.intake() as intake:
        flood = [("plant/nowhere/temperature", b"%d" % n) for n in range(3_000)]
        await asyncio.gather(
            publish(mosquitto.port, *flood, qos=0), publish(mosquitto.port, *((HOT, b"%d" % n) for n in range(50)))
        )  # fmt: skip
        await until(lambda: intake.standing.readings == 50 and intake.standing.refused == 3_000)
        await until(lambda: len(scene.letters) >= 20)
        await asyncio.sleep(0.1)
        assert len(scene.letters) <= 21
    assert len((await scene.values())["T-101/temperature"]) == 50


async def test_a_retained_message_is_no_reading_of_now(scene: Scene, mosquitto: Mosquitto) -> None:
    await publish(mosquitto.port, (HOT, b"99"), retain=True)
    async with scene.intake() as intake:
        await until(lambda: intake.standing.retained == 1)
        await publish(mosquitto.port, (HOT, b"20"))
        await until(lambda: intake.standing.readings == 1)
    assert await scene.values() == {"T-101/temperature": [20.0]}


async def test_a_changed_section_is_followed_and_what_is_gone_is_given_up(scene: Scene, mosquitto: Mosquitto) -> None:
    section = scene.site.site.settings["mqtt"]
    async with scene.intake() as intake:
        rows = [{"topic": "other/{device}/{metric}", "format": "plain"}]
        scene.site = registry(mosquitto.url, rows, protocol=section["protocol"])
        await until(lambda: intake.standing.filters == ("other/+/+",))
        await publish(mosquitto.port, (HOT, b"1"), ("other/T-101/temperature", b"2"))
        await until(lambda: intake.standing.readings == 1)
        assert (intake.standing.messages, intake.standing.refused) == (1, 0)
    assert await scene.values() == {"T-101/temperature": [2.0]}


async def test_without_a_section_it_waits_for_one(scene: Scene, mosquitto: Mosquitto) -> None:
    with_section, scene.site = scene.site, Registry()
    made = MqttIntake(lambda: scene.site, scene.door, scene.keep_letters, environ={})
    running = asyncio.create_task(made.run())
    await asyncio.sleep(0.1)
    assert not made.standing.configured
    scene.site = with_section
    await until(lambda: made.standing.connected)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_wrong_password_is_said_and_tried_again(tmp_path: Path, mosquitto: Mosquitto) -> None:
    await asyncio.to_thread(mosquitto.demand_password, "bihuan", "right")
    scene = Scene(tmp_path / "scene", registry(mosquitto.url, username="bihuan", password_env="PASSWORD"))
    environ = {"PASSWORD": "wrong"}
    made = MqttIntake(lambda: scene.site, scene.door, scene.keep_letters, environ=environ)
    running = asyncio.create_task(made.run())
    await until(lambda: "uthor" in made.standing.problem)
    assert not made.standing.connected and "wrong" not in made.standing.problem
    environ["PASSWORD"] = "right"
    await until(lambda: made.standing.connected)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_over_tls_only_a_broker_with_a_certificate_that_we_trust_is_spoken_to(tmp_path: Path, mosquitto: Mosquitto) -> None:
    certificate = await asyncio.to_thread(mosquitto.demand_tls)
    url = mosquitto.url.replace("mqtt://", "mqtts://")
    scene = Scene(tmp_path / "scene", registry(url))
    made = MqttIntake(lambda: scene.site, scene.door, scene.keep_letters, environ={})
    running = asyncio.create_task(made.run())
    await until(lambda: "CERTIFICATE_VERIFY_FAILED" in made.standing.problem)
    scene.site = registry(url, ca=str(certificate))
    await until(lambda: made.standing.connected)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
