"""Who is asking: from a bearer token or a session cookie to a principal.

Tokens and sessions are looked up in SQL and remembered for a moment; while SQL is away a token seen lately still works,
so that the door keeps taking alarms. What must not go in: rights (``api/roles.py``), HTTP answers.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from sqlalchemy import Connection

from api.roles import Role
from hazards.errors import NotSignedIn, StorageUnavailable
from hazards.scope import NOTHING, Scope
from storage import accounts
from storage.database import Database

REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person or an authenticated machine."""

    id: str  # user id, or "token:ID": the actor in the record
    name: str
    role: Role
    enterprise: str | None
    district: str | None = None  # of an authority: what it sees lies within
    csrf: str | None = None  # persons only
    session: str | None = None  # hash of the cookie, persons only
    expires_at: int | None = None  # UTC microseconds, persons only
    confirmed_at: int | None = field(default=None, compare=False)  # when the person last proved who it is, UTC µs
    scope: Scope = field(default=NOTHING, compare=False)  # what it sees as the site is now: the gate puts it here (``api/scopes.py``)

    @property
    def is_person(self) -> bool:
        """Whether a person asks, not a machine."""
        return self.session is not None


Read = Callable[[Connection, str], "Principal | None"]


class Principals:
    """Look-up with a short memory. ``now``: UTC microseconds."""

    def __init__(self, database: Database, *, now: Callable[[], int], freshness: float, outage: float) -> None:
        self._database, self._now, self._freshness, self._outage = database, now, freshness, outage
        self._seen: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    async def of_token(self, secret: str) -> Principal:
        """Raises NotSignedIn for an unknown or revoked token."""
        return await self._find("token:" + accounts.secret_hash(secret), self._read_token, outlives_outage=True)

    async def of_session(self, secret: str) -> Principal:
        """Raises NotSignedIn for a session that is unknown or over."""
        return await self._find("session:" + accounts.secret_hash(secret), self._read_session, outlives_outage=False)

    async def again(self, principal: Principal, key: str) -> None:
        """Look ``key`` (see ``key_of``) up anew for a long answer. Raises NotSignedIn when the principal is gone."""
        read = self._read_token if key.startswith("token:") else self._read_session
        if await self._find(key, read, outlives_outage=True) != principal:
            raise NotSignedIn("the rights changed")

    @staticmethod
    def key_of(*, token: str | None, session: str | None) -> str:
        """The memory key of what was presented."""
        return "token:" + accounts.secret_hash(token) if token else "session:" + accounts.secret_hash(session or "")

    def forget(self) -> None:
        """Something about rights changed here: look everything up anew."""
        self._seen.clear()

    async def _find(self, key: str, read: Read, *, outlives_outage: bool) -> Principal:
        known = self._seen.get(key)
        age = monotonic() - known[0] if known else 0.0
        if known and age < self._freshness:
            return known[1]
        try:
            found = await self._database.reading(lambda connection: read(connection, key.partition(":")[2]))
        except StorageUnavailable:
            if known and outlives_outage and age < self._outage:
                return known[1]
            raise
        if found is None:
            self._seen.pop(key, None)
            raise NotSignedIn("the session is over or the token is not valid", hint="sign in again")
        self._seen[key] = (monotonic(), found)
        self._seen.move_to_end(key)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return found

    @staticmethod
    def _read_token(connection: Connection, hashed: str) -> Principal | None:
        token = accounts.find_token(connection, hashed)
        if token is None:
            return None
        return Principal(
            id=f"token:{token.id}", name=token.label or token.id, role=Role(token.role), enterprise=token.enterprise,
            district=token.district,
        )  # fmt: skip

    def _read_session(self, connection: Connection, hashed: str) -> Principal | None:
        found = accounts.find_session(connection, hashed, now=self._now())
        if found is None:
            return None
        user = found.user
        return Principal(
            id=user.id, name=user.name, role=Role(user.role), enterprise=user.enterprise, district=user.district,
            csrf=found.csrf, session=found.secret_hash, expires_at=found.expires_at, confirmed_at=found.confirmed_at,
        )
