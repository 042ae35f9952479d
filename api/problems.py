"""Every error as a problem detail (RFC 9457): the one table from our error tree to HTTP.

A test proves the table complete. What must not go in: decisions; the errors themselves (``hazards/errors.py``).
"""

from http import HTTPStatus
from typing import Any, cast

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from structlog import get_logger

from api.gate_models import Gate
from api.record_models import Change
from api.ruling_models import Ruling
from hazards import errors

log = get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[errors.BihuanError], int] = {
    errors.BihuanError: 500,
    errors.BadInput: 422,
    errors.MalformedMessage: 422,
    errors.TooLarge: 413,
    errors.UnknownSchema: 422,
    errors.InvalidFile: 422,
    errors.Refused: 403,
    errors.NotSignedIn: 401,
    errors.NotPermitted: 403,
    errors.NotInState: 409,
    errors.Throttled: 429,
    errors.Conflict: 409,
    errors.NotFound: 404,
    errors.Unavailable: 503,
    errors.StorageUnavailable: 503,
    errors.BrokerUnavailable: 503,
    errors.JournalFull: 503,
    errors.SourceLost: 503,
    errors.SourceUnreadable: 500,
    errors.Misconfigured: 500,
}


_POINTING = {errors.BadInput, errors.MalformedMessage, errors.UnknownSchema, errors.NotInState, errors.Conflict}
"""Errors whose ``where`` is a place in what was sent; that of others may be a path or an id."""


class FieldError(BaseModel):
    """One thing wrong in what was sent."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body, or the name of a parameter")
    detail: str
    line: int | None = Field(default=None, description="line of a file, from 1")


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="a stable name of the kind of problem", examples=["urn:bihuan:problem:not-permitted"])
    title: str
    status: int
    detail: str = ""
    pointer: str | None = Field(default=None, description="JSON pointer to the field that is wrong")
    hint: str | None = None
    retryable: bool = False
    rule: str | None = Field(default=None, description="the rule that refused, for 403 and 409")
    basis: str | None = Field(default=None, description="clause, interpretation, platform_default or demo")
    ruling: Ruling | None = Field(default=None, description="the rule in full, with its sources")
    gate: Gate | None = Field(default=None, description="the evidence gate's answer where it refused")
    changes: list[Change] | None = Field(default=None, description="what others did since the version that was looked at, for 409")
    errors: list[FieldError] | None = None


class RuledNotPermitted(errors.NotPermitted):
    """NotPermitted that names its rule and the basis of the rule."""

    def __init__(self, what: str, *, rule: str, basis: str, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.rule, self.basis = rule, basis


def _name(kind: type[Exception]) -> str:
    letters = "".join("-" + c.lower() if c.isupper() else c for c in kind.__name__)
    return "urn:bihuan:problem:" + letters.lstrip("-")


def _public(kind: type[errors.BihuanError]) -> type[errors.BihuanError]:
    """The class of the tree that names the problem: an edge's own subclass is not a new kind of problem."""
    return next(c for c in kind.__mro__ if c in STATUS)


def answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """The response that carries ``problem``."""
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)


def of_error(error: errors.BihuanError) -> JSONResponse:
    """The response for one of our errors. Causes inside the house (SQL texts, paths) stay in the log."""
    kind = _public(type(error))
    status = STATUS[kind]
    inside = status >= 500
    if inside:
        log.warning("answered with a problem", status=status, error=str(error), exc_info=not error.retryable)
    pointer = error.where or None if kind in _POINTING else None
    problem = Problem(
        type=_name(kind), title=(kind.__doc__ or "").split(";")[0].strip().splitlines()[0].rstrip("."), status=status,
        detail=_inside_detail(error) if inside else error.what, pointer=pointer, hint=error.hint or None, retryable=error.retryable,
        rule=getattr(error, "rule", None), basis=getattr(error, "basis", None), errors=_file_errors(error),
        ruling=getattr(error, "ruling_shown", None), gate=getattr(error, "gate_shown", None), changes=getattr(error, "changes_shown", None),
    )
    return answer(problem, _headers(kind))


def _inside_detail(error: errors.BihuanError) -> str:
    if isinstance(error, errors.JournalFull):
        return error.what
    return "a part is away; nothing was taken" if error.retryable else "an error inside; nothing was taken"


def _file_errors(error: errors.BihuanError) -> list[FieldError] | None:
    if not isinstance(error, errors.InvalidFile):
        return None
    return [FieldError(pointer=p.where, detail=p.what + (f" ({p.hint})" if p.hint else ""), line=p.line) for p in error.problems]


def _headers(kind: type[errors.BihuanError]) -> dict[str, str]:
    if kind is errors.NotSignedIn:
        return {"WWW-Authenticate": 'Bearer realm="bihuan"'}
    if kind is errors.Throttled:
        return {"Retry-After": "60"}
    return {"Retry-After": "2"} if kind.retryable else {}


def _pointer(location: tuple[Any, ...], body: Any) -> str:
    """JSON pointer into the body; names that pydantic puts between (a union's tag) are not part of what was sent."""
    if not location or location[0] != "body":
        return str(location[1]) if len(location) > 1 else ""  # (where, name of the parameter, place in its values…)
    parts: list[str] = []
    for n, part in enumerate(location[1:], 2):
        if isinstance(body, dict) and part not in body and n < len(location):
            continue
        inside = isinstance(body, dict | list) and (part in body if isinstance(body, dict) else isinstance(part, int) and part < len(body))
        body = body[part] if inside else None
        parts.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "".join("/" + part for part in parts)


def of_validation(error: RequestValidationError) -> JSONResponse:
    """422 for a body or parameter that does not fit its model; what was sent is not repeated."""
    found = [FieldError(pointer=_pointer(tuple(e["loc"]), error.body), detail=str(e["msg"])) for e in error.errors()]
    first = found[0] if found else FieldError(pointer="", detail="not valid")
    problem = Problem(
        type=_name(errors.BadInput), title="What was sent can't be understood or is not valid", status=422,
        detail=first.detail, pointer=first.pointer, errors=found,
    )
    return answer(problem)


def of_status(status: int, detail: str = "", headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem that has no error of ours: an unknown path, a wrong method, an accident inside."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    return answer(Problem(type="about:blank", title=title, status=status, detail="" if detail == title else detail), headers)


async def handle_ours(_request: Request, error: Exception) -> JSONResponse:
    """FastAPI handler of BihuanError."""
    return of_error(cast(errors.BihuanError, error))


async def handle_validation(_request: Request, error: Exception) -> JSONResponse:
    """FastAPI handler of RequestValidationError."""
    return of_validation(cast(RequestValidationError, error))


async def handle_http(_request: Request, error: Exception) -> JSONResponse:
    """FastAPI handler of Starlette's own 404, 405 and the like."""
    known = cast(HTTPException, error)
    if known.status_code == 400:  # FastAPI's word for a body that is no JSON at all: not UTF-8, or nested without end
        return of_error(errors.MalformedMessage("the body can't be read as JSON"))
    return of_status(known.status_code, str(known.detail), dict(known.headers or {}))


async def handle_accident(_request: Request, _error: Exception) -> JSONResponse:
    """FastAPI handler of what nobody expected; the envelope logs it."""
    return of_status(500, "an error inside; it is in the log")


DESCRIPTIONS = {
    401: "no valid session or token", 403: "the role, the enterprise scope or the CSRF token does not allow it",
    404: "no such thing, or none that the caller may see", 408: "the body did not arrive in time",
    409: "the state or somebody else's change does not allow it", 413: "the body is too large",
    422: "not valid; the pointer names the field", 429: "too many attempts", 503: "a part is away; try again",
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses that carry problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": DESCRIPTIONS[s], "content": content} for s in statuses}
