"""The one way in. What ``accept`` returned is on disk: a kill, a power cut or a dead broker no longer loses it.

Cameras, HTTP and every later source hand their reports to a door. What must not go in: parsing, permissions, Kafka.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from msgspec import structs

from bus.codecs import encode
from hazards.admission import Report, admit
from hazards.device_clock import DeviceClocks
from hazards.errors import MalformedMessage, TooLarge
from hazards.messages import Signal
from storage.journal import Journal, JournalRow, Lane

MAX_SIGNAL_BYTES = 512 * 1024
"""Bytes of one encoded signal: half of Kafka's default message bound, so that a pack of one always passes."""

log = structlog.get_logger(__name__)


class Places(Protocol):
    """What the door asks of the site (``storage.site_store.Registry``)."""

    def is_synthetic(self, device: str) -> bool:
        """Whether what ``device`` says is a demonstration."""

    def zone_of(self, device: str) -> str:
        """The zone of ``device``, or ``unassigned``."""


def utc_now() -> int:
    """UTC microseconds by this machine's clock."""
    return time.time_ns() // 1000


class Door:
    """Admits reports and keeps them in ``journal``. ``registry`` gives the site as it is now; ``now`` is UTC microseconds.

    ``clocks``: where senders' times are those of foreign clocks, what is learned of them."""

    def __init__(
        self, journal: Journal, registry: Callable[[], Places], now: Callable[[], int] = utc_now, *, clocks: DeviceClocks | None = None
    ) -> None:
        self._journal, self._registry, self._now, self.clocks = journal, registry, now, clocks

    async def accept(self, reports: Sequence[Report]) -> list[Signal]:
        """The signals of ``reports``, all on disk or none; repeats of one id are one signal.

        Raises JournalFull and StorageUnavailable (send again), TooLarge and MalformedMessage (sending again won't help)."""
        signals = signals_of(reports, self._registry(), self._now(), self.clocks)
        await self._journal.append(Lane.ALARMS, [_row(signal) for signal in signals])
        return signals



def signals_of(reports: Sequence[Report], site: Places, received_at: int, clocks: DeviceClocks | None = None) -> list[Signal]:
    """The signals that ``reports`` become, in order; repeats of one id are one signal. ``received_at`` is UTC microseconds.

    ``clocks`` learn from them, and correct them."""
    signals: dict[str, Signal] = {}
    for report in reports:
        zone, synthetic = site.zone_of(report.device), site.is_synthetic(report.device)
        error: int | None = 0
        if clocks is not None and report.at is not None:
            error = clocks.hear((report.realm + report.source, report.device), report.at, received_at)
        signal = _storable(admit(report, zone=zone, synthetic=synthetic, received_at=received_at, error=error))
        signals.setdefault(signal.id, signal)
    return list(signals.values())


def _row(signal: Signal) -> JournalRow:
    try:
        payload = encode(signal)
    except (OverflowError, TypeError, ValueError, RecursionError) as e:
        raise MalformedMessage(f"can't be written down: {e}", where=f"{signal.source} {signal.source_id}") from e
    if len(payload) > MAX_SIGNAL_BYTES:
        raise TooLarge(f"a signal of {len(payload)} bytes", where=signal.device, hint=f"at most {MAX_SIGNAL_BYTES}")
    return JournalRow(signal.id, signal.zone, payload)


def _storable(signal: Signal) -> Signal:
    """``signal`` without NUL characters, which PostgreSQL's text can't hold; its id stays that of what was sent."""
    texts = {name: getattr(signal, name) for name in ("source", "source_id", "device", "kind", "message")}
    if not any("\0" in text for text in texts.values()):
        return signal
    log.info("signal.nul_replaced", device=signal.device.replace("\0", "\ufffd"), id=signal.id)
    return structs.replace(signal, **{name: text.replace("\0", "\ufffd") for name, text in texts.items()})
