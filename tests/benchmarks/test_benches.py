"""Each bench on a real system: small in CI, where only its answers are checked; whole in the soak, where the bounds hold too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.benches import BENCHES
from benchmarks.cameras import Sizes as CameraSizes
from benchmarks.figures import Figure, LeftOut
from benchmarks.ledger_filled import Sizes as LedgerSizes
from benchmarks.merge import Sizes as MergeSizes
from benchmarks.telemetry import Sizes
from tests.real.kafka import KafkaCluster
from tests.real.rtsp import Rtsp

TINY = Sizes(
    devices=200, readings={100: 20_000, 500: 20_000}, singles=3000, peer_seconds=4, lines=20_000, parks=(100, 1000), park_readings=20_000
)  # fmt: skip
TINY_MERGE = MergeSizes(
    devices=200, readings={500: 20_000}, peer_seconds=0, alarms=1000, plain=200, latency_seconds=1, warm_up=0.5, two_readings=100_000,
)  # fmt: skip
"""Without the peers, which the bench of telemetry starts by the same code."""
TINY_CAMERAS = CameraSizes(
    begin={"moving": 2, "still": 4}, most={"moving": 2, "still": 4}, settle=5, watch=4, plain=0.5, clips=1,
)  # fmt: skip
SMALL: dict[str, dict[str, Any]] = {
    "latency": {"seconds": 3, "warm_up": 1}, "alarms": {"count": 2000}, "acknowledge": {"count": 2000, "commands": 50},
    "telemetry": {"sizes": TINY}, "push": {"count": 12, "rate": 500, "warm_up": 1},
    "merge": {"sizes": TINY_MERGE}, "cameras": {"sizes": TINY_CAMERAS},
    "ledger": {"sizes": LedgerSizes(open=400, events=5000, zones=20), "samples": 20, "share": 0.01},
}  # fmt: skip
ONCE = ("telemetry", "push", "merge", "flood", "cameras")
"""Benches that know themselves where they run; the flood is a test of its own (``tests/whole/test_flood.py``)."""
OUTSIDE = ["embedded", "outside"]


@pytest.fixture(params=OUTSIDE)
def outside(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where a bench runs: on nothing but itself, or on Apache Kafka and PostgreSQL."""
    if request.param == "embedded":
        return {}
    return {"kafka": request.getfixturevalue("fresh_kafka").addresses, "database": request.getfixturevalue("postgres_url")}


def run(name: str, **arguments: Any) -> dict[str, Figure]:
    """A bench's figures by name, printed as the command line prints them."""
    bench: Callable[..., Any] = BENCHES[name]
    figures = list(bench(**arguments))
    assert not [f.for_people() for f in figures if isinstance(f, LeftOut)]
    for figure in figures:
        print(figure.line())
    return {f.figure: f for f in figures}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [name for name in BENCHES if name not in ONCE])
def test_a_bench_measures_a_real_system(name: str, outside: dict[str, str]) -> None:
    figures = run(name, **outside, **SMALL[name])
    assert figures and all(f.value > 0 and f.unit for f in figures.values())


@pytest.mark.timeout(600)
def test_telemetry_is_measured_beside_its_peers_on_a_real_kafka(fresh_kafka: KafkaCluster) -> None:
    figures = run("telemetry", kafka=fresh_kafka.addresses, **SMALL["telemetry"])
    assert all(f.value > 0 and f.unit for f in figures.values())
    assert figures.keys() >= {"telemetry.merge", "telemetry.merge.500", "telemetry.stored"}
    assert figures.keys() >= {"telemetry.raw", "telemetry.raw.500", "telemetry.faust_plain", "telemetry.quix"}
    assert figures.keys() >= {"telemetry.devices.100", "telemetry.devices.1000", "telemetry.devices.bytes"}


@pytest.mark.timeout(300)
def test_merging_with_everything_switched_on_is_measured_on_a_real_kafka(fresh_kafka: KafkaCluster) -> None:
    figures = run("merge", kafka=fresh_kafka.addresses, **SMALL["merge"])
    assert all(f.value > 0 and f.unit for f in figures.values())
    assert figures.keys() >= {"merge.readings.500", "merge.raw.500", "merge.readings.of_raw"}
    assert figures.keys() >= {"merge.alarms", "merge.latency_p99", "merge.two_workers"}


@pytest.mark.timeout(300)
def test_a_sensors_message_is_timed_to_feed_and_webhook_embedded_and_on_kafka(fresh_kafka: KafkaCluster, postgres_url: str) -> None:
    figures = run("push", kafka=fresh_kafka.addresses, database=postgres_url, **SMALL["push"])
    ends = {f"push.{where}.{goal}.{which}" for where in ("embedded", "kafka") for goal in ("feed", "webhook") for which in ("p50", "p99")}
    assert figures.keys() == ends
    assert all(f.value > 0 and f.unit == "ms" for f in figures.values())


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_sensors_message_reaches_feed_and_webhook_in_time(fresh_kafka: KafkaCluster, postgres_url: str) -> None:
    figures = run("push", kafka=fresh_kafka.addresses, database=postgres_url)
    late = {f.figure: f.value for f in figures.values() if f.value > f.compared.get("p99 allowed", f.value)}
    assert not late


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_telemetry_keeps_its_rates_and_its_size(fresh_kafka: KafkaCluster) -> None:
    figures = run("telemetry", kafka=fresh_kafka.addresses)
    slow = {f.figure: f.value for f in figures.values() if f.value < f.compared.get("required", 0)}
    assert not slow
    size = figures["telemetry.devices.bytes"]
    assert size.value <= size.compared["allowed"]
    small, large = figures["telemetry.devices.1000"], figures["telemetry.devices.100000"]
    assert large.value <= 1.5 * small.value


@pytest.mark.timeout(300)
def test_cameras_are_counted_live_beside_a_plain_loop(media: Path, rtsp: Rtsp) -> None:
    del media, rtsp  # the bench finds them by the same variables
    figures = run("cameras", **SMALL["cameras"])
    assert figures["cameras.moving"].value == 2
    assert figures["cameras.still"].value == 4
    assert figures["cameras.moving.analysed"].value >= 2
    assert figures["cameras.still.age_max"].value <= 1.0
    assert len(figures["cameras.moving"].compared) == 2


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_core_watches_as_many_cameras_as_it_must(media: Path, rtsp: Rtsp) -> None:
    del media, rtsp
    figures = run("cameras")
    short = {f.figure: f.value for f in figures.values() if f.value < f.compared.get("required", 0)}
    assert not short


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_merging_with_everything_switched_on_keeps_its_rates(fresh_kafka: KafkaCluster) -> None:
    figures = run("merge", kafka=fresh_kafka.addresses)
    slow = {f.figure: f.value for f in figures.values() if f.value < f.compared.get("required", 0)}
    late = {f.figure: f.value for f in figures.values() if f.value > f.compared.get("p99 allowed", f.value)}
    two = figures["merge.two_workers"]
    assert not slow and not late and two.value <= two.compared["allowed"]


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_latency_keeps_its_bound(outside: dict[str, str]) -> None:
    (p99,) = [f for f in run("latency", **outside).values() if f.figure.endswith(".p99")]
    assert p99.value <= p99.compared["p99 allowed"]


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_worker_applies_a_thousand_alarms_a_second(outside: dict[str, str]) -> None:
    (applied,) = [f for f in run("alarms", **outside).values() if f.figure.endswith(".applied")]
    assert applied.value >= applied.compared["required"]


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_acknowledging_keeps_its_bound_at_a_hundred_thousand_open_incidents(outside: dict[str, str]) -> None:
    (p99,) = [f for f in run("acknowledge", **outside).values() if f.figure.endswith(".p99")]
    assert p99.value <= p99.compared["p99 allowed"]
