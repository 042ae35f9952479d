"""Figures about the API in Prometheus's text format. What must not go in: names, ids or anything of the park in a label."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper bounds of the latency histogram in seconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters of one process; written on the event loop only."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self.latency: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * (len(BUCKETS) + 1))
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.alarms_accepted = 0
        self.readings_accepted = self.readings_out_of_range = self.readings_unregistered = 0
        self.feed_events = 0
        self.feed_dropped = 0

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request. ``route`` is the template, never the path, so that the number of series is bounded."""
        self.requests[method, route, status] += 1
        self.latency[method, route][bisect_left(BUCKETS, seconds)] += 1
        self.seconds[method, route] += seconds

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """The exposition; ``gauges`` maps a name, with labels or without, to (help, present value); one name's stand together."""
        return "\n".join(self._lines(gauges)) + "\n"

    def _lines(self, gauges: Mapping[str, tuple[str, float]]) -> Iterator[str]:
        yield from _head("bihuan_http_requests_total", "counter", "Answered requests.")
        for (method, route, status), count in sorted(self.requests.items()):
            yield f'bihuan_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {count}'
        yield from _head("bihuan_http_request_seconds", "histogram", "Time to the end of the answer.")
        for (method, route), counts in sorted(self.latency.items()):
            yield from self._histogram(f'method="{method}",route="{route}"', counts, self.seconds[method, route])
        for name, help_, value in (
            ("bihuan_alarms_accepted_total", "Alarms durably taken by this process over HTTP.", self.alarms_accepted),
            ("bihuan_readings_accepted_total", "Readings durably taken by this process over HTTP.", self.readings_accepted),
            ("bihuan_readings_out_of_range_total", "Of them outside their sensor's range.", self.readings_out_of_range),
            ("bihuan_readings_unregistered_total", "Of them of series that nobody registered.", self.readings_unregistered),
            ("bihuan_feed_events_total", "Events sent to feed listeners.", self.feed_events),
            ("bihuan_feed_dropped_total", "Listeners dropped because they took nothing.", self.feed_dropped),
        ):
            yield from _head(name, "counter", help_)
            yield f"{name} {value}"
        told = ""
        for name, (help_, number) in gauges.items():
            if (base := name.partition("{")[0]) != told:
                yield from _head(base, "gauge", help_)
                told = base
            yield f"{name} {number:.10g}"

    @staticmethod
    def _histogram(labels: str, counts: list[int], seconds: float) -> Iterator[str]:
        total = 0
        for bound, count in zip((*BUCKETS, None), counts, strict=True):
            total += count
            yield f'bihuan_http_request_seconds_bucket{{{labels},le="{"+Inf" if bound is None else bound}"}} {total}'
        yield f"bihuan_http_request_seconds_sum{{{labels}}} {seconds:.6f}"
        yield f"bihuan_http_request_seconds_count{{{labels}}} {total}"


def _head(name: str, kind: str, help_: str) -> tuple[str, str]:
    return f"# HELP {name} {help_}", f"# TYPE {name} {kind}"
