"""Keeps clip after clip and says each that is kept, for tests to kill: ``python -m tests.storage.evidence_process FOLDER``."""

import itertools
import sys
from pathlib import Path

from hazards.camera_evidence import Role, Statement
from storage.database import Database, sqlite_url
from storage.evidence import EvidenceStore
from storage.evidence_archive import EvidenceArchive


def main() -> None:
    """Keep and note down, for ever."""
    folder = Path(sys.argv[1])
    database = Database(sqlite_url(folder / "ledger.sqlite"))
    store = EvidenceStore(folder / "evidence")
    archive = EvidenceArchive(store, database, folder / "waiting", sign=lambda data: str(len(data)), public_key="11")
    for n in itertools.count():
        said = archive.keep(n.to_bytes(8, "big") * 1000, Statement(
            sha256="", media_type="video/mp4", size=0, device="CAM-1", zone="depot", kind="flame", onset=n, role=Role.CLIP,
            begins=n, ends=n,
        ))  # fmt: skip
        print(said.sha256, flush=True)
        if n % 5 == 4:
            archive.note_down(n)


if __name__ == "__main__":
    main()
