"""What travels: signals into the system and incidents out of it. Frozen, typed, past tense.

Times are UTC microseconds since 1970. Changes only add fields with defaults; a change that does not
is a new major version in ``bus/codecs.py``. What must not go in: encoding, I/O, decisions.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

UNASSIGNED = "unassigned"
"""Zone of every signal whose device nobody registered: accepted, shown on the waiting list (architecture 3.9)."""
WHOLE_SITE = ""
"""In place of a zone: what belongs to the whole site, such as a duty of a body."""


class Action(StrEnum):
    """What a signal says of its condition."""

    RAISED = "raised"
    CLEARED = "cleared"
    PULSE = "pulse"  # happened, has no end: a trip line, a push button


class Lapse(StrEnum):
    """Why an alarm ended though nobody knows that all is normal: what judged it is gone. ``reason`` in the ``details`` of a signal."""

    WINDOW_ENDED = "window_ended"  # the rule's time of the week, or what armed it, is over
    RULE_REMOVED = "rule_removed"  # or switched off, or changed
    SENSOR_REMOVED = "sensor_removed"
    SENSOR_MOVED = "sensor_moved"  # to another zone


LAPSES = frozenset(lapse.value for lapse in Lapse)


class Clock(StrEnum):
    """Whether the sender's time was believed."""

    TRUSTED = "trusted"
    ABSENT = "absent"  # no time was sent: time of receipt
    WRONG = "wrong"  # outside the believable window or erratic: time of receipt, the sender's time kept in ``sent_at``
    CORRECTED = "corrected"  # a steady error was taken off (``hazards/device_clock.py``), the sender's time kept in ``sent_at``


class Signal(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One alarm signal as accepted at the door.

    ``id`` is the deduplication key (``hazards.identity``); ``source`` and ``source_id`` are the sender's own, as they came.
    ``at``: when it happened, as believed; ``received_at``: when the door took it; ``sent_at``: the sender's time if it is another.
    ``severity`` 1 (gravest) to 4, None: the kind's default. ``box``: x, y, w, h in pixels of the frame.
    ``snapshot``: SHA-256 (hex) of the evidence file. ``sequence`` orders signals of equal ``at`` from one source.
    """

    id: str
    source: str
    source_id: str
    device: str
    zone: str
    kind: str
    action: Action
    at: int
    received_at: int
    clock: Clock = Clock.TRUSTED
    sent_at: int | None = None
    severity: int | None = None
    score: float | None = None
    box: tuple[float, float, float, float] | None = None
    message: str = ""
    snapshot: str | None = None
    synthetic: bool = False
    timed: bool = False  # the source (a rule) has applied on-delay and off-delay already: merging must not again
    details: dict[str, Any] = field(default_factory=dict)


class AlarmRecord(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a time series keeps of one applied signal. ``severity``: the signal's or its kind's; ``reason``: why it went where it went."""

    id: str
    device: str
    kind: str
    action: Action
    at: int
    received_at: int
    severity: int
    incident: str
    reason: str
    score: float | None = None
    synthetic: bool = False


class AlarmRecords(Struct, frozen=True, kw_only=True):
    """The signals of one zone that one transaction applied, in order: for followers of the outbox, never on a topic."""

    zone: str
    enterprise: str | None
    records: list[AlarmRecord]


class IncidentState(StrEnum):
    """State of the merged condition; acknowledgement is kept apart (people own it)."""

    PENDING = "pending"  # within the on-delay: recorded, not annunciated
    ACTIVE = "active"  # at least one alarm stands
    CLEARED = "cleared"  # no alarm stands any more; waits for acknowledgement and for quiet
    CLOSED = "closed"  # over


class Certainty(StrEnum):
    """How sure it is that the thing is real; the words of CAP 1.2, grown by independent sources or by a person."""

    POSSIBLE = "possible"  # one source, seen by machine
    LIKELY = "likely"  # the same kind of evidence from two devices
    OBSERVED = "observed"  # independent kinds of evidence agree, or a person verified it


class HazardLink(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An open hazard (隐患) of an incident's zone, and its clock. ``same``: an alarm of the incident speaks of it."""

    id: str
    kind: str
    grade: str
    state: str
    title: str
    confirmed: bool = False
    due_at: int | None = None
    overdue: bool = False
    same: bool = False


class IncidentMessage(Struct, frozen=True, kw_only=True):
    """An incident as it goes out: one row of the list, one event of the feed, one value on the topic."""

    id: str
    zone: str
    family: str
    kinds: list[str]
    devices: list[str]
    state: IncidentState
    severity: int
    opened_at: int
    updated_at: int
    version: int
    alarm_count: int
    reason: str  # code of the latest decision, see hazards.zone_state.Reason
    message: str = ""
    enterprise: str | None = None
    snapshot: str | None = None
    cleared_at: int | None = None
    closed_at: int | None = None
    raised_at: int = 0  # receipt of what last made it active, loud or graver: what a list of what is new sorts by
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    acknowledged_severity: int | None = None  # graver since: unacknowledged again
    assigned_to: str | None = None
    shelved_by: str | None = None
    shelved_until: int | None = None
    shelve_reason: str | None = None
    synthetic: bool = False
    certainty: Certainty = Certainty.POSSIBLE
    corroboration: dict[str, Any] = field(default_factory=dict)  # why certainty and severity rose: rule, basis, sources
    quiet: str = ""  # why nobody is called by it: of ``hazards.quieting.Quiet``; with "calibration" it goes to nobody outside the room
    quiet_by: str = ""  # the declaration, or the alarm that explains it
    labels: list[str] = field(default_factory=list)  # of its alarms that stand, though others of them may be loud
    hazards: list[HazardLink] = field(default_factory=list)  # of its zone, not over, the first due first; of the feed and pushes only


class HazardMessage(Struct, frozen=True, kw_only=True):
    """A hazard (隐患) after one transition, as it goes out: one value of topic ``hazards``. Times are UTC µs.

    ``state`` is of ``hazards.ledger.lifecycle``; ``event`` what happened last, ``basis`` the rule it followed."""

    id: str
    zone: str
    enterprise: str | None
    kind: str
    grade: str  # confirmed or proposed, see ``confirmed``
    confirmed: bool
    state: str
    event: str
    title: str
    opened_at: int
    updated_at: int
    version: int
    actor: str
    due_at: int | None = None
    incident: str | None = None
    basis: dict[str, Any] = field(default_factory=dict)
    synthetic: bool = False
    tells: list[str] = field(default_factory=list)  # posts of the policy pack that are to be told
    tracks: dict[str, str] = field(default_factory=dict)  # where it stands beside the rectification: listing, extension, summons …
    repeated: bool = False  # the same kind at the same enterprise again
    policy: str = ""  # version of the pack under which it was opened
    alarm_since_claim: bool = False  # an alarm of its kind came since the claim that waits


class DutyMessage(Struct, frozen=True, kw_only=True):
    """A periodic duty (履职) of which a point has passed, as it goes out: one value of topic ``duties``. Times are UTC µs.

    ``event``: clock_point, or overdue when its due date has passed; ``basis``: the rule that asks for the duty. It is of no zone:
    ``zone`` and ``enterprise`` say so where the outbox and scopes ask."""

    id: str
    name: str
    post: str
    body: str
    period: str
    event: str
    point: str
    due_at: int
    told_at: int
    tells: list[str]  # posts of the policy pack that are to be told
    basis: dict[str, Any]
    zone: str = WHOLE_SITE
    enterprise: str | None = None
    synthetic: bool = False
