"""Evidence files (snapshots, later clips and documents), kept by the SHA-256 of their content and never changed.

Layout: ``root/ab/cd/abcd…`` holds the bytes, ``abcd….json`` beside it says what they are, so a copy of the folder alone is
enough; ``abcd….ZONE.json`` (a digest of its id) says the same of each further zone in which the same bytes were taken. Written whole or
not at all, on disk when ``put`` returns. What must not go in: who may see a file, SQL.
"""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from hazards.errors import NotFound, StorageUnavailable
from storage.durable import sync_folder, write_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")


class EvidenceNote(Struct, frozen=True):
    """What a file is. ``taken_at``: UTC microseconds; ``device`` and ``zone`` as they were then."""

    sha256: str
    media_type: str
    size: int
    device: str
    zone: str
    taken_at: int


class EvidenceStore:
    """The evidence folder ``root``. Several processes may use it at once; every method blocks, so call it in threads."""

    def __init__(self, root: Path | str) -> None:
        self._root = Path(root)

    def put(self, data: bytes, *, media_type: str, device: str, zone: str, taken_at: int) -> str:
        """Keep ``data`` and answer its SHA-256 (hex). The same bytes again are the same file, with its first note and one a further zone.

        Raises StorageUnavailable when the disk is full or away."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        note = EvidenceNote(sha256, media_type, len(data), device, zone, taken_at)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _note_path(path).exists():
                write_whole(_note_path(path), msgspec.json.encode(note), once=True)  # first, so no file is ever without its note
            further = _note_path(path, zone)
            wanted = self.note(sha256).zone != zone and not further.exists()
            if path.exists() and not wanted:
                return sha256
            if wanted:
                write_whole(further, msgspec.json.encode(note))
            if not path.exists():
                write_whole(path, data)
            for folder in (path.parent, path.parent.parent, self._root):  # the names themselves must survive a power cut
                sync_folder(folder)
        except OSError as e:
            raise StorageUnavailable(f"the evidence file can't be written: {e.strerror}", where=str(self._root)) from e
        return sha256

    def note(self, sha256: str) -> EvidenceNote:
        """What the file is. Raises NotFound."""
        return _read_note(_note_path(self._path(sha256)))

    def zones(self, sha256: str) -> list[str]:
        """The zones in which these bytes were taken, the first one first. Raises NotFound."""
        path = self._path(sha256)
        further = sorted(path.parent.glob(f"{path.name}.*.json"))
        return [self.note(sha256).zone, *(_read_note(each).zone for each in further)]

    def read(self, sha256: str) -> tuple[bytes, str, str]:
        """(bytes, media type, zone it was first taken in). Raises NotFound, also where the bytes are no longer those that were put."""
        note = self.note(sha256)
        try:
            data = self._path(sha256).read_bytes()
        except OSError as e:
            raise NotFound("no such evidence", where=sha256) from e
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotFound("the evidence file was changed on disk", where=sha256, hint="restore it from a backup")
        return data, note.media_type, note.zone

    def remove(self, sha256: str) -> None:
        """Take the bytes away, and what is said of them after; a file that is not there is no error. Raises StorageUnavailable.

        Who may be thrown away is not decided here (``storage/evidence_sweep.py``)."""
        path = self._path(sha256)
        try:
            path.unlink(missing_ok=True)
            for note in (*path.parent.glob(f"{path.name}.*.json"), _note_path(path)):
                note.unlink(missing_ok=True)
        except OSError as e:
            raise StorageUnavailable(f"the evidence file can't be removed: {e.strerror}", where=str(self._root)) from e

    def show(self, camera: str, picture: bytes) -> None:
        """Keep ``picture`` (JPEG) as what ``camera`` shows now, in place of the one before; no evidence, so it may be lost by a power cut.

        Raises StorageUnavailable."""
        path = self._latest(camera)
        part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(picture)
            part.replace(path)
        except OSError as e:
            with contextlib.suppress(OSError):
                part.unlink()
            raise StorageUnavailable(f"the picture can't be written: {e.strerror}", where=str(self._root)) from e

    def latest(self, camera: str) -> tuple[bytes, int]:
        """What ``camera`` showed last (JPEG), and when that was written, UTC µs. Raises NotFound."""
        path = self._latest(camera)
        try:
            return path.read_bytes(), path.stat().st_mtime_ns // 1000
        except OSError as e:
            raise NotFound("no picture of this camera yet", where=camera[:64]) from e

    def _latest(self, camera: str) -> Path:
        return self._root / "latest" / f"{hashlib.sha256(camera.encode()).hexdigest()}.jpg"

    def free_bytes(self) -> int:
        """Bytes that are free on the disk. Raises StorageUnavailable."""
        try:
            return shutil.disk_usage(self._root if self._root.exists() else self._root.parent).free
        except OSError as e:
            raise StorageUnavailable(f"the evidence disk can't be asked: {e.strerror}", where=str(self._root)) from e

    def trouble(self, sha256: str) -> str | None:
        """None where the file holds what its name says; else "missing" or "changed". Reads it in portions."""
        try:
            with self._path(sha256).open("rb") as file:
                return None if hashlib.file_digest(file, "sha256").hexdigest() == sha256 else "changed"
        except (OSError, NotFound):
            return "missing"

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):  # also keeps "../" and other paths out
            raise NotFound("no such evidence", where=sha256[:64])
        return self._root / sha256[:2] / sha256[2:4] / sha256


def _note_path(path: Path, zone: str | None = None) -> Path:
    further = "" if zone is None else "." + hashlib.sha256(zone.encode()).hexdigest()[:16]
    return path.with_name(f"{path.name}{further}.json")


def _read_note(path: Path) -> EvidenceNote:
    try:
        return msgspec.json.decode(path.read_bytes(), type=EvidenceNote)
    except (OSError, msgspec.DecodeError) as e:
        raise NotFound("no such evidence", where=path.name[:64]) from e
