"""Bodies about alarm rules, their versions and response sheets. What must not go in: decisions, SQL."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, StrictInt, StrictStr

from api.models import Response, Strict, Text
from api.struct_models import answer_model, request_model
from hazards import rules as domain

if TYPE_CHECKING:
    RuleBody = BaseModel
    RuleAsked = BaseModel
else:
    RuleBody = answer_model(domain.AlarmRule)
    RuleAsked = request_model(domain.AlarmRule)

Version = Annotated[StrictInt, Field(ge=0, le=2**31, description="the version you looked at, 0 for a new rule; another one by now: 409")]
_SAID = r"^[^\x00]*[^\s\x00][^\x00]*$"
Reason = Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=_SAID, description="why, for the history")]


class RuleChange(Strict):
    """A rule as it shall be from now on, whole. Its ``source`` and ``basis`` are set by us: an edit is the word of this site."""

    rule: RuleAsked
    version: Version
    reason: Reason


class RuleAskedFor(Strict):
    """A rule to be tried; nothing changes."""

    rule: RuleAsked


class Withdrawal(Strict):
    """The file's rule shall hold again."""

    version: Version
    reason: Reason


class Restoration(Withdrawal):
    """Version ``number`` shall hold again."""

    number: Annotated[StrictInt, Field(ge=1, le=2**31)]


class RuleRow(BaseModel):
    """One rule in the list, as of its newest version."""

    id: str
    name: Text
    metric: str
    metric_name: Text
    compares: str
    compares_name: Text
    kind: str
    kind_name: Text
    severity: int = Field(ge=1, le=4)
    limit: float | None
    unit: str = Field(description="of limits and deadband: the rule's, else the metric's; s for stale")
    enabled: bool
    withdrawn: bool = Field(description="it is not in force any more")
    source: str = Field(description="pack, site or console")
    source_name: Text
    basis: str
    basis_name: Text
    version: int
    changed_at: datetime
    changed_by: str
    zones: list[str] = Field(description="for these zones; empty: every zone with one of the grades")
    grades: list[str] = Field(description="empty: every grade")
    overrides: int = Field(description="zones in which it differs")
    meaning: Text


class MetricChoice(BaseModel):
    """What a sensor may measure; a rule may be of a metric that is not here."""

    metric: str
    name: Text
    unit: str


class RulePage(BaseModel):
    """By id."""

    items: list[RuleRow]
    metrics: list[MetricChoice] = Field(description="those that the platform knows")
    next: str | None


class Reach(BaseModel):
    """A zone for which the rule is, with the limit there and the devices of its metric."""

    zone: str
    zone_name: str
    grade: str
    limit: float | None
    enabled: bool
    sensors: list[str] = Field(description="devices that it judges")
    others: list[str] = Field(description="devices of its metric that say it themselves, or of which another rule does")


class Rule(RuleRow):
    """A rule in full. ``rule`` is what a PUT takes; of zones that the caller does not see nothing is in it."""

    rule: RuleBody
    reason: str
    change: str
    change_name: Text
    response: Response
    reach: list[Reach]
    file: RuleBody | None = Field(description="what pack or site file say, where the console says otherwise")
    may_change: bool
    may_withdraw: bool


class RuleVersion(BaseModel):
    """One version. ``replaces``: the console's version that a file won over; ``restored``: the one that holds again by this."""

    version: int
    rule: RuleBody
    source: str = Field(description="pack, site or console")
    source_name: Text
    change: str
    change_name: Text
    withdrawn: bool
    reason: str
    restored: int | None
    replaces: int | None
    at: datetime
    by: str


class RuleVersionPage(BaseModel):
    """Newest first."""

    items: list[RuleVersion]
    next: str | None


class RuleCheck(BaseModel):
    """What a rule would be: its meaning, and where it would hold as far as the caller sees."""

    meaning: Text
    kind: str
    kind_name: Text
    severity: int
    reach: list[Reach]
    sensors: int

