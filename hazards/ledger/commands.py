"""What people ask of the ledger: one frozen command each. ``version``: the hazard's version the person looked at, or None.

What must not go in: decisions (``hazards/ledger/decisions.py``), roles.
"""

from msgspec import Struct, field

from hazards.ledger.hazard import Paper


class Propose(Struct, frozen=True, kw_only=True, tag="propose", tag_field="command"):
    """Put a hazard down (登记), from an incident or by hand. ``kind`` of ``hazards/ledger/kinds.py``, ``grade`` of the pack."""

    zone: str
    kind: str
    grade: str
    title: str
    description: str = ""
    incident: str | None = None


class Confirm(Struct, frozen=True, kw_only=True, tag="confirm", tag_field="command"):
    """It is one, of this grade (确认定级). ``criterion``: the item of the criteria (判定标准) that it meets."""

    grade: str
    criterion: str = ""
    version: int | None = None


class Dismiss(Struct, frozen=True, kw_only=True, tag="dismiss", tag_field="command"):
    """It is none (排除)."""

    reason: str
    version: int | None = None


class FilePlan(Struct, frozen=True, kw_only=True, tag="plan", tag_field="command"):
    """The plan with the five commitments (五落实); filed again it replaces the one before."""

    responsibility: str = ""
    measures: str = ""
    funds: str = ""
    time: str = ""
    contingency: str = ""
    version: int | None = None


class StartRectification(Struct, frozen=True, kw_only=True, tag="start_rectification", tag_field="command"):
    """Permanent rectification begins (开始整改)."""

    note: str = ""
    version: int | None = None


class TakeMeasure(Struct, frozen=True, kw_only=True, tag="measure", tag_field="command"):
    """An immediate measure (应急管控): ``kind`` of the pack, who ordered it, since when (None: now), until when."""

    kind: str
    authority: str
    start: int | None = None
    until: int | None = None
    note: str = ""
    version: int | None = None


class EndMeasure(Struct, frozen=True, kw_only=True, tag="end_measure", tag_field="command"):
    """A measure is over (解除管控). ``measure``: its number."""

    measure: int
    note: str = ""
    version: int | None = None


class Claim(Struct, frozen=True, kw_only=True, tag="claim", tag_field="command"):
    """It is rectified (申请验收), with the evidence of before and after."""

    note: str
    evidence: list[Paper] = field(default_factory=list)
    version: int | None = None


class Accept(Struct, frozen=True, kw_only=True, tag="accept", tag_field="command"):
    """The rectification is good (验收通过)."""

    note: str = ""
    version: int | None = None


class Refuse(Struct, frozen=True, kw_only=True, tag="refuse", tag_field="command"):
    """The rectification is not good (验收不通过): back to work."""

    reason: str
    version: int | None = None


class Close(Struct, frozen=True, kw_only=True, tag="close", tag_field="command"):
    """Off the list (销号)."""

    note: str = ""
    version: int | None = None


class Comment(Struct, frozen=True, kw_only=True, tag="comment", tag_field="command"):
    """A note on the record (备注)."""

    text: str
    version: int | None = None


HazardCommand = Confirm | Dismiss | FilePlan | StartRectification | TakeMeasure | EndMeasure | Claim | Accept | Refuse | Close | Comment
