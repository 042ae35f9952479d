"""What workers and stores tell the watchdog of themselves: whether they hear Kafka at all."""

import time

from bihuan.parts.waiting import JOINING, BrokerWatch, Hearing
from streams.progress import WorkerProgress

LONG = JOINING + 60.0


def state(*, ready: bool, heard: float | None = None, trouble: str = "") -> WorkerProgress:
    """``heard``: seconds since the broker last answered."""
    at = None if heard is None else int((time.time() - heard) * 1e6)
    return WorkerProgress(ready=ready, assigned=["telemetry/0"] if ready else [], last_fetch_at=at, trouble=trouble)


def stands(progress: WorkerProgress, *, joining: float = 0.0, away: float | None = None) -> float:
    """``joining``: seconds without partitions; ``away``: seconds since Kafka was last seen to be away."""
    broker = BrokerWatch("127.0.0.1:1", embedded=False)
    if away is not None:
        broker._away_at = time.time() - away
    hearing = Hearing(broker, lambda: None)
    hearing.note(state(ready=True))
    hearing.note(progress)
    hearing._joining_since = time.time() - joining
    return hearing.deaf_for()


def test_a_store_that_never_gets_its_partitions_from_a_kafka_that_answers_stands_still() -> None:
    assert stands(state(ready=False), joining=LONG) > 30
    assert stands(state(ready=False, heard=1.0), joining=LONG) > 30, "a member that fetches and lets nothing through"
    assert stands(state(ready=False), joining=JOINING - 5) == 0
    assert stands(state(ready=False), joining=LONG, away=5.0) == 0, "Kafka was away until a moment ago"


def test_a_store_that_is_not_answered_stands_still_and_one_that_waits_for_the_time_series_does_not() -> None:
    assert stands(state(ready=True, heard=50)) > 40
    assert stands(state(ready=True, heard=0.1)) < 5
    assert stands(state(ready=True)) == 0, "more stores than partitions: none is ours"
    assert stands(state(ready=True, heard=50, trouble="InfluxDB is away")) == 0
    assert stands(state(ready=False, trouble="InfluxDB is away"), joining=LONG) == 0
