"""Who may do what: every role, every route and every command on one screen.

A route that is not in ``ROUTES`` can't be registered (``api/gate.py``) and a test walks the application to prove it;
who is not named in a row is refused. What must not go in: sessions, SQL, HTTP.
"""

from dataclasses import dataclass
from enum import StrEnum

from hazards.declarations import Declared


class Role(StrEnum):
    """The posts of the mission. ``enterprise`` is the only one that is bound to an enterprise and sees only its own."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"  # 值班员
    PARK_COMMAND = "park_command"  # 园区攻坚指挥部
    DEPARTMENT = "department"  # 行业主管部门
    BUREAU = "bureau"  # 应急局
    DISTRICT_LEADER = "district_leader"  # 区领导
    SAFETY_OFFICE = "safety_office"  # 安委办
    ENTERPRISE = "enterprise"
    ANALYST = "analyst"  # 分析员


@dataclass(frozen=True, slots=True)
class Access:
    """One row: ``roles`` that may call the route (None: nobody needs to sign in), the largest body in bytes, and whether only a
    ``person`` may, who has signed in, and no machine with a token."""

    roles: frozenset[Role] | None
    body: int = 0
    person: bool = False


KB, MB = 1000, 1_000_000
DEFAULT_ALARM_BODY = 10 * MB
TELEMETRY_BODY = 4 * MB  # the most records of a pack at 200 bytes each

_ALL = frozenset(Role)
_ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
_ROOM = frozenset({Role.ADMINISTRATOR, Role.OPERATOR})
_COMMAND = _ROOM | {Role.PARK_COMMAND}
_SOURCES = _COMMAND | {Role.DEPARTMENT, Role.BUREAU, Role.ENTERPRISE}
_SPEAKERS = _ALL - {Role.ANALYST}
_TOLD = _ROOM | {Role.ENTERPRISE}
_AUTHORITIES = frozenset({Role.ADMINISTRATOR, Role.PARK_COMMAND, Role.DEPARTMENT, Role.BUREAU})
_ON_SITE = frozenset({Role.ADMINISTRATOR, Role.OPERATOR, Role.ENTERPRISE})
_RECTIFYING = frozenset({Role.ADMINISTRATOR, Role.ENTERPRISE, Role.PARK_COMMAND, Role.DEPARTMENT})
DUTY_BOUND = _AUTHORITIES | {Role.DISTRICT_LEADER, Role.SAFETY_OFFICE}
"""Who may have a duty of a body (履职), if the policy pack says so; the operators see them, too."""
DUTIFUL = DUTY_BOUND | {Role.OPERATOR}
"""Who sees the duties of bodies."""
EVIDENCE_HOLDERS = _AUTHORITIES
"""Who holds evidence (封存) and lets it go; a platform default."""
PATROLLERS = _COMMAND | {Role.DEPARTMENT, Role.BUREAU, Role.SAFETY_OFFICE, Role.ENTERPRISE}
"""Who looks over cameras in rounds (在线远程巡查, 001(32)) and judges them: government and enterprise watch together (001(16)). Who exactly
is a platform default."""
RULE_MAKERS = frozenset({Role.ADMINISTRATOR, Role.BUREAU, Role.SAFETY_OFFICE})
"""Who changes alarm rules: those who answer for the city's monitoring, no operator by himself (management of change, ISA-18.2; no document
says who, so this is a platform default). A district's change rules that are for its own zones only."""
_OPEN = Access(None)
_DECLARANTS = _SPEAKERS - {Role.DISTRICT_LEADER}

ROUTES: dict[tuple[str, str], Access] = {
    # alarms, telemetry and incidents
    ("POST", "/api/v1/alarms"): Access(_SOURCES, DEFAULT_ALARM_BODY),
    ("POST", "/api/v1/telemetry"): Access(_SOURCES, TELEMETRY_BODY),
    ("GET", "/api/v1/series"): Access(_ALL),
    ("GET", "/api/v1/incidents"): Access(_ALL),
    ("GET", "/api/v1/incidents/{id}"): Access(_ALL),
    ("GET", "/api/v1/incidents/{id}/alarms"): Access(_ALL),
    ("GET", "/api/v1/alarm-states"): Access(_ALL),
    ("GET", "/api/v1/incidents/{id}/events"): Access(_ALL),
    ("POST", "/api/v1/incidents/{id}/commands"): Access(_SPEAKERS, 64 * KB),  # and see COMMANDS
    ("GET", "/api/v1/alarm-quality"): Access(_ALL),
    ("GET", "/api/v1/feed"): Access(_ALL),
    ("GET", "/api/v1/evidence/{sha256}"): Access(_ALL),
    ("GET", "/api/v1/incidents/{id}/evidence"): Access(_ALL),
    ("GET", "/api/v1/evidence-holds"): Access(_ALL),
    ("POST", "/api/v1/evidence-holds"): Access(EVIDENCE_HOLDERS, 16 * KB),
    ("POST", "/api/v1/evidence-holds/{id}/lift"): Access(EVIDENCE_HOLDERS, 16 * KB),
    # hazards
    ("GET", "/api/v1/hazards"): Access(_ALL),
    ("POST", "/api/v1/hazards"): Access(_SPEAKERS, 64 * KB),
    ("GET", "/api/v1/hazards/export"): Access(_ALL),
    ("GET", "/api/v1/hazards/{id}"): Access(_ALL),
    ("GET", "/api/v1/hazards/{id}/events"): Access(_ALL),
    ("GET", "/api/v1/hazards/{id}/incidents"): Access(_ALL),
    ("POST", "/api/v1/hazards/{id}/commands"): Access(_SPEAKERS, 256 * KB),  # and see the policy pack: commands
    ("POST", "/api/v1/hazards/{id}/evidence"): Access(_ON_SITE | _AUTHORITIES, 10 * MB),
    ("GET", "/api/v1/duties"): Access(DUTIFUL),  # and their events on the feed
    ("POST", "/api/v1/duties/{id}/commands"): Access(DUTY_BOUND, 64 * KB),  # who of them: the post, by the policy pack
    # what is declared of zones: permits to work and the like
    ("GET", "/api/v1/works"): Access(_ALL),
    ("GET", "/api/v1/declarations"): Access(_ALL),
    ("POST", "/api/v1/declarations"): Access(_DECLARANTS, 64 * KB),  # and see DECLARING
    ("GET", "/api/v1/declarations/{id}"): Access(_ALL),
    ("POST", "/api/v1/declarations/{id}/end"): Access(_DECLARANTS, 64 * KB),  # and see DECLARING
    ("GET", "/api/v1/ledger/anchors"): Access(_ALL - {Role.ENTERPRISE}),
    ("GET", "/api/v1/ledger/anchors/{number}"): Access(_ALL - {Role.ENTERPRISE}),
    ("GET", "/api/v1/policy"): Access(_ALL),
    ("GET", "/api/v1/policy/versions"): Access(_ALL),
    ("PUT", "/api/v1/policy"): Access(_ADMINISTRATOR, 2 * MB),
    ("POST", "/api/v1/policy/check"): Access(_ADMINISTRATOR, 2 * MB),
    # alarm rules
    ("GET", "/api/v1/alarm-rules"): Access(_ALL),
    ("GET", "/api/v1/alarm-rules/{id}"): Access(_ALL),
    ("GET", "/api/v1/alarm-rules/{id}/versions"): Access(_ALL - {Role.ENTERPRISE}),  # reasons may speak of other enterprises
    ("PUT", "/api/v1/alarm-rules/{id}"): Access(RULE_MAKERS, 64 * KB),
    ("POST", "/api/v1/alarm-rules/{id}/withdraw"): Access(RULE_MAKERS, 4 * KB),
    ("POST", "/api/v1/alarm-rules/{id}/restore"): Access(RULE_MAKERS, 4 * KB),
    ("POST", "/api/v1/alarm-rules/check"): Access(_ALL - {Role.ENTERPRISE}, 64 * KB),
    # webhooks and what was pushed
    ("GET", "/api/v1/deliveries"): Access(_TOLD),
    ("GET", "/api/v1/deliveries/{id}"): Access(_TOLD),
    ("POST", "/api/v1/deliveries/{id}/replay"): Access(_ROOM),
    ("GET", "/api/v1/webhooks"): Access(_TOLD),
    ("GET", "/api/v1/webhooks/{id}"): Access(_TOLD),
    ("POST", "/api/v1/webhooks/{id}/commands"): Access(_ROOM, 4 * KB),
    # messages that were put aside
    ("GET", "/api/v1/dead-letters"): Access(_ADMINISTRATOR),
    ("POST", "/api/v1/dead-letters/{id}/resend"): Access(_ADMINISTRATOR),
    # the site
    ("GET", "/api/v1/zones"): Access(_ALL),
    ("GET", "/api/v1/zones/{id}"): Access(_ALL),
    ("GET", "/api/v1/devices"): Access(_ALL),
    ("GET", "/api/v1/devices/{id}"): Access(_ALL),
    ("GET", "/api/v1/enterprises"): Access(_ALL),
    ("GET", "/api/v1/enterprises/{id}"): Access(_ALL),
    ("GET", "/api/v1/cameras"): Access(_ALL),
    ("GET", "/api/v1/cameras/{id}/picture"): Access(_ALL),
    ("GET", "/api/v1/patrol-rounds"): Access(_ALL),
    ("POST", "/api/v1/patrol-rounds"): Access(PATROLLERS, 64 * KB),
    ("GET", "/api/v1/patrol-rounds/{id}"): Access(_ALL),
    ("POST", "/api/v1/patrol-rounds/{id}/looks"): Access(PATROLLERS, 16 * KB),
    ("POST", "/api/v1/patrol-rounds/{id}/end"): Access(PATROLLERS),
    ("GET", "/api/v1/waiting"): Access(_ROOM),
    ("GET", "/api/v1/site"): Access(_ADMINISTRATOR),
    ("PUT", "/api/v1/site"): Access(_ADMINISTRATOR, 2 * MB),
    ("POST", "/api/v1/site/check"): Access(_ADMINISTRATOR, 2 * MB),
    # people and machines
    ("POST", "/api/v1/session"): Access(None, 4 * KB),
    ("GET", "/api/v1/session"): Access(_ALL),
    ("DELETE", "/api/v1/session"): Access(_ALL),
    ("POST", "/api/v1/session/password"): Access(_ALL, 4 * KB),
    ("POST", "/api/v1/session/confirm"): Access(_ALL, 4 * KB),
    ("GET", "/api/v1/users"): Access(_ADMINISTRATOR),
    ("POST", "/api/v1/users"): Access(_ADMINISTRATOR, 4 * KB, person=True),  # a token would make itself a person who signs
    ("PATCH", "/api/v1/users/{id}"): Access(_ADMINISTRATOR, 4 * KB, person=True),
    ("GET", "/api/v1/tokens"): Access(_ADMINISTRATOR),
    ("POST", "/api/v1/tokens"): Access(_ADMINISTRATOR, 4 * KB),
    ("DELETE", "/api/v1/tokens/{id}"): Access(_ADMINISTRATOR),
    # open to everybody: they name nobody and nothing of the park
    ("GET", "/healthz"): _OPEN,
    ("GET", "/readyz"): _OPEN,
    ("GET", "/metrics"): _OPEN,
    ("GET", "/openapi.json"): _OPEN,
    ("GET", "/"): _OPEN,
    ("GET", "/console/{path:path}"): _OPEN,
}

COMMANDS: dict[str, frozenset[Role]] = {
    "acknowledge": _COMMAND,  # the enterprise confirms its own notice; it can't silence the control room's alarm
    "assign": _COMMAND,
    "comment": _SPEAKERS,
    "shelve": _ROOM,
    "unshelve": _ROOM,
    "close": _ROOM,
}
"""Commands on incidents. Nobody states these by clause: they are platform defaults, which the policy pack will refine."""

COMMANDS_BASIS = "platform_default"


@dataclass(frozen=True, slots=True)
class Declaring:
    """A row: who may enter declarations of a kind, and who may end them early."""

    enters: frozenset[Role]
    ends: frozenset[Role]


_OWNERS = frozenset({Role.ADMINISTRATOR, Role.ENTERPRISE, Role.DEPARTMENT})  # departments for zones that have no enterprise
_STOPPERS = _OWNERS | {Role.OPERATOR, Role.PARK_COMMAND, Role.BUREAU}  # ending one makes alarms full again
_CALLERS = frozenset({Role.ADMINISTRATOR, Role.PARK_COMMAND, Role.BUREAU, Role.SAFETY_OFFICE})
DECLARING: dict[Declared, Declaring] = {
    Declared.PERMIT: Declaring(_OWNERS, _STOPPERS),
    Declared.CALIBRATION: Declaring(_OWNERS, _STOPPERS),
    Declared.SHUTDOWN: Declaring(_OWNERS, _OWNERS | {Role.PARK_COMMAND, Role.BUREAU}),
    Declared.KEY_PERIOD: Declaring(_CALLERS, _CALLERS),
    Declared.SHELVED: Declaring(_ROOM, _ROOM),
    Declared.OUT_OF_SERVICE: Declaring(_ROOM, _ROOM),
}
"""What people declare of zones. 002 has permits entered by enterprises; who else, and the other rows, are platform defaults."""

UNOWNED_ONLY = frozenset({Role.DEPARTMENT})
"""Roles that enter declarations for zones which belong to no enterprise; an enterprise's own are the enterprise's to enter."""
DECLARING_BASIS = "platform_default"

OWN_DEVICES = "a token bound to an enterprise or a district speaks for its own devices only"
"""A rule at the doors; a platform default."""


READS_SIDEWAYS = frozenset({Role.DEPARTMENT, Role.BUREAU, Role.PARK_COMMAND, Role.SAFETY_OFFICE})
"""Departments (003(20)): bound to a district, they read the major hazard installations (重大危险源) beside it. That these are
departments is our reading."""


def may_see_all(role: Role) -> bool:
    """Whether the role sees more than one enterprise; a district may still bound it."""
    return role is not Role.ENTERPRISE
