"""A major hazard comes into the open: reports, publication, listing for rectification. What must not go in: other commands."""

from msgspec import structs

from hazards.errors import BadInput
from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.entries import entered, noted
from hazards.ledger.lifecycle import Event
from hazards.ledger.particulars import Listing, Publication, Report

_REPORTED = {"department": Event.REPORTED_TO_DEPARTMENT, "staff_congress": Event.REPORTED_TO_CONGRESS}


def report(case: Case, command: ask.ReportHazard) -> Decision:
    """It was reported to the department or to the staff congress (双报告)."""
    made = Report(to=command.to, recipient=command.recipient, at=case.now, by=case.actor.id, note=command.note)
    tells = ("department",) if command.to == "department" else ()
    rule = "report_at_once" if command.to == "department" else "double_report"
    return case.done(_REPORTED[command.to], entered(command), rule=rule, tells=tells, reports=[*case.hazard.reports, made])


def publish(case: Case, command: ask.Publish) -> Decision:
    """It was published (公示)."""
    if command.until is not None and command.until <= case.now:
        raise BadInput("the end of the publication lies in the past", where="/until")
    made = Publication(place=command.place, at=case.now, by=case.actor.id, until=command.until)
    return case.done(Event.PUBLISHED, entered(command), publications=[*case.hazard.publications, made])


def put_on_list(case: Case, command: ask.ListForRectification) -> Decision:
    """It is listed for rectification (挂牌整改)."""
    made = Listing(number=command.number, supervisor=command.supervisor, at=case.now, by=case.actor.id, note=command.note)
    return case.done(Event.LISTED, entered(command), tells=("enterprise",), listings=[*case.hazard.listings, made])


def lift_listing(case: Case, command: ask.LiftListing) -> Decision:
    """It is off the list for rectification (摘牌)."""
    listings = lifted(case, case.hazard.listings)
    return case.done(Event.LISTING_LIFTED, {"number": listings[-1].number} | noted(command.note), tells=("enterprise",), listings=listings)


def lifted(case: Case, listings: list[Listing]) -> list[Listing]:
    """``listings`` with the last one lifted now."""
    return [*listings[:-1], structs.replace(listings[-1], lifted_at=case.now, lifted_by=case.actor.id)]
