"""`bihuan ledger verify` for people: lines, progress on a terminal, the exit code. What must not go in: checks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bihuan.configuration import Settings
from bihuan.ledger.key import load_key, read_public
from bihuan.ledger.verify import Verification
from bihuan.preparation import open_to_read
from hazards.errors import Misconfigured
from storage.database import Database
from storage.evidence import EvidenceStore
from storage.ledger_reading import ledger_size


def verify(settings: Settings, anchors: Path | None, keys: list[str]) -> int:
    """Print a line a finding; 0 without findings, else 2. Raises Misconfigured, BadInput, Unavailable."""
    if not settings.database and not settings.ledger_path.is_file():
        raise Misconfigured("there is no ledger", where=settings.data)
    trusted = [read_public(key) for key in keys]
    own = load_key(settings.anchor_key_path) if not keys else None
    trusted += [own.public] if own is not None else []
    outside = anchors or (Path(settings.anchor_folder) if settings.anchor_folder else None)
    database = open_to_read(settings)
    try:
        with _progress(database) as progress:
            run = Verification(database, EvidenceStore(settings.evidence_path), trusted, outside, progress)
            count = 0
            for finding in run.findings():
                count += 1
                print(finding.line(), flush=True)
    finally:
        database.close()
    for note in run.tally.notes:
        print(f"note: {note}", file=sys.stderr)
    if outside is None:
        print("note: no anchors from outside were given: a ledger rewritten together with its anchors is not found", file=sys.stderr)
    said = f"{count} findings" if count else "nothing is wrong"
    print(f"{said}: {run.tally.line()}", file=sys.stderr)
    return 2 if count else 0


class _Bar:
    """How far it is, on a terminal."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("verify"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self.progress.add_task("events", total=total)

    def show(self, events: int) -> None:
        """``events`` are done."""
        self.progress.update(self._task, completed=events)


@contextmanager
def _progress(database: Database) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda events: None
        return
    with database.read() as connection:
        total = ledger_size(connection)
    bar = _Bar(total)
    with bar.progress:
        yield bar.show
