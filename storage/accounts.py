"""People, their sessions, and the tokens of machines, in SQL.

Secrets are kept as hashes only: argon2id for passwords (slow on purpose: call it in a thread), SHA-256 for session cookies
and tokens, which are 256 random bits. What must not go in: roles' rights (``api/roles.py``), HTTP.
"""

import secrets
from collections.abc import Sequence
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct, structs
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hazards.districts import check_district
from hazards.errors import BadInput, Conflict, NotFound
from storage.schema import enterprises, sessions, tokens, users

ADMINISTRATOR = "administrator"
_WITHOUT_DISTRICT = (ADMINISTRATOR, "enterprise")
TOKEN_PREFIX = "bh_"  # noqa: S105 (no secret: it lets a leaked token be recognised by scanners)
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256  # longer ones only make the hash expensive

_hasher = PasswordHasher()  # argon2id, the parameters of RFC 9106's second choice (64 MiB, 3 passes)


class User(Struct, frozen=True, kw_only=True):
    """A person who can sign in. ``enterprise`` is set exactly for the role ``enterprise``; ``district`` bounds what an authority sees.

    Times: UTC microseconds."""

    id: str
    name: str
    role: str
    enterprise: str | None
    district: str | None
    disabled: bool
    created_at: int


class Session(Struct, frozen=True, kw_only=True):
    """A valid session and its person."""

    user: User
    csrf: str
    secret_hash: str
    expires_at: int
    confirmed_at: int | None = None  # when the person last proved who it is


class Token(Struct, frozen=True, kw_only=True):
    """A machine's token; its secret is shown once, at creation."""

    id: str
    role: str
    enterprise: str | None
    district: str | None
    label: str
    created_at: int
    revoked_at: int | None


def hash_password(password: str) -> str:
    """argon2id hash. Takes about 0.1 s of CPU and 64 MiB. Raises BadInput when it is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadInput(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", where="/password")
    return _hasher.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Whether ``password`` is the one hashed. As slow as hashing."""
    try:
        return len(password) <= LONGEST_PASSWORD and _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$enZUoiyhaXYFCaG+k9Ot9g$1ydqPZV90CWtJsZn/4aGEtmhqP6FS1e1S/m471R8KkI"
"""Verified for names that don't exist, so that the time of the answer does not tell who does."""


def secret_hash(secret: str) -> str:
    """Key under which a session cookie or token is kept."""
    return sha256(secret.encode()).hexdigest()


def _check_district(role: str, district: str | None) -> None:
    if district is None:
        return
    if role in _WITHOUT_DISTRICT:
        raise BadInput(f"the role {role} takes no district", where="/district")
    check_district(district, "/district")


def _check_enterprise(connection: Connection, role: str, enterprise: str | None) -> None:
    if (role == "enterprise") != (enterprise is not None):
        raise BadInput("the role enterprise needs an enterprise, and no other role takes one", where="/enterprise")
    if enterprise is None:
        return
    query = select(enterprises.c.id).where(enterprises.c.id == enterprise, enterprises.c.removed_at.is_(None))
    if connection.execute(query).first() is None:
        raise BadInput(f"no enterprise {enterprise!r} in the site", where="/enterprise", hint="apply the site file first")


# --- people ---
_USER = (users.c.id, users.c.name, users.c.role, users.c.enterprise, users.c.district, users.c.disabled, users.c.created_at)


def create_user(
    connection: Connection, user_id: str, *, name: str, role: str, enterprise: str | None, district: str | None = None,
    password_hash: str, now: int,
) -> User:  # fmt: skip
    """A new person. Raises Conflict when the sign-in name is taken, BadInput for an enterprise or district that does not fit."""
    _check_enterprise(connection, role, enterprise)
    _check_district(role, district)
    if connection.execute(select(users.c.id).where(users.c.id == user_id)).first() is not None:
        raise Conflict(f"the sign-in name {user_id!r} is taken", where="/id")
    user = User(id=user_id, name=name, role=role, enterprise=enterprise, district=district, disabled=False, created_at=now)
    try:
        connection.execute(insert(users).values(password_hash=password_hash, **structs.asdict(user)))
    except IntegrityError as e:  # two at once on PostgreSQL
        raise Conflict(f"the sign-in name {user_id!r} is taken", where="/id") from e
    return user


def ensure_administrator(connection: Connection, *, password_hash: str, now: int) -> bool:
    """Create the user ``administrator`` unless somebody of that role exists. Returns whether it was created."""
    if connection.execute(select(users.c.id).where(users.c.role == ADMINISTRATOR)).first() is not None:
        return False
    create_user(connection, ADMINISTRATOR, name="管理员", role=ADMINISTRATOR, enterprise=None, password_hash=password_hash, now=now)
    return True


def list_users(connection: Connection, *, after: str = "", limit: int = 100) -> list[User]:
    """People by sign-in name, those after ``after``."""
    rows = connection.execute(select(*_USER).where(users.c.id > after).order_by(users.c.id).limit(limit))
    return [User(**row._mapping) for row in rows]


def get_user(connection: Connection, user_id: str) -> tuple[User, str]:
    """The person and the password hash. Raises NotFound."""
    row = connection.execute(select(*_USER, users.c.password_hash).where(users.c.id == user_id)).mappings().first()
    if row is None:
        raise NotFound(f"no user {user_id!r}", where="/id")
    fields = dict(row)
    password_hash = fields.pop("password_hash")
    return User(**fields), password_hash


def set_password(connection: Connection, user_id: str, password_hash: str, *, keep: str | None = None) -> None:
    """A new password; every session of the person ends, but the one whose secret hash is ``keep``. Raises NotFound."""
    if connection.execute(update(users).where(users.c.id == user_id).values(password_hash=password_hash)).rowcount == 0:
        raise NotFound(f"no user {user_id!r}", where="/id")
    others = delete(sessions).where(sessions.c.user == user_id)
    connection.execute(others if keep is None else others.where(sessions.c.secret_hash != keep))


def set_disabled(connection: Connection, user_id: str, disabled: bool) -> User:
    """Bar or re-admit a person; barring ends every session. Raises NotFound, and Conflict for the last administrator."""
    user, _ = get_user(connection, user_id)
    if disabled and user.role == ADMINISTRATOR:
        others = select(users.c.id).where(users.c.role == ADMINISTRATOR, users.c.disabled.is_(False), users.c.id != user_id)
        if connection.execute(others).first() is None:
            raise Conflict("the last administrator can't be disabled", where="/disabled", hint="make another one first")
    connection.execute(update(users).where(users.c.id == user_id).values(disabled=disabled))
    if disabled:
        connection.execute(delete(sessions).where(sessions.c.user == user_id))
    return structs.replace(user, disabled=disabled)


def set_district(connection: Connection, user_id: str, district: str | None) -> User:
    """Bind a person to a district, or to none: then to everything. Raises NotFound, BadInput."""
    user, _ = get_user(connection, user_id)
    _check_district(user.role, district)
    connection.execute(update(users).where(users.c.id == user_id).values(district=district))
    return structs.replace(user, district=district)


# --- sessions ---
def open_session(connection: Connection, user: str, *, now: int, expires_at: int) -> tuple[str, str]:
    """A new session. Returns (secret for the cookie, CSRF token). Sessions that are over are swept on the way."""
    secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    row = {"secret_hash": secret_hash(secret), "user": user, "csrf": csrf, "created_at": now, "expires_at": expires_at}
    connection.execute(insert(sessions).values(row))
    return secret, csrf


def find_session(connection: Connection, hashed: str, *, now: int) -> Session | None:
    """The session under a secret's hash, unless it is over or its person is disabled."""
    query = (
        select(*_USER, sessions.c.csrf, sessions.c.expires_at, sessions.c.confirmed_at)
        .join(sessions, sessions.c.user == users.c.id)
        .where(sessions.c.secret_hash == hashed, sessions.c.expires_at > now, users.c.disabled.is_(False))
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    fields = dict(row)
    csrf, expires_at, confirmed_at = fields.pop("csrf"), fields.pop("expires_at"), fields.pop("confirmed_at")
    return Session(user=User(**fields), csrf=csrf, secret_hash=hashed, expires_at=expires_at, confirmed_at=confirmed_at)


def confirm_session(connection: Connection, hashed: str, *, now: int) -> None:
    """The person of this session proved again who it is."""
    connection.execute(update(sessions).where(sessions.c.secret_hash == hashed).values(confirmed_at=now))


def end_session(connection: Connection, hashed: str) -> None:
    """End one session; nothing happens when it is over already."""
    connection.execute(delete(sessions).where(sessions.c.secret_hash == hashed))


# --- tokens of machines ---
_TOKEN = (tokens.c.id, tokens.c.role, tokens.c.enterprise, tokens.c.district, tokens.c.label, tokens.c.created_at, tokens.c.revoked_at)


def create_token(
    connection: Connection, *, role: str, enterprise: str | None, district: str | None = None, label: str, now: int
) -> tuple[Token, str]:  # fmt: skip
    """A new token. Returns (token, its secret, which is kept nowhere). Raises BadInput for an enterprise or district that does not fit."""
    _check_enterprise(connection, role, enterprise)
    _check_district(role, district)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=secrets.token_hex(8), role=role, enterprise=enterprise, district=district, label=label, created_at=now, revoked_at=None
    )  # fmt: skip
    connection.execute(insert(tokens).values(secret_hash=secret_hash(secret), **structs.asdict(token)))
    return token, secret


def find_token(connection: Connection, hashed: str) -> Token | None:
    """The token under a secret's hash, unless it is revoked."""
    row = connection.execute(select(*_TOKEN).where(tokens.c.secret_hash == hashed, tokens.c.revoked_at.is_(None))).mappings().first()
    return None if row is None else Token(**row)


def list_tokens(connection: Connection, *, after: str = "", limit: int = 100) -> Sequence[Token]:
    """Tokens by id, those after ``after``, revoked ones too."""
    rows = connection.execute(select(*_TOKEN).where(tokens.c.id > after).order_by(tokens.c.id).limit(limit))
    return [Token(**row._mapping) for row in rows]


def revoke_token(connection: Connection, token_id: str, *, now: int) -> Token:
    """Revoke; revoking twice keeps the first time. Raises NotFound."""
    connection.execute(update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=now))
    row = connection.execute(select(*_TOKEN).where(tokens.c.id == token_id)).mappings().first()
    if row is None:
        raise NotFound(f"no token {token_id!r}", where="/id")
    return Token(**row)
