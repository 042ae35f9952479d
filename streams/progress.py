"""What a worker says of itself: the supervisor's watchdog reads it, since a stuck loop can't watch itself.

What must not go in: deciding that a worker is stuck.
"""

from msgspec import Struct


class Tally(Struct, kw_only=True):
    """The running counts of a process. Times are UTC µs; counts are since its start.

    ``applied``: signals that SQL took for the first time, ``repeated``: those it had already; ``alarms_late``, ``alarms_early`` of them
    came long after what they tell, or ahead of their receipt. ``waiting``: messages read and not yet
    in a batch. ``trouble``: what is being retried now, "" when nothing is. Of telemetry: ``readings`` evaluated, those ``late``,
    ``too_late`` and ``early`` (``hazards.evaluation.Counts``), ``rule_alarms`` raised and cleared; messages ``telemetry_waiting`` for a
    batch and ``telemetry_unsaved``, for their checkpoint."""

    applied: int = 0
    repeated: int = 0
    alarms_late: int = 0
    alarms_early: int = 0
    messages: int = 0
    batches: int = 0
    dead_lettered: int = 0
    woken: int = 0
    waiting: int = 0
    bytes_written: int = 0
    last_batch_at: int | None = None
    trouble: str = ""
    readings: int = 0
    late: int = 0
    too_late: int = 0
    early: int = 0
    rule_alarms: int = 0
    telemetry_waiting: int = 0
    telemetry_unsaved: int = 0
    telemetry_trouble: str = ""


class WorkerProgress(Tally, kw_only=True):
    """One report: the tally, and how it stands with the broker.

    ``ready``: partitions are assigned and messages flow. ``assigned``: "topic/number", sorted. ``last_fetch_at``: when the broker last
    answered for the partition it answered least recently, with messages or without; it stands still when the consumer is stuck, the
    broker is away, or SQL is and nothing more fits (see ``trouble``). ``lag``: messages that stand on the assigned partitions and are
    not acknowledged; 0 where the broker does not tell the end of its log."""

    ready: bool
    assigned: list[str]
    last_fetch_at: int | None = None
    lag: int = 0
