"""The broker for sensors as the container starts it: nobody without a password, and nobody beyond the access list."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from tests.conftest import part
from tests.docker.broker import HardenedMosquitto
from tests.docker.compose import DOCKER

PASSWORDS = {"MQTT_PASSWORD": "only: for tests", "MQTT_GATEWAY_PASSWORD": "another-for-tests"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[HardenedMosquitto]:
    made = HardenedMosquitto(part("MQTT"), tmp_path / "mosquitto", PASSWORDS)
    yield made
    made.stop()


def client(broker: HardenedMosquitto, user: str | None, password: str | None) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=user, password=password, timeout=60)


@pytest.mark.parametrize(("user", "password"), [(None, None), ("bihuan", "wrong"), ("nobody", "only: for tests"), ("bihuan", "")])
async def test_nobody_without_the_right_password_comes_in(broker: HardenedMosquitto, user: str | None, password: str | None) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authori[sz]ed"):
        async with client(broker, user, password):
            pass


async def test_a_gateway_writes_below_park_and_bihuan_reads_it(broker: HardenedMosquitto) -> None:
    async with (
        client(broker, "bihuan", PASSWORDS["MQTT_PASSWORD"]) as reader,
        client(broker, "gateway", PASSWORDS["MQTT_GATEWAY_PASSWORD"]) as gateway,
    ):
        await reader.subscribe("park/#", qos=1)
        await gateway.publish("elsewhere/T-1", b"0", qos=1)
        await reader.publish("park/forged", b"1", qos=1)
        await gateway.publish("park/smelter/T-101/temperature", b"61.5", qos=1)
        async with asyncio.timeout(60):
            first = await anext(aiter(reader.messages))
    assert (str(first.topic), first.payload) == ("park/smelter/T-101/temperature", b"61.5"), "what was not allowed did not arrive"


async def test_a_gateway_reads_nothing(broker: HardenedMosquitto) -> None:
    async with client(broker, "gateway", PASSWORDS["MQTT_GATEWAY_PASSWORD"]) as gateway:
        await gateway.subscribe("park/#", qos=1)
        await gateway.publish("park/x", b"1", qos=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await anext(aiter(gateway.messages))


def test_the_passwords_are_hashed_and_nobody_else_may_read_them(broker: HardenedMosquitto) -> None:
    file = broker.folder / "passwords"
    text = file.read_text()
    assert file.stat().st_mode & 0o077 == 0 and [line.split(":")[0] for line in text.splitlines()] == ["bihuan", "gateway"]
    assert all(secret not in text + broker.log.read_text() for secret in PASSWORDS.values())


@pytest.mark.parametrize("missing", PASSWORDS)
def test_without_a_password_it_does_not_start(tmp_path: Path, missing: str) -> None:
    given = {"PATH": "/usr/bin:/bin", "RUN": str(tmp_path)} | {k: v for k, v in PASSWORDS.items() if k != missing}
    done = subprocess.run(["/bin/sh", DOCKER / "mosquitto/start.sh"], env=given, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and missing in done.stderr and not list(tmp_path.iterdir())
