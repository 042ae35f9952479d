"""Which incidents belong to which hazards (隐患), and why: written with each entry of the record, read both ways.

What must not go in: deciding that they belong together, reading for people.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from hazards.ledger.decision import Decision
from hazards.ledger.lifecycle import OPEN, Event
from storage import schema
from storage.bulk import insert_into

ORIGIN, DUPLICATE, RECURRENCE, SINCE_CLAIM = "origin", "duplicate", "recurrence", "since_claim"


def keep_links(connection: Connection, decision: Decision) -> None:
    """Put down the incidents that came to the hazard with ``decision``."""
    links = dict(_links(decision))
    if not links:
        return
    rows = [{"hazard": decision.hazard.id, "incident": incident, "why": why} for incident, why in links.items()]
    connection.execute(insert_into(connection, schema.hazard_incidents).on_conflict_do_nothing(), rows)


def _links(decision: Decision) -> Iterable[tuple[str, str]]:
    hazard, details = decision.hazard, decision.details
    match decision.event:
        case Event.PROPOSED if hazard.incident is not None:
            return [(hazard.incident, ORIGIN)]
        case Event.DUPLICATE_TAKEN:
            return [(incident, DUPLICATE) for incident in details.get("incidents", ())]
        case Event.REOPENED if details.get("incident"):
            return [(details["incident"], RECURRENCE)]
        case Event.ALARM_SINCE_CLAIM:
            return [(details["incident"], SINCE_CLAIM)]
    return []


def open_hazard_of(connection: Connection, incident: str) -> str | None:
    """An open hazard to which ``incident`` belongs already: it has its cause on the list."""
    links, hazards = schema.hazard_incidents, schema.hazards
    query = select(hazards.c.id).join(links, links.c.hazard == hazards.c.id)
    is_open = hazards.c.state.in_([state.value for state in OPEN])
    return connection.execute(query.where(links.c.incident == incident, is_open).order_by(hazards.c.id).limit(1)).scalar()
