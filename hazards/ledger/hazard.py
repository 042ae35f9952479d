"""A hazard (隐患) as the ledger keeps it. Data only: commands are in ``commands.py``, deciding in ``decisions.py``.

Times are UTC microseconds. Fields are only ever added, with defaults: the ledger keeps old bytes for ever.
What must not go in: decisions, roles, SQL.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.ledger.lifecycle import NONE, RUNNING, WAITING, State, Track
from hazards.ledger.particulars import (
    AlarmSince,
    Claim,
    Extension,
    Inspection,
    Listing,
    Measure,
    Override,
    Plan,
    Publication,
    Referral,
    Report,
    Summons,
    Waiver,
)  # fmt: skip
from hazards.messages import HazardMessage


class Origin(StrEnum):
    """How it was found."""

    RULE = "rule"  # 规则拟定: the platform, from an incident
    INCIDENT = "incident"  # 报警事件: a person, from an incident
    SELF_INSPECTION = "self_inspection"  # 企业自查
    CHECK_ITEM = "check_item"  # 排查清单: a failed item of a check round
    INSPECTION = "inspection"  # 检查发现
    WHISTLE_BLOW = "whistle_blow"  # 举报
    HOTLINE = "hotline"  # 12350 热线
    CHECK_UP = "check_up"  # 免费安全体检: rectified, it is no basis for punishment
    OTHER_SYSTEM = "other_system"  # 其他系统转来


class Actor(Struct, frozen=True):
    """Who acts: user id or "token:ID", the role and, for an enterprise's people, the enterprise."""

    id: str
    role: str
    enterprise: str | None = None
    name: str = ""
    confirmed_at: int | None = None  # when the person last proved again who it is; None: not in this session, or a machine

    @property
    def is_person(self) -> bool:
        """Whether this is a person and no machine with a token."""
        return not self.id.startswith("token:") and self.role != PLATFORM_ROLE


PLATFORM_ROLE = "platform"
PLATFORM = Actor("bihuan", PLATFORM_ROLE)


class Hazard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One hazard. ``grade`` is proposed until ``confirmed``; ``due_at`` is provisional until then. ``policy``: version of the pack.

    ``tracks``: where it stands in each side table of the life cycle; ``fired``: points of clocks that were told, as "clock@run:point";
    ``wake_at``: when a clock wants to be looked at next."""

    id: str
    zone: str
    enterprise: str | None
    kind: str
    grade: str
    state: State
    title: str
    opened_at: int
    updated_at: int
    version: int
    policy: str
    proposed_by: str
    origin: Origin
    proposed_grade: str
    confirmed: bool = False
    criterion: str = ""
    confirmed_by: str | None = None
    confirmed_at: int | None = None
    description: str = ""
    incident: str | None = None
    due_at: int | None = None
    plan: Plan | None = None
    measures: list[Measure] = field(default_factory=list)
    claim: Claim | None = None
    accepted_by: str | None = None
    accepted_at: int | None = None
    closed_at: int | None = None
    closed_by: str | None = None
    dismissed_reason: str | None = None
    refuted_by: list[str] = field(default_factory=list)  # incidents, series, blind devices by which the evidence gate refused last
    last_event: str = ""
    last_actor: str = ""
    synthetic: bool = False
    tracks: dict[str, str] = field(default_factory=dict)
    supervising_body: str = ""  # who is in charge of it; by default whoever the pack says
    received_by: str | None = None
    received_at: int | None = None
    reports: list[Report] = field(default_factory=list)
    publications: list[Publication] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)  # 挂牌整改
    supervisions: list[Listing] = field(default_factory=list)  # 挂牌督办
    extensions: list[Extension] = field(default_factory=list)
    inspections: list[Inspection] = field(default_factory=list)
    summons: list[Summons] = field(default_factory=list)
    referral: Referral | None = None
    waiver: Waiver | None = None
    overrides: list[Override] = field(default_factory=list)
    repeat_of: list[str] = field(default_factory=list)  # earlier hazards of the kind within the pack's window
    merged_into: str | None = None
    duplicates: list[str] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)  # further incidents: of duplicates, of a recurrence
    alarms_since_claim: list[AlarmSince] = field(default_factory=list)  # one an incident, the newest; a new claim begins anew
    reopened_at: int | None = None
    overdue_at: int | None = None  # when it was found to be overdue
    fired: list[str] = field(default_factory=list)
    wake_at: int | None = None
    rectifying_since: int | None = None  # when the rectification began, again after a refusal: what shows "after" is newer
    graded_at: int | None = None  # when its grade was last changed: what the new grade asks for is counted from then
    due_taken_at: int | None = None  # when it took the earlier due date of a duplicate

    def overdue(self, now: int) -> bool:
        """Whether the due date has passed while the clock runs."""
        return is_overdue(self.state, self.due_at, now)

    def track(self, track: Track) -> str:
        """Where it stands in a side table."""
        return self.tracks.get(track.value, NONE)

    @property
    def inspected(self) -> list[Inspection]:
        """The inspections since the claim of rectification; without one all."""
        since = self.claim.number if self.claim is not None else 0
        return [inspection for inspection in self.inspections if inspection.number > since]

    @property
    def granted(self) -> list[Extension]:
        """The extensions granted since the clock of rectification began."""
        return [e for e in self.extensions if e.granted_at is not None and e.granted_at >= self.clock_start]

    @property
    def rectification_start(self) -> int:
        """From when on a photo or document can show the state after rectification."""
        return self.rectifying_since or self.clock_start

    @property
    def clock_start(self) -> int:
        """When the clock of rectification began: with the confirmation, again when it was reopened, provisionally with the proposal."""
        return self.reopened_at or self.confirmed_at or self.opened_at


def is_overdue(state: str, due_at: int | None, now: int) -> bool:
    """Whether a due date has passed in a state in which its clock runs; ``storage.hazard_queries.overdue_at`` is the same in SQL."""
    return due_at is not None and due_at < now and state in RUNNING


def alarmed_since_claim(hazard: Hazard) -> bool:
    """Whether an alarm of its kind came since a claim that nobody has decided to the end (申请验收后又报警)."""
    return bool(hazard.alarms_since_claim) and hazard.state in WAITING


def message_of(hazard: Hazard, basis: dict[str, Any], tells: tuple[str, ...] = ()) -> HazardMessage:
    """What goes out after the hazard's latest event, which followed ``basis``. ``tells``: posts that are to be told of it."""
    return HazardMessage(
        id=hazard.id, zone=hazard.zone, enterprise=hazard.enterprise, kind=hazard.kind, grade=hazard.grade, confirmed=hazard.confirmed,
        state=hazard.state.value, event=hazard.last_event, title=hazard.title, opened_at=hazard.opened_at, updated_at=hazard.updated_at,
        version=hazard.version, actor=hazard.last_actor, due_at=hazard.due_at, incident=hazard.incident, basis=basis,
        synthetic=hazard.synthetic, tells=list(tells), tracks=hazard.tracks, repeated=bool(hazard.repeat_of), policy=hazard.policy,
        alarm_since_claim=alarmed_since_claim(hazard),
    )  # fmt: skip
