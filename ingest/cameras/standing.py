"""What each camera's alarms say at this moment, kept in a small file across a kill: an outbox of one report for each condition.

A report is written here before it goes to the door and marked after, so a kill between the two sends the same report again
(the same id, which has no effect twice), and a flame that went out meanwhile still gets its ``cleared``.
What must not go in: the door, cameras, pictures.
"""

import os
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from hazards.admission import Report
from hazards.messages import Action

log = structlog.get_logger()


class Told(Struct, frozen=True):
    """The latest report of one condition; ``accepted``: the door has it."""

    report: Report
    accepted: bool


class _File(Struct, frozen=True):
    sequence: int
    told: list[Told]


class Standing:
    """The file at ``path``. Its methods block for an fsync: call them in a thread, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told: dict[tuple[str, str], Told] = {}
        self._sequence = 0
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_File)
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as e:  # an alarm that never clears can be closed by hand; no cameras can't
            log.warning("what the cameras had raised is not readable", file=str(path), error=str(e))
            return
        self._sequence = kept.sequence
        self._told = {(t.report.device, t.report.kind): t for t in kept.told}

    def raised(self, device: str) -> list[str]:
        """Kinds that stand at ``device``."""
        return [kind for (d, kind), told in self._told.items() if d == device and told.report.action == Action.RAISED]

    def devices(self) -> set[str]:
        """Devices with something that stands."""
        return {device for device, _ in self._told}

    def unsent(self) -> list[Report]:
        """Reports that the door may not have, oldest first: to be sent again as they are."""
        return sorted((t.report for t in self._told.values() if not t.accepted), key=lambda r: r.sequence)

    def next_sequence(self) -> int:
        """A number that no report of this file had before."""
        self._sequence += 1
        return self._sequence

    def keep(self, report: Report) -> None:
        """Before the door: this report is on its way."""
        self._told[report.device, report.kind] = Told(report, accepted=False)
        self._write()

    def accepted(self, report: Report) -> None:
        """After the door. What was cleared no longer stands; a raised condition stands until it is cleared."""
        key = report.device, report.kind
        latest = self._told.get(key)
        if latest is None or latest.report.sequence != report.sequence:
            return
        if report.action == Action.RAISED:
            self._told[key] = Told(report, accepted=True)
        else:
            del self._told[key]
        self._write()

    def _write(self) -> None:
        part = self._path.with_name(self._path.name + ".part")
        data = msgspec.json.encode(_File(self._sequence, list(self._told.values())))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as e:  # disk full: the alarm itself matters more
            log.warning("what the cameras have raised can't be written down", file=str(self._path), error=str(e))
