"""The data folder: who holds it, and what was made in it at the first start.

``up`` holds ``lock`` alone; parts run one by one (``bihuan api`` …) share it and hold ``lock.PART`` alone.
What must not go in: what the files mean.
"""

import fcntl
import os
import secrets
from pathlib import Path

from hazards.errors import Misconfigured


class FolderLock:
    """Locks of this process on a data folder; the kernel frees them when it ends, however it ends."""

    def __init__(self) -> None:
        self._held: list[int] = []

    def take(self, path: Path, *, shared: bool = False) -> bool:
        """Lock the file at ``path``, alone or shared. False if another process holds it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._held.append(descriptor)
        return True

    def release(self) -> None:
        """Give all back."""
        while self._held:
            os.close(self._held.pop())


def make_folder(folder: Path) -> None:
    """The data folder, readable by its owner only: it holds secrets and pictures of people. Raises Misconfigured."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "secrets").mkdir(exist_ok=True, mode=0o700)
    except OSError as e:
        raise Misconfigured(f"can't be created: {e.strerror}", where=str(folder)) from e
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Misconfigured("is not writable", where=str(folder))


def lock_folder(folder: Path, part: str = "") -> FolderLock:
    """The whole folder for ``up``, or one part's place in it. Raises Misconfigured if somebody else has it."""
    lock = FolderLock()
    taken = lock.take(folder / "lock", shared=bool(part)) and (not part or lock.take(folder / f"lock.{part}"))
    if not taken:
        lock.release()
        raise Misconfigured("another bihuan runs on this data folder", where=str(folder), hint="stop it, or give --data another folder")
    return lock


def secret(folder: Path, name: str, make: int = 32) -> str:
    """The secret ``name``, generated once as ``make`` random bytes (URL-safe text) into a file of mode 0600."""
    path = folder / "secrets" / name
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    fresh = path.with_name(f".{name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(make) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)  # the first of two processes wins, both read its value
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text(encoding="ascii").strip()
