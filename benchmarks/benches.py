"""Measurements of a running system and of its parts, behind ``bihuan bench NAME``: a new bench is a module and a line of ``BENCHES``.

Each has ``run(*, kafka, database) -> Iterator[Figure | LeftOut]``. What must not go in: tests, which say yes or no.
"""

import signal
import sys
from collections.abc import Callable, Iterator

from benchmarks import acknowledge, alarms, cameras, flood, latency, ledger, merge, push, telemetry
from benchmarks.figures import Figure, LeftOut
from hazards.errors import BadInput

Bench = Callable[..., Iterator[Figure | LeftOut]]

BENCHES: dict[str, Bench] = {
    "latency": latency.run, "alarms": alarms.run, "acknowledge": acknowledge.run, "telemetry": telemetry.run, "push": push.run,
    "ledger": ledger.run, "merge": merge.run, "flood": flood.run, "cameras": cameras.run,
}  # fmt: skip
"""Every bench by the name that the command line takes; each takes ``kafka`` and ``database`` (empty: the embedded default)."""


def print_bench(name: str, *, json_lines: bool, kafka: str = "", database: str = "") -> None:
    """Run one bench and print a line a figure, as soon as it is known; what was left out goes to standard error.

    Raises BadInput for a name that is none."""
    if name not in BENCHES:
        raise BadInput(f"no bench {name!r}", hint=f"there are {', '.join(BENCHES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # unwinds, so that the system it started ends with it
    for figure in BENCHES[name](kafka=kafka, database=database):
        if isinstance(figure, LeftOut):
            print(figure.for_people(), file=sys.stderr, flush=True)
        else:
            print(figure.line() if json_lines else figure.for_people(), flush=True)
