"""What merging keeps and what it says: a zone's state, its incidents, decisions with their reasons. Data only.

What must not go in: the merging itself (``hazards/merging.py``).
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.alarm_state import Alarm
from hazards.correlation import Source
from hazards.flood import Flood
from hazards.messages import Certainty, IncidentState
from hazards.telling import News


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
    WITHDRAWN = "withdrawn"  # the rule that raised it is no longer there or armed; another source reports it still
    RULE_STANDS = "rule_stands"  # a sender says that it ended; by the readings a rule still judges that it stands
    LATCHED = "latched"  # it ended, and is kept until acknowledged
    RELEASED = "released"  # an acknowledgement let the latch go
    NOTHING_STOOD = "nothing_stood"  # an end without a beginning
    LATE = "late"  # older than what is known of this alarm
    QUIET = "quiet"  # over, and nothing new within the regroup window
    SHELVING_ENDED = "shelving_ended"
    CLOSED_BY_HAND = "closed_by_hand"  # a person ended it, with a reason on the record
    FLOOD = "flood"  # the zone is in flood: it joined the flood's incident instead of opening its own
    INHIBITED = "inhibited"  # another alarm explains it (``hazards/inhibition.py``)
    SHELVED = "shelved"  # a person has silenced this alarm for a time
    OUT_OF_SERVICE = "out_of_service"
    CALIBRATION = "calibration"  # within a declared calibration window: labelled, not dispatched
    PERMIT = "permit"  # a permit to work accounts for it: labelled, quieter
    WITHOUT_PERMIT = "without_permit"  # work that needs a permit, and there is none
    SOUNDED = "sounded"  # what kept it quiet is over, and it stands
    WEIGHED = "weighed"  # graver because of an overdue hazard or a key period (``hazards/weight.py``)
    REMINDED = "reminded"  # told again: nobody acknowledged it


_ENOUGH = 8
"""Characters of an id that tell the few incidents of one group apart, which follow one another."""


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
    ended_by: str = ""  # hazards.messages.Lapse: what ended the last alarm that did, if not the alarm itself
    annunciated: bool = False
    over: bool = False  # takes no more alarms
    certainty: Certainty = Certainty.POSSIBLE  # grows, never falls
    corroboration: dict[str, Any] = field(default_factory=dict)  # why it grew: ``hazards.correlation.particulars``
    sources: list[Source] = field(default_factory=list)  # what may bear out the next
    synthetic: bool = False
    quiet: str = ""  # why nobody is called by any of its alarms that stand: of ``hazards.quieting.Quiet``
    quiet_by: str = ""  # declaration, or alarm that explains it
    loud: bool = True  # it called somebody, now or before: then somebody has to acknowledge it
    labels: list[str] = field(default_factory=list)  # of its alarms that stand, though others may be loud
    acknowledged: bool = False  # as the zone's state knows it: so are its alarms
    news: News = News.NOTHING
    word: str = ""  # what of it is to be told: opened, closed
    told_at: int = 0
    remind_at: int | None = None

    @property
    def told_reason(self) -> str:
        """The code of its reason for people: what ended the alarm, where its condition perhaps did not."""
        return self.ended_by if self.ended_by and self.reason is Reason.ENDED else self.reason.value


class ZoneState(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """All that merging remembers of one state key. Alarms by "device kind"; the newest incident of each group of families.

    ``sources``: what may bear out incidents of another group (``hazards/across.py``). ``quiet_until``: when what keeps some alarm quiet
    may end next; ``declared``: a mark of the declarations it was last looked at with. Its bytes: ``hazards/zone_codec.py``."""

    alarms: dict[str, Alarm] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    flood: Flood = field(default_factory=Flood)
    sources: list[Source] = field(default_factory=list)
    quiet_until: int | None = None
    declared: str = ""
    unknown: dict[str, bytes] = field(default_factory=dict)  # fields of a newer version, carried along by ``hazards/zone_codec.py``


class Decision(Struct, frozen=True):
    """Where a signal went and why. ``explained`` holds the particulars of the reason."""

    signal: str
    incident: str
    reason: Reason
    explained: dict[str, Any]


class Happening(Struct, frozen=True):
    """One line of an incident's timeline made by merging, ``explained`` by its particulars.

    Events: pending, opened, reactivated, certainty_raised, severity_raised, quietened, sounded, reminded, flood_began, cleared, closed."""

    incident: str
    at: int
    event: str
    reason: Reason
    explained: dict[str, Any] = field(default_factory=dict)


class Sounded(Struct, frozen=True):
    """An alarm that began to call people: it rose, its on-delay is over, or what kept it quiet is."""

    incident: str
    device: str
    kind: str
    at: int


class Merged(Struct):
    """What a call changed: decisions in order, timelines in order, the incidents as they now are.

    ``graver``: ids of incidents whose severity rose, or which methane joined, so that an acknowledgement from before no longer counts.
    ``alarms``: those that moved, by key, and ``of``: their incidents. ``told``: incidents that are to be told now, and by which word.
    ``sounded``: alarms that began to call people, for the ledger of hazards."""

    decisions: list[Decision] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    changed: dict[str, Incident] = field(default_factory=dict)
    graver: set[str] = field(default_factory=set)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    sounded: list[Sounded] = field(default_factory=list)


def put_in(alarm: Alarm, incident: Incident, group: str) -> None:
    """``alarm`` belongs to ``incident``, which the zone keeps under ``group``."""
    alarm.group, alarm.incident = group, incident.id[:_ENOUGH]


def incident_of(state: ZoneState, alarm: Alarm) -> Incident | None:
    """The very incident that ``alarm`` was last put into, if ``state`` still holds it, and not a later one of its group."""
    incident = state.incidents.get(alarm.group)
    return incident if incident is not None and incident.id.startswith(alarm.incident) else None
