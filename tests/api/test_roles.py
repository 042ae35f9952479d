"""Roles × routes: the table is complete, and what it says is what happens."""

import httpx
import pytest
from fastapi import APIRouter
from starlette.routing import BaseRoute

from api import roles
from api.app import ROUTERS
from api.gate import GuardedRoute
from api.models import Command
from api.roles import COMMANDS, ROUTES, Role
from hazards.errors import Misconfigured
from tests.api.conftest import System, bearer

PLACES = {"{id}": "nothing", "{sha256}": "0" * 64, "{path:path}": "style.css"}


def filled(path: str) -> str:
    for name, value in PLACES.items():
        path = path.replace(name, value)
    return path


def registered() -> set[tuple[str, str]]:
    return {(method, route.path) for module in ROUTERS for route in module.router.routes for method in route.methods}  # type: ignore[attr-defined]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert registered() == set(ROUTES)


def test_every_route_of_the_application_goes_through_the_gate(system: System) -> None:
    def walk(routes: list[BaseRoute]) -> list[BaseRoute]:
        found = []
        for route in routes:
            inner = getattr(route, "original_router", None)
            found += walk(inner.routes) if inner is not None else [route]
        return found

    routes = walk(system.app.routes)
    assert routes and all(isinstance(route, GuardedRoute) for route in routes)


def test_a_route_without_a_row_can_not_be_registered() -> None:
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(Misconfigured, match="no row"):
        router.get("/api/v1/secrets")(lambda: None)


@pytest.mark.parametrize(("method", "path"), [key for key, row in ROUTES.items() if row.roles is not None])
async def test_without_signing_in_every_other_route_is_refused(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, filled(path))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_is_refused_exactly_what_its_row_does_not_name(client: httpx.AsyncClient, system: System, role: Role) -> None:
    headers = bearer(system.token(role.value, "alu" if role is Role.ENTERPRISE else None))
    for (method, path), row in ROUTES.items():
        if row.roles is None or path in {"/api/v1/feed", "/api/v1/session", "/api/v1/session/password"}:
            continue  # the feed does not end; machines have no session
        answer = await client.request(method, filled(path), headers=headers)
        assert (answer.status_code == 403) == (role not in row.roles or row.person), (method, path, answer.text)


async def test_a_token_makes_no_person_and_sets_no_password_and_a_person_does(client: httpx.AsyncClient, system: System) -> None:
    machine, root = bearer(system.token("administrator")), system.person("root", "administrator")
    new = {"id": "li", "name": "李", "role": "bureau", "password": "a whole new password"}
    for headers, made, changed in ((machine, 403, 403), (root, 201, 200)):
        answers = [await client.post("/api/v1/users", json=new, headers=headers)]
        answers.append(await client.patch("/api/v1/users/li", json={"password": "another password"}, headers=headers))
        assert [answer.status_code for answer in answers] == [made, changed]
        if headers is machine:
            assert {answer.json()["hint"] for answer in answers} == {"sign in and do it there"}


def test_every_command_has_its_roles() -> None:
    names = {model.model_fields["command"].annotation.__args__[0] for model in Command.__args__[0].__args__}
    assert names == set(COMMANDS)
    assert all(Role.ADMINISTRATOR in allowed for allowed in COMMANDS.values())


def test_only_the_role_enterprise_is_bound_to_one() -> None:
    assert [role for role in Role if not roles.may_see_all(role)] == [Role.ENTERPRISE]
