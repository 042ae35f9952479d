"""What is worth a push: pure decisions from what an endpoint was told last and what is the case now.

A person's telephone rings for it, so: an incident's beginning, its growing graver or surer, its acknowledgement and its end. Not: another
alarm of the same kind, a comment, an assignment, shelving, clearing and coming back within minutes (the chatter that merging holds
together), and what is quiet and not dispatched (an alarm within a declared calibration, say) until it sounds. Every step of a hazard
(隐患) is news, but for those in ``QUIET_STEPS``; so is each point of a duty (履职) that has passed. What must not go in: SQL, bodies.
"""

from msgspec import Struct

from hazards.incidents import is_acknowledged
from hazards.ledger.duties import OVERDUE
from hazards.messages import Certainty, DutyMessage, HazardMessage, IncidentMessage, IncidentState
from hazards.quieting import dispatched

OPENED = "incident.opened"
SEVERITY_RAISED = "incident.severity_raised"
CERTAINTY_RAISED = "incident.certainty_raised"
ACKNOWLEDGED = "incident.acknowledged"
CLOSED = "incident.closed"
TYPES = (OPENED, SEVERITY_RAISED, CERTAINTY_RAISED, ACKNOWLEDGED, CLOSED)

QUIET_STEPS = frozenset({"commented"})
"""Events of a hazard that nobody is called for."""

_SURER = list(Certainty)

URGENCY_OF_GRADE = {"major": 1, "serious": 2, "general": 3}
"""The order in which hazards wait among incidents: 重大, 较大, 一般 (platform default)."""
URGENCY_OF_OTHERS = 2


class Told(Struct, frozen=True):
    """What an endpoint knows of an incident."""

    severity: int
    certainty: Certainty
    acknowledged: bool
    closed: bool


def told_of(incident: IncidentMessage) -> Told:
    """What an endpoint knows once it has ``incident``."""
    return Told(incident.severity, incident.certainty, is_acknowledged(incident), incident.state is IncidentState.CLOSED)


def incident_news(told: Told | None, incident: IncidentMessage, event: str, *, annunciated: bool) -> str | None:
    """The type of the push that ``incident`` is worth, or None.

    ``told``: None when the endpoint knows nothing of it. ``event``: the outbox' word. ``annunciated``: whether it ever stood for people;
    what stayed within its on-delay never did."""
    if told is None:
        return _first_news(incident, event, annunciated)
    if told.closed:
        return None
    now = told_of(incident)
    if now.closed:
        return CLOSED
    if now.severity < told.severity:
        return SEVERITY_RAISED
    if _SURER.index(now.certainty) > _SURER.index(told.certainty):
        return CERTAINTY_RAISED
    return ACKNOWLEDGED if now.acknowledged and not told.acknowledged else None


def _first_news(incident: IncidentMessage, event: str, annunciated: bool) -> str | None:
    if not dispatched(incident.quiet):
        return None
    if incident.state is IncidentState.ACTIVE or (incident.state is IncidentState.CLEARED and event == "opened"):
        return OPENED
    return CLOSED if incident.state is IncidentState.CLOSED and annunciated else None  # it began and ended in one transaction


def hazard_news(hazard: HazardMessage) -> str | None:
    """The type of the push that the latest step of ``hazard`` is worth, or None."""
    return None if hazard.event in QUIET_STEPS else f"hazard.{hazard.event}"


def hazard_urgency(hazard: HazardMessage) -> int:
    """Its place among what waits, as a severity of 1 to 4."""
    return URGENCY_OF_GRADE.get(hazard.grade, URGENCY_OF_OTHERS)


def duty_news(duty: DutyMessage) -> str:
    """The type of the push that a passed point of ``duty`` is worth."""
    return f"duty.{duty.event}"


def duty_urgency(duty: DutyMessage) -> int:
    """Its place among what waits, as a severity of 1 to 4 (platform default): nobody is in danger by it."""
    return 3 if duty.event == OVERDUE else 4
