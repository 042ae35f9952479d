"""An anchoring job of its own, that tests may kill: ``python -m tests.bihuan.ledger.anchor_process URL FOLDER CLOCK PORT``.

``CLOCK`` is a file with the time in UTC µs; ``PORT`` of a mail server, 0 for none.
"""

import asyncio
import sys
from pathlib import Path

from bihuan.ledger.anchoring import Anchoring, AnchorPlan
from bihuan.ledger.mail import read_address
from storage.database import Database
from tests.storage.test_hazards import SITE


async def main(url: str, folder: Path, clock: Path, port: int) -> None:
    server = read_address(f"smtp://127.0.0.1:{port}?starttls=no&from=park@example.org") if port else None
    plan = AnchorPlan(
        key=folder / "ledger-anchor.key", folder=str(folder / "outside"), recipients=["bureau@example.org"] if port else [], server=server,
        poll=0.05, first_pause=0.05,
    )  # fmt: skip
    await Anchoring(Database(url), plan, lambda: SITE, lambda: int(clock.read_text())).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
