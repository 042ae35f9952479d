"""Why an alarm is quieter than it would be, and what that does: each reason is a row. Nothing here hides an alarm. Pure.

An over-limit of methane (004(13)) is never quietened: in a declared calibration window (标校) it is labelled and not dispatched, and that
is all. What has called people and nobody acknowledged is labelled, too: what is declared afterwards does not answer it.
What must not go in: which declarations there are, incidents.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from hazards.alarm_state import Alarm
from hazards.annunciation import Move
from hazards.declarations import Declaration, Declared
from hazards.kinds import kind_of, never_suppressed, of_instrument
from hazards.works import explains


class Quiet(StrEnum):
    """Why, the strongest first."""

    OUT_OF_SERVICE = "out_of_service"  # 停用
    SHELVED = "shelved"  # 搁置
    INHIBITED = "inhibited"  # 联锁抑制
    CALIBRATION = "calibration"  # 标校
    PERMIT = "permit"  # 作业票
    STOPPED = "stopped"  # 作业票, and a stop order that voids it: a label alone


@dataclass(frozen=True, slots=True)
class Effect:
    """``move``: into which state of ISA-18.2 it goes, None: it stays an alarm. ``severity``: the gravest (1 to 4) that it counts as,
    ``milder``: by how many steps it counts less. ``dispatched``: whether those outside the control room are told. ``label``: it is no
    more than that, everybody is called all the same."""

    move: Move | None
    severity: int = 1
    milder: int = 0
    dispatched: bool = False
    label: bool = False


EFFECTS: dict[Quiet, Effect] = {
    Quiet.OUT_OF_SERVICE: Effect(Move.REMOVED, severity=4),
    Quiet.SHELVED: Effect(Move.SHELVED, severity=4),
    Quiet.INHIBITED: Effect(Move.SUPPRESSED, severity=4),
    Quiet.CALIBRATION: Effect(None, severity=4),
    Quiet.PERMIT: Effect(None, severity=2, milder=1, dispatched=True),
    Quiet.STOPPED: Effect(None, dispatched=True, label=True),
}
STRONGEST = list(Quiet)
_OF_DECLARATION = {
    Declared.OUT_OF_SERVICE: Quiet.OUT_OF_SERVICE, Declared.SHELVED: Quiet.SHELVED, Declared.CALIBRATION: Quiet.CALIBRATION,
    Declared.PERMIT: Quiet.PERMIT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quieting:
    """``by``: id of the declaration, or key of the alarm that explains it. ``until``: µs when it ends, None: nobody knows yet."""

    quiet: Quiet
    by: str
    until: int | None = None


def declared_quiet(declarations: Iterable[Declaration], zone: str, device: str, kind: str, at: int) -> Quieting | None:
    """The strongest reason that people declared for alarm ``kind`` of ``device`` at ``at``; None: none.

    Of methane's over-limit only the label of a calibration or of a permit remains. A stop order beats permits."""
    holding = [d for d in declarations if d.holds(at) and d.is_of(zone, device, kind)]
    found = [
        Quieting(quiet, d.id, d.ends_at)
        for d in holding
        if (quiet := _OF_DECLARATION.get(d.kind)) is not None
        and accounts(d, kind)
        and (EFFECTS[quiet].move is None or not never_suppressed(kind))
    ]  # fmt: skip
    if any(d.stops_work for d in holding):
        found = [replace(q, quiet=Quiet.STOPPED) if q.quiet is Quiet.PERMIT else q for q in found]
    return min(found, key=lambda q: STRONGEST.index(q.quiet), default=None)


def accounts(declaration: Declaration, kind: str) -> bool:
    """Whether it accounts for alarm ``kind``: a permit if that shows the very work, or what such work may set off; a calibration if that
    is what an instrument says, and never a seal, a door, a flame or people. What the control room silences it chose itself."""
    match declaration.kind:
        case Declared.PERMIT:
            return kind_of(kind).work == declaration.work or explains(declaration.work, kind)
        case Declared.CALIBRATION:
            return of_instrument(kind)
        case _:
            return True


def counted(alarm: Alarm, severity: int) -> int:
    """The severity that ``alarm``, one of ``severity``, counts as with what keeps it quiet."""
    if not silent(alarm):
        return severity
    effect = EFFECTS[Quiet(alarm.quiet)]
    return max(effect.severity, min(4, severity + effect.milder))


def silent(alarm: Alarm) -> bool:
    """Whether nobody in the control room is called by it."""
    return held_back(alarm) and not never_suppressed(alarm.kind)


def counts_in_flood(alarm: Alarm) -> bool:
    """Whether it counts towards a flood: what is declared or explained does not, also if it has called before."""
    return not alarm.quiet or EFFECTS[Quiet(alarm.quiet)].label or never_suppressed(alarm.kind)


def held_back(alarm: Alarm) -> bool:
    """Whether what is declared, or explains it, bears on whom it calls, be it only outside the control room; else that is but a label.

    One that called and that nobody acknowledged is held back by nothing but what takes it out of its state: an act of the control room,
    or another alarm."""
    effect = EFFECTS[Quiet(alarm.quiet)] if alarm.quiet else None
    return effect is not None and not effect.label and not (alarm.called and effect.move is None)


def dispatched(quiet: str) -> bool:
    """Whether those outside the control room are told of what is ``quiet``."""
    return not quiet or EFFECTS[Quiet(quiet)].dispatched
