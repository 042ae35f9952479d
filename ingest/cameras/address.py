"""Where a camera's video comes from, and how FFmpeg is asked for it: RTSP, HLS, HTTP, USB, a file, a folder of files.

Every kind may use only its own protocols, so that a play list that a stranger wrote can't open a file of ours.
What must not go in: opening, decoding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from hazards.errors import SourceUnreadable

Kind = Literal["file", "folder", "rtsp", "hls", "http", "usb"]

OPEN_SECONDS, READ_SECONDS = 6.0, 5.0
"""Seconds for an answer: both below the ten within which a fault must show in the camera's health."""
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,h264,hevc,mjpeg,mxf,dhav,nut,ivf"
# correct_ts_overflow: a camera whose clock goes back is not one whose counter ran over
_QUICK = {"fflags": "nobuffer", "correct_ts_overflow": "0", "analyzeduration": "1000000", "probesize": "500000"}
_NETWORK = {"timeout": str(int(READ_SECONDS * 1e6)), "rw_timeout": str(int(READ_SECONDS * 1e6))}
_OPTIONS: Mapping[Kind, Mapping[str, str]] = {
    "file": {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS},  # no play lists that open other files, no text as video
    "folder": {"protocol_whitelist": "file", "format_whitelist": _CONTAINERS},
    "rtsp": _QUICK | {
        "protocol_whitelist": "rtsp,rtsps,rtp,srtp,tcp,udp,tls,crypto", "rtsp_transport": "tcp", "flags": "low_delay",
        "timeout": _NETWORK["timeout"],
    },
    "hls": _NETWORK | {"protocol_whitelist": "http,https,tcp,tls,crypto", "format_whitelist": "hls,mpegts,mov,mp4,aac,webvtt"},
    "http": _QUICK | _NETWORK | {"protocol_whitelist": "http,https,tcp,tls", "format_whitelist": f"{_CONTAINERS},mpjpeg"},
    "usb": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """Where a video is: ``path`` as FFmpeg takes it; ``live``: a stream that has no end of its own; ``kind`` of source.

    ``shown``: without user and password, for people and logs; ``options`` for FFmpeg; ``format``: FFmpeg's name of it, "" to find out."""

    path: str
    live: bool
    shown: str
    kind: Kind = "file"
    options: Mapping[str, str] = field(default_factory=dict)
    format: str = ""

    @property
    def paced(self) -> bool:
        """Whether the source gives its packets as fast as it is read, so that the reader must keep the time."""
        return self.kind in ("file", "folder", "hls")


def parse_address(url: str, *, transport: str = "tcp") -> Address:
    """The address in ``url``: a path, ``file:PATH``, ``file:FOLDER/``, ``rtsp://…``, ``http(s)://…`` (HLS: it ends in .m3u8), ``usb:0``.

    ``transport``: tcp or udp, for RTSP; ``?transport=udp`` in the address says the same. Raises SourceUnreadable for anything else."""
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    if scheme in ("rtsp", "rtsps", "http", "https") and rest.startswith("//"):
        return _network(url, scheme, transport)
    if scheme == "usb" and rest.isdecimal():
        return Address(f"/dev/video{rest}", live=True, shown=f"usb:{rest}", kind="usb", format="v4l2")
    if scheme == "file":
        path = unquote(rest.removeprefix("//"))
        return _file(path)
    if colon and rest.startswith("//"):
        raise SourceUnreadable(
            f"{scheme}:// is not read", where=url.partition("?")[0].rpartition("@")[2], hint="a file, rtsp://, http:// or usb:0"
        )
    return _file(url)


def _file(path: str) -> Address:
    kind: Kind = "folder" if path.endswith("/") else "file"
    return Address("file:" + path, live=False, shown=path, kind=kind, options=_OPTIONS[kind])


def _network(url: str, scheme: str, transport: str) -> Address:
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError as e:
        raise SourceUnreadable(f"not an address: {e}", where=scheme) from e
    if not host:
        raise SourceUnreadable("an address without a host", where=scheme)
    shown = f"{scheme}://{host}{parts.path}"
    if scheme.startswith("http"):
        kind: Kind = "hls" if parts.path.lower().endswith((".m3u8", ".m3u")) else "http"
        return Address(url, live=True, shown=shown, kind=kind, options=_OPTIONS[kind])
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    transport = query.get("transport", transport).lower()
    if transport not in ("tcp", "udp"):
        raise SourceUnreadable(f"no transport {transport!r}", where=shown, hint="tcp or udp")
    if query.pop("transport", None) is not None:  # ours, not the camera's
        url = urlunsplit(parts._replace(query=urlencode(query)))
    return Address(url, live=True, shown=shown, kind="rtsp", options=dict(_OPTIONS["rtsp"]) | {"rtsp_transport": transport})
