"""From an alarm over HTTP to a receiver that checks the signature, through a running system whose push process is killed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from itertools import product

import pytest
from psutil import Process

from benchmarks.client import Client, alarm_event
from benchmarks.park import KINDS
from tests.push.receiver import SECRET, Receiver, status
from tests.real.system import RunningSystem


def push_process(system: RunningSystem) -> Process | None:
    """The process of the push part."""
    return next((p for p in system.children() if p.cmdline()[-1:] == ["push"]), None)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = await Receiver().start()
    yield made
    await made.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("flavour", ["embedded", "kafka"])
async def test_an_alarm_reaches_its_enterprises_webhook_also_when_the_push_process_is_killed(
    running_system: Callable[..., RunningSystem], receiver: Receiver, flavour: str
) -> None:
    receiver.by_path = {"/broken": status(500)}
    webhooks = [
        {"enterprise": "alu", "url": receiver.url("/alu"), "secret_env": "BIHUAN_PARK_SECRET", "allow_private": True},
        {"enterprise": "chem", "url": receiver.url("/broken"), "secret_env": "BIHUAN_PARK_SECRET", "allow_private": True},
    ]
    system = await asyncio.to_thread(running_system, flavour, webhooks=webhooks, settings={"PARK_SECRET": SECRET})
    async with Client(system.url, await asyncio.to_thread(system.token)) as client:
        took = []
        for n, (zone, kind) in enumerate(product((0, 2), KINDS[:6])):
            if n in (3, 7):
                victim = push_process(system)
                assert victim is not None
                system.kill_child(victim)
            number, sent = KINDS.index(kind), time.time()
            for z in (zone, zone + 1):  # the neighbour is the other enterprise's
                answer = await client.post_alarms(alarm_event(f"e{z}-{kind}", f"D-{z}-{number}", kind, "raised", source="test"))
                assert answer.status == 202
            took.append(round((await until_told(receiver, n + 1) - sent) * 1000))
        print("ms from POST to receiver:", took)
        deliveries = await client.pages("/api/v1/deliveries", state="delivered")
        assert len(deliveries) >= 11
        (broken,) = [w for w in await client.pages("/api/v1/webhooks") if w["enterprise"] == "chem"]
        assert broken["failures"] >= 1 and broken["waiting"] >= 11, "the last may be on its way"
    told = [g.body["data"] for g in receiver.got if g.path == "/alu"]
    assert {d["enterprise"] for d in told} == {"alu"} and len({d["id"] for d in told}) == 12


async def until_told(receiver: Receiver, count: int, seconds: float = 60) -> float:
    """When the first message of the ``count``-th incident came to alu; one that others bear out is told of more than once."""
    async with asyncio.timeout(seconds):
        while len(first := {g.body["data"]["id"]: g.at for g in reversed(receiver.got) if g.path == "/alu"}) < count:
            await asyncio.sleep(0.005)
    return max(first.values())
