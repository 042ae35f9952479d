"""Free loopback ports, below the range from which the kernel gives ports to outgoing connections, so that none is taken meanwhile."""

import random
import socket

LOWEST, HIGHEST = 15000, 31000


def _is_free(port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT of an earlier test does not count
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(*offsets: int) -> int:
    """A port P so that P and every P + offset are free now."""
    for _ in range(1000):
        port = random.randrange(LOWEST, HIGHEST)
        if all(_is_free(port + o) for o in (0, *offsets)):
            return port
    raise RuntimeError("no free loopback port found")


def accepts(address: str) -> bool:
    """Whether somebody listens on ``HOST:PORT``."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False
