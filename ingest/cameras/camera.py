"""One watched camera in its eye: its reader, its ring, and what the analyst does with it in its turn.

What must not go in: which camera is next (``schedule``), processes.
"""

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from detectors import DETECTORS
from detectors.base import Attention, Transition
from detectors.watch import Watch
from hazards.errors import SourceUnreadable
from ingest.cameras.clip import clip
from ingest.cameras.decoder import Decoder, Shown, VideoPiece
from ingest.cameras.eye_messages import CameraOrder, CameraState, Clip, EyeMessage, Glimpse, Looked, Saw, Watching
from ingest.cameras.opened import Codec, VideoPacket
from ingest.cameras.reader import Reader
from ingest.cameras.ring import Ring
from ingest.cameras.schedule import QUIET_AFTER, Line
from ingest.cameras.snapshot import glimpse, snapshot

OLDEST = 0.9
"""Seconds from the arrival of a frame after which it is no longer looked at: the next one comes instead."""
MOVES = 0.0005
"""Share of the picture that must move to keep a camera awake: ten pixels of its coarse level."""
SLICE = 48
"""Packets decoded in one turn at most: a camera with a long way from its key frame must not hold up the others."""
CLIP_BEFORE, CLIP_AFTER = 5.0, 8.0
"""Seconds of the clip before and after a condition began."""
GLIMPSE_SECONDS = 10.0
"""Seconds between two small pictures for who looks at all cameras."""
HOPELESS = 5.0
"""Seconds without one picture out of packets that come, after which the connection is made anew."""
KEYLESS = 8.0
"""Seconds without a key frame after which a stream that was just opened counts as lost."""
_WATCHING: Mapping[Attention, Watching] = {Attention.STILL: "still", Attention.MOVING: "moving", Attention.BURST: "burst"}


@dataclass(slots=True)
class Tally:
    """What is counted between two reports."""

    since: float
    packets: int = 0
    bytes: int = 0
    analysed: int = 0
    ages: list[float] = field(default_factory=list)
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A clip that is due at ``when`` (monotonic s)."""

    kind: str
    at: int
    began: float
    when: float


class Camera:
    """A camera of this eye. Everything but its reader runs on the analyst's thread."""

    def __init__(self, order: CameraOrder, say: Callable[[EyeMessage], None], *, patience: float = 1.0) -> None:
        self.order, self._say = order, say
        self._ring: Ring[VideoPacket] = Ring()
        self.line = Line(order.id)
        self.reader = Reader(order, self._ring, self.line, patience=patience)
        parameters, self._problem = parameters_of(order)
        self._watch = Watch(order.detectors, areas=order.areas, masks=order.masks, parameters=parameters, raised=order.raised)
        self._decoder: Decoder | None = None
        self._errors = 0  # of earlier decoders
        self._size_wh = (0, 0)
        self._dropped = self._looks = 0
        self._glimpsed = float("-inf")
        self._clips: list[Wanted] = []
        self._tally = Tally(time.monotonic())
        self._spent = 0.0  # processor seconds of this look so far
        self._finished = False
        self._said: tuple[CameraState, str] = ("opening", "")

    @property
    def turned(self) -> bool:
        """Whether its state is another than was last said."""
        return self._state() != self._said

    def start(self) -> None:
        """Begin to read."""
        self.reader.start()

    def turn(self, now: float) -> None:
        """Look at what is due at ``now`` (monotonic s)."""
        began = time.thread_time()
        mode, moving = self.line.mode(now), False
        pieces = self._pieces(mode)
        taken = pieces[-1].n if pieces else self.line.newest[0]
        if pieces and isinstance(codec := pieces[-1].source, Codec):
            decoder = self._decoder_of(codec, now)
            if len(pieces) > SLICE:
                for _ in decoder.go_on(pieces[:SLICE]):
                    pass
                self.line.taken = pieces[SLICE - 1].n  # the rest of the way is its next turn, at once
                self._spend(began)
                return
            moving = self._look(decoder, pieces, mode)
            self._judge(decoder, now)
        if self.line.woken and mode > Attention.STILL:
            self.line.woken = False
            if not moving:
                self.reader.surge.reject()
        self._spend(began)
        attention, stands = self._watch.attention, bool(self._watch.raised)
        self.line.looked(now, taken=taken, moving=moving, attention=attention, cost=self._spent, stands=stands)
        self._spent = 0.0

    def tick(self, now: float) -> None:
        """What is due without a look, about every second: clips, the end of a recording, a report."""
        self._send_clips(now)
        if self.reader.state == "ended" and not self._finished and not self.line.waits(now):
            self._finish()
        keyless = self.reader.keyless_since
        if keyless is not None and now - keyless > KEYLESS:
            self.reader.break_off("it sends no key frame")
        self.report(now)

    def report(self, now: float) -> None:
        """Say how the camera is."""
        self._say(self._looked(now))
        self._tally = Tally(now, self.reader.counters.packets, self.reader.counters.bytes)

    def leave(self) -> None:
        """End its reader; clips that are due are sent with what there is."""
        self.reader.stop()
        self._send_clips()

    def fault(self, error: Exception) -> None:
        """A detector failed: begin anew, with the reader's pauses."""
        self._watch.interrupt()
        self.reader.break_off(f"{type(error).__name__}: {error}")
        self.line.taken = self.line.newest[0]

    def _pieces(self, mode: Attention) -> list[VideoPiece]:
        """What is decoded in this turn: a key frame alone, or what follows the decoder's position, begun as late as it may."""
        if mode == Attention.STILL:
            key = self._ring.newest_key()
            return [key] if key is not None and key.n > self.line.taken else []
        position = self._decoder.position if self._decoder else None
        pieces = self._ring.after(position) if position is not None else []
        pieces = pieces or self._ring.since_last_key()
        if not pieces or pieces[-1].n <= self.line.taken:
            return []
        source = pieces[-1].source
        pieces = [piece for piece in pieces if piece.source is source]
        keys = [i for i, piece in enumerate(pieces) if piece.key]
        follows = self._decoder is not None and self._decoder.codec is source and position == pieces[0].n - 1
        if keys and (mode == Attention.MOVING or not follows or not self._fresh(pieces[0])):
            return pieces[keys[-1] :]
        return pieces if follows else []

    def _decoder_of(self, codec: Codec, now: float) -> Decoder:
        """The decoder of ``codec``; another one than before means that the stream began anew."""
        if self._decoder is not None and self._decoder.codec is codec:
            return self._decoder
        if self._decoder is not None:
            self._errors += self._decoder.errors
            if not codec.continues:
                self._watch.interrupt()
        self._decoder = Decoder(codec)
        if not codec.continues:
            self.line.awake_until = max(self.line.awake_until, now + QUIET_AFTER)  # to learn the usual picture
        return self._decoder

    def _look(self, decoder: Decoder, pieces: list[VideoPiece], mode: Attention) -> bool:
        """Analyse what ``pieces`` show, as ``mode`` wants; whether something moves."""
        if not self._fresh(pieces[-1]):
            self._dropped += len(pieces)
            return False
        if mode == Attention.STILL:
            alone = decoder.key(pieces[0])
            return self._analyse(alone) if alone else False
        moving, newest = False, None
        for newest in decoder.go_on(pieces):
            if mode == Attention.BURST and self._watch.due(newest.t):
                if self._fresh(newest.piece):
                    moving |= self._analyse(newest)
                else:
                    self._dropped += 1
        if mode == Attention.MOVING and newest is not None:
            moving = self._analyse(newest)
        return moving

    def _analyse(self, shown: Shown) -> bool:
        """Let the detectors look; whether something moves."""
        if self._size_wh not in ((0, 0), shown.size_wh):
            self._watch.interrupt()  # another resolution: nothing of before can be compared
        self._size_wh = shown.size_wh
        self._tally.ages.append(self._age(shown.piece))
        self._tally.analysed += 1
        self._looks += 1
        frame = shown.frame()
        told = self._watch.feed(frame)
        self.reader.proves_live()
        self._tell(told, shown)
        if shown.piece.at - self._glimpsed >= GLIMPSE_SECONDS:
            self._glimpsed = shown.piece.at
            self._say(Glimpse(self.order.id, shown.piece.wall, glimpse(shown.full())))
        return frame.movement is not None and frame.movement.share > MOVES

    def _tell(self, told: list[Transition], shown: Shown | None) -> None:
        at = shown.piece.wall if shown else time.time_ns() // 1000
        for x in told:
            picture = plain = None
            if shown is not None and x.state == "raised":
                full = shown.full()
                picture, plain = snapshot(full, x.box), snapshot(full, None)
                self._clips.append(Wanted(x.kind, at, shown.piece.at, shown.piece.at + CLIP_AFTER))
            self._say(
                Saw(self.order.id, x.kind, x.state, x.score, x.box, at, x.t, x.n, x.cause, dict(x.cues), picture, plain, list(x.fired))
            )  # fmt: skip

    def _send_clips(self, until: float = math.inf) -> None:
        """Those that are due by ``until``, with what there is of them."""
        due, self._clips = [w for w in self._clips if w.when <= until], [w for w in self._clips if w.when > until]
        for wanted in due:
            self._send_clip(wanted)

    def _send_clip(self, wanted: Wanted) -> None:
        pieces = self._ring.span(wanted.began - CLIP_BEFORE, wanted.began + CLIP_AFTER)
        if pieces:
            with contextlib.suppress(SourceUnreadable):  # a codec that MP4 does not hold: the pictures must do
                self._say(Clip(self.order.id, wanted.kind, wanted.at, pieces[0].wall, pieces[-1].wall, clip(pieces)))

    def _finish(self) -> None:
        """The recording ended: what the decoder still holds is looked at, and what stands is cleared."""
        self._finished = True
        last = self._ring.since_last_key()
        if self._decoder is not None and last:
            for shown in self._decoder.end(last[-1]):
                self._analyse(shown)
        self._send_clips()
        self._tell(self._watch.end(), None)

    def _judge(self, decoder: Decoder, now: float) -> None:
        """Break off a stream of which nothing can be decoded."""
        if decoder.failing_since is not None and now - decoder.failing_since > HOPELESS:
            decoder.failing_since = None
            self.reader.break_off("what it sends can't be decoded")

    def _age(self, piece: VideoPiece) -> float:
        return time.monotonic() - piece.at + piece.late

    def _fresh(self, piece: VideoPiece) -> bool:
        return self._age(piece) <= OLDEST

    def _spend(self, began: float) -> None:
        spent = time.thread_time() - began
        self._spent += spent
        self._tally.cost += spent

    def _state(self) -> tuple[CameraState, str]:
        state, what = self.reader.state, self.reader.what
        return ("live" if state == "ended" and not self._finished else state), what

    def _looked(self, now: float) -> Looked:
        reader, tally = self.reader, self._tally
        counters, passed = reader.counters, max(1e-3, now - tally.since)
        self._said = state, what = self._state()
        return Looked(
            self.order.id, state, counters.packets, round((counters.packets - tally.packets) / passed, 2), what or self._problem,
            watching=_WATCHING[self.line.mode(now)], analysed=round(tally.analysed / passed, 2), keys=counters.keys, looks=self._looks,
            bitrate=round(8 * (counters.bytes - tally.bytes) / passed), last_at=counters.last_at,
            age=round(max(tally.ages, default=0.0), 3), dropped=self._dropped,
            reconnects=max(0, counters.connects - 1), decode_errors=self._errors + (self._decoder.errors if self._decoder else 0),
            width=self._size_wh[0], height=self._size_wh[1], drift=round(reader.timeline.gained, 2), jumps=reader.timeline.jumps,
            cost=round(tally.cost / passed, 4), raised=self._watch.raised, figures=self._watch.figures,
            problems=dict(self._watch.problems),
        )  # fmt: skip


def parameters_of(order: CameraOrder) -> tuple[dict[str, Struct], str]:
    """The parameters that ``order`` sets, by detector, and in words what is wrong with the others, which keep their defaults."""
    built: dict[str, Struct] = {}
    wrong = []
    for name, values in order.parameters.items():
        if name in DETECTORS and name in order.detectors:
            try:
                built[name] = msgspec.convert(values, DETECTORS[name].Parameters)
            except msgspec.ValidationError as e:
                wrong.append(f"settings of {name}: {e}")
    return built, "; ".join(wrong)
