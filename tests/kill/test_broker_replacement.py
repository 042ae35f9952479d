"""The embedded broker replaced under load: nothing lost or doubled, its memory bounded, no pause an operator would notice."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
import pytest

from benchmarks.latency import Probe
from benchmarks.park import places
from tests.kill.accounts import look
from tests.real.system import RunningSystem

ZONES = 12
BOUND = 2_000_000
REPLACEMENTS = 5
MEMORY_ABOVE_START = 60_000_000
"""Bytes of resident memory that a broker may gain over an empty one: its bound, held in several forms, and the allocator's slack."""
LONGEST_PAUSE = 1.0
"""Seconds from a POST to the feed while brokers are replaced, where the machine does nothing else."""
LONGEST_BUSY_PAUSE = 4.0
"""The same where it does. A replacement that is not blue and green takes longer: a broker and a worker start."""


@dataclass
class BrokerWatch:
    """Samples the broker processes of a system: who they were, what memory each took at first and at most, in bytes."""

    system: RunningSystem
    first: dict[int, int] = field(default_factory=dict)
    most: dict[int, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            for process in await asyncio.to_thread(self.system.children):
                try:
                    if process.name().startswith("tansu"):
                        memory = process.memory_info().rss
                        self.first.setdefault(process.pid, memory)
                        self.most[process.pid] = max(memory, self.most.get(process.pid, 0))
                except psutil.NoSuchProcess:
                    continue
            await asyncio.sleep(0.25)

    @property
    def replacements(self) -> int:
        """Brokers seen after the first."""
        return max(len(self.first) - 1, 0)


async def replace_under_load(system: RunningSystem, *, rate: float, seconds: float, padding: int, pause: float) -> None:
    """Post at ``rate`` for ``seconds`` and check everything that is promised about replacing the broker."""
    watch = BrokerWatch(system)
    watching = asyncio.create_task(watch.run())
    async with system.client() as client:
        probe = Probe(client, places(ZONES), padding=padding)
        async with probe.listening():
            await probe.post_for(5, rate)  # imports, caches and the first connections are not a replacement's pause
            await probe.wait_for_all(90)
            probe.latencies.clear()
            began = time.perf_counter()
            await probe.post_for(seconds, rate)
            await probe.wait_for_all(90)
            shown = await look(client, probe.source)
    watching.cancel()
    longest = max(probe.latencies)
    gained = {pid: most - min(watch.first.values()) for pid, most in watch.most.items()}
    print(
        f"{probe.posted} alarms in {time.perf_counter() - began:.0f} s, {watch.replacements} replacements,"
        f" longest POST to feed {longest:.3f} s, most memory gained by a broker {max(gained.values()) / 1e6:.1f} MB"
    )
    assert not probe.refused, f"{len(probe.refused)} refused: {probe.refused[:3]}"
    assert watch.replacements >= REPLACEMENTS
    standing = shown.places_of()
    assert set(standing) == probe.accepted, "accepted and standing alarms differ"
    assert set(standing.values()) == {1}, "an alarm stands more than once"
    assert longest <= pause
    assert max(gained.values()) <= MEMORY_ABOVE_START, f"memory gained by each broker: {gained}"


@pytest.mark.timeout(400)
async def test_the_broker_is_replaced_under_load_unnoticed(running_system: Callable[..., RunningSystem]) -> None:
    system = await asyncio.to_thread(running_system, "embedded", zones=ZONES, settings={"BROKER_BOUND": str(BOUND)})
    await replace_under_load(system, rate=100, seconds=90, padding=500, pause=LONGEST_BUSY_PAUSE)


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_the_broker_is_replaced_for_ten_minutes_unnoticed(running_system: Callable[..., RunningSystem]) -> None:
    system = await asyncio.to_thread(running_system, "embedded", zones=ZONES, settings={"BROKER_BOUND": str(BOUND)})
    await replace_under_load(system, rate=100, seconds=600, padding=0, pause=LONGEST_PAUSE)
