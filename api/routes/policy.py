"""The policy pack in force: grades, kinds, measures and every rule with who says it. What must not go in: decisions."""

from fastapi import APIRouter

from api import hazard_models as models
from api.gate import GuardedRoute
from api.models import Text
from api.present_hazards import HazardPresenter
from api.routes.common import Asking, With
from hazards.ledger.kinds import HAZARD_KINDS
from hazards.ledger.policy import basis_of
from storage.hazards import policy_of

router = APIRouter(route_class=GuardedRoute, tags=["hazards"])


@router.get("/api/v1/policy", summary="The policy pack")
async def get_policy(asking: Asking, services: With) -> models.PolicyPack:
    """What hazards are graded, clocked and accepted by. ``measures``: those that the caller's role may take."""
    policy = policy_of(services.registry())
    presenter = HazardPresenter(services.presenter(), policy)
    return models.PolicyPack(
        id=policy.id, version=policy.version, name=Text(zh=policy.zh, en=policy.en), grades=presenter.grades(),
        kinds=[
            models.HazardKind(kind=k.name, name=Text(zh=k.chinese, en=k.english), observable=k.observable) for k in HAZARD_KINDS.values()
        ],
        measures=presenter.measure_kinds(asking.role.value),
        rules=[presenter.ruling(basis_of(rule)) for rule in policy.rules.values()],
    )  # fmt: skip
