"""``python -m bihuan.parts PART``: hold on to the supervisor first, import the part's packages second.

What must not go in: imports of packages, which take a second in which the supervisor may already have ended.
"""

import importlib
import os
import sys

from bihuan import leash

PARTS = ("api", "ingest", "worker", "store", "push", "ledger", "video", "mqtt", "demo")
"""Each is a module of this package with a ``main()``."""


PATIENT = ("store", "push", "ledger")
"""Nobody waits for these to the millisecond: where cores are few, alarms go first."""
NICE = 5


def main() -> None:
    """Become the part named on the command line."""
    part = sys.argv[1] if len(sys.argv) == 2 else ""
    parent = os.environ.get("BIHUAN_CONTROL", "").partition(":")[2]
    if part not in PARTS or not parent.isdigit():
        sys.exit(f"bihuan: parts are started by `bihuan up`; there are {', '.join(PARTS)}")
    leash.hold(int(parent))
    if part in PATIENT:
        os.nice(NICE)
    sys.modules["rich"] = None  # type: ignore[assignment] # structlog would import it for pretty tracebacks: 0.15 s for each part
    importlib.import_module(f"bihuan.parts.{part}").main()


if __name__ == "__main__":
    main()
