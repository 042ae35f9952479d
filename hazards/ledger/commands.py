"""What people ask of the ledger: one frozen command each. ``version``: the hazard's version the person looked at, or None.

Lengths and forms stand with the fields; the API's bodies are made from these (``api/hazard_requests.py``) and
``hazards/ledger/entries.py`` checks them for every other caller. What must not go in: decisions, roles.
"""

from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from hazards.ledger.forms import Id, Instant, Longer, Name, Note, Number, Reason, Said, Short, ShortSaid, Version
from hazards.ledger.lifecycle import COMMANDS
from hazards.ledger.particulars import Papers


class Propose(Struct, frozen=True, kw_only=True, tag="propose", tag_field="command"):
    """Put a hazard down (登记), from an incident or by hand. ``kind`` of ``hazards/ledger/kinds.py``, ``grade`` of the pack.

    ``origin``: how it was found, "" for what the caller's role says; ``reference``: its number in another system."""

    zone: str
    kind: str
    grade: str
    title: str
    description: str = ""
    incident: str | None = None
    origin: str = ""
    reference: str = ""


class Confirm(Struct, frozen=True, kw_only=True, tag="confirm", tag_field="command"):
    """It is one, of this grade (确认定级). ``criterion``: the item of the criteria (判定标准) that it meets, one for its kind."""

    grade: Name
    criterion: Longer = ""
    version: Version | None = None


class Regrade(Struct, frozen=True, kw_only=True, tag="regrade", tag_field="command"):
    """The grade was not right (重新定级): another one, with the reason; the limit is counted anew from the same start."""

    grade: Name
    reason: Reason
    criterion: Longer = ""
    version: Version | None = None


class Dismiss(Struct, frozen=True, kw_only=True, tag="dismiss", tag_field="command"):
    """It is none (排除)."""

    reason: Reason
    version: Version | None = None


class Receive(Struct, frozen=True, kw_only=True, tag="receive", tag_field="command"):
    """The responsible party has it (签收)."""

    note: Note = ""
    version: Version | None = None


class TakeMeasure(Struct, frozen=True, kw_only=True, tag="measure", tag_field="command"):
    """An immediate measure (应急管控): ``kind`` of the pack, who ordered it, since when (None: now), until when."""

    kind: Name
    authority: ShortSaid
    start: Instant | None = None
    until: Instant | None = None
    note: Note = ""
    version: Version | None = None


class EndMeasure(Struct, frozen=True, kw_only=True, tag="end_measure", tag_field="command"):
    """A measure is over (解除管控). ``measure``: its number."""

    measure: Number
    note: Note = ""
    version: Version | None = None


class ReportHazard(Struct, frozen=True, kw_only=True, tag="report", tag_field="command"):
    """Reported (双报告) to the department or to the staff congress (职代会). ``recipient``: to whom there."""

    to: Literal["department", "staff_congress"]
    recipient: ShortSaid
    note: Note = ""
    version: Version | None = None


class Publish(Struct, frozen=True, kw_only=True, tag="publish", tag_field="command"):
    """Published (公示). ``place``: the board or page; ``until``: how long it hangs there."""

    place: ShortSaid
    until: Instant | None = None
    note: Note = ""
    version: Version | None = None


class ListForRectification(Struct, frozen=True, kw_only=True, tag="list", tag_field="command"):
    """Listed for rectification (挂牌整改): number of the list, and who supervises it."""

    number: ShortSaid
    supervisor: ShortSaid
    note: Note = ""
    version: Version | None = None


class LiftListing(Struct, frozen=True, kw_only=True, tag="lift_listing", tag_field="command"):
    """Off the list for rectification (摘牌)."""

    note: Note = ""
    version: Version | None = None


class FilePlan(Struct, frozen=True, kw_only=True, tag="plan", tag_field="command"):
    """The plan with the five commitments (五落实); filed again it replaces the one before."""

    responsibility: Note = ""
    measures: Note = ""
    funds: Note = ""
    time: Note = ""
    contingency: Note = ""
    version: Version | None = None


class ApprovePlan(Struct, frozen=True, kw_only=True, tag="approve_plan", tag_field="command"):
    """The plan is good (方案批准)."""

    note: Note = ""
    version: Version | None = None


class ReturnPlan(Struct, frozen=True, kw_only=True, tag="return_plan", tag_field="command"):
    """The plan has to be done again (方案退回)."""

    reason: Reason
    version: Version | None = None


class StartRectification(Struct, frozen=True, kw_only=True, tag="start_rectification", tag_field="command"):
    """Permanent rectification begins (开始整改)."""

    note: Note = ""
    version: Version | None = None


class RequestExtension(Struct, frozen=True, kw_only=True, tag="request_extension", tag_field="command"):
    """More days (申请延期), for an objective cause of the pack. The due date stands until it is granted."""

    days: Annotated[int, Meta(ge=1, le=3650)]
    cause: Name
    reason: Reason
    version: Version | None = None


class SignExtension(Struct, frozen=True, kw_only=True, tag="sign_extension", tag_field="command"):
    """A signature under the request (签署延期). ``post``: for which post, "" when the role holds only one of those that sign.

    The last one that was missing grants it: EXTENSION_GRANTED."""

    post: Name = ""
    note: Note = ""
    version: Version | None = None


class RefuseExtension(Struct, frozen=True, kw_only=True, tag="refuse_extension", tag_field="command"):
    """The request is refused (不予延期)."""

    reason: Reason
    version: Version | None = None


class FileExtension(Struct, frozen=True, kw_only=True, tag="file_extension", tag_field="command"):
    """The granted extension is filed with the emergency bureau (备案). ``number``: of the filing."""

    number: ShortSaid
    note: Note = ""
    version: Version | None = None


class Supervise(Struct, frozen=True, kw_only=True, tag="supervise", tag_field="command"):
    """Listed for supervision (挂牌督办): number, and who supervises."""

    number: ShortSaid
    supervisor: ShortSaid
    note: Note = ""
    version: Version | None = None


class LiftSupervision(Struct, frozen=True, kw_only=True, tag="lift_supervision", tag_field="command"):
    """The supervision is lifted (摘牌)."""

    note: Note = ""
    version: Version | None = None


class Summon(Struct, frozen=True, kw_only=True, tag="summon", tag_field="command"):
    """The summons was held (约谈): for which post, with whom of the enterprise, where, when (None: now)."""

    with_whom: ShortSaid
    post: Name = ""
    held_at: Instant | None = None
    place: Short = ""
    note: Said
    version: Version | None = None


class Refer(Struct, frozen=True, kw_only=True, tag="refer", tag_field="command"):
    """Referred (移送) with the record as evidence. ``number``: of the letter."""

    to: ShortSaid
    number: ShortSaid
    reason: Reason
    version: Version | None = None


class WaivePenalty(Struct, frozen=True, kw_only=True, tag="waive_penalty", tag_field="command"):
    """The penalty is waived (免罚) by an item of the pack's lists. The rectification is never waived."""

    item: Name
    reason: Reason
    version: Version | None = None


class Claim(Struct, frozen=True, kw_only=True, tag="claim", tag_field="command"):
    """It is rectified (申请验收), with the evidence of before and after. Refused by the evidence: GATE_REFUSED."""

    note: Said
    evidence: Papers = field(default_factory=list)
    override_reason: Longer = ""
    version: Version | None = None


class Inspect(Struct, frozen=True, kw_only=True, tag="inspect", tag_field="command"):
    """An acceptance inspection (验收检查): the posts that took part, the experts by name, whether it passed."""

    posts: Annotated[list[Name], Meta(max_length=20)]
    passed: bool
    note: Said
    experts: Annotated[list[ShortSaid], Meta(max_length=20)] = field(default_factory=list)
    evidence: Papers = field(default_factory=list)
    version: Version | None = None


class Accept(Struct, frozen=True, kw_only=True, tag="accept", tag_field="command"):
    """The rectification is good (验收通过). ``override_reason``: go on against the evidence gate. Refused by it: GATE_REFUSED."""

    note: Note = ""
    override_reason: Longer = ""
    version: Version | None = None


class Refuse(Struct, frozen=True, kw_only=True, tag="refuse", tag_field="command"):
    """The rectification is not good (验收不通过): back to work."""

    reason: Reason
    version: Version | None = None


class Close(Struct, frozen=True, kw_only=True, tag="close", tag_field="command"):
    """Off the list (销号). ``override_reason`` as in ``Accept``. Refused by the evidence gate: GATE_REFUSED."""

    note: Note = ""
    override_reason: Longer = ""
    version: Version | None = None


class Reopen(Struct, frozen=True, kw_only=True, tag="reopen", tag_field="command"):
    """It came back (复发): the limit begins anew. ``incident``: by which it was seen."""

    reason: Reason
    incident: Id | None = None
    version: Version | None = None


class Transfer(Struct, frozen=True, kw_only=True, tag="transfer", tag_field="command"):
    """Another body supervises it from now on (移交)."""

    to: ShortSaid
    reason: Reason
    version: Version | None = None


class Merge(Struct, frozen=True, kw_only=True, tag="merge", tag_field="command"):
    """The same as hazard ``into`` (并案), which goes on with what this one has."""

    into: Id
    reason: Reason
    version: Version | None = None


class Comment(Struct, frozen=True, kw_only=True, tag="comment", tag_field="command"):
    """A note on the record (备注)."""

    text: Said
    version: Version | None = None


HazardCommand = (
    Confirm | Regrade | Dismiss | Receive | TakeMeasure | EndMeasure | ReportHazard | Publish | ListForRectification | LiftListing
    | FilePlan | ApprovePlan | ReturnPlan | StartRectification | RequestExtension | SignExtension | RefuseExtension |
    FileExtension | Supervise | LiftSupervision | Summon | Refer | WaivePenalty | Claim | Inspect | Accept | Refuse | Close |
    Reopen | Transfer | Merge | Comment
)
STRUCTS: dict[str, type[HazardCommand]] = {str(each.__struct_config__.tag): each for each in HazardCommand.__args__}
"""Every command by its name."""
if STRUCTS.keys() != COMMANDS.keys():
    raise AssertionError(f"commands without a table or a form: {STRUCTS.keys() ^ COMMANDS.keys()}")


SIGNATURES = frozenset({"sign_extension"})
"""Commands that a person gives, never a machine with a token, whatever the pack: two signatures are two persons."""
if not STRUCTS.keys() >= SIGNATURES:
    raise AssertionError(f"no such commands: {SIGNATURES - STRUCTS.keys()}")


def fingerprint(command: HazardCommand | Propose) -> str:
    """A digest of what is asked for, whatever version the person looked at."""
    asked = msgspec.to_builtins(command)
    asked.pop("version", None)
    return sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


def name_of(command: HazardCommand) -> str:
    """The command's name, as in ``COMMANDS``."""
    return str(command.__struct_config__.tag)
