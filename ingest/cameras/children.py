"""How decoding children are started and how they died. What must not go in: what they do."""

import os
import signal
from pathlib import Path

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def child_environment() -> dict[str, str]:
    """The environment of a decoding child: one thread for each library, our packages from where this process has them."""
    packages = str(Path(__file__).resolve().parent.parent.parent)
    return os.environ | dict.fromkeys(_ONE_THREAD, "1") | {"PYTHONPATH": packages, "PYTHONSAFEPATH": "1"}


def death(code: int) -> str:
    """How a process ended, in words, from its return code."""
    if code >= 0:
        return f"with code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:  # real-time signals have no name
        return f"by signal {-code}"
