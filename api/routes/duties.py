"""Periodic duties (履职): what is to be done until when, and saying that it was done. What must not go in: SQL, periods."""

from typing import Literal

from fastapi import APIRouter

from api import duty_models as models
from api.gate import GuardedRoute
from api.models import Text
from api.present_hazards import HazardPresenter
from api.principals import Principal
from api.problems import responses
from api.roles import Role
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp
from api.services import Services
from hazards.ledger.duties import Duty, duty_points
from hazards.ledger.lifecycle import Event
from hazards.ledger.policy import DutyRule, Policy, basis_of
from hazards.ledger.rulings import NotForRole
from storage.duties import finish_duty, get_duty, list_duties
from storage.hazard_facts import policy_of, zone_of

router = APIRouter(route_class=GuardedRoute, tags=["hazards"])


@router.get("/api/v1/duties", summary="Periodic duties, latest due date first")
async def get_duties(
    asking: Asking, services: With, state: Literal["open", "done"] | None = None, post: Filter = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> models.DutyPage:  # fmt: skip
    """Inspections and the like, which each period asks for anew. ``state``: those that are still to be done, or those that are."""
    posts, is_open = [post] if post else [], None if state is None else state == "open"
    found, following = await services.database.reading(
        lambda c: list_duties(c, posts=posts, is_open=is_open, cursor=cursor, limit=clamp(limit))
    )
    return models.DutyPage(items=[_shown(duty, asking, services) for duty in found], next=following)


@router.post("/api/v1/duties/{id}/commands", summary="Say that a duty was done", responses=responses(404, 409))
async def post_duty_command(duty_id: Id, command: models.FinishDuty, asking: Asking, services: With) -> models.Duty:
    """By a role that holds the post, once; the duty afterwards."""
    policy = policy_of(services.registry())
    duty = await services.database.reading(lambda c: get_duty(c, duty_id))
    if not _holds(asking, duty, policy):
        rule = _rule_of(duty, policy)
        ruling = policy.rule(rule.rule) if rule is not None else policy.rule_of(Event.CLOCK_POINT)
        error = NotForRole(f"the role {asking.role.value} does not hold the post {duty.post}", ruling)
        error.ruling_shown = HazardPresenter(services.presenter(), policy).ruling(basis_of(ruling))
        raise error
    done = await services.database.writing(lambda c: finish_duty(c, duty_id, by=asking.id, note=command.note, now=services.now()))
    return _shown(done, asking, services)


def _rule_of(duty: Duty, policy: Policy) -> DutyRule | None:
    return next((rule for rule in policy.duties if rule.name == duty.name), None)


def _holds(asking: Principal, duty: Duty, policy: Policy) -> bool:
    return asking.role is Role.ADMINISTRATOR or asking.role.value in policy.roles_of((duty.post,))


def _shown(duty: Duty, asking: Principal, services: Services) -> models.Duty:
    policy, presenter, now = policy_of(services.registry()), services.presenter(), services.now()
    rule, post, standing = _rule_of(duty, policy), policy.post(duty.post), duty.standing(now)
    points = duty_points(duty, rule, zone_of(services.registry())) if rule is not None else ()
    ruling = HazardPresenter(presenter, policy).ruling(basis_of(policy.rule(rule.rule))) if rule is not None else None
    return models.Duty(
        id=duty.id, duty=duty.name, name=Text(zh=rule.zh, en=rule.en) if rule else Text(zh=duty.name, en=duty.name), post=duty.post,
        post_name=Text(zh=post.zh, en=post.en) if post else Text(zh=duty.post, en=duty.post), body=duty.body, period=duty.period,
        due_at=presenter.time(duty.due_at), standing=standing, standing_name=presenter.text(f"duty.standing.{standing}"),
        done_at=presenter.time_or_none(duty.done_at), done_by=duty.done_by, note=duty.note, ruling=ruling,
        points=[models.DutyPoint(at=presenter.time(p.at), point=p.name, tells=list(p.tells), passed=p.at <= now) for p in points],
        may_finish=duty.done_at is None and _holds(asking, duty, policy),
    )  # fmt: skip
