"""Which process watches which camera: spread by measured cost, one moved when its process is overloaded.

Pure. What must not go in: processes, time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNKNOWN_COST = 0.02
"""Processor seconds a second that a camera counts for before it is measured: half of those that move cost less."""
OVERLOADED = 0.85
"""Share of its core from which a process gives a camera away: above it looks come late."""
WORTH = 0.1
"""Share of a core by which a move must make the fuller of the two processes lighter; less is not worth a new connection."""


@dataclass(frozen=True, slots=True)
class Move:
    """``camera`` goes from one process to the other, by their numbers."""

    camera: str
    origin: int
    target: int


def spread(costs: Mapping[str, float], processes: int) -> list[list[str]]:
    """Cameras over at most ``processes`` processes: the costliest first, each to the process that has least to do."""
    groups: list[list[str]] = [[] for _ in range(min(processes, len(costs)))]
    loads = [0.0] * len(groups)
    for camera in sorted(costs, key=lambda c: -costs[c]):
        least = min(range(len(groups)), key=lambda i: (loads[i], i))
        groups[least].append(camera)
        loads[least] += costs[camera]
    return groups


def next_move(processes: Mapping[int, Mapping[str, float]], *, late: Sequence[int] = ()) -> Move | None:
    """The one move that helps most, of the costs of each process's cameras; None: leave all where they are.

    ``late``: processes whose frames got too old: they count as overloaded whatever they cost."""
    loads = {number: sum(costs.values()) for number, costs in processes.items()}
    over = [n for n in loads if (loads[n] > OVERLOADED or n in late) and len(processes[n]) > 1]
    if not over or len(loads) < 2:
        return None
    origin = max(over, key=lambda n: loads[n])
    target = min(loads, key=lambda n: loads[n])
    best, lightest = None, loads[origin] - WORTH
    for camera, cost in processes[origin].items():
        fuller = max(loads[origin] - cost, loads[target] + cost)
        if fuller < lightest:
            best, lightest = Move(camera, origin, target), fuller
    return best
