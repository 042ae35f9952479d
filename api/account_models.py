"""Bodies about people, sessions and tokens. What must not go in: decisions, SQL, rights."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StrictBool, StrictStr

from api.models import Strict
from api.roles import Role
from hazards.declarations import Declared

SignInName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,63}$")]
District = Annotated[StrictStr, Field(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$", description="what an authority is bound to (行政区划代码)")]
Secret = Annotated[StrictStr, Field(min_length=1, max_length=256)]


class Login(Strict):
    """Sign in."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    password: Secret


class Proof(Strict):
    """Who one is, once more."""

    password: Secret


class PasswordChange(Strict):
    """Change one's own password; every other session ends."""

    old: Secret
    new: Annotated[StrictStr, Field(min_length=10, max_length=256)]


class Me(BaseModel):
    """Who is signed in, and what the console needs to know. ``csrf`` is for the X-CSRF-Token header; machines have none."""

    id: str
    name: str
    role: Role
    enterprise: str | None
    district: str | None
    person: bool
    csrf: str | None
    expires_at: datetime | None
    commands: list[str]
    hazard_commands: list[str]
    sees_duties: bool = Field(description="whether the duties of bodies are for this role")
    declares: list[Declared] = Field(description="kinds of declaration that this role may enter")
    makes_rules: bool = Field(description="whether the role changes alarm rules")
    holds_evidence: bool = Field(description="whether the role enters and lifts holds on evidence")
    patrols: bool = Field(description="whether the role looks over cameras in rounds")
    site_name: str | None
    time_zone: str
    synthetic: bool


class User(BaseModel):
    """A person."""

    id: str
    name: str
    role: Role
    enterprise: str | None
    district: str | None
    disabled: bool
    created_at: datetime


class UserPage(BaseModel):
    """By sign-in name."""

    items: list[User]
    next: str | None


class NewUser(Strict):
    """A person to be."""

    id: SignInName
    name: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    role: Role
    enterprise: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None
    district: District | None = None
    password: Annotated[StrictStr, Field(min_length=10, max_length=256)]


class UserChange(Strict):
    """What an administrator changes of a person; what is absent stays. ``district`` null: bound to none."""

    district: District | None = None
    disabled: StrictBool | None = None
    password: Annotated[StrictStr, Field(min_length=10, max_length=256)] | None = None


class Token(BaseModel):
    """A machine's token, without its secret."""

    id: str
    role: Role
    enterprise: str | None
    district: str | None
    label: str
    created_at: datetime
    revoked_at: datetime | None


class TokenPage(BaseModel):
    """By id."""

    items: list[Token]
    next: str | None


class NewToken(Strict):
    """A token to be."""

    role: Role
    enterprise: Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] | None = None
    district: District | None = None
    label: Annotated[StrictStr, Field(max_length=200, pattern=r"^[^\x00]*$")] = ""


class TokenSecret(Token):
    """A new token. ``secret`` is shown this once."""

    secret: str
