"""Measures of hazards (管控措施) beside what people declare: stop orders arm the rules of a zone by themselves, others are shown on it.

A row is written in the transaction that takes or ends the measure, and says nothing that the hazard's own record does not.
What must not go in: which measures there are, who may take them (the policy pack).
"""

from sqlalchemy import Connection

from hazards.declarations import STOP_MEASURES, Declaration, Declared
from hazards.ledger.hazard import Hazard
from hazards.ledger.particulars import Measure
from storage import schema
from storage.bulk import insert_into
from storage.declaration_rows import body_of, columns_of, hold_zone, wake
from storage.revisions import DECLARATIONS, revise


def keep_measures(connection: Connection, hazard: Hazard, *, now: int) -> None:
    """Have the rows say what the measures of ``hazard`` are now, and let its zone look. The caller held the zone before the hazard."""
    revise(connection, DECLARATIONS)
    table = schema.declarations
    for measure in hazard.measures:
        declared = declaration_of(hazard, measure)
        row = columns_of(declared) | {"body": body_of(declared).decode()}
        connection.execute(insert_into(connection, table).values(row).on_conflict_do_update(index_elements=["id"], set_=row))
    wake(connection, hold_zone(connection, hazard.zone, []), now=now)


def declaration_of(hazard: Hazard, measure: Measure) -> Declaration:
    """What a measure declares of the hazard's zone: until somebody ends it, whenever it was meant to end."""
    over = measure.ended_at is not None
    return Declaration(
        id=f"hazard:{hazard.id}:measure:{measure.number}", zone=hazard.zone, enterprise=hazard.enterprise,
        kind=Declared.STOP_ORDER if measure.kind in STOP_MEASURES else Declared.MEASURE, measure=measure.kind, starts_at=measure.start,
        ends_at=None if measure.ended_at is None else max(measure.ended_at, measure.start),
        reason=measure.authority, entered_by=measure.taken_by, entered_at=measure.start, ended_at=measure.ended_at,
        ended_by=measure.ended_by or "", synthetic=hazard.synthetic, version=2 if over else 1,
    )  # fmt: skip
