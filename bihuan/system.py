"""``bihuan up`` and the parts on their own: everything that is settled before the first process starts.

Folder, lock, port, site, first password; each failure is one clear error. What must not go in: keeping processes alive.
"""

import asyncio
import contextlib
import secrets
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bihuan import logs
from bihuan.configuration import Settings
from bihuan.data_folder import lock_folder, make_folder
from bihuan.sign_of_life import SignOfLife
from hazards.errors import Misconfigured
from hazards.zones import Site

EVERYTHING = ("api", "ingest", "worker", "store", "push", "ledger", "video", "mqtt")
"""Parts of `bihuan up`, in the order of starting: whoever accepts alarms first."""
ALONE: dict[str, tuple[str, ...]] = {
    "api": ("api", "ingest", "ledger"), "ingest": ("ingest", "video", "mqtt"),
    "worker": ("worker",), "store": ("store",), "push": ("push",),
}  # fmt: skip
"""What each part run alone consists of. The API brings a forwarder for its own journal (of two on one folder, one works) and
the ledger's clocks and anchors (on several machines, locks decide)."""
_RETRIES, _PAUSE = 20, 0.05  # a system killed a moment ago may still hold the port through its dying children


def listen_on(host: str, port: int) -> socket.socket:
    """The listening socket of the API. The supervisor holds it, so that nobody is refused while the API process is started again.

    Raises Misconfigured when the address is taken or not ours."""
    where = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as e:
        raise Misconfigured(f"is no address to listen on: {e.strerror}", where=where) from e
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for attempt in range(_RETRIES + 1):
        try:
            listener.bind(address)
            listener.listen(1024)
            return listener
        except OSError as e:
            if attempt == _RETRIES or port == 0:
                listener.close()
                raise Misconfigured(
                    f"can't listen: {e.strerror}", where=where, hint="another program has the port; give --port another"
                ) from e
            time.sleep(_PAUSE)
    raise AssertionError  # the loop ends by return or raise


def site_of(settings: Settings) -> tuple[Site | None, list[str]]:
    """The site to apply at this start (the file's, the demonstration's, both, or None to keep what is applied), and warnings.

    Raises InvalidFile."""
    site, warnings = None, list[str]()
    if settings.site:
        from bihuan.site_file import read_site

        found = read_site(Path(settings.site))
        site, warnings = found.site, [f"{settings.site}: {w}" for w in found.warnings]
    if settings.demo:
        from bihuan.demo import add_demo

        site = add_demo(site, settings.folder)
    return site, warnings


def run_system(settings: Settings, parts: Sequence[str], *, alone: str = "") -> None:
    """Run ``parts`` until a signal. Raises Misconfigured or InvalidFile when they can't start."""
    site, warnings = site_of(settings)
    make_folder(settings.folder)
    with contextlib.ExitStack() as held:
        held.callback(lock_folder(settings.folder, alone).release)
        listener = None
        if "api" in parts:
            listener = held.enter_context(listen_on(settings.host, settings.port))
            settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
        for warning in warnings:
            print(f"bihuan: warning: {warning}", file=sys.stderr)
        logs.configure("supervisor", settings.log)
        from bihuan.supervisor import Supervisor

        password = secrets.token_urlsafe(12) if "api" in parts else ""
        every = [part for part in parts if part != "store" or settings.store or alone]
        every += ["demo"] if settings.demo and "api" in parts else []
        sign = SignOfLife(settings.folder, alone)
        held.callback(sign.end)
        if not asyncio.run(Supervisor(settings, every, site=site, listen=listener, password=password, well=sign.give).run()):
            sys.exit(2)
