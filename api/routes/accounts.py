"""People and machine tokens, for the administrator. What must not go in: hashing, SQL."""

from fastapi import APIRouter
from sqlalchemy import Connection
from structlog import get_logger

from api import account_models as models
from api.gate import GuardedRoute
from api.present import Presenter
from api.problems import responses
from api.roles import Role
from api.routes.common import Asking, Cursor, Id, Limit, With, clamp
from storage import accounts

router = APIRouter(route_class=GuardedRoute, tags=["accounts"])
log = get_logger(__name__)


def _user(user: accounts.User, presenter: Presenter) -> models.User:
    return models.User(
        id=user.id, name=user.name, role=Role(user.role), enterprise=user.enterprise, district=user.district, disabled=user.disabled,
        created_at=presenter.time(user.created_at),
    )  # fmt: skip


def _token(token: accounts.Token, presenter: Presenter) -> models.Token:
    return models.Token(
        id=token.id, role=Role(token.role), enterprise=token.enterprise, district=token.district, label=token.label,
        created_at=presenter.time(token.created_at), revoked_at=presenter.time_or_none(token.revoked_at),
    )  # fmt: skip


@router.get("/api/v1/users", summary="People")
async def get_users(asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100) -> models.UserPage:
    """By sign-in name."""
    limit = clamp(limit)
    found = await services.database.reading(lambda c: accounts.list_users(c, after=cursor or "", limit=limit + 1))
    presenter = services.presenter()
    following = found[limit - 1].id if len(found) > limit else None
    return models.UserPage(items=[_user(u, presenter) for u in found[:limit]], next=following)


@router.post("/api/v1/users", summary="A new person", status_code=201, responses=responses(409, 429))
async def post_user(new: models.NewUser, asking: Asking, services: With) -> models.User:
    """The role enterprise needs an enterprise of the site; no other role takes one. A district bounds what an authority sees.

    Only an administrator who has signed in: a token that could make a person could sign."""
    password_hash = await services.passwords.hash(new.password)
    user = await services.database.writing(
        lambda c: accounts.create_user(
            c, new.id, name=new.name, role=new.role.value, enterprise=new.enterprise, district=new.district, password_hash=password_hash,
            now=services.now(),
        )
    )
    log.info("a user was created", user=user.id, role=user.role, by=asking.id)
    return _user(user, services.presenter())


@router.patch("/api/v1/users/{id}", summary="Disable, re-admit, set a password or a district", responses=responses(409, 429))
async def patch_user(user_id: Id, change: models.UserChange, asking: Asking, services: With) -> models.User:
    """Disabling and a new password end every session of the person. Only an administrator who has signed in, no token."""
    password_hash = await services.passwords.hash(change.password) if change.password is not None else None

    def work(connection: Connection) -> accounts.User:
        user, _ = accounts.get_user(connection, user_id)
        if password_hash is not None:
            accounts.set_password(connection, user_id, password_hash)
        if "district" in change.model_fields_set:
            user = accounts.set_district(connection, user_id, change.district)
        return user if change.disabled is None else accounts.set_disabled(connection, user_id, change.disabled)

    user = await services.database.writing(work)
    services.principals.forget()
    log.info(
        "a user was changed", user=user_id, disabled=change.disabled, district=user.district, password=change.password is not None,
        by=asking.id,
    )  # fmt: skip
    return _user(user, services.presenter())


@router.get("/api/v1/tokens", summary="Tokens of machines")
async def get_tokens(asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100) -> models.TokenPage:
    """By id, revoked ones too; never a secret."""
    limit = clamp(limit)
    found = await services.database.reading(lambda c: accounts.list_tokens(c, after=cursor or "", limit=limit + 1))
    presenter = services.presenter()
    following = found[limit - 1].id if len(found) > limit else None
    return models.TokenPage(items=[_token(t, presenter) for t in found[:limit]], next=following)


@router.post("/api/v1/tokens", summary="A new token", status_code=201)
async def post_token(new: models.NewToken, asking: Asking, services: With) -> models.TokenSecret:
    """The answer holds the secret, this once."""
    token, secret = await services.database.writing(
        lambda c: accounts.create_token(
            c, role=new.role.value, enterprise=new.enterprise, district=new.district, label=new.label, now=services.now()
        )
    )
    log.info("a token was created", token=token.id, role=token.role, by=asking.id)
    return models.TokenSecret(**_token(token, services.presenter()).model_dump(), secret=secret)


@router.delete("/api/v1/tokens/{id}", summary="Revoke a token")
async def delete_token(token_id: Id, asking: Asking, services: With) -> models.Token:
    """It is refused from now on, within two seconds in other processes. The row stays."""
    token = await services.database.writing(lambda c: accounts.revoke_token(c, token_id, now=services.now()))
    services.principals.forget()
    log.info("a token was revoked", token=token_id, by=asking.id)
    return _token(token, services.presenter())
