"""Child processes of a bench: each prints one JSON object when it has measured, and is ended by its id whatever happens.

What must not go in: what a child measures.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from hazards.errors import Unavailable

ROOT = Path(__file__).parents[1]


class Pace(Struct, frozen=True):
    """What a child found: ``readings`` done in ``seconds`` of the clock and ``cpu`` seconds of its own processor time."""

    readings: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Readings/s."""
        return self.readings / self.seconds

    @property
    def core_rate(self) -> float:
        """Readings per second of processor time: what one core to itself would do at most."""
        return self.readings / self.cpu


def measure(
    module: str, *arguments: str, python: Path | str = sys.executable, environment: Mapping[str, str] | None = None, seconds: float = 120
) -> Pace:
    """Run ``python -m module arguments`` and read what it found. Raises Unavailable when it fails or takes longer than ``seconds``."""
    return msgspec.json.decode(last_line([str(python), "-m", module, *arguments], environment=environment, seconds=seconds), type=Pace)


def last_line(command: Sequence[str], *, environment: Mapping[str, str] | None = None, seconds: float = 120) -> str:
    """The last line that ``command`` prints."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as e:
        raise Unavailable(f"{' '.join(command[1:4])} did not end within {seconds:g} s") from e
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode or not out.strip():
        raise Unavailable(f"{' '.join(command[1:4])} ended with {process.returncode}: {err[-2000:]}")
    return out.strip().splitlines()[-1]
