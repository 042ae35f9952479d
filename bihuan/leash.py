"""A process that dies with its parent: ``hold`` for our own, run as a program it leashes a foreign binary.

``python leash.py PARENT_PID PROGRAM ARGUMENT…`` sets the death signal and becomes PROGRAM (the broker). Only the standard
library, no import of ours: it must start in milliseconds. What must not go in: anything else.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def hold(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent ends (Linux prctl(2)); exit at once if it has ended already.

    Elsewhere than on Linux the end of the control channel is the only sign, see ``bihuan.control``."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended between our start and the call
        os._exit(1)


def main(arguments: list[str]) -> None:
    """Become the program named after the parent's process id."""
    hold(int(arguments[0]))
    os.execvp(arguments[1], arguments[1:])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
