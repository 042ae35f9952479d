"""What people declare of a zone for a time: permits to work, calibration, shutdown, key periods, alarms taken out of service. Pure.

A declaration explains what devices say and never hides it: merging labels and quietens by it (``hazards/quieting.py``), rules arm by it
(``hazards/rules.py``). What must not go in: who may declare what, SQL, what a label does to an alarm.
"""

from enum import StrEnum

from msgspec import Struct, field

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


class Declaration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One declaration, in force from ``starts_at`` to before ``ends_at`` (UTC µs; None: until somebody ends it).

    ``zone``: WHOLE_SITE for every zone. ``devices`` and ``alarms`` (kinds of alarm) narrow it; empty: all of the zone's.
    ``work``: the kind of work of a permit, of ``WORKS``. ``guardian``: who watches over the work (监护人)."""

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

    def holds(self, at: int) -> bool:
        """Whether it is in force at ``at``."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)

    def is_of(self, zone: str, device: str, alarm: str) -> bool:
        """Whether it concerns alarm kind ``alarm`` of ``device`` in ``zone``."""
        return (
            self.zone in (zone, WHOLE_SITE) and (not self.devices or device in self.devices) and (not self.alarms or alarm in self.alarms)
        )
