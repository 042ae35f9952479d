"""What is declared of zones: permits to work (作业票), calibration (标校), shutdowns, key periods, alarms out of service or shelved.

What must not go in: SQL, what may be entered.
"""

from datetime import datetime
from secrets import token_hex
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from api import declaration_models as models
from api.gate import GuardedRoute
from api.present_declarations import DeclarationPresenter, works
from api.principals import Principal
from api.problems import RuledNotPermitted, responses
from api.roles import DECLARING, DECLARING_BASIS, UNOWNED_ONLY
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp
from hazards.declarations import Declared
from hazards.declaring import Declare, Standing
from hazards.errors import BadInput
from hazards.ledger.hazard import Actor
from hazards.ledger.limits import EPOCH, MICROSECOND
from storage.declaration_queries import list_declarations
from storage.declarations import declare, end_declaration, get_declaration

router = APIRouter(route_class=GuardedRoute, tags=["declarations"])

Kinds = Annotated[list[Declared], Query(description="one or more; none: all")]
States = Annotated[list[Standing], Query(description="one or more; none: all")]
At = Annotated[AwareDatetime | None, Query(description="those that were, are or will be in force then")]
_NEW: dict[int | str, dict[str, Any]] = {201: {"model": models.Declaration, "description": "it is new; 200: it was there already"}}


@router.get("/api/v1/works", summary="Kinds of work that a permit is for")
async def get_works(asking: Asking) -> models.WorkList:
    """The eight special operations of GB 30871, maintenance and casual work: longest validity, and which alarms each explains."""
    return works()


@router.get("/api/v1/declarations", summary="What is declared, entered last first")
async def get_declarations(
    asking: Asking, services: With, kind: Kinds = [], zone: Filter = None, state: States = [], at: At = None,  # noqa: B006
    cursor: Cursor = None, limit: Limit = 50,
) -> models.DeclarationPage:  # fmt: skip
    """``zone``: of that zone or of the whole site. An enterprise sees its own and what is of the whole site.

    Stop orders and other measures of hazards are among them, and key periods of the policy pack."""
    found, following = await services.database.reading(
        lambda c: list_declarations(
            c, asking.scope, now=services.now(), kinds=[k.value for k in kind], zone=zone, states=[s.value for s in state],
            at=_moment(at) if at is not None else None, cursor=cursor, limit=clamp(limit),
        )
    )  # fmt: skip
    presenter = DeclarationPresenter(services.presenter())
    return models.DeclarationPage(items=[presenter.declaration(d, asking.role) for d in found], next=following)


@router.post("/api/v1/declarations", summary="Declare something of a zone", responses={**_NEW, **responses(409)})
async def post_declaration(given: models.NewDeclaration, asking: Asking, services: With, response: Response) -> models.Declaration:
    """A permit to work, a calibration window, a shutdown, a key period, an alarm out of service or shelved, in force from ``starts_at``.

    Which role may enter which kind: 403 names the rule. The same ``command_id`` of the same caller is one declaration."""
    kind = Declared(given.kind)
    if kind in DECLARING and asking.role not in DECLARING[kind].enters:
        raise _not_permitted(asking, kind, "enter")
    owner = services.registry().enterprise_of(given.zone)
    if asking.role in UNOWNED_ONLY and owner is not None and asking.scope.sees(given.zone, owner):
        raise _not_permitted(asking, kind, "enter", " for a zone of an enterprise: that enters it itself")
    fields = {name: _plain(getattr(given, name)) for name in Declare.__struct_fields__ if name != "kind"}
    command, command_id, actor = Declare(kind=kind, **fields), given.command_id or token_hex(16), _actor(asking)
    declaration, new = await services.database.writing(
        lambda c: declare(c, command, actor=actor, scope=asking.scope, command_id=command_id, now=services.now())
    )
    services.ring()
    response.status_code = 201 if new else 200
    return DeclarationPresenter(services.presenter()).declaration(declaration, asking.role)


@router.get("/api/v1/declarations/{id}", summary="One declaration")
async def get_one_declaration(declaration_id: Id, asking: Asking, services: With) -> models.Declaration:
    """With its names, whether it is in force, and whether the caller may end it."""
    found = await services.database.reading(lambda c: get_declaration(c, declaration_id, scope=asking.scope))
    return DeclarationPresenter(services.presenter()).declaration(found, asking.role)


@router.post("/api/v1/declarations/{id}/end", summary="End a declaration early, or withdraw it", responses=responses(409))
async def post_end(declaration_id: Id, given: models.EndDeclaration, asking: Asking, services: With) -> models.Declaration:
    """With a reason. What follows from a hazard's measure ends with that measure: 409."""
    known = await services.database.reading(lambda c: get_declaration(c, declaration_id, scope=asking.scope))
    if known.kind in DECLARING and asking.role not in DECLARING[known.kind].ends:
        raise _not_permitted(asking, known.kind, "end")
    after = await services.database.writing(
        lambda c: end_declaration(
            c, declaration_id, reason=given.reason, actor=_actor(asking), scope=asking.scope, now=services.now(), version=given.version,
            command_id=given.command_id,
        )
    )  # fmt: skip
    services.ring()
    return DeclarationPresenter(services.presenter()).declaration(after, asking.role)


def _not_permitted(asking: Principal, kind: Declared, verb: str, why: str = "") -> RuledNotPermitted:
    what = f"the role {asking.role.value} may not {verb} a declaration of kind {kind.value}{why}"
    return RuledNotPermitted(what, rule=f"declaration {kind.value}", basis=DECLARING_BASIS)


def _actor(asking: Principal) -> Actor:
    return Actor(asking.id, asking.role.value, asking.enterprise, asking.name)


def _plain(value: Any) -> Any:
    return _moment(value) if isinstance(value, datetime) else value


def _moment(time: datetime) -> int:
    """UTC µs. Raises BadInput for a time that no clock shows."""
    try:
        return (time - EPOCH) // MICROSECOND
    except OverflowError as e:
        raise BadInput("not a time", where="at") from e
