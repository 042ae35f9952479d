"""The gate before every route: body bound, who asks, may they, CSRF — in that order, before anything is parsed.

A route can only be registered with a row in ``api/roles.py``. What must not go in: routes, SQL.
"""

import asyncio
from collections.abc import Callable, Coroutine
from secrets import compare_digest
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api import problems
from api.principals import Principal
from api.roles import ROUTES, Access
from hazards.errors import Misconfigured, NotPermitted, NotSignedIn, TooLarge

COOKIE, SECURE_COOKIE = "bihuan_session", "__Host-bihuan_session"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that lets nobody in without a row in the table of rights. Raises Misconfigured when it has none."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        methods = sorted(options.get("methods") or {"GET"})
        rows = {(method, path): ROUTES.get((method, path)) for method in methods}
        if missing := [key for key, row in rows.items() if row is None]:
            raise Misconfigured(f"route {missing[0]} has no row in api/roles.py", where="api/roles.py")
        self.access: Access = next(row for row in rows.values() if row is not None)
        options["responses"] = {**problems.responses(*self._problem_statuses(path, methods[0])), **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    def _problem_statuses(self, path: str, method: str) -> list[int]:
        signed = [401, 403] if self.access.roles is not None else []
        body = [408, 413, 422] if self.access.body else ([422] if path.startswith("/api/") else [])
        gone = [404] if "{" in path else []
        return sorted({*signed, *body, *gone, *([503] if path.startswith("/api/") else [])})

    def get_route_handler(self) -> Handler:
        """The gate, then FastAPI's own handler."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            _refuse_large(request, self.access.body)
            if self.access.roles is not None:
                request.state.principal = request.app.state.services.scopes.bind(await _admit(request, self.access))
            await _read_body(request, self.access.body)
            return await inner(request)

        return guarded


async def principal_of(request: Request) -> Principal:
    """FastAPI dependency: who asks. Only for routes that need somebody signed in."""
    principal: Principal = request.state.principal
    return principal


def presented(request: Request) -> tuple[str | None, str | None]:
    """(bearer token, session cookie) as they came; a token wins over a cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer" or not token.strip():
            raise NotSignedIn("the Authorization header is not 'Bearer TOKEN'")
        return token.strip(), None
    return None, request.cookies.get(SECURE_COOKIE) or request.cookies.get(COOKIE)


async def _admit(request: Request, access: Access) -> Principal:
    token, session = presented(request)
    principals = request.app.state.services.principals
    if token is None and not session:
        raise NotSignedIn("sign in, or send a token as 'Authorization: Bearer'")
    principal: Principal = await (principals.of_token(token) if token else principals.of_session(session))
    if access.roles is None or principal.role not in access.roles:
        raise NotPermitted(f"the role {principal.role.value} may not do this")
    if access.person and not principal.is_person:
        raise NotPermitted("a person may do this, not a machine with a token", hint="sign in and do it there")
    if principal.is_person and request.method not in SAFE_METHODS:
        sent = request.headers.get(CSRF_HEADER, "")
        if not compare_digest(sent.encode(), (principal.csrf or "").encode()):
            raise NotPermitted("the CSRF token is missing or wrong", hint=f"send {CSRF_HEADER} with the value of GET /api/v1/session")
    return principal


def _refuse_large(request: Request, bound: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) >= max(bound, 1) and bound:
        raise _too_large(bound)


async def _read_body(request: Request, bound: int) -> None:
    """Read the body up to its bound and leave it where FastAPI finds it; routes without one never read any."""
    if not bound:
        return
    chunks, size = [], 0
    try:
        async with asyncio.timeout(request.app.state.services.settings.body_timeout):
            async for chunk in request.stream():
                size += len(chunk)
                if size >= bound:
                    raise _too_large(bound)
                chunks.append(chunk)
    except TimeoutError as e:
        raise HTTPException(408, "the body did not arrive in time; nothing was taken", {"Connection": "close"}) from e
    request._body = b"".join(chunks)  # Starlette's own place for a body that was read


def _too_large(bound: int) -> TooLarge:
    return TooLarge(f"the body must be under {bound:,} bytes", hint="send several smaller ones")
