"""A hazard (隐患) as the ledger keeps it. Data only: commands are in ``hazards/ledger/commands.py``, deciding in ``decisions.py``.

Times are UTC microseconds. Fields are only ever added, with defaults: the ledger keeps old bytes for ever.
What must not go in: decisions, roles, SQL.
"""

from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from hazards.ledger.lifecycle import RUNNING, State
from hazards.messages import HazardMessage


class Origin(StrEnum):
    """How it was found."""

    RULE = "rule"  # 规则拟定: the platform, from an incident
    INCIDENT = "incident"  # 报警事件: a person, from an incident
    SELF_INSPECTION = "self_inspection"  # 企业自查
    INSPECTION = "inspection"  # 检查发现


class Stage(StrEnum):
    """Whether a piece of evidence shows the place before or after rectification."""

    BEFORE = "before"  # 整改前
    AFTER = "after"  # 整改后


class Actor(Struct, frozen=True):
    """Who acts: user id or "token:ID", the role and, for an enterprise's people, the enterprise."""

    id: str
    role: str
    enterprise: str | None = None


PLATFORM = Actor("bihuan", "platform")


class Paper(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A photo or document with time and place. ``sha256``: the evidence file; ``document``: number or name of a paper kept elsewhere."""

    stage: Stage
    taken_at: int
    place: str
    sha256: str | None = None
    document: str = ""
    note: str = ""


class Plan(Struct, frozen=True, kw_only=True):
    """The plan of rectification with the five commitments (五落实, 001(16))."""

    responsibility: str  # 责任
    measures: str  # 措施
    funds: str  # 资金
    time: str  # 时限
    contingency: str  # 预案
    filed_by: str
    filed_at: int


class Measure(Struct, frozen=True, kw_only=True):
    """An immediate measure (管控措施). ``number``: of the event that took it; ``until``: when it is meant to end."""

    number: int
    kind: str
    authority: str  # who ordered it, in words
    start: int
    until: int | None = None
    note: str = ""
    taken_by: str = ""
    ended_at: int | None = None
    ended_by: str | None = None


class Claim(Struct, frozen=True, kw_only=True):
    """Rectification as claimed. ``verdict``: what the evidence gate said then."""

    by: str
    at: int
    note: str
    evidence: list[Paper]
    verdict: str


class Hazard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One hazard. ``grade`` is proposed until ``confirmed``; ``due_at`` is provisional until then. ``policy``: version of the pack."""

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
    refuted_by: list[str] = field(default_factory=list)  # incidents by which the evidence gate refused last
    last_event: str = ""
    last_actor: str = ""
    synthetic: bool = False

    def overdue(self, now: int) -> bool:
        """Whether the due date has passed while the clock runs."""
        return self.due_at is not None and self.state in RUNNING and self.due_at < now


def message_of(hazard: Hazard, basis: dict[str, Any]) -> HazardMessage:
    """What goes out after the hazard's latest event, which followed ``basis``."""
    return HazardMessage(
        id=hazard.id, zone=hazard.zone, enterprise=hazard.enterprise, kind=hazard.kind, grade=hazard.grade, confirmed=hazard.confirmed,
        state=hazard.state.value, event=hazard.last_event, title=hazard.title, opened_at=hazard.opened_at, updated_at=hazard.updated_at,
        version=hazard.version, actor=hazard.last_actor, due_at=hazard.due_at, incident=hazard.incident, basis=basis,
        synthetic=hazard.synthetic,
    )  # fmt: skip
