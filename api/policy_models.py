"""Bodies of answers about policy packs and their versions. What must not go in: what a pack means (``hazards/ledger/policy.py``)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.models import Text
from api.ruling_models import Ruling


class MeasureKind(BaseModel):
    """A measure that the caller may take."""

    kind: str
    name: Text


class GradeChoice(BaseModel):
    """A grade of the pack."""

    grade: str
    name: Text
    limit: int
    counting: Literal["natural_days", "working_days", "hours"]
    needs_plan: bool
    needs_criterion: bool
    listed: bool
    extendable: bool


class HazardKind(BaseModel):
    """A kind of hazard. ``observable``: there are devices that can tell whether it is gone."""

    kind: str
    name: Text
    observable: bool


class PostChoice(BaseModel):
    """A post (岗位) by its name in rules and sheets, and in words."""

    post: str
    name: Text


class PolicyPack(BaseModel):
    """The pack in force; a hazard names the version under which it was opened."""

    id: str
    version: str
    name: Text
    grades: list[GradeChoice]
    kinds: list[HazardKind]
    measures: list[MeasureKind]
    posts: list[PostChoice]
    rules: list[Ruling]


class PolicyVersion(BaseModel):
    """One version of a pack as it was applied."""

    id: str
    version: str
    name: Text
    digest: str = Field(description="SHA-256 of its contents")
    applied_at: datetime
    applied_by: str
    in_force: bool


class PolicyVersionPage(BaseModel):
    """Newest first."""

    items: list[PolicyVersion]
    next: str | None


class PolicyCheck(BaseModel):
    """A pack that may be applied. ``warnings``: what is odd about it, by line."""

    id: str
    version: str
    rules: int
    warnings: list[str]


class PolicyApplied(BaseModel):
    """The pack as applied; ``changed``: it was not there before."""

    id: str
    version: str
    changed: bool
