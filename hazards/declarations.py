"""What people declare of a zone for a time: permits to work, calibration, shutdown, key periods, alarms taken out of service. Pure.

A declaration explains what devices say and never hides it: merging labels and quietens by it (``hazards/quieting.py``), rules arm by it
(``hazards/rules.py``). What is asked of one that is entered, and how it ends, is in ``hazards/declaring.py``, kinds of work in
``hazards/works.py``. What must not go in: who may declare what, SQL, what a label does to an alarm.
"""

from enum import StrEnum

from msgspec import Struct, field

from hazards.kinds import never_suppressed
from hazards.messages import WHOLE_SITE


class Declared(StrEnum):
    """What is declared."""

    PERMIT = "permit"  # 作业票: work that may look like an alarm
    CALIBRATION = "calibration"  # 标校: what sensors say is labelled and not dispatched
    SHUTDOWN = "shutdown"  # 停产: nothing should run here, consumption alarms
    STOP_ORDER = "stop_order"  # 停产停业整顿 and other stop orders of the ledger: arms electricity, water and seals
    KEY_PERIOD = "key_period"  # 重点时段: limits are tightened, alarms weigh more
    SHELVED = "shelved"  # 搁置: an alarm silenced by a person for a limited time, with a reason
    OUT_OF_SERVICE = "out_of_service"  # 停用: a device or one of its alarms, under repair say
    MEASURE = "measure"  # 管控措施: any other measure of the ledger, such as an evacuation: shown on the zone, arms nothing


SILENCING = frozenset({Declared.SHELVED, Declared.OUT_OF_SERVICE})
DERIVED = frozenset({Declared.STOP_ORDER, Declared.MEASURE})
"""Never entered: they follow from the measures of hazards."""
STOP_MEASURES = frozenset({"stop_work", "stop_production", "cut_electricity", "seal"})
"""Measures of a policy pack that are stop orders: electricity, water and seals of the zone are watched (001(32); which: our reading)."""
STOPS_WORK = frozenset({"stop_work", "seal"})
"""Those under which nobody works there: a permit counts for nothing (our reading). Rectifying under a stop of production needs them."""


class Declaration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declaration, in force from ``starts_at`` to before ``ends_at`` (UTC µs; None: until somebody ends it).

    ``zone``: WHOLE_SITE for every zone. ``devices`` and ``alarms`` (kinds of alarm) narrow it; empty: all of the zone's.
    ``work``: the kind of work of a permit, of ``WORKS``, ``level``: its level (特级 …). ``guardian``: who watches over the work (监护人).
    ``planned_end``: the end as it was entered, where somebody ended it early. ``measure``: of the ledger, for what is derived from one."""

    id: str
    kind: Declared
    zone: str
    starts_at: int
    ends_at: int | None = None
    devices: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    work: str = ""
    guardian: str = ""
    reason: str = ""
    entered_by: str = ""
    enterprise: str | None = None
    synthetic: bool = False
    level: str = ""
    entered_at: int = 0
    planned_end: int | None = None
    ended_at: int | None = None  # when somebody ended it or, before it began, withdrew it
    ended_by: str = ""
    ended_why: str = ""
    measure: str = ""
    version: int = 1

    def holds(self, at: int) -> bool:
        """Whether it is in force at ``at``."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    @property
    def stops_work(self) -> bool:
        """Whether it voids permits of its zone while it is in force."""
        return self.kind is Declared.STOP_ORDER and self.measure in STOPS_WORK

    def is_of(self, zone: str, device: str, alarm: str) -> bool:
        """Whether it concerns alarm kind ``alarm`` of ``device`` in ``zone``. What silences never concerns methane over its limit."""
        if self.kind in SILENCING and never_suppressed(alarm):
            return False
        return (
            self.zone in (zone, WHOLE_SITE) and (not self.devices or device in self.devices) and (not self.alarms or alarm in self.alarms)
        )


class DeclarationMessage(Struct, frozen=True, kw_only=True):
    """A declaration after somebody entered, ended or withdrew it, as it goes out: one value of topic ``declarations``.

    ``id``, ``zone`` and ``enterprise`` are the declaration's, for the outbox and for scopes; ``event``: entered, ended, withdrawn."""

    id: str
    zone: str
    enterprise: str | None
    event: str
    at: int
    actor: str
    declaration: Declaration
