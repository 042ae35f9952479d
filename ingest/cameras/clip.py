"""Packets from the ring as a video file, copied and not encoded again: what the camera sent is what the clip shows.

What must not go in: when a clip is wanted, where it is kept.
"""

import io
from collections.abc import Sequence
from fractions import Fraction

import av
import av.error

from hazards.errors import SourceUnreadable
from ingest.cameras.opened import FOREIGN, Codec, VideoPacket
from ingest.cameras.ring import Piece

_TICKS = 90_000
_FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}  # written in one go, and every browser plays it


def clip(pieces: Sequence[Piece[VideoPacket]]) -> bytes:
    """``pieces`` of one source, begun at a key frame, as a fragmented MP4 from 0 s on. Raises SourceUnreadable where MP4 can't hold it."""
    if not pieces or not isinstance(codec := pieces[0].source, Codec):
        raise SourceUnreadable("no packets to make a clip of")
    file, step = io.BytesIO(), Fraction(1, _TICKS)
    try:
        with av.open(file, "w", format="mp4", options=_FRAGMENTED) as out:
            stream = out.add_stream_from_template(codec.template, opaque=True)
            last = -1
            for piece in pieces:
                packet = av.Packet(bytes(piece.packet))
                packet.stream, packet.time_base, packet.is_keyframe = stream, step, piece.key
                packet.dts = last = max(last + 1, round((piece.t - pieces[0].t) * _TICKS))
                packet.pts = packet.dts + _reordered(piece.packet, codec)
                out.mux(packet)
    except FOREIGN as e:
        raise SourceUnreadable(f"no clip of {codec.name}: {' '.join(str(e).split())[:200]}") from e
    return file.getvalue()


def _reordered(packet: VideoPacket, codec: Codec) -> int:
    """Ticks from decoding to showing, of a stream that reorders its pictures."""
    if not codec.stamped or packet.pts is None or packet.dts is None:
        return 0
    return max(0, round((packet.pts - packet.dts) * codec.time_base * _TICKS))
