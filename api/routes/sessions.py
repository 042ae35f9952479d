"""Signing in and out, and one's own password. What must not go in: hashing, SQL."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from structlog import get_logger

from api import account_models as models
from api.gate import COOKIE, SECURE_COOKIE, GuardedRoute, presented
from api.principals import Principal
from api.problems import responses
from api.roles import COMMANDS, DECLARING, DUTIFUL, EVIDENCE_HOLDERS, PATROLLERS, RULE_MAKERS
from api.routes.common import Asking, With
from api.services import Services
from hazards.errors import NotFound, NotPermitted, NotSignedIn
from storage import accounts
from storage.hazard_facts import policy_of

router = APIRouter(route_class=GuardedRoute, tags=["session"])
log = get_logger(__name__)


def _me(principal: Principal, services: Services) -> models.Me:
    presenter, site = services.presenter(), services.registry().site
    return models.Me(
        id=principal.id, name=principal.name, role=principal.role, enterprise=principal.enterprise, district=principal.district,
        person=principal.is_person, csrf=principal.csrf, expires_at=presenter.time_or_none(principal.expires_at),
        commands=sorted(name for name, roles in COMMANDS.items() if principal.role in roles),
        sees_duties=principal.role in DUTIFUL, declares=[kind for kind, row in DECLARING.items() if principal.role in row.enters],
        makes_rules=principal.role in RULE_MAKERS, holds_evidence=principal.role in EVIDENCE_HOLDERS,
        patrols=principal.role in PATROLLERS,
        hazard_commands=sorted(name for name, right in policy_of(services.registry()).commands.items() if principal.role in right.roles),
        site_name=site.name or None, time_zone=presenter.time_zone_name, synthetic=site.synthetic,
    )  # fmt: skip


@router.post("/api/v1/session", summary="Sign in", responses=responses(401, 429))
async def sign_in(login: models.Login, request: Request, response: Response, services: With) -> models.Me:
    """Sets the session cookie (HttpOnly, SameSite=Strict). Writes then need the ``csrf`` of the answer as X-CSRF-Token."""
    address = _address(request)
    services.throttle.begin(login.name, address)
    user, password_hash = await _find(login.name, services)
    right = await services.passwords.verify(password_hash, login.password)
    if user is None or not right or user.disabled:
        log.warning("a sign-in failed", address=address)
        raise NotSignedIn("the name or the password is wrong")
    services.throttle.succeeded(login.name, address)
    now = services.now()
    expires_at = now + int(services.settings.session_lifetime * 1_000_000)
    _, before = presented(request)

    def open_it(connection: Connection) -> str:
        if before:
            accounts.end_session(connection, accounts.secret_hash(before))
        return accounts.open_session(connection, user.id, now=now, expires_at=expires_at)[0]

    secret = await services.database.writing(open_it)
    services.principals.forget()
    _set_cookie(request, response, services, secret)
    log.info("signed in", user=user.id, address=address)
    return _me(await services.principals.of_session(secret), services)


async def _find(name: str, services: Services) -> tuple[accounts.User | None, str]:
    try:
        return await services.database.reading(lambda c: accounts.get_user(c, name))
    except NotFound:
        return None, accounts.NOBODYS_HASH


def _is_secure(request: Request, services: Services) -> bool:
    configured = services.settings.secure_cookie
    return request.url.scheme == "https" if configured is None else configured


def _set_cookie(request: Request, response: Response, services: Services, secret: str) -> None:
    secure = _is_secure(request, services)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE, secret, max_age=int(services.settings.session_lifetime), path="/", secure=secure,
        httponly=True, samesite="strict",
    )  # fmt: skip


@router.get("/api/v1/session", summary="Who is signed in")
async def get_session(asking: Asking, services: With) -> models.Me:
    """The person or machine, what it may do, and the CSRF token."""
    return _me(asking, services)


@router.delete("/api/v1/session", summary="Sign out", status_code=204)
async def sign_out(asking: Asking, request: Request, services: With) -> Response:
    """Ends the session of the cookie."""
    session = asking.session
    if session is None:
        raise NotPermitted("a machine has no session", hint="revoke its token instead")
    await services.database.writing(lambda c: accounts.end_session(c, session))
    services.principals.forget()
    response = Response(status_code=204)
    for name, secure in ((COOKIE, False), (SECURE_COOKIE, True)):
        if name in request.cookies:
            response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")
    return response


async def _prove(asking: Principal, password: str, request: Request, services: Services) -> None:
    """That it is really the person of the session who asks. Raises NotPermitted, Throttled."""
    address = _address(request)
    services.throttle.begin(asking.id, address)
    _, password_hash = await services.database.reading(lambda c: accounts.get_user(c, asking.id))
    if not await services.passwords.verify(password_hash, password):
        raise NotPermitted("the password is wrong")
    services.throttle.succeeded(asking.id, address)


def _address(request: Request) -> str:
    return request.client.host if request.client else "local"


@router.post("/api/v1/session/password", summary="Change one's own password", status_code=204, responses=responses(429))
async def change_password(change: models.PasswordChange, asking: Asking, request: Request, services: With) -> Response:
    """Needs the old one. Every other session of the person ends."""
    if asking.session is None:
        raise NotPermitted("a machine has no password")
    await _prove(asking, change.old, request, services)
    new_hash = await services.passwords.hash(change.new)
    await services.database.writing(lambda c: accounts.set_password(c, asking.id, new_hash, keep=asking.session))
    services.principals.forget()
    log.info("a password was changed", user=asking.id)
    return Response(status_code=204)


@router.post("/api/v1/session/confirm", summary="Prove again who you are, before a signature", status_code=204, responses=responses(429))
async def confirm_session(proof: models.Proof, asking: Asking, request: Request, services: With) -> Response:
    """With one's own password; signatures may follow for five minutes."""
    session = asking.session
    if session is None:
        raise NotPermitted("a machine can't sign", hint="a person signs in and signs")
    await _prove(asking, proof.password, request, services)
    now = services.now()
    await services.database.writing(lambda c: accounts.confirm_session(c, session, now=now))
    services.principals.forget()
    return Response(status_code=204)
