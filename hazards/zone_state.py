"""What merging keeps and what it says: a zone's state, its incidents, decisions with their reasons. Data only.

What must not go in: the merging itself (``hazards/merging.py``).
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.alarm_state import Alarm
from hazards.correlation import Source
from hazards.messages import Certainty, IncidentState


class Reason(StrEnum):
    """Why a signal or a moment had the effect it had; logs, tests and the console use these words."""

    OPENED = "opened"  # first of its group
    JOINED = "joined"  # another alarm of the same group stands
    REPEATED = "repeated"  # this very alarm stands already
    CORROBORATED = "corroborated"  # an independent source says the same: surer, and perhaps graver (``hazards/correlation.py``)
    REACTIVATED = "reactivated"  # the incident had cleared less than the regroup window ago
    WITHIN_ON_DELAY = "within_on_delay"
    CONFIRMED = "confirmed"  # the on-delay is over and it still stands
    TRANSIENT = "transient"  # it ended within the on-delay
    WITHIN_OFF_DELAY = "within_off_delay"
    ENDED = "ended"  # it ended, and with it the incident
    OTHERS_STAND = "others_stand"  # it ended, others of the incident stand
    LATCHED = "latched"  # it ended, and is kept until acknowledged
    RELEASED = "released"  # an acknowledgement let the latch go
    NOTHING_STOOD = "nothing_stood"  # an end without a beginning
    LATE = "late"  # older than what is known of this alarm
    QUIET = "quiet"  # over, and nothing new within the regroup window
    SHELVING_ENDED = "shelving_ended"
    CLOSED_BY_HAND = "closed_by_hand"  # a person ended it, with a reason on the record


class Incident(Struct, omit_defaults=True):
    """The merged fields of one incident: the worker's own, people never write them."""

    id: str
    family: str  # the leading one of what joined: heat that a flame joins is a fire
    opened_at: int
    state: IncidentState
    severity: int
    updated_at: int
    reason: Reason
    kinds: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)  # keys of its alarms that are not NORMAL
    count: int = 0
    raised_at: int = 0
    message: str = ""
    snapshot: str | None = None
    cleared_at: int | None = None
    closed_at: int | None = None
    annunciated: bool = False
    over: bool = False  # takes no more alarms
    certainty: Certainty = Certainty.POSSIBLE  # grows, never falls
    corroboration: dict[str, Any] = field(default_factory=dict)  # why it grew: ``hazards.correlation.particulars``
    sources: list[Source] = field(default_factory=list)  # what may bear out the next
    synthetic: bool = False


class ZoneState(Struct, omit_defaults=True):
    """All that merging remembers of one state key. Alarms by "device kind"; the newest incident of each group of families."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    schema: int = 1


class Decision(Struct, frozen=True):
    """Where a signal went and why. ``explained`` holds the particulars of the reason."""

    signal: str
    incident: str
    reason: Reason
    explained: dict[str, Any]


class Happening(Struct, frozen=True):
    """One line of an incident's timeline made by merging, ``explained`` by its particulars.

    Events: pending, opened, reactivated, certainty_raised, severity_raised, cleared, closed."""

    incident: str
    at: int
    event: str
    reason: Reason
    explained: dict[str, Any] = field(default_factory=dict)


class Merged(Struct):
    """What a call changed: decisions in order, timelines in order, the incidents as they now are.

    ``graver``: ids of incidents whose severity rose, so that an acknowledgement from before no longer counts."""

    decisions: list[Decision] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    changed: dict[str, Incident] = field(default_factory=dict)
    graver: set[str] = field(default_factory=set)
