"""The outermost layer of every answer: security headers, figures, and a problem for what nobody expected. Plain ASGI.

What must not go in: rights (``api/gate.py``), known errors (``api/problems.py``).
"""

from time import perf_counter
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger

from api import problems
from api.metrics import Metrics

log = get_logger(__name__)

CONTENT_POLICY = "; ".join(
    [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "media-src 'self'", "font-src 'self'",
        "connect-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
    ]
)  # fmt: skip
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Envelope:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started_at, status, finished = perf_counter(), 0, False

        async def sealed(message: Message) -> None:
            nonlocal status, finished
            finished = message["type"] == "http.response.body" and not message.get("more_body", False)
            if message["type"] == "http.response.start":
                status = message["status"]
                _seal(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self._app(scope, receive, sealed)
        except ClientDisconnect:
            status = status or 499  # nobody is left to answer
        except Exception:
            log.exception("an error that nobody expected", method=scope["method"], route=_route(scope))
            if finished:
                return  # Starlette's own layer answered by our handler and raises all the same
            if status:
                raise
            await problems.of_status(500, "an error inside; it is in the log")(scope, receive, sealed)
        finally:
            self._metrics.request(_method(scope), _route(scope), status, perf_counter() - started_at)


def _seal(headers: MutableHeaders, scope: Scope) -> None:
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if "cache-control" not in headers:
        headers["cache-control"] = "no-store"
    if scope.get("scheme") == "https":
        headers["strict-transport-security"] = "max-age=31536000"


def _route(scope: Scope) -> str:
    route: Any = scope.get("route")
    return getattr(route, "path", None) or "unknown"


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    return method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "other"
