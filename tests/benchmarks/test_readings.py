"""What benches feed in is what they say they feed in."""

import numpy as np

from benchmarks.readings import SECOND, Load
from hazards.sensors import sensors_of_site
from hazards.telemetry import series_parts

LOAD = Load(devices=100, pack=100, hertz=5, start=1_790_000_000 * SECOND)


def test_a_pack_is_one_zone_for_one_second() -> None:
    packs = list(LOAD.packs(3))
    assert [p.zone for p in packs[: LOAD.zones]] == [LOAD.zone(n) for n in range(LOAD.zones)]
    for number, pack in enumerate(packs):
        index, at, value = pack.columns()
        assert len(index) == len(at) == len(value) == LOAD.pack
        assert set(index.tolist()) == set(range(len(pack.series)))
        assert set((at // SECOND).tolist()) == {1_790_000_000 + number // LOAD.zones}
        assert (np.diff(at) >= 0).all()


def test_every_reading_is_of_a_sensor_of_the_site_in_its_zone() -> None:
    sensors = sensors_of_site(LOAD.site())
    for pack in LOAD.packs(1):
        assert {sensors[name].zone for name in pack.series} == {pack.zone}
        assert all(sensors[name].device == series_parts(name)[0] for name in pack.series)
    assert len(sensors) == LOAD.devices


def test_no_reading_comes_twice_and_each_device_breaks_its_limits_once_an_hour() -> None:
    seen: set[tuple[str, int]] = set()
    hot: set[str] = set()
    count = 0
    for pack in Load(devices=20, pack=100, start=LOAD.start).packs(3600):
        index, at, value = pack.columns()
        seen |= {(pack.series[i], t) for i, t in zip(index.tolist(), at.tolist(), strict=True)}
        hot |= {pack.series[i] for i in index[value > 80].tolist()}
        count += len(index)
    assert len(seen) == count
    assert len(hot) == 20


def test_two_runs_feed_in_the_same() -> None:
    assert [p.id for p in LOAD.packs(2)] == [p.id for p in LOAD.packs(2)]
