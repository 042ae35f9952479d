"""The sensor registry: what a device's settings say, the defaults, and settings that can't be used."""

from typing import Any

import pytest

from bihuan import sensor_keys
from hazards import sensors
from hazards.sensors import Limits, Sensor, sensors_of, sensors_of_site
from hazards.zones import AlarmTiming, Device, Site
from storage.site_store import Registry


def device(timing: AlarmTiming = AlarmTiming(), **settings: Any) -> Device:  # noqa: B008 - frozen
    return Device(id="T-101", zone="smelter", type="sensor", timing=timing, settings=settings)


def test_a_device_with_one_metric_is_one_sensor() -> None:
    given = device(
        AlarmTiming(on_delay=5, off_delay=7, latching=True), metric="temperature", unit="K", range=[200, 1500], deadband=2,
        limits={"high": 333, "high_high": 353.5}, rate=0.5, stale_after="60s", compression=0.1,
    )  # fmt: skip
    assert sensors_of(given) == [
        Sensor(
            series="T-101/temperature", device="T-101", metric="temperature", zone="smelter", unit="K", range=(200.0, 1500.0),
            limits=Limits(high=333.0, high_high=353.5), rate=0.5, deadband=2.0, on_delay=5, off_delay=7, latching=True,
            stale_after=60_000_000, compression=0.1,
        )
    ]  # fmt: skip


def test_a_device_with_several_metrics_is_a_sensor_each_and_shares_its_timing() -> None:
    first, second = sensors_of(
        device(
            AlarmTiming(on_delay=5), stale_after="1m",
            metrics={"temperature": {"limits": {"high": 60}, "on_delay": "2s"}, "level": {"stale_after": "5m"}},
        )
    )  # fmt: skip
    assert (first.series, first.on_delay, first.stale_after, first.limits.high) == ("T-101/temperature", 2_000_000, 60_000_000, 60.0)
    assert (second.series, second.on_delay, second.stale_after, second.unit) == ("T-101/level", 5, 300_000_000, "%")


def test_without_limits_those_of_the_metric_hold_in_the_sensor_s_unit() -> None:
    (gas,) = sensors_of(device(metric="flammable_gas"))
    assert (gas.unit, gas.limits) == ("%LEL", Limits(high=25.0, high_high=50.0))
    (methane,) = sensors_of(device(metric="methane", unit="ppm"))
    assert methane.limits == Limits(high=pytest.approx(10_000), high_high=pytest.approx(15_000))
    (vague,) = sensors_of(device(metric="flammable_gas", unit="ppm"))
    assert vague.limits == Limits(), "% LEL of an unnamed gas is no ppm"
    (none,) = sensors_of(device(metric="flammable_gas", limits={}))
    assert none.limits == Limits(), "a site may want none"


def test_the_defaults_are_exact_immediate_and_silent() -> None:
    (plain,) = sensors_of(device(metric="tilt"))
    assert plain == Sensor(series="T-101/tilt", device="T-101", metric="tilt", zone="smelter")


@pytest.mark.parametrize(
    "settings",
    [
        {"unit": 7}, {"range": "wide"}, {"range": [1]}, {"range": [5, 1]}, {"range": [True, "x"]}, {"rate": -1}, {"rate": "fast"},
        {"deadband": "x"}, {"deadband": float("nan")}, {"limits": {"high": "hot"}}, {"stale_after": 60}, {"stale_after": "soon"},
        {"compression": -1},
    ],
)  # fmt: skip
def test_a_setting_that_can_not_be_used_is_like_one_left_out(settings: dict[str, Any]) -> None:
    assert sensors_of(device(metric="tilt", **settings)) == sensors_of(device(metric="tilt"))


@pytest.mark.parametrize("settings", [{}, {"metric": "Not A Metric"}, {"metric": 5}, {"metrics": {"Bad Name": {}}}])
def test_a_device_that_measures_nothing_is_no_sensor(settings: dict[str, Any]) -> None:
    assert sensors_of(device(**settings)) == []


def test_a_site_and_a_registry_give_the_same_sensors() -> None:
    measuring = device(metric="temperature")
    site = Site(id="s", name="s", devices=[measuring, Device(id="CAM-1", zone="smelter", type="camera")])
    registry = Registry(1, site, {}, {d.id: d for d in site.devices})
    assert sensors_of_site(site) == sensors_of_site(registry) == {"T-101/temperature": sensors_of(measuring)[0]}


def test_the_site_file_checks_the_keys_that_the_registry_reads() -> None:
    assert set(sensors.OF_ONE_METRIC) == sensor_keys.KEYS
    assert set(sensors.SHARED) == sensor_keys.SHARED
    assert sensor_keys.LIMITS == sensors.LIMITS == Limits.__struct_fields__
