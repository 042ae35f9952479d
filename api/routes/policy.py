"""The policy pack in force: grades, kinds, measures and every rule with who says it. What must not go in: decisions."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from api.gate import GuardedRoute
from api.models import Text
from api.policy_models import HazardKind, PolicyApplied, PolicyCheck, PolicyPack, PolicyVersion, PolicyVersionPage, PostChoice
from api.present_hazards import HazardPresenter
from api.problems import responses
from api.routes.common import Asking, Filter, With
from hazards.errors import NotFound
from hazards.ledger.kinds import hazard_kinds
from hazards.ledger.policy import Policy, basis_of
from storage.hazard_facts import policy_of
from storage.policies import apply_policy, versions

router = APIRouter(route_class=GuardedRoute, tags=["hazards"])


_FILE: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/yaml": {"schema": {"type": "string", "description": "a policy pack"}}}}
}


@router.get("/api/v1/policy", summary="The policy pack", responses=responses(404))
async def get_policy(asking: Asking, services: With, version: Filter = None) -> PolicyPack:
    """What hazards are graded, clocked and accepted by; ``version``: another one than that in force.

    ``measures``: those that the caller's role may take."""
    registry = services.registry()
    policy = policy_of(registry) if version is None else registry.packs.get(version)
    if policy is None:
        raise NotFound("no such version of a pack", where=version or "", hint="GET /api/v1/policy/versions lists them")
    presenter = HazardPresenter(services.presenter(), policy)
    return PolicyPack(
        id=policy.id, version=policy.version, name=Text(zh=policy.zh, en=policy.en), grades=presenter.grades(),
        kinds=[
            HazardKind(kind=k.name, name=Text(zh=k.chinese, en=k.english), observable=k.observable)
            for k in hazard_kinds(policy.kinds).values()
        ],
        measures=presenter.measure_kinds(asking.role.value),
        posts=[PostChoice(post=p.name, name=Text(zh=p.zh, en=p.en)) for p in policy.posts],
        rules=[presenter.ruling(basis_of(rule)) for rule in policy.rules.values()],
    )  # fmt: skip


@router.get("/api/v1/policy/versions", summary="Every version of a policy pack")
async def get_policy_versions(asking: Asking, services: With) -> PolicyVersionPage:
    """Newest first. The change itself is on the record of the ledger, chained like a hazard's."""
    found = await services.database.reading(versions)
    time, in_force = services.presenter().time, policy_of(services.registry()).version
    items = [
        PolicyVersion(id=v.id, version=v.version, name=Text(zh=v.zh, en=v.en), digest=v.digest, applied_at=time(v.applied_at),
                             applied_by=v.applied_by, in_force=v.version == in_force) for v in found
    ]  # fmt: skip
    return PolicyVersionPage(items=items, next=None)


@router.post("/api/v1/policy/check", summary="Check a policy pack", openapi_extra=_FILE)
async def check_policy(request: Request, asking: Asking, services: With) -> PolicyCheck:
    """Nothing changes. Each problem is named by its line."""
    policy, warnings = await _read(request, services)
    return PolicyCheck(id=policy.id, version=policy.version, rules=len(policy.rules), warnings=warnings)


@router.put("/api/v1/policy", summary="Apply a policy pack", openapi_extra=_FILE, responses=responses(409))
async def put_policy(request: Request, asking: Asking, services: With) -> PolicyApplied:
    """Hazards keep the version under which they were opened. The same version with other contents is a conflict."""
    policy, _ = await _read(request, services)
    changed = await services.database.writing(
        lambda c: apply_policy(c, policy, by=asking.id, role=asking.role.value, now=services.now())
    )
    await services.reload_site()
    return PolicyApplied(id=policy.id, version=policy.version, changed=changed)


async def _read(request: Request, services: With) -> tuple[Policy, list[str]]:
    body = await request.body()
    today = services.presenter().time(services.now()).date()
    return await asyncio.to_thread(services.read_policy, body, today)
