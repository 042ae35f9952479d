"""What merging may know of a zone besides its signals. Data only: collected in the caller's transaction, the same for a replay."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from hazards.declarations import Declaration
from hazards.weight import OpenHazard
from hazards.zones import AlarmTiming

NO_TIMING = AlarmTiming()


def no_delays(_device: str) -> AlarmTiming:
    """For devices that nobody registered."""
    return NO_TIMING


def no_type(_device: str) -> str | None:
    """For a place where nobody registered devices."""
    return None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``timing_of``, ``type_of``: by a device's id its delays and its type in the site file. ``acknowledged``: ids of incidents.

    ``declarations``: those of the zone and of the whole site that are in force, were lately, or will be soon. ``hazards``: of the zone,
    not over."""

    zone: str = ""
    timing_of: Callable[[str], AlarmTiming] = no_delays
    type_of: Callable[[str], str | None] = no_type
    acknowledged: Collection[str] = ()
    declarations: Sequence[Declaration] = ()
    hazards: Sequence[OpenHazard] = ()

    @property
    def mark(self) -> str:
        """Another one means that the declarations have changed."""
        return " ".join(sorted(f"{d.id}@{d.starts_at}-{d.ends_at or ''}" for d in self.declarations))
