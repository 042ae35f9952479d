"""From a file through reader, ring and decoder to a clip, on drawn videos and on one that reorders its pictures."""

import io
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from hazards.errors import SourceUnreadable
from ingest.cameras.address import parse_address
from ingest.cameras.clip import clip
from ingest.cameras.decoder import Decoder, VideoPiece
from ingest.cameras.eye_messages import CameraOrder
from ingest.cameras.opened import Codec, Opened, VideoPacket
from ingest.cameras.reader import Reader
from ingest.cameras.ring import Piece, Ring
from ingest.cameras.schedule import Line
from tests.ingest.cameras.scenes import clip as drawn


def pieces_of(path: Path) -> list[VideoPiece]:
    """The packets of a file as a reader would keep them."""
    with Opened(parse_address(str(path))) as opened:
        base = opened.codec.time_base
        packets = [(float((p.dts or 0) * base), p) for p in opened.packets()]
        return [Piece(n, t, 0, t, p.is_keyframe, p.size, p, opened.codec) for n, (t, p) in enumerate(packets)]


def codec_of(pieces: list[VideoPiece]) -> Codec:
    codec = pieces[0].source
    assert isinstance(codec, Codec)
    return codec


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn(tmp_path_factory.mktemp("clip") / "plain.mp4", seconds=6)


@pytest.fixture(scope="module")
def reordered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with B-frames, whose brightness counts the frames."""
    path = tmp_path_factory.mktemp("clip") / "reordered.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames, stream.codec_context.thread_count = 10, 2, 1
        for n in range(30):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((96, 128, 3), 8 * n, np.uint8), format="bgr24")))
        out.mux(stream.encode())
    return path


def shown(data: bytes) -> Iterator[av.VideoFrame]:
    with av.open(io.BytesIO(data)) as container:
        yield from container.decode(video=0)


def test_a_clip_shows_the_packets_that_it_was_made_of(plain: Path) -> None:
    pieces = pieces_of(plain)
    frames = list(shown(clip(pieces[24:60])))
    assert len(frames) == 36
    assert frames[0].time == 0.0
    assert frames[-1].time == pytest.approx(35 / 12, abs=0.01)
    original = [f.to_ndarray(format="bgr24") for f in shown(plain.read_bytes())]
    assert np.array_equal(frames[10].to_ndarray(format="bgr24"), original[34]), "copied, not encoded again"


def test_a_clip_keeps_the_order_of_a_stream_that_reorders_its_pictures(reordered: Path) -> None:
    levels = [float(f.to_ndarray(format="gray").mean()) for f in shown(clip(pieces_of(reordered)))]
    assert len(levels) == 30
    assert levels == sorted(levels)


def test_a_clip_of_nothing_is_refused() -> None:
    with pytest.raises(SourceUnreadable):
        clip([])


def test_a_decoder_gives_key_frames_alone_and_then_goes_on_from_there(plain: Path) -> None:
    pieces = pieces_of(plain)
    decoder = Decoder(codec_of(pieces))
    original = [f.to_ndarray(format="bgr24") for f in shown(plain.read_bytes())]
    for n in (0, 48, 24):
        alone = decoder.key(pieces[n])
        assert alone is not None and np.array_equal(alone.full(), original[n])
        assert alone.t == pytest.approx(pieces[n].t)
    assert decoder.position == 24
    on = list(decoder.go_on(pieces[25:40]))
    assert [s.piece.n for s in on] == list(range(25, 40))
    assert np.array_equal(on[-1].full(), original[39])
    assert decoder.errors == 0


def test_a_key_frame_of_a_stream_that_reorders_is_given_at_once(reordered: Path) -> None:
    pieces = pieces_of(reordered)
    keys = [p for p in pieces if p.key]
    decoder = Decoder(codec_of(pieces))
    alone = [decoder.key(key) for key in keys]
    assert [round(float(s.full().mean()) / 8) for s in alone if s] == [0, 10, 20]
    assert decoder.position is None, "it has to begin at a key frame again"
    frames = [*decoder.go_on(pieces), *decoder.end(pieces[-1])]
    assert len(frames) == 30
    times = [s.t for s in frames]
    assert times == sorted(times)
    assert np.diff(times) == pytest.approx(np.full(29, 0.1), abs=0.01)


def test_garbage_is_counted_and_the_next_key_frame_shows_again(plain: Path) -> None:
    pieces = pieces_of(plain)
    decoder = Decoder(codec_of(pieces))
    broken = av.Packet(b"\0\0\0\1\x41" + bytes(range(256)) * 8)
    broken.time_base = codec_of(pieces).time_base
    bad = [Piece(p.n, p.at, 0, p.t, p.key, 8, broken, p.source) for p in pieces[:12]]
    assert list(decoder.go_on(bad)) == []
    assert decoder.errors >= 12 and decoder.failing_since is not None
    again = decoder.key(pieces[24])
    assert again is not None and decoder.failing_since is None


def test_a_reader_plays_a_file_in_real_time_and_leaves_no_thread(plain: Path) -> None:
    ring: Ring[VideoPacket] = Ring()
    line = Line("c")
    reader = Reader(CameraOrder("c", f"file:{plain}", True, [], {}, []), ring, line)
    before, began = threading.active_count(), time.monotonic()
    reader.start()
    while line.newest[0] < 24:
        assert time.monotonic() - began < 20
        time.sleep(0.02)
    assert time.monotonic() - began >= 1.9, "two seconds of video"
    assert line.key[0] == 24
    reader.stop()
    reader.thread.join(2)
    assert not reader.thread.is_alive()
    assert threading.active_count() == before
    assert len(ring) == 0, "what it held is given back"


def test_a_folder_plays_its_videos_by_name(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "b.mp4").write_bytes(drawn(tmp_path / "b.mp4", seconds=0.5).read_bytes())
    drawn(tmp_path / "a.mp4", seconds=1)
    ring: Ring[VideoPacket] = Ring()
    reader = Reader(CameraOrder("c", f"file:{tmp_path}/", False, [], {}, []), ring, Line("c"))
    reader.start()
    reader.thread.join(20)
    assert reader.state == "ended"
    assert reader.counters.packets == 12 + 6
    sources = [p.source for p in ring.after(-1)]
    assert len(set(map(id, sources))) == 2 and sources[0] is sources[11] is not sources[12]
