"""Files of cameras' alarms on their way into the archive: bytes on disk, signed, then known to SQL as soon as SQL is there.

Between the two a small file in a folder of its own says what is to be noted, so neither a kill nor a database that is away loses the
statement. What must not go in: cameras, keys (a ``Sign`` is given), what goes when (``evidence_sweep.py``).
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from hazards.camera_evidence import Signed, Statement, statement_bytes
from hazards.errors import StorageUnavailable
from storage.camera_evidence import keep_camera_evidence
from storage.database import Database
from storage.durable import write_whole
from storage.evidence import EvidenceStore

log = structlog.get_logger()

Sign = Callable[[bytes], str]
"""Signs bytes (Ed25519); the signature in hexadecimal."""
_AT_ONCE = 200


class EvidenceArchive:
    """``store`` for the bytes, ``waiting`` for what SQL does not know yet. Its methods block: call them in a thread, one at a time."""

    def __init__(self, store: EvidenceStore, database: Database, waiting: Path, *, sign: Sign, public_key: str) -> None:
        self._store, self._database, self._waiting = store, database, waiting
        self._sign, self._public_key = sign, public_key

    def keep(self, data: bytes, statement: Statement) -> Statement:
        """Keep ``data``; ``statement`` is completed with its hash and size. On disk when this returns. Raises StorageUnavailable."""
        said = statement
        sha256 = self._store.put(data, media_type=said.media_type, device=said.device, zone=said.zone, taken_at=said.begins)
        whole = msgspec.structs.replace(said, sha256=sha256, size=len(data))
        signed = Signed(statement=whole, signature=self._sign(statement_bytes(whole)), public_key=self._public_key)
        name = hashlib.sha256(f"{whole.device}\0{whole.kind}\0{whole.onset}\0{whole.role}".encode()).hexdigest()
        try:
            self._waiting.mkdir(parents=True, exist_ok=True)
            write_whole(self._waiting / f"{name}.json", msgspec.json.encode(signed))
        except OSError as e:
            raise StorageUnavailable(f"the evidence can't be noted: {e.strerror}", where=str(self._waiting)) from e
        return whole

    def show(self, camera: str, picture: bytes) -> None:
        """The newest small picture of ``camera``, in place of the one before. Raises StorageUnavailable."""
        self._store.show(camera, picture)

    def note_down(self, now: int) -> int:
        """Tell SQL of what waits; how many files that were. Raises StorageUnavailable: they wait on."""
        noted = 0
        while found := sorted(self._waiting.glob("*.json"))[:_AT_ONCE]:
            signed = {file: s for file in found if (s := _read(file)) is not None}
            with self._database.write() as connection:
                keep_camera_evidence(connection, list(signed.values()), now=now)
            for file in found:
                if file in signed:
                    file.unlink(missing_ok=True)
                else:
                    file.replace(file.with_suffix(".unreadable"))
            noted += len(signed)
        return noted


def _read(file: Path) -> Signed | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Signed)
    except (OSError, msgspec.DecodeError) as e:
        log.warning("what is said of an evidence file is not readable", file=str(file), error=str(e))
        return None
