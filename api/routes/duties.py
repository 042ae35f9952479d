"""Periodic duties (履职): what is to be done until when, and saying that it was done. What must not go in: SQL, periods."""

from typing import Literal

from fastapi import APIRouter

from api import duty_models as models
from api.gate import GuardedRoute
from api.present_duties import DutyPresenter
from api.present_hazards import HazardPresenter
from api.problems import responses
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp
from api.services import Services
from hazards.ledger.lifecycle import Event
from hazards.ledger.policy import basis_of
from hazards.ledger.rulings import NotForRole
from storage.duties import finish_duty, get_duty, list_duties
from storage.hazard_facts import policy_of

router = APIRouter(route_class=GuardedRoute, tags=["hazards"])


@router.get("/api/v1/duties", summary="Periodic duties, latest due date first")
async def get_duties(
    asking: Asking, services: With, state: Literal["open", "done"] | None = None, post: Filter = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> models.DutyPage:  # fmt: skip
    """Inspections and the like, which each period asks for anew. ``state``: those that are still to be done, or those that are.

    They are of the whole site: who is bound to a district that the site does not lie in sees none."""
    posts, is_open = [post] if post else [], None if state is None else state == "open"
    found, following = await services.database.reading(
        lambda c: list_duties(c, asking.scope, posts=posts, is_open=is_open, cursor=cursor, limit=clamp(limit))
    )
    presenter = _presenter(services)
    return models.DutyPage(items=[presenter.duty(duty, asking) for duty in found], next=following)


@router.post("/api/v1/duties/{id}/commands", summary="Say that a duty was done", responses=responses(404, 409))
async def post_duty_command(duty_id: Id, command: models.FinishDuty, asking: Asking, services: With) -> models.Duty:
    """By a role that holds the post, once; the duty afterwards."""
    presenter = _presenter(services)
    duty = await services.database.reading(lambda c: get_duty(c, duty_id, asking.scope))
    if not presenter.holds(asking, duty):
        policy, rule = presenter.policy, presenter.policy.duty(duty.name)
        ruling = policy.rule(rule.rule) if rule is not None else policy.rule_of(Event.CLOCK_POINT)
        error = NotForRole(f"the role {asking.role.value} does not hold the post {duty.post}", ruling)
        error.ruling_shown = HazardPresenter(services.presenter(), policy).ruling(basis_of(ruling))
        raise error
    done = await services.database.writing(
        lambda c: finish_duty(c, duty_id, asking.scope, by=asking.id, note=command.note, now=services.now())
    )
    return presenter.duty(done, asking)


def _presenter(services: Services) -> DutyPresenter:
    return DutyPresenter(services.presenter(), policy_of(services.registry()))
