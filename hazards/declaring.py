"""Entering a declaration and ending it: what is asked of each kind, as rows, and its states as a table. Pure.

Nobody enters a permit for what was done already: alarms of unpermitted work would be explained afterwards. All figures here are platform
defaults unless their row says otherwise. What must not go in: roles (``api/roles.py``), SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct, field, structs

from hazards.declarations import SILENCING, Declaration, Declared
from hazards.errors import BadInput, NotInState
from hazards.kinds import KIND_PATTERN, never_suppressed, of_instrument
from hazards.ledger.forms import Id, Instant, Longer, Name, Short
from hazards.ledger.limits import DAY, HOUR
from hazards.ledger.policy import Authority, Rule
from hazards.messages import UNASSIGNED, WHOLE_SITE
from hazards.works import WORKS

MINUTE = HOUR // 60
BACKDATED = 5 * MINUTE
"""µs: how far in the past a declaration may begin; clocks differ."""
AHEAD = 366 * DAY
"""µs: how far ahead it may begin."""
LONGEST_WORK = max(longest for work in WORKS.values() for longest in (work.longest, *(level.longest for level in work.levels)))
"""µs: of any kind of work; each has its own bound."""
CALIBRATED_A_DAY = 8 * HOUR
"""µs of any 24 hours for which one alarm may be within calibrations, entered one after the other."""
MOST = 200
"""Devices, and kinds of alarm, of one declaration."""


class Standing(StrEnum):
    """Where a declaration stands at a time."""

    ENTERED = "entered"  # 已登记: it has yet to begin
    IN_FORCE = "in_force"  # 生效中
    ENDED = "ended"  # 已提前结束: by a person
    EXPIRED = "expired"  # 已到期
    WITHDRAWN = "withdrawn"  # 已撤回: before it began


class Step(StrEnum):
    """What moves it: time, or a person."""

    BEGIN = "begin"
    EXPIRE = "expire"
    END = "end"


NEXT: dict[tuple[Standing, Step], Standing] = {
    (Standing.ENTERED, Step.BEGIN): Standing.IN_FORCE,
    (Standing.ENTERED, Step.END): Standing.WITHDRAWN,
    (Standing.IN_FORCE, Step.EXPIRE): Standing.EXPIRED,
    (Standing.IN_FORCE, Step.END): Standing.ENDED,
}
"""What is not here can't be: what is over stays over."""


def standing(declaration: Declaration, now: int) -> Standing:
    """Where it stands at ``now``, by the table: whatever of begin, end by a person and expiry has come by then, in its order."""
    steps = [(declaration.starts_at, Step.BEGIN)]
    if declaration.ended_at is not None:
        steps.append((declaration.ended_at, Step.END))
    if (expiry := declaration.planned_end or declaration.ends_at) is not None:
        steps.append((expiry, Step.EXPIRE))
    stands = Standing.ENTERED
    for at, step in sorted(steps, key=lambda each: each[0]):
        if at <= now:
            stands = NEXT.get((stands, step), stands)
    return stands


def ended(declaration: Declaration, *, at: int, by: str, why: str) -> Declaration:
    """It after a person ended it at ``at``, or withdrew it before it began: then it is never in force. Raises NotInState."""
    stands = standing(declaration, at)
    if (stands, Step.END) not in NEXT:
        raise NotInState(f"the declaration is {stands.value} already", where="/command")
    return structs.replace(
        declaration, ends_at=max(at, declaration.starts_at), planned_end=declaration.ends_at, ended_at=at, ended_by=by, ended_why=why,
        version=declaration.version + 1,
    )  # fmt: skip


DECLARED_RULE = Rule(
    "declared", Authority.PLATFORM_DEFAULT,
    "作业票、标校、停产、重点时段、停用、搁置须先登记，有时限，可提前结束，均记入台账",
    "permits, calibration, shutdowns, key periods, alarms out of service or shelved are entered first, limited, and kept on the record",
)  # fmt: skip
"""What an entry of the record cites."""
_Texts = Annotated[list[Id], Meta(max_length=MOST)]


class Declare(Struct, frozen=True, kw_only=True):
    """What a person enters. ``zone``: "" for the whole site; ``starts_at`` None: now; ``work``, ``level``, ``guardian``: a permit's."""

    kind: Declared
    zone: Short = ""
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    devices: _Texts = field(default_factory=list)
    alarms: _Texts = field(default_factory=list)
    work: Name = ""
    level: Name = ""
    guardian: Short = ""
    reason: Longer = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the site says of the zone. ``devices``: those in it, each with the metrics that it measures. ``orders``: its stop orders.
    ``calibrations``: of the zone, within a day of what is to be entered."""

    known: bool
    devices: Mapping[str, frozenset[str]]
    orders: Sequence[Declaration] = ()
    calibrations: Sequence[Declaration] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of one kind. ``longest``: µs from begin to end; None: no bound. ``endless``: it may be without an end."""

    longest: int | None
    endless: bool = False
    whole_site: bool = False
    needs: tuple[str, ...] = ()
    basis: str = "platform_default"


TERMS: dict[Declared, Terms] = {
    Declared.PERMIT: Terms(LONGEST_WORK, needs=("work", "guardian"), basis="interpretation"),
    Declared.CALIBRATION: Terms(4 * HOUR),
    Declared.SHUTDOWN: Terms(None, endless=True, needs=("reason",)),
    Declared.KEY_PERIOD: Terms(AHEAD, whole_site=True, needs=("reason",)),
    Declared.SHELVED: Terms(24 * HOUR, needs=("reason",)),
    Declared.OUT_OF_SERVICE: Terms(None, endless=True, needs=("reason",)),
}  # fmt: skip
"""Kinds that can be entered; the others follow from the ledger."""


def check_declaration(declaration: Declaration, *, now: int, ground: Ground) -> None:
    """For a declaration that can't be entered at ``now`` raises BadInput, pointing at the field, or NotInState: work is stopped there."""
    terms = TERMS.get(declaration.kind)
    if terms is None:
        raise BadInput("it follows from a measure of a hazard", where="/kind", hint="command `measure` on the hazard")
    _check_place(declaration, terms, ground)
    for name in terms.needs:
        if not str(getattr(declaration, name)).strip():
            raise BadInput(f"a declaration of kind {declaration.kind.value} needs this", where=f"/{name}")
    _check_work(declaration)
    _check_times(declaration, terms, now)
    for own in _OWN_CHECKS.get(declaration.kind, ()):
        own(declaration, ground)
    _check_alarms(declaration, ground)


def _check_place(declaration: Declaration, terms: Terms, ground: Ground) -> None:
    if declaration.zone == WHOLE_SITE and not terms.whole_site:
        raise BadInput("name the zone; only a key period is of the whole site", where="/zone")
    if declaration.zone == UNASSIGNED and declaration.kind in SILENCING and declaration.devices:
        return  # a device that nobody registered may be noisy, too
    if declaration.zone != WHOLE_SITE and not ground.known:
        raise BadInput(f"no zone {declaration.zone[:64]!r}", where="/zone")
    for n, device in enumerate(declaration.devices):
        if device not in ground.devices:
            raise BadInput(f"no device {device[:64]!r} in this zone", where=f"/devices/{n}")


def _check_work(declaration: Declaration) -> None:
    if declaration.kind is not Declared.PERMIT:
        for name in ("work", "level", "guardian"):
            if getattr(declaration, name):
                raise BadInput("only a permit has this", where=f"/{name}")
        return
    work = WORKS.get(declaration.work)
    if work is None:
        raise BadInput(f"no kind of work {declaration.work[:64]!r}", where="/work", hint=", ".join(WORKS))
    if declaration.level and work.level(declaration.level) is None:
        raise BadInput("no such level of this work", where="/level", hint=", ".join(level.name for level in work.levels) or "leave it out")


def _check_times(declaration: Declaration, terms: Terms, now: int) -> None:
    starts, ends = declaration.starts_at, declaration.ends_at
    if not now - BACKDATED <= starts <= now + AHEAD:
        raise BadInput(f"it begins at most {BACKDATED // MINUTE} minutes ago and within {AHEAD // DAY} days", where="/starts_at")
    if ends is None:
        if not terms.endless:
            raise BadInput("it needs an end", where="/ends_at")
        return
    if ends <= max(starts, now):
        raise BadInput("it ends after it begins, and not in the past", where="/ends_at")
    longest = WORKS[declaration.work].longest_at(declaration.level) if declaration.kind is Declared.PERMIT else terms.longest
    if longest is not None and ends - starts > longest:
        raise BadInput(f"it holds at most {spoken(longest)}", where="/ends_at", hint="enter another one afterwards")


def _check_calibrated(declaration: Declaration, ground: Ground) -> None:
    """Many short windows are a long one."""
    alike = [c for c in ground.calibrations if _share(c.devices, declaration.devices) and _share(c.alarms, declaration.alarms)]
    spans = [(each.starts_at, each.ends_at or each.starts_at) for each in (*alike, declaration)]
    longest = max(sum(max(0, min(end, first + DAY) - max(start, first)) for start, end in spans) for first, _ in spans)
    if longest > CALIBRATED_A_DAY:
        what = f"with those entered already it is within calibration for {spoken(longest)} of a day"
        hint = f"at most {spoken(CALIBRATED_A_DAY)} of any 24 hours; for longer work the control room takes it out of service"
        raise BadInput(what, where="/ends_at", hint=hint)


def _share(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two lists have something in common; an empty one names all there is."""
    return not some or not others or not set(some).isdisjoint(others)


def _check_alarms(declaration: Declaration, ground: Ground) -> None:
    for n, alarm in enumerate(declaration.alarms):
        if not KIND_PATTERN.match(alarm):
            raise BadInput("a kind of alarm is small letters, digits and _", where=f"/alarms/{n}")
        if declaration.kind is Declared.CALIBRATION and not of_instrument(alarm):
            hint = "it is for limits, rises and deviations of what is measured, and for faults of the instrument"
            raise BadInput("no calibration sets this off", where=f"/alarms/{n}", hint=hint)
    if declaration.kind not in SILENCING:
        return
    for n, alarm in enumerate(declaration.alarms):
        if never_suppressed(alarm):
            raise BadInput(_METHANE, where=f"/alarms/{n}", hint=_METHANE_HINT)
    if not declaration.alarms:
        for n, device in enumerate(declaration.devices):
            if "methane" in ground.devices.get(device, ()):
                raise BadInput(_METHANE, where=f"/devices/{n}", hint=_METHANE_HINT)


def _check_orders(declaration: Declaration, ground: Ground) -> None:
    """Nobody gets a permit for where work is stopped."""
    for order in ground.orders:
        begins = max(order.starts_at, declaration.starts_at)
        if order.stops_work and order.holds(begins) and (declaration.ends_at is None or begins < declaration.ends_at):
            raise NotInState(f"work is stopped in this zone: {order.measure} ({order.reason}), {order.id}",
                             hint="when it is lifted, enter it again")  # fmt: skip


_METHANE = "methane over limit is never silenced"
_METHANE_HINT = "enter a calibration window: it labels the alarm and does not dispatch it"


def _one_alarm(declaration: Declaration, _ground: Ground) -> None:
    for name, what in (("devices", "device"), ("alarms", "kind of alarm")):
        if len(getattr(declaration, name)) != 1:
            raise BadInput(f"shelving is for a single alarm: exactly one {what}", where=f"/{name}")


def _some(names: tuple[str, ...], declaration: Declaration, _ground: Ground) -> None:
    if not any(getattr(declaration, name) for name in names):
        raise BadInput(f"name at least one of {', '.join(names)}", where=f"/{names[0]}")


_OWN_CHECKS: dict[Declared, tuple[Callable[[Declaration, Ground], None], ...]] = {
    Declared.PERMIT: (_check_orders,),
    Declared.SHELVED: (_one_alarm,),
    Declared.OUT_OF_SERVICE: (partial(_some, ("devices",)),),
    Declared.CALIBRATION: (partial(_some, ("devices", "alarms")), _check_calibrated),
}


def spoken(length: int) -> str:
    """A length of µs in words."""
    return f"{length // DAY} days" if length % DAY == 0 and length > 2 * DAY else f"{length // HOUR} hours"
