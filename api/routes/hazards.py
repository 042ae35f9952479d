"""Hazards (隐患) for people and machines: lists, one in full, its record, commands, files. What must not go in: SQL, decisions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api import hazard_models as models
from api import hazard_requests as requests
from api.files import begins_as
from api.gate import GuardedRoute
from api.present import evidence_url
from api.present_hazards import HazardPresenter
from api.principals import Principal
from api.problems import responses
from api.record_models import HazardEventPage
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp
from api.routes.incidents import FEED_POSITION, POSITION
from api.services import Services
from hazards.errors import BadInput
from hazards.ledger import commands as domain
from hazards.ledger.conditions import hindrance, open_to
from hazards.ledger.decision import Case
from hazards.ledger.decisions import case_of, check_may_propose
from hazards.ledger.hazard import Actor
from hazards.ledger.lifecycle import COMMANDS
from hazards.ledger.policy import basis_of
from hazards.ledger.rulings import ChangedSince, IncompleteByRule, NotByRule, NotForRole
from hazards.scope import EVERYTHING, Scope
from storage.hazard_facts import facts_of, policy_of, series_asked
from storage.hazard_incidents import incidents_of
from storage.hazard_queries import get_hazard, hazard_events, list_hazards
from storage.hazards import command_hazard, preview_gate, propose_hazard
from storage.outbox import feed_bounds
from storage.series_sight import Asked, SeriesSight, look
from storage.uploads import keep_upload

router = APIRouter(route_class=GuardedRoute, tags=["hazards"])

State = Literal["proposed", "confirmed", "planned", "rectifying", "claimed", "accepted", "closed", "dismissed", "merged"]
Mark = Literal["repeated", "listed", "supervised", "extension_requested", "alarm_since_claim", "summons_due"]
States = Annotated[list[State], Query(description="one or more; none: all states")]
Marks = Annotated[list[Mark], Query(description="all of them; none: whatever marks")]
Grades = Annotated[list[Annotated[str, Query(max_length=64, pattern=r"^[^\x00]*$")]], Query(description="one or more; none: all")]
_NEW: dict[int | str, dict[str, Any]] = {201: {"model": models.HazardDetail, "description": "it is new; 200: it was there already"}}
GATED = (domain.Claim, domain.Accept, domain.Close)
"""Commands that the evidence gate stands before."""
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
_FILE = {"requestBody": {"required": True, "content": {m: {"schema": {"type": "string", "format": "binary"}} for m in MEDIA_TYPES}}}


@router.get("/api/v1/hazards", summary="Hazards, newest first", responses=POSITION)
async def get_hazards(
    asking: Asking, services: With, response: Response, state: States = [], zone: Filter = None, enterprise: Filter = None,  # noqa: B006
    grade: Grades = [], incident: Filter = None, overdue: bool | None = None, mark: Marks = [], cursor: Cursor = None, limit: Limit = 50,  # noqa: B006
) -> models.HazardPage:  # fmt: skip
    """All states unless filtered; ``overdue``: the due date has passed and it is not accepted. An enterprise sees its own."""

    def work(connection: Connection) -> tuple[int, models.HazardPage]:
        newest = feed_bounds(connection)[1]
        found, following = list_hazards(
            connection, scope=asking.scope, now=services.now(), states=state, zone=zone, enterprise=enterprise, grades=grade,
            incident=incident, overdue=overdue, marks=mark, cursor=cursor, limit=clamp(limit),
        )  # fmt: skip
        presenter = _presenter(services)
        return newest, models.HazardPage(items=[presenter.hazard(h) for h in found], next=following)

    newest, page = await services.database.reading(work)
    response.headers[FEED_POSITION] = str(newest)
    return page


@router.post("/api/v1/hazards", summary="Put a hazard down", responses={**_NEW, **responses(404, 409)})
async def post_hazard(proposal: requests.Proposal, asking: Asking, services: With, response: Response) -> models.HazardDetail:
    """From an incident, once however often it is asked, or by hand. A person of an authority then confirms it and its grade."""
    async with _explaining(services):  # before what is wrong with the body
        check_may_propose(_actor(asking), policy_of(services.registry()))
    if proposal.incident is None:
        for name in ("zone", "kind", "grade", "title"):
            if not (getattr(proposal, name) or "").strip():
                raise BadInput("needed unless the hazard is put down from an incident", where=f"/{name}")
    command = domain.Propose(
        zone=proposal.zone or "", kind=proposal.kind or "", grade=proposal.grade or "", title=proposal.title or "",
        description=proposal.description, incident=proposal.incident, origin=proposal.origin, reference=proposal.reference,
    )  # fmt: skip
    command_id = proposal.command_id or token_hex(16)
    async with _explaining(services):
        hazard, new = await services.database.writing(
            lambda c: propose_hazard(c, command, actor=_actor(asking), scope=asking.scope, command_id=command_id, now=services.now())
        )
    services.ring()
    response.status_code = 201 if new else 200
    return await _detail(hazard.id, asking, services)


@router.get("/api/v1/hazards/{id}", summary="One hazard")
async def get_one_hazard(hazard_id: Id, asking: Asking, services: With) -> models.HazardDetail:
    """In full: plan, measures, claim, what the evidence gate would say now, and what the caller may do, with reasons why not."""
    return await _detail(hazard_id, asking, services)


@router.get("/api/v1/hazards/{id}/events", summary="The record of a hazard")
async def get_hazard_events(
    hazard_id: Id, asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100
) -> HazardEventPage:
    """Every entry in order, with its digest: SHA-256 over the digest before it (64 zeros before the first) and ``recorded``."""
    rows, following = await services.database.reading(
        lambda c: hazard_events(c, hazard_id, scope=asking.scope, cursor=cursor, limit=clamp(limit))
    )
    presenter = _presenter(services)
    return HazardEventPage(items=[presenter.event(r.entry, r.data, r.digest) for r in rows], next=following)


@router.get("/api/v1/hazards/{id}/incidents", summary="The incidents of a hazard")
async def get_hazard_incidents(
    hazard_id: Id, asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 50
) -> models.HazardIncidentPage:
    """Newest first: those that belong to it by its record, and those of its kind in its zone from an hour before it was put down."""
    rows, following = await services.database.reading(
        lambda c: incidents_of(c, hazard_id, scope=asking.scope, cursor=cursor, limit=clamp(limit))
    )
    presenter = _presenter(services)
    return models.HazardIncidentPage(items=[presenter.incident(incident, why) for incident, why in rows], next=following)


@router.post(
    "/api/v1/hazards/{id}/commands", responses=responses(409),
    summary="One of the commands on a hazard",
)  # fmt: skip
async def post_hazard_command(hazard_id: Id, command: requests.HazardCommand, asking: Asking, services: With) -> models.HazardDetail:
    """Decided at once; the hazard afterwards. What the state, a rule or the evidence does not allow: 409 with rule, basis and ``gate``."""
    wanted = requests.to_domain(command)
    seen = await _looked(services, hazard_id, asking, claim=isinstance(wanted, domain.Claim)) if isinstance(wanted, GATED) else None
    async with _explaining(services, hazard_id, asking.scope):
        outcome = await services.database.writing(
            lambda c: command_hazard(
                c, hazard_id, wanted, actor=_actor(asking), scope=asking.scope, now=services.now(), command_id=command.command_id, seen=seen
            )
        )
        services.ring()
        if outcome.refusal is not None:  # it is on the record: refusing is what was committed
            raise outcome.refusal
    return await _detail(hazard_id, asking, services)


@router.post(
    "/api/v1/hazards/{id}/evidence", status_code=201, responses=responses(413), openapi_extra=_FILE, summary="Keep a photo or document"
)
async def post_hazard_evidence(hazard_id: Id, request: Request, asking: Asking, services: With) -> models.EvidenceKept:
    """The bytes themselves as the body, with their media type. Kept by content hash; a claim then names it by ``sha256``."""
    hazard = await services.database.reading(lambda c: get_hazard(c, hazard_id, scope=asking.scope))
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise BadInput(f"a file of evidence is one of {', '.join(MEDIA_TYPES)}", where="Content-Type")
    data = await request.body()
    if not data:
        raise BadInput("the file is empty", where="")
    if not begins_as(data, media_type):
        raise BadInput(f"the file is no {media_type}", where="", hint="send the photo or document as it is, with its own media type")
    device, now = f"hazard:{hazard.id}", services.now()
    sha256 = await asyncio.to_thread(services.pictures.put, data, media_type=media_type, device=device, zone=hazard.zone, taken_at=now)
    await services.database.writing(
        lambda c: keep_upload(c, sha256, media_type=media_type, size=len(data), device=device, zone=hazard.zone, taken_at=now)
    )
    return models.EvidenceKept(sha256=sha256, media_type=media_type, size=len(data), url=evidence_url(sha256) or "")


# --- between the edge and the domain ---
def _presenter(services: Services) -> HazardPresenter:
    return HazardPresenter(services.presenter(), policy_of(services.registry()))


@asynccontextmanager
async def _explaining(services: Services, hazard_id: str | None = None, scope: Scope = EVERYTHING) -> AsyncIterator[None]:
    """Refusals carry their rule in full, the evidence gate's answer, or what somebody else changed first, as the API shows them: by the
    pack of the hazard that they are about, without one by the pack in force."""
    try:
        yield
    except (NotByRule, NotForRole, IncompleteByRule) as error:
        presenter = _presenter(services)
        if hazard_id is not None:
            hazard = await services.database.reading(lambda c: get_hazard(c, hazard_id, scope=scope))
            presenter = presenter.under(hazard.policy)
        error.ruling_shown = presenter.ruling(basis_of(error.ruling))
        if isinstance(error, NotByRule) and error.gate is not None:
            error.gate_shown = presenter.gate(error.gate)
        raise
    except ChangedSince as error:
        presenter = _presenter(services)
        error.changes_shown = [presenter.change(entry) for entry in error.changes]
        raise


def _actor(asking: Principal) -> Actor:
    return Actor(asking.id, asking.role.value, asking.enterprise, asking.name, asking.confirmed_at)


async def _looked(services: Services, hazard_id: str, asking: Principal, *, claim: bool) -> SeriesSight | None:
    """What the time series says for the command that the evidence gate stands before; read outside of its transaction."""
    asked = await services.database.reading(
        lambda c: series_asked(c, get_hazard(c, hazard_id, scope=asking.scope), now=services.now(), claim=claim)
    )
    return await look(services.time_series, asked, now=services.now()) if asked is not None else None


async def _detail(hazard_id: str, asking: Principal, services: Services) -> models.HazardDetail:
    def work(connection: Connection, seen: SeriesSight | None = None) -> models.HazardDetail | Asked:
        hazard, now = get_hazard(connection, hazard_id, scope=asking.scope), services.now()
        if seen is None and (asked := series_asked(connection, hazard, now=now)) is not None:
            return asked
        gate = preview_gate(connection, hazard, now=now, seen=seen)
        facts = facts_of(connection, services.registry(), hazard)
        presenter, case = _presenter(services), case_of(hazard, _actor(asking), now, facts)
        commands = [_allowance(name, case, presenter) for name in COMMANDS]
        return presenter.detail(case, gate, commands)

    found = await services.database.reading(work)
    while isinstance(found, Asked):
        seen = await look(services.time_series, found, now=services.now())
        found = await services.database.reading(lambda c: work(c, seen))  # noqa: B023 (awaited in this round)
    return found


def _allowance(name: str, case: Case, presenter: HazardPresenter) -> models.Allowance:
    found, rule = hindrance(case, name), case.policy.rule_of(COMMANDS[name][0]).id
    return models.Allowance(
        command=name, name=presenter.text(f"hazard.command.{name}"), allowed=found is None, rule=rule, open_to=open_to(case, name),
        why_not=presenter.ruling(basis_of(found.ruling)) if found else None, detail=found.what if found else "",
    )  # fmt: skip
