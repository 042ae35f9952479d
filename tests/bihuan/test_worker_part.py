"""What the worker part gives to the evaluate agent."""

import asyncio
from collections.abc import Callable

from bihuan.parts.worker import SensorWatch
from hazards.zones import Device, Site
from storage.site_store import Registry


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


async def test_sensors_follow_the_site_and_a_site_that_was_never_applied_has_none() -> None:
    registry = Registry()
    watch = SensorWatch(lambda: registry)
    assert watch() is None, "not read yet: readings wait"
    task = asyncio.create_task(watch.run())
    try:
        await until(lambda: watch() is not None)
        assert watch() == {}
        device = Device("T-1", "hall", "sensor", settings={"metric": "temperature"})
        registry = Registry(1, Site("park", "园区", devices=[device]), devices={"T-1": device})
        await until(lambda: list(watch() or ()) == ["T-1/temperature"])
        sensors = watch()
        await asyncio.sleep(0.5)
        assert watch() is sensors, "made once for each version"
    finally:
        task.cancel()
