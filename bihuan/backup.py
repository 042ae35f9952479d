"""Backup and restore of a whole system in one command each: what cameras have raised, journal, ledger, time series, evidence, secrets.

The journal is copied before the ledger: an alarm leaves the journal only once the ledger has it, so that each accepted alarm is in
at least one of the two copies, and its id makes a second application harmless. The time series' file comes after both: a reading leaves
the journal only once it is in there. What cameras have raised is copied before both: what it
calls accepted is then in one of them. The time series (its SQLite file; InfluxDB has a backup of its own) comes after both, since
what the journal released and the ledger calls stored is in it. Evidence comes last: files are written before the alarm that names
them, and never changed.
What must not go in: partial backups, schedules.
"""

import hashlib
import json
import os
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bihuan import postgres_dump
from bihuan.configuration import Settings
from bihuan.data_folder import lock_folder, make_folder
from hazards.errors import BihuanError, Misconfigured
from storage.durable import sync_folder

FORMAT = 1
MANIFEST = "manifest.json"
_OURS = ("cameras.json", "journal.sqlite", "ledger.sqlite", "series.sqlite", "evidence", "secrets")
_ANCHOR_KEY = "anchor-key"
"""Section of the key that signs anchors. Not with the ledger unless asked: who has both can rewrite the ledger and sign it."""
_KEY_FILES = ("", ".pub", ".handovers")
_CHUNK = 1 << 20
Loose = Sequence[tuple[str, Path]]


class BackupUnsound(BihuanError):
    """A backup that is not whole: nothing was restored."""


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite file that others write to (SQLite's online backup)."""
    with closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it


def _check_sqlite(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as e:
        raise BackupUnsound(f"is damaged: {e}", where=path.name) from e
    if found != "ok":
        raise BackupUnsound(f"is damaged: {found}", where=path.name)


def _count(path: Path, query: str) -> int:
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
        try:
            return int(copy.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # a folder that only ever made a token has no such table


# --- backup ---
def back_up(settings: Settings, target: Path, *, with_anchor_key: bool = False) -> str:
    """Write a backup to ``target``, whole or not at all; a line about it. Raises Misconfigured."""
    if not settings.database and not settings.ledger_path.is_file():
        raise Misconfigured("there is nothing to back up", where=settings.data)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise Misconfigured("is there already", where=str(target), hint="give a new name")
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = any(s in (".tar", ".tgz", ".gz") for s in target.suffixes)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as scratch:
        stage = Path(scratch) / "stage"
        stage.mkdir(mode=0o700)
        if settings.cameras_path.is_file():
            (stage / settings.cameras_path.name).write_bytes(settings.cameras_path.read_bytes())
        _stage_databases(settings, stage)
        loose = [*_loose_files(settings), *(_anchor_key(settings) if with_anchor_key else ())]
        finished = Path(scratch) / "finished"
        figures = _pack(settings, stage, loose, finished, target) if packed else _lay_out(settings, stage, loose)
        (finished if packed else stage).replace(target)
    sync_folder(target.parent)
    return f"{target}: {figures['alarms']}, {figures['waiting']} waiting in the journal, {figures['evidence']} evidence files"


def _stage_databases(settings: Settings, stage: Path) -> None:
    if settings.journal_path.is_file():
        _copy_sqlite(settings.journal_path, stage / "journal.sqlite")
    if settings.database:
        postgres_dump.dump(settings.database, stage / "ledger.dump")
    else:
        _copy_sqlite(settings.ledger_path, stage / "ledger.sqlite")
        _check_sqlite(stage / "ledger.sqlite")
    if settings.series_path.is_file():
        _copy_sqlite(settings.series_path, stage / "series.sqlite")


def _loose_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Secrets and evidence, by their name in the backup."""
    for name, folder in (("secrets", settings.folder / "secrets"), ("evidence", settings.evidence_path)):
        for path in sorted(folder.rglob("*")):
            unfinished = path.name.startswith(".") or path.suffix in (".part", ".tmp")
            if path.is_file() and not unfinished:
                yield f"{name}/{path.relative_to(folder)}", path


def _anchor_key(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The key that signs anchors, with what belongs to it."""
    for what in _KEY_FILES:
        path = settings.anchor_key_path.with_name(settings.anchor_key_path.name + what)
        if path.is_file():
            yield f"{_ANCHOR_KEY}/key{what}", path


def _figures(settings: Settings, stage: Path, files: dict[str, str]) -> dict[str, Any]:
    alarms = _count(stage / "ledger.sqlite", "SELECT count(*) FROM alarms")
    return {
        "alarms": "PostgreSQL" if settings.database else f"{alarms} alarms",
        "waiting": _count(stage / "journal.sqlite", "SELECT count(*) FROM alarms"),
        "evidence": sum(1 for name in files if name.startswith("evidence/")),
    }


def _manifest(files: dict[str, str], figures: dict[str, Any]) -> bytes:
    made = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    return json.dumps({"format": FORMAT, "made": made, "figures": figures, "files": files}, ensure_ascii=False, indent=1).encode()


def _lay_out(settings: Settings, stage: Path, loose: Loose) -> dict[str, Any]:
    files = {path.name: _digest(path) for path in sorted(stage.iterdir())}
    for name, path in loose:
        copy = stage / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o600)
        files[name] = _digest(copy)
    figures = _figures(settings, stage, files)
    (stage / MANIFEST).write_bytes(_manifest(files, figures))
    return figures


def _pack(settings: Settings, stage: Path, loose: Loose, finished: Path, target: Path) -> dict[str, Any]:
    staged = sorted(stage.iterdir())
    files = {path.name: _digest(path) for path in staged}
    descriptor = os.open(finished, os.O_WRONLY | os.O_CREAT, 0o600)  # it holds secrets
    with os.fdopen(descriptor, "wb") as file:
        compression = "" if target.suffix == ".tar" else "gz"
        with tarfile.open(fileobj=file, mode=f"w:{compression}", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
            for path in staged:
                tar.add(path, path.name)
            for name, path in loose:
                tar.add(path, name)
                files[name] = _digest(path)
            figures = _figures(settings, stage, files)
            (stage / MANIFEST).write_bytes(_manifest(files, figures))
            tar.add(stage / MANIFEST, MANIFEST)
        file.flush()
        os.fsync(file.fileno())
    return figures


# --- restore ---
@contextmanager
def _unpacked(source: Path, beside: Path) -> Iterator[Path]:
    """The backup as a folder."""
    if source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix=".restore.", dir=beside) as scratch:
        try:
            with tarfile.open(source) as tar:
                tar.extractall(scratch, filter="data")  # no path may leave the folder
        except (OSError, EOFError, tarfile.TarError) as e:
            raise BackupUnsound(f"is no backup: {e}", where=str(source)) from e
        yield Path(scratch)


def _verified(folder: Path, source: Path) -> dict[str, Any]:
    """The manifest, every file of it proved to be what it was. Raises BackupUnsound."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        files: dict[str, str] = manifest["files"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise BackupUnsound("is no backup: it has no manifest", where=str(source)) from e
    if manifest.get("format") != FORMAT:
        raise BackupUnsound(f"is of format {manifest.get('format')}, this build knows {FORMAT}", where=str(source))
    for name, digest in files.items():
        if Path(name).is_absolute() or ".." in Path(name).parts or name.partition("/")[0] not in (*_OURS, _ANCHOR_KEY, "ledger.dump"):
            raise BackupUnsound(f"names a foreign file {name!r}", where=str(source))
        if not (folder / name).is_file() or _digest(folder / name) != digest:
            raise BackupUnsound(f"{name} is missing or damaged", where=str(source))
    for name in ("journal.sqlite", "ledger.sqlite", "series.sqlite"):
        if name in files:
            _check_sqlite(folder / name)
    return manifest


def restore(settings: Settings, source: Path, *, force: bool = False) -> str:
    """Restore the backup ``source`` into the data folder of a stopped system; a line about it.

    What ``force`` replaces is moved aside, not deleted. Raises Misconfigured, BackupUnsound; then nothing was changed."""
    if not source.exists():
        raise Misconfigured("there is no such backup", where=str(source))
    make_folder(settings.folder)
    lock = lock_folder(settings.folder)
    try:
        with _unpacked(source, settings.folder) as folder:
            manifest = _verified(folder, source)
            _refuse_overwriting(settings, manifest, force=force)
            if settings.database:
                postgres_dump.restore(settings.database, folder / "ledger.dump", force=force)
            _move_aside(settings)
            _put_back(settings, folder, manifest["files"])
    finally:
        lock.release()
    figures = manifest["figures"]
    return f"restored: {figures['alarms']}, {figures['waiting']} waiting in the journal, {figures['evidence']} evidence files"


def _present(settings: Settings) -> list[Path]:
    """What the data folder holds of ours."""
    found = [p for name in _OURS for p in settings.folder.glob(f"{name}*") if p.is_file() or any(p.iterdir())]
    evidence = settings.evidence_path
    return found + ([evidence] if evidence.parent != settings.folder and evidence.is_dir() and any(evidence.iterdir()) else [])


def _refuse_overwriting(settings: Settings, manifest: dict[str, Any], *, force: bool) -> None:
    has_dump = "ledger.dump" in manifest["files"]
    if has_dump != bool(settings.database):
        kinds = ("PostgreSQL", "SQLite") if has_dump else ("SQLite", "PostgreSQL")
        raise Misconfigured(f"the backup is of {kinds[0]}, this system is on {kinds[1]}", where="BIHUAN_DATABASE")
    if not force and (held := _present(settings)):
        raise Misconfigured(f"is not empty: {held[0].name}", where=settings.data, hint="--force moves what is there aside")


def _move_aside(settings: Settings) -> None:
    held = _present(settings)
    if not held:
        return
    aside = settings.folder / time.strftime("replaced-%Y%m%dT%H%M%S")
    aside.mkdir(mode=0o700)
    for path in held:
        path.replace(aside / path.name)


def _place_of(settings: Settings, name: str) -> Path:
    """Where a file of a backup goes. An anchors' key that is there is kept beside the one that is put back."""
    section, _, rest = name.partition("/")
    if section == "evidence":
        return settings.evidence_path / rest
    if section != _ANCHOR_KEY or rest.removeprefix("key") not in _KEY_FILES:
        return settings.folder / name
    place = settings.anchor_key_path.with_name(settings.anchor_key_path.name + rest.removeprefix("key"))
    if place.exists():
        place.replace(place.with_name(time.strftime(f"{place.name}.replaced-%Y%m%dT%H%M%S")))
    return place


def _put_back(settings: Settings, folder: Path, files: dict[str, str]) -> None:
    for name in files:
        if name == "ledger.dump":
            continue
        target = _place_of(settings, name)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file, (folder / name).open("rb") as original:
            while chunk := original.read(_CHUNK):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
