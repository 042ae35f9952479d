"""Why a signal goes where it goes, from how its alarm moved. A table and its rest. Pure.

What must not go in: where it goes (``hazards/merging.py``), ends that end nothing (``hazards/withdrawal.py``).
"""

from hazards.alarm_state import ALARMING, Phase
from hazards.messages import Action, IncidentState
from hazards.zone_state import Incident, Reason

_ENDINGS: dict[tuple[Phase, Phase], Reason] = {
    (Phase.NORMAL, Phase.NORMAL): Reason.NOTHING_STOOD,
    (Phase.RAISING, Phase.NORMAL): Reason.TRANSIENT,
    (Phase.STANDING, Phase.CLEARING): Reason.WITHIN_OFF_DELAY,
    (Phase.CLEARING, Phase.CLEARING): Reason.WITHIN_OFF_DELAY,
    (Phase.STANDING, Phase.LATCHED): Reason.LATCHED,
    (Phase.LATCHED, Phase.LATCHED): Reason.LATCHED,
}
"""By the phases before and after an end; what is not here is an end of an alarm that stood."""


def why_here(incident: Incident, before: Phase, after: Phase, action: Action, opening: Reason | None, *, late: bool) -> Reason:
    """Why a signal goes where it goes. ``opening``: why, if it opened that incident or was sent there."""
    if opening is not None:
        return Reason.WITHIN_ON_DELAY if after is Phase.RAISING else opening
    if late:
        return Reason.LATE
    if action is Action.CLEARED:
        return _ENDINGS.get((before, after), Reason.ENDED)
    if before in ALARMING:
        return Reason.REPEATED
    if after is Phase.RAISING:
        return Reason.WITHIN_ON_DELAY
    return Reason.JOINED if incident.state is IncidentState.ACTIVE else Reason.REACTIVATED
