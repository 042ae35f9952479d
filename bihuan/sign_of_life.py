"""A file that is touched while every part works, for whoever watches from outside: a container's health check, monitoring.

One file a supervisor, in its data folder: a worker or a store has no HTTP to be asked by.
What must not go in: watching (``bihuan.keeper``).
"""

import time
from pathlib import Path

from hazards.errors import Unavailable

STALE = 30.0
"""Seconds without a touch after which it is not well: longer than replacing a part or the embedded broker takes."""


class SignOfLife:
    """The file of one supervisor; ``alone``: the part that it runs, empty for all of them."""

    def __init__(self, folder: Path, alone: str = "") -> None:
        self._path = folder / f"alive.{alone or 'up'}"

    def give(self) -> None:
        """All parts work now."""
        self._path.touch(mode=0o600)

    def end(self) -> None:
        """Stopped: nothing works any more."""
        self._path.unlink(missing_ok=True)


def check(folder: Path, part: str = "") -> list[str]:
    """Names of the supervisors of ``folder`` that work, ``part`` or all. Raises Unavailable when one does not, or there is none."""
    names = {path.suffix[1:]: path for path in sorted(folder.glob("alive.*")) if part in ("", path.suffix[1:])}
    if not names:
        raise Unavailable("no bihuan works on this folder", where=str(folder), hint="it is starting, or it was stopped")
    now = time.time()
    for name, path in names.items():
        silent = now - path.stat().st_mtime
        if silent > STALE:
            raise Unavailable(f"a part has not worked for {silent:.0f} s", where=name, hint="look into its log")
    return list(names)
