"""What people do to an incident: acknowledge, assign, comment, shelve, close. Pure decisions.

People own these fields and the worker never writes them; the worker owns the merged ones. What must not go in: SQL, roles.
"""

from typing import Any

from msgspec import Struct, structs

from hazards.errors import BadInput, Conflict, NotInState
from hazards.incident_course import REGROUP_WINDOW
from hazards.kinds import holds_never_suppressed
from hazards.messages import IncidentMessage, IncidentState
from hazards.zone_state import Reason

LONGEST_SHELF = 24 * 3600 * 1_000_000
"""Shelving is always limited (ISA-18.2); this is the longest, in microseconds (platform default)."""


class Acknowledge(Struct, frozen=True, tag="acknowledge", tag_field="command"):
    """Seen, and taken on (确认). ``version``: the incident's version the person looked at, or None."""

    version: int | None = None


class Assign(Struct, frozen=True, tag="assign", tag_field="command"):
    """Give it to a person by sign-in name, or None: to nobody (指派)."""

    to: str | None
    version: int | None = None


class Comment(Struct, frozen=True, tag="comment", tag_field="command"):
    """A note on the record (备注)."""

    text: str
    version: int | None = None


class Shelve(Struct, frozen=True, tag="shelve", tag_field="command"):
    """Silence it for a limited time, with a reason (搁置)."""

    minutes: int
    reason: str
    version: int | None = None


class Unshelve(Struct, frozen=True, tag="unshelve", tag_field="command"):
    """End the silence (取消搁置)."""

    version: int | None = None


class Close(Struct, frozen=True, tag="close", tag_field="command"):
    """End it by hand, with a reason: its alarms count as gone until they are raised again (关闭)."""

    reason: str
    version: int | None = None


IncidentCommand = Acknowledge | Assign | Comment | Shelve | Unshelve | Close


def is_acknowledged(incident: IncidentMessage) -> bool:
    """Acknowledged, and not graver since."""
    return incident.acknowledged_severity is not None and incident.acknowledged_severity <= incident.severity


Decided = tuple[IncidentMessage, str, dict[str, Any]]
"""The incident afterwards, the name of the event, the event's body."""


def decide(incident: IncidentMessage, command: IncidentCommand, *, people_version: int, actor: str, now: int) -> Decided:
    """The incident after ``command``, the name of the event and its body.

    Raises Conflict if a person changed the incident after ``command.version``, NotInState, BadInput."""
    if command.version is not None and people_version > command.version:
        raise Conflict(f"somebody changed this incident at version {people_version}, you looked at {command.version}",
                       where="/version", hint="look again, then repeat")  # fmt: skip
    if command.version is not None and command.version > incident.version:
        raise BadInput(f"version {command.version} does not exist yet, the newest is {incident.version}", where="/version")
    match command:
        case Acknowledge():
            return _acknowledge(incident, actor, now)
        case Assign(to=to):
            return structs.replace(incident, assigned_to=to), "assigned", {"to": to}
        case Comment(text=text):
            if not text.strip() or len(text) > 4000:
                raise BadInput("a comment has 1 to 4000 characters", where="/text")
            return incident, "commented", {"text": text}
        case Shelve():
            return _shelve(incident, command, actor, now)
        case Unshelve():
            if incident.shelved_until is None:
                raise NotInState("the incident is not shelved", where="/command")
            return structs.replace(incident, shelved_by=None, shelved_until=None, shelve_reason=None), "unshelved", {}
        case Close():
            return _close(incident, command, actor, now)


def _acknowledge(incident: IncidentMessage, actor: str, now: int) -> Decided:
    if is_acknowledged(incident):
        raise NotInState(f"already acknowledged by {incident.acknowledged_by}", where="/command")
    after = structs.replace(incident, acknowledged_by=actor, acknowledged_at=now, acknowledged_severity=incident.severity)
    quiet = incident.state is IncidentState.CLEARED and incident.cleared_at is not None and incident.cleared_at + REGROUP_WINDOW <= now
    if quiet:  # merging let it go already and it waited for this
        after = structs.replace(after, state=IncidentState.CLOSED, closed_at=now)
    return after, "acknowledged", {"severity": incident.severity, "closed": quiet}


def _shelve(incident: IncidentMessage, command: Shelve, actor: str, now: int) -> Decided:
    length = command.minutes * 60_000_000
    if not 0 < length <= LONGEST_SHELF:
        raise BadInput(f"shelving is for 1 to {LONGEST_SHELF // 60_000_000} minutes", where="/minutes")
    if not command.reason.strip() or len(command.reason) > 1000:
        raise BadInput("shelving needs a reason of 1 to 1000 characters", where="/reason")
    if incident.state is IncidentState.CLOSED:
        raise NotInState("the incident is closed", where="/command")
    _refuse_methane(incident, "shelved")
    after = structs.replace(incident, shelved_by=actor, shelved_until=now + length, shelve_reason=command.reason)
    return after, "shelved", {"until": now + length, "reason": command.reason}


def _refuse_methane(incident: IncidentMessage, what: str) -> None:
    """Methane over its limit is an incident whatever anybody configures or wants (004(13))."""
    if holds_never_suppressed(incident.kinds):
        raise NotInState(f"methane over its limit is never {what}", where="/command", hint="act on it; it ends when the gas is gone")


def _close(incident: IncidentMessage, command: Close, actor: str, now: int) -> Decided:
    if incident.state is IncidentState.CLOSED:
        raise NotInState("the incident is closed already", where="/command")
    if incident.state is not IncidentState.CLEARED:
        _refuse_methane(incident, "closed while it stands")
    if not command.reason.strip() or len(command.reason) > 1000:
        raise BadInput("closing by hand needs a reason of 1 to 1000 characters", where="/reason")
    after = structs.replace(incident, state=IncidentState.CLOSED, cleared_at=incident.cleared_at or now, closed_at=now,
                            reason=Reason.CLOSED_BY_HAND.value)  # fmt: skip
    if not is_acknowledged(after):
        after = structs.replace(after, acknowledged_by=actor, acknowledged_at=now, acknowledged_severity=incident.severity)
    return after, "closed", {"reason": command.reason}
