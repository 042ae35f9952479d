"""Bodies of requests about hazards (隐患): the proposal, and one model a command. Their fields have the names of the domain's.

What must not go in: answers (``api/hazard_models.py``), decisions.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StrictInt, StrictStr

from api.models import Strict

_NO_NUL = r"^[^\x00]*$"
_SAID = r"^[^\x00]*[^\s\x00][^\x00]*$"
Short = Annotated[StrictStr, Field(max_length=200, pattern=_NO_NUL)]
ShortSaid = Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=_SAID)]
Note = Annotated[StrictStr, Field(max_length=4000, pattern=_NO_NUL)]
Said = Annotated[StrictStr, Field(min_length=1, max_length=4000, pattern=_SAID)]
Reason = Annotated[StrictStr, Field(min_length=1, max_length=1000, pattern=_SAID)]
KindName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
GradeName = Annotated[StrictStr, Field(max_length=64, pattern=_NO_NUL, description="general 一般, serious 较大, major 重大")]
Version = Annotated[StrictInt | None, Field(ge=0, le=2**53, description="the version you looked at; another one by now: 409")]
CommandId = Annotated[
    StrictStr | None,
    Field(min_length=1, max_length=100, pattern=_NO_NUL, description="your own id of this request: sent again, it has no second effect"),
]


class Proposal(Strict):
    """A hazard to be: from an incident, which fills in what is left out, or by hand with zone, kind, grade and title."""

    incident: Annotated[StrictStr | None, Field(max_length=300, pattern=_NO_NUL)] = None
    zone: Annotated[StrictStr | None, Field(max_length=300, pattern=_NO_NUL)] = None
    kind: KindName | None = None
    grade: GradeName | None = None
    title: Short | None = None
    description: Note = ""
    command_id: CommandId = None


class _Command(Strict):
    version: Version = None
    command_id: CommandId = None


class Confirm(_Command):
    """确认定级: it is one, of this grade; ``criterion``: the item of the criteria that it meets (needed for major)."""

    command: Literal["confirm"]
    grade: GradeName
    criterion: Annotated[StrictStr, Field(max_length=1000, pattern=_NO_NUL)] = ""


class Dismiss(_Command):
    """排除: it is none."""

    command: Literal["dismiss"]
    reason: Reason


class FilePlan(_Command):
    """五落实: the plan with all five commitments."""

    command: Literal["plan"]
    responsibility: Note = ""
    measures: Note = ""
    funds: Note = ""
    time: Note = ""
    contingency: Note = ""


class StartRectification(_Command):
    """开始整改."""

    command: Literal["start_rectification"]
    note: Note = ""


class TakeMeasure(_Command):
    """应急管控: an immediate measure, who ordered it, since when (absent: now), until when."""

    command: Literal["measure"]
    kind: Annotated[StrictStr, Field(max_length=64, pattern=_NO_NUL)]
    authority: ShortSaid
    start: AwareDatetime | None = None
    until: AwareDatetime | None = None
    note: Note = ""


class EndMeasure(_Command):
    """解除管控: the measure of that number is over."""

    command: Literal["end_measure"]
    measure: Annotated[StrictInt, Field(ge=1, le=2**31)]
    note: Note = ""


class Paper(Strict):
    """A piece of evidence: a file (``sha256`` of POST …/evidence or of a snapshot) or the name of a document, with time and place."""

    stage: Literal["before", "after"]
    taken_at: AwareDatetime
    place: ShortSaid
    sha256: Annotated[StrictStr, Field(pattern="^[0-9a-f]{64}$")] | None = None
    document: Short = ""
    note: Annotated[StrictStr, Field(max_length=1000, pattern=_NO_NUL)] = ""


class Claim(_Command):
    """申请验收: it is rectified; the evidence gate is asked."""

    command: Literal["claim"]
    note: Said
    evidence: list[Paper] = Field(default=[], max_length=40)


class Accept(_Command):
    """验收通过: the evidence gate is asked."""

    command: Literal["accept"]
    note: Note = ""


class Refuse(_Command):
    """验收不通过: back to rectification."""

    command: Literal["refuse"]
    reason: Reason


class CloseHazard(_Command):
    """销号: off the list; the evidence gate is asked."""

    command: Literal["close"]
    note: Note = ""


class CommentOnHazard(_Command):
    """备注."""

    command: Literal["comment"]
    text: Said


HazardCommand = Annotated[
    Confirm | Dismiss | FilePlan | StartRectification | TakeMeasure | EndMeasure | Claim | Accept | Refuse | CloseHazard | CommentOnHazard,
    Field(discriminator="command"),
]
