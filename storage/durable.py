"""What must outlast a power cut. What must not go in: what is written, SQL."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Put the names of the files in ``folder`` on disk: a file that was synced is not there after a power cut if its name was not.

    Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
