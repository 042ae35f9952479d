"""What must outlast a power cut. What must not go in: what is written, SQL."""

import os
import secrets
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Put the names of the files in ``folder`` on disk: a file that was synced is not there after a power cut if its name was not.

    Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes, *, once: bool = False) -> None:
    """Write ``data`` under ``path``, on disk; a reader sees all of it or no file. ``once``: what another process wrote first stays."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not once or not _linked(part, path):
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _linked(part: Path, path: Path) -> bool:
    """Give ``part`` the name ``path`` unless that is taken; False where files can't have two names."""
    try:
        os.link(part, path)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True
