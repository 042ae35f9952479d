"""kill -9 of the push process at any moment: nothing is lost, and what is sent again keeps its webhook-id."""

import asyncio
import os
import signal as signals
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from storage.database import Database
from tests.push.pushing import ENVIRONMENT, World, hook, until
from tests.push.receiver import Receiver, status
from tests.push.test_run import another, signal

ROOT = Path(__file__).parents[2]


class Process:
    """The push process, started anew as often as the test wants."""

    def __init__(self, world: World) -> None:
        self.world, self.running = world, list[subprocess.Popen[bytes]]()

    def start(self) -> None:
        url = self.world.database.engine.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.push.push_process", url, str(self.world.bell.port)]
        self.running.append(subprocess.Popen(command, cwd=ROOT, env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(ROOT)}))

    def kill(self) -> None:
        self.running[-1].send_signal(signals.SIGKILL)
        self.running[-1].wait()


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    made = World(database)
    yield made
    await made.bell.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = await Receiver().start()
    yield made
    await made.stop()


@pytest.fixture
def process(world: World) -> AsyncIterator[Process]:
    made = Process(world)
    yield made  # type: ignore[misc]
    for running in made.running:
        if running.poll() is None:
            running.kill()
            running.wait()


async def test_killed_between_the_receipt_and_the_record_it_sends_again_with_the_same_id(
    world: World, receiver: Receiver, process: Process
) -> None:
    async def kill_and_take(request: web.Request) -> web.StreamResponse:
        process.kill()  # the receiver has the message, the sender will never know
        return web.Response()

    receiver.answers = [kill_and_take, status(200)]
    world.apply(hook(receiver.url()))
    process.start()
    world.happens(signal(1))
    await receiver.until(1)
    await until(lambda: process.running[0].poll() is not None)
    assert world.rows("delivery_attempts") == [], "nothing was recorded"
    process.start()
    first, second = await receiver.until(2)
    assert first.id == second.id and first.raw == second.raw
    await until(lambda: world.deliveries()[0].state == "delivered")


async def test_killed_again_and_again_while_incidents_happen_it_tells_each_once_or_more_and_all(
    world: World, receiver: Receiver, process: Process
) -> None:
    world.apply(hook(receiver.url()))
    for round_ in range(3):
        told_before = {g.id for g in receiver.got}
        process.start()
        for n in range(8):
            world.happens(another(100 * round_ + n))
            await asyncio.sleep(0.03 * (round_ + 1))
        if round_:  # it is killed while it works, not before it began; all may be told already
            await until(lambda told=told_before: {g.id for g in receiver.got} - told)  # type: ignore[misc]
        process.kill()
    process.start()
    await until(lambda: len({g.id for g in receiver.got}) == 24)
    await until(lambda: {d.state for d in world.deliveries()} == {"delivered"})
    told = {g.id: g.body["data"]["id"] for g in receiver.got}
    assert len(world.deliveries()) == 24 and Counter(told.values()) == Counter(i.id for i in world.rows("incidents"))
