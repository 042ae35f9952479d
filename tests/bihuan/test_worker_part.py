"""What the worker part gives to the evaluate agent."""

import asyncio
from collections.abc import Callable

from bihuan.parts.sensor_watch import Declarations, SensorWatch
from hazards.declarations import Declaration, Declared
from hazards.rules import Comparison
from hazards.sensors import rules_of
from hazards.zones import Device, Grade, Site, Zone
from storage.site_store import Registry
from tests.hazards.test_rule_checks import rule


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


async def test_sensors_follow_rules_declarations_and_the_day_and_stay_the_same_where_nothing_comes_of_it() -> None:
    device = Device("P-1", "hall", "sensor", settings={"metric": "power"})
    site = Site("park", "园区", zones=[Zone("hall", "熔炼", Grade.RED)], devices=[device],
                rules=[rule("consumption", metric="power", limit=2.0)])  # fmt: skip
    registry = Registry(1, site, {z.id: z for z in site.zones}, {device.id: device})
    declared, now = Declarations(), 1_790_000_000_000_000
    watch = SensorWatch(lambda: registry, lambda: declared, lambda: now)
    task = asyncio.create_task(watch.run())
    try:
        await until(lambda: watch() is not None)
        unarmed = watch()
        assert unarmed is not None and rules_of(unarmed["P-1/power"]) == ()
        now += 86_400_000_000
        registry = Registry(2, site, registry.zones, registry.devices)
        await asyncio.sleep(0.5)
        assert watch() is unarmed, "another day and another version, and nothing came of it"
        declared = Declarations(1, [Declaration(id="d", kind=Declared.SHUTDOWN, zone="hall", starts_at=now)])
        await until(lambda: watch() is not unarmed)
        (armed,) = rules_of((watch() or {})["P-1/power"])
        assert (armed.compares, armed.windows) == (Comparison.CONSUMPTION, ((now, 2**62),))
    finally:
        task.cancel()
