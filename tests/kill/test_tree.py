"""kill -9 of the whole tree, of a random child, of the supervisor alone, in turn, while alarms come in: nothing lost, nothing twice."""

import asyncio
import os
import random
import time
from collections.abc import Callable

import pytest

from tests.kill.accounts import Sender, audit
from tests.real.system import RunningSystem

ROUNDS = int(os.environ.get("BIHUAN_TEST_KILL_ROUNDS", "20"))
ZONES = 4
RECOVERY_SECONDS = 90.0
"""Longest time from a kill until alarms are accepted again."""


async def accepting(sender: Sender, count: int) -> float:
    """Wait until ``count`` more alarms got their 202; seconds it took."""
    began, before = time.monotonic(), len(sender.accepted)
    while len(sender.accepted) < before + count:
        assert time.monotonic() < began + RECOVERY_SECONDS, f"no alarm accepted for {RECOVERY_SECONDS:g} s: {sender.refused[-3:]}"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def kill_once(system: RunningSystem, what: str, chance: random.Random) -> str:
    """One kill, and the new start where there is nobody left to make it; what was killed."""
    if what == "child":
        victim = chance.choice(await asyncio.to_thread(system.children))
        name = " ".join(victim.cmdline()[-2:])
        system.kill_child(victim)
        return name
    await asyncio.to_thread(system.kill_tree if what == "tree" else system.kill_supervisor)
    await asyncio.to_thread(system.start)
    return what


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("flavour", "rounds"), [("embedded", ROUNDS), ("kafka", max(3, ROUNDS // 4))])
async def test_every_accepted_alarm_stands_once_whatever_is_killed(
    running_system: Callable[..., RunningSystem], flavour: str, rounds: int
) -> None:
    system = await asyncio.to_thread(running_system, flavour, zones=ZONES)
    chance = random.Random(rounds)
    async with system.client() as client:
        sender = Sender(client, ZONES, seed=rounds)
        sending = asyncio.create_task(sender.run())
        worst = 0.0
        for number in range(rounds):
            await accepting(sender, chance.randrange(50, 500))  # kills fall anywhere in the work, not only at its start
            began = time.monotonic()
            what = await kill_once(system, ("tree", "child", "supervisor")[number % 3], chance)
            await accepting(sender, 1)
            worst = max(worst, time.monotonic() - began)
            print(f"round {number + 1}: killed {what}, alarms accepted again after {time.monotonic() - began:.2f} s")
        await accepting(sender, 100)
        sender.stop()
        await sending
        shown = await audit(client, sender)
    print(
        f"{flavour}: {len(sender.accepted)} accepted of {sender.sent} sent, {sender.unanswered} posts without an answer,"
        f" {sender.shed} shed, {len(shown.incidents)} incidents, longest pause {worst:.2f} s"
    )
