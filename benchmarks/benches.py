"""Measurements of a running system and of its parts, behind ``bihuan bench NAME``: a new bench is a module and a line of ``BENCHES``.

Each has ``run(*, kafka, database) -> Iterator[Figure]``. What must not go in: tests, which say yes or no.
"""

from collections.abc import Callable, Iterator

from benchmarks import acknowledge, alarms, latency
from benchmarks.figures import Figure

Bench = Callable[..., Iterator[Figure]]

BENCHES: dict[str, Bench] = {"latency": latency.run, "alarms": alarms.run, "acknowledge": acknowledge.run}
"""Every bench by the name that the command line takes; each takes ``kafka`` and ``database`` (empty: the embedded default)."""
