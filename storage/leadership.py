"""One leader a database for each office: a lock file beside a SQLite file, an advisory lock in PostgreSQL. Both end with the process.

What must not go in: what the leader does.
"""

import fcntl
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy import text

from storage.database import Database

log = structlog.get_logger("leadership")
RELAY, PUSH, ANCHOR, QUALITY = "relay", "push", "anchor", "quality"
ADVISORY_LOCKS = {RELAY: 0x6269_6875, PUSH: 0x7075_7368, ANCHOR: 0x616E_6368, QUALITY: 0x7175_616C}  # "bihu", "push", "anch", "qual"


class Leadership:
    """Of one office (a name of ``ADVISORY_LOCKS``): ``take`` it, look whether this process still ``holds`` it, ``give_up``."""

    def __init__(self, database: Database, office: str = RELAY) -> None:
        self._database, self._office = database, office
        self._file: IO[str] | None = None
        self._connection: Any = None

    def take(self) -> bool:
        """Become the leader if nobody is; whether this process leads."""
        if self.holds():
            return True
        return self._take_file() if self._database.is_sqlite else self._take_advisory()

    def holds(self) -> bool:
        """Whether this process still leads."""
        if self._file is not None:
            return True
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.commit()
        except Exception:
            self._connection = None
        return self._connection is not None

    def _take_file(self) -> bool:
        path = Path(f"{self._database.engine.url.database}.{self._office}.lock")
        file = path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _take_advisory(self) -> bool:
        try:
            connection = self._database.engine.connect()
            if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCKS[self._office]}).scalar():
                connection.commit()
                self._connection = connection
                return True
            connection.close()
        except Exception as e:
            log.warning("no leadership", office=self._office, error=str(e))
        return False

    def give_up(self) -> None:
        """Let another process lead."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            self._connection.invalidate()  # the lock ends with the session: it must not go back to the pool
            self._connection.close()
            self._connection = None
