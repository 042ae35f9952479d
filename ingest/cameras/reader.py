"""One camera's reader: a thread that opens it, takes its packets into the ring, and opens it again when it is lost.

It decodes nothing. It ends within the read time-out when it is told to, and closes what it opened. What must not go in:
pictures, messages to the parent.
"""

import random
import threading
import time
from dataclasses import dataclass

from hazards.errors import BihuanError, SourceLost, SourceUnreadable
from ingest.cameras.address import parse_address
from ingest.cameras.eye_messages import CameraOrder, CameraState
from ingest.cameras.opened import REFUSED, Codec, Opened, VideoPacket, unusable, videos_of
from ingest.cameras.ring import Piece, Ring
from ingest.cameras.schedule import Line
from ingest.cameras.surge import SurgeMeter
from ingest.cameras.timeline import Timeline

FIRST_PAUSE, LONGEST_PAUSE, LONGEST_FILE_PAUSE = 0.5, 30.0, 5.0
REFUSED_PAUSE = 60.0
"""Seconds after a refused password: many cameras lock a user out who keeps knocking with a wrong one."""
PROVEN = 10.0
"""Seconds that a stream must have gone on before a loss counts as a new one and the pauses start small again."""
FASTER = 1.005
"""How much faster than its stamps HLS is read, so that it never falls behind the list's end by a clock that is a little slow."""


@dataclass(slots=True)
class Counters:
    """What a reader counts, from the start of its camera."""

    packets: int = 0
    bytes: int = 0
    keys: int = 0
    connects: int = 0
    last_at: int = 0  # UTC µs of the last packet


class Reader:
    """Reads ``order``'s camera into ``ring`` until ``stop`` is called, and tells ``line`` what has come."""

    def __init__(self, order: CameraOrder, ring: Ring[VideoPacket], line: Line, *, patience: float = 1.0) -> None:
        self._patience = patience  # a test of thousands of reconnects has none
        self._order, self._ring, self._line = order, ring, line
        self.state: CameraState = "opening"
        self.what = ""
        self.counters = Counters()
        self.timeline = Timeline(time.monotonic())
        self.surge = SurgeMeter()
        self._n = 0
        self._stop = threading.Event()
        self._break = ""
        self.reading = False
        self.keyless_since: float | None = None
        """Monotonic seconds since when an open connection has given no key frame yet; None: it has, or there is none."""
        self._pause = FIRST_PAUSE
        self.thread = threading.Thread(target=self._run, name=f"reader-{order.id}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self.thread.start()

    def stop(self) -> None:
        """End the thread, at the latest when a read that waits gives up."""
        self._stop.set()

    def break_off(self, why: str) -> None:
        """Drop the connection and try again: what comes can't be used."""
        self.state, self.what, self._break = "lost", why, why

    def proves_live(self) -> None:
        """A picture was decoded: the camera works."""
        if self.reading and not self._break:
            self.state, self.what = "live", ""

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    self._read()
                    self.reading = False
                    if not self._stop.is_set():
                        self.state, self.what = "ended", ""
                    return
                except BihuanError as e:
                    self._lost("unreadable" if isinstance(e, SourceUnreadable) else "lost", e.what)
                except Exception as e:  # a fault of ours in one reader must not leave its camera dark for ever
                    self._lost("lost", f"{type(e).__name__}: {e}")
                self._wait(time.monotonic() - began)
        finally:
            if self._stop.is_set():
                self._ring.clear()

    def _lost(self, state: CameraState, what: str) -> None:
        self.reading, self.keyless_since = False, None
        self.state, self.what = state, self._break or what

    def _wait(self, lasted: float) -> None:
        if lasted > PROVEN + self._pause:
            self._pause = FIRST_PAUSE
        longest = LONGEST_PAUSE if parse_live(self._order) else LONGEST_FILE_PAUSE
        pause = max(self._pause, REFUSED_PAUSE) if self.what == REFUSED else self._pause
        self._stop.wait(self._patience * pause * random.uniform(0.7, 1.3))  # jitter: cameras of one switch must not come back in step
        self._pause = min(longest, self._pause * 2)

    def _read(self) -> None:
        """Play the source to its end. Raises SourceLost, SourceUnreadable."""
        address = parse_address(self._order.url, transport=self._order.transport)
        again = False
        while True:
            played = 0
            for path in videos_of(address):
                with Opened(address, path=path, continues=again and address.kind == "file") as opened:
                    self.counters.connects += not again
                    again = True
                    self._play(opened)
                    played += opened.played
                if self._stop.is_set():
                    return
            if not played:
                raise unusable("holds no picture", address)
            if address.live:
                raise SourceLost("the stream ended", where=address.shown)
            if not self._order.loop:
                return

    def _play(self, opened: Opened) -> None:
        codec, paced = opened.codec, opened.address.paced
        self._break, self.reading = "", True
        self.surge.reset()
        self.timeline.connect()
        begun, base = time.monotonic(), None
        self.keyless_since = begun
        for packet in opened.packets():
            if self._break:
                raise SourceLost(self._break, where=opened.address.shown)
            if paced:
                stamp = _stamp(packet, codec) if codec.stamped else opened.played / codec.rate
                base = stamp if base is None and stamp is not None else base
                if stamp is not None and base is not None:
                    begun = self._keep_time(begun, stamp - base, live=opened.address.live)
            if self._stop.is_set():
                return
            self._take(packet, codec, keeps_pace=not paced)

    def _keep_time(self, begun: float, t: float, *, live: bool) -> float:
        """Wait for the moment ``t`` of a source that is read faster than it plays; when it began, moved where it jumped or fell behind."""
        ahead = begun + t / (FASTER if live else 1.0) - time.monotonic()
        if not -1.0 <= ahead <= 30.0:  # behind: the rest is shown later, not faster; a jump of its stamps is not waited for
            return begun - ahead
        if ahead > 0:
            self._stop.wait(ahead)
        return begun

    def _take(self, packet: VideoPacket, codec: Codec, *, keeps_pace: bool) -> None:
        now, wall = time.monotonic(), time.time_ns() // 1000
        stamp = _stamp(packet, codec) if codec.stamped else None
        placed = self.timeline.place(stamp, now, keeps_pace=keeps_pace)
        piece = Piece(self._n, now, wall, placed.t, packet.is_keyframe, packet.size, packet, codec, placed.late)
        self._ring.add(piece)
        if piece.key:
            self._line.key = (piece.n, now)
            self.counters.keys += 1
            self.keyless_since = None
        self._line.newest = (piece.n, now)
        if self.surge.feed(piece.size, key=piece.key):
            self._line.wakes(now)
        self._n += 1
        self.counters.packets += 1
        self.counters.bytes += packet.size
        self.counters.last_at = wall


def parse_live(order: CameraOrder) -> bool:
    """Whether ``order`` names a stream; an address that can't be read counts as none."""
    try:
        return parse_address(order.url, transport=order.transport).live
    except BihuanError:
        return False


def _stamp(packet: VideoPacket, codec: Codec) -> float | None:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return None if stamp is None else float(stamp * codec.time_base)
