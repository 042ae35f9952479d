"""Incidents for people and machines: lists, details, commands. What must not go in: SQL, decisions."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from api import models
from api.gate import GuardedRoute
from api.present_rules import RulePresenter
from api.problems import RuledNotPermitted, responses
from api.roles import COMMANDS, COMMANDS_BASIS
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp
from hazards import incidents as domain
from hazards.annunciation import AlarmState
from storage.alarm_states import gravest_signal, list_alarm_states
from storage.commands import command_incident
from storage.hazard_facts import policy_of
from storage.incident_hazards import count_hazards, with_hazards
from storage.incident_queries import get_incident, incident_alarms, incident_events, list_incidents
from storage.outbox import feed_bounds
from storage.site_store import current_registry

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

State = Literal["pending", "active", "cleared", "closed"]
AlarmStates = Annotated[list[AlarmState], Query(description="one or more; none: all")]
States = Annotated[list[State], Query(description="one or more; none: all states")]
Severities = Annotated[list[Annotated[int, Query(ge=1, le=4)]], Query(description="one or more; none: all")]
FEED_POSITION = "Feed-Position"
_POSITION_HEADER = {"description": "give it to /feed as ``after``: nothing is missed in between", "schema": {"type": "integer"}}
POSITION: dict[int | str, dict[str, Any]] = {200: {"headers": {FEED_POSITION: _POSITION_HEADER}}}


@router.get("/api/v1/incidents", summary="Incidents, newest first", responses=POSITION)
async def get_incidents(
    asking: Asking, services: With, response: Response, state: States = [], zone: Filter = None, family: Filter = None,  # noqa: B006
    severity: Severities = [], acknowledged: bool | None = None, cursor: Cursor = None, limit: Limit = 50,  # noqa: B006
) -> models.IncidentPage:  # fmt: skip
    """All states unless filtered. An enterprise sees its own."""

    def work(connection: Connection) -> tuple[int, models.IncidentPage]:
        newest = feed_bounds(connection)[1]
        found, following = list_incidents(
            connection, scope=asking.scope, states=state, zone=zone, family=family, severities=severity, acknowledged=acknowledged,
            cursor=cursor, limit=clamp(limit),
        )  # fmt: skip
        presenter = services.presenter()
        counted = count_hazards(connection, found, now=services.now())
        return newest, models.IncidentPage(items=[presenter.incident(i, counted[i.id]) for i in found], next=following)

    newest, page = await services.database.reading(work)
    response.headers[FEED_POSITION] = str(newest)
    return page


@router.get("/api/v1/incidents/{id}", summary="One incident")
async def get_one_incident(incident_id: Id, asking: Asking, services: With) -> models.IncidentInFull:
    """With its names, its state towards the operator, why, and what to do about it; and the open hazards of its zone with their clocks."""

    def work(connection: Connection) -> models.IncidentInFull:
        found, now = [get_incident(connection, incident_id, scope=asking.scope)], services.now()
        (shown,) = with_hazards(connection, current_registry(connection), found, now=now)
        presenter = services.presenter()
        response = RulePresenter(presenter, policy_of(presenter.registry)).response_to(shown, gravest_signal(connection, shown))
        incident = presenter.incident(shown, count_hazards(connection, found, now=now)[incident_id])
        return models.IncidentInFull(**dict(incident), response=response)

    return await services.database.reading(work)


@router.get("/api/v1/alarm-states", summary="Alarms that are not normal, newest first")
async def get_alarm_states(
    asking: Asking, services: With, zone: Filter = None, device: Filter = None, incident: Filter = None,
    state: AlarmStates = [], cursor: Cursor = None, limit: Limit = 100,  # noqa: B006
) -> models.AlarmStatePage:  # fmt: skip
    """In the states of ISA-18.2: what stands, what waits to be acknowledged, what is shelved, suppressed or out of service, and why."""
    rows, following = await services.database.reading(
        lambda c: list_alarm_states(
            c, scope=asking.scope, zone=zone, device=device, incident=incident, states=state, cursor=cursor, limit=clamp(limit)
        )
    )
    presenter = services.presenter()
    return models.AlarmStatePage(items=[presenter.alarm_state(row) for row in rows], next=following)


@router.get("/api/v1/incidents/{id}/alarms", summary="Every signal of an incident")
async def get_incident_alarms(
    incident_id: Id, asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100
) -> models.AlarmPage:
    """Whatever chatter or shelving did, with the ids they came with and why each went here."""
    rows, following = await services.database.reading(
        lambda c: incident_alarms(c, incident_id, scope=asking.scope, cursor=cursor, limit=clamp(limit))
    )
    presenter = services.presenter()
    return models.AlarmPage(items=[presenter.alarm(r.signal, r.reason, r.explained) for r in rows], next=following)


@router.get("/api/v1/incidents/{id}/events", summary="The record of an incident")
async def get_incident_events(
    incident_id: Id, asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100
) -> models.TimelinePage:
    """What the system and people did, in the order of record."""
    rows, following = await services.database.reading(
        lambda c: incident_events(c, incident_id, scope=asking.scope, cursor=cursor, limit=clamp(limit))
    )
    presenter = services.presenter()
    return models.TimelinePage(items=[presenter.timeline_event(r.id, r.at, r.actor, r.event, r.body) for r in rows], next=following)


@router.post("/api/v1/incidents/{id}/commands", summary="Acknowledge, assign, comment, shelve, unshelve, close", responses=responses(409))
async def post_command(incident_id: Id, command: models.Command, asking: Asking, services: With) -> models.Incident:
    """Decided at once; the incident afterwards. What the state does not allow: 409; the role: 403 with the rule."""
    if asking.role not in COMMANDS[command.command]:
        # an incident that the caller may not see is not confirmed by a 403
        await services.database.reading(lambda c: get_incident(c, incident_id, scope=asking.scope))
        raise RuledNotPermitted(
            f"the role {asking.role.value} may not {command.command}", rule=f"command {command.command}", basis=COMMANDS_BASIS
        )
    decided = await services.database.writing(
        lambda c: command_incident(c, incident_id, _domain(command), actor=asking.id, scope=asking.scope, now=services.now())
    )
    services.ring()
    return services.presenter().incident(decided)


def _domain(command: models.Command) -> domain.IncidentCommand:
    match command:
        case models.Acknowledge():
            return domain.Acknowledge(version=command.version)
        case models.Assign():
            return domain.Assign(to=command.to, version=command.version)
        case models.Comment():
            return domain.Comment(text=command.text, version=command.version)
        case models.Shelve():
            return domain.Shelve(minutes=command.minutes, reason=command.reason, version=command.version)
        case models.Unshelve():
            return domain.Unshelve(version=command.version)
        case models.Close():
            return domain.Close(reason=command.reason, version=command.version)
