"""What belongs to a hazard (隐患): evidence, plan, measures, claim, listing, extension, inspection, summons and the like. Data only.

Times are UTC microseconds. Fields are only ever added, with defaults: the ledger keeps old bytes for ever.
What must not go in: the hazard itself (``hazards/ledger/hazard.py``), decisions.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field

from hazards.ledger.forms import Digest, Instant, Longer, Short, ShortSaid


class Stage(StrEnum):
    """Whether a piece of evidence shows the place before or after rectification."""

    BEFORE = "before"  # 整改前
    AFTER = "after"  # 整改后


class Paper(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A photo or document with time and place. ``sha256``: the evidence file; ``document``: number or name of a paper kept elsewhere."""

    stage: Stage
    taken_at: Instant
    place: ShortSaid
    sha256: Digest | None = None
    document: Short = ""
    note: Longer = ""


Papers = Annotated[list[Paper], Meta(max_length=40)]


class AlarmSince(Struct, frozen=True, kw_only=True):
    """An alarm of the hazard's kind that came since the claim (申请验收后又报警): the first of its incident."""

    incident: str
    device: str
    kind: str
    at: int


class Plan(Struct, frozen=True, kw_only=True):
    """The plan of rectification with the five commitments (五落实, 001(16))."""

    responsibility: str  # 责任
    measures: str  # 措施
    funds: str  # 资金
    time: str  # 时限
    contingency: str  # 预案
    filed_by: str
    filed_at: Instant
    approved_by: str | None = None
    approved_at: Instant | None = None
    returned_for: str = ""  # why it was returned


class Measure(Struct, frozen=True, kw_only=True):
    """An immediate measure (管控措施). ``number``: of the event that took it; ``until``: when it is meant to end."""

    number: int
    kind: str
    authority: str  # who ordered it, in words
    start: Instant
    until: Instant | None = None
    note: str = ""
    taken_by: str = ""
    ended_at: Instant | None = None
    ended_by: str | None = None


class Claim(Struct, frozen=True, kw_only=True):
    """Rectification as claimed. ``number``: of the event that claimed it; ``verdict``: what the evidence gate said then."""

    number: int = 0
    by: str
    at: Instant
    note: str
    evidence: list[Paper]
    verdict: str


class Report(Struct, frozen=True, kw_only=True):
    """A report of a major hazard (双报告). ``to``: department or staff_congress."""

    to: str
    recipient: str
    at: Instant
    by: str
    note: str = ""


class Publication(Struct, frozen=True, kw_only=True):
    """Where it was published (公示), and until when."""

    place: str
    at: Instant
    by: str
    until: Instant | None = None


class Listing(Struct, frozen=True, kw_only=True):
    """Listed for rectification (挂牌整改) or for supervision (挂牌督办): number, who supervises, since when, until when."""

    number: str
    supervisor: str
    at: Instant
    by: str
    note: str = ""
    lifted_at: Instant | None = None
    lifted_by: str | None = None


class Signature(Struct, frozen=True, kw_only=True):
    """One signature: the post it was given for, the person, when."""

    post: str
    by: str
    name: str
    role: str
    at: Instant


class Extension(Struct, frozen=True, kw_only=True):
    """A request to extend the limit (延期). The due date moves only with the last signature: ``granted_at``, from ``due_before``."""

    number: int  # of the event that asked for it
    days: int
    cause: str
    reason: str
    by: str
    at: Instant
    signatures: list[Signature] = field(default_factory=list)
    due_before: Instant | None = None
    granted_at: Instant | None = None
    refused_at: Instant | None = None
    refused_by: str | None = None
    refused_for: str = ""
    filed_at: Instant | None = None
    filed_by: str | None = None
    filing: str = ""  # number of the filing (备案)


class Inspection(Struct, frozen=True, kw_only=True):
    """An acceptance inspection (验收检查): who took part for which post, experts by name, what was found."""

    number: int
    at: Instant
    by: str
    posts: list[str]
    experts: list[str]
    passed: bool
    note: str
    evidence: list[Paper] = field(default_factory=list)


class Summons(Struct, frozen=True, kw_only=True):
    """A summons (约谈). ``due_at``: until when it has to be held, None where nobody had to; ``held_by``: the post that held it."""

    due_at: Instant | None = None
    held_at: Instant | None = None
    held_by: str = ""
    with_whom: str = ""  # legal representative or actual investor
    place: str = ""
    note: str = ""
    by: str | None = None


class Referral(Struct, frozen=True, kw_only=True):
    """Referral (移送) to those who prosecute or punish, with the digest of the record's head then."""

    to: str
    number: str
    reason: str
    at: Instant
    by: str


class Waiver(Struct, frozen=True, kw_only=True):
    """A penalty waived (免罚). ``item``: of the pack's lists; the rectification is never waived."""

    item: str
    reason: str
    at: Instant
    by: str


class Override(Struct, frozen=True, kw_only=True):
    """The evidence gate was overridden: for which question, by whom, why."""

    question: str
    reason: str
    at: Instant
    by: str
    verdict: str
