"""The environment of peers whose packages do not go with ours: ``.venv-peers``, made from ``benchmarks/peers.lock`` on first use.

What must not go in: measuring.
"""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hazards.errors import Unavailable

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "benchmarks" / "peers.lock"
FOLDER = ROOT / ".venv-peers"


def peers_python(say: Callable[[str], None], *, folder: Path = FOLDER, lock: Path = LOCK) -> Path:
    """The interpreter of an environment that holds exactly what ``lock`` says; made anew when the lock has changed.

    Raises Unavailable with the reason when it can't be made, for example without a package index."""
    python, stamp = folder / "bin" / "python", folder / "made-from"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest() + sys.version
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    say(f"making {folder.name} from {lock.name}, once")
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)])
    stamp.write_text(wanted)
    return python


def _run(command: list[str], seconds: float = 600) -> None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Unavailable(f"the peers' environment can't be made: {e}") from e
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(f"the peers' environment can't be made: {lines[-1] if lines else done.returncode}")
