"""ONVIF on the wire, without a socket: finding cameras (WS-Discovery) and asking one for the address of its sub-stream (Media service).

Sources: ONVIF Core Specification 2.0 (WS-Discovery, WS-UsernameToken), ONVIF Media Service Specification (GetProfiles, GetStreamUri),
OASIS Web Services Security UsernameToken Profile 1.0 (the digest). What must not go in: sockets, a clock of its own.
"""

import base64
import hashlib
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from xml.sax.saxutils import escape

from hazards.errors import MalformedMessage, NotPermitted, SourceUnreadable

MULTICAST = ("239.255.255.250", 3702)
"""Where a probe goes: group and port of WS-Discovery."""
LONGEST = 512 * 1024
"""Bytes of an answer: a camera with many profiles needs a tenth of it."""
SUB_STREAM_SIDE = 800
"""Pixels of the longer side up to which a profile counts as a sub-stream: detectors look at 320, so more only costs."""
LEAST_SIDE = 320

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_DEVICE, _MEDIA = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_PARTS = ("Year", "Month", "Day", "Hour", "Minute", "Second")
_SCOPES = "onvif://www.onvif.org/"


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered a probe: its stable ``id``, the addresses of its device service, name and hardware as it says."""

    id: str
    addresses: tuple[str, ...]
    name: str = ""
    hardware: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One stream that a camera offers. ``encoding``: H264, H265, JPEG; ``rate``: frames a second, 0 where it does not say."""

    token: str
    name: str
    encoding: str
    width: int
    height: int
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Login:
    """User, password, and what makes each digest another: ``nonce`` and the camera's time ``created``."""

    user: str
    password: str
    nonce: bytes
    created: datetime

    def header(self) -> str:
        """The security header: the password itself is not in it."""
        created = self.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = base64.b64encode(hashlib.sha1(self.nonce + created.encode() + self.password.encode(), usedforsecurity=False).digest())
        return (
            f'<wsse:Security xmlns:wsse="{_WSSE}" xmlns:wsu="{_WSU}"><wsse:UsernameToken><wsse:Username>{escape(self.user)}</wsse:Username>'
            f'<wsse:Password Type="{_DIGEST}">{digest.decode()}</wsse:Password>'
            f'<wsse:Nonce EncodingType="{_BASE64}">{base64.b64encode(self.nonce).decode()}</wsse:Nonce>'
            f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
        )


def probe(message_id: uuid.UUID) -> bytes:
    """The question to all: who is a camera?"""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{_SOAP}" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
        "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>"
        f"<a:MessageID>uuid:{message_id}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>"
        "<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    ).encode()


def found(datagram: bytes) -> list[Found]:
    """The devices in an answer to a probe. Raises MalformedMessage for what is none."""
    devices = []
    for match in _all(_parsed(datagram), "ProbeMatch"):
        scopes = _text(match, "Scopes").split()
        named = {kind: unquote(s.removeprefix(f"{_SCOPES}{kind}/")) for kind in ("name", "hardware") for s in scopes if f"/{kind}/" in s}
        addresses = tuple(a for a in _text(match, "XAddrs").split() if a.startswith(("http://", "https://")))
        if addresses:
            devices.append(Found(_text(match, "Address"), addresses, named.get("name", ""), named.get("hardware", "")))
    return devices


def get_time() -> bytes:
    """What time is it at the camera? Needs no login; a digest by another clock than its own is refused."""
    return _envelope(f'<GetSystemDateAndTime xmlns="{_DEVICE}"/>')


def time_of(body: bytes) -> datetime | None:
    """The camera's UTC time; None: it does not say."""
    for utc in _all(_parsed(body), "UTCDateTime"):
        try:
            year, month, day, hour, minute, second = (int(_text(utc, part)) for part in _PARTS)
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
    return None


def get_capabilities(login: Login | None) -> bytes:
    """Where is the media service?"""
    return _envelope(f'<GetCapabilities xmlns="{_DEVICE}"><Category>Media</Category></GetCapabilities>', login)


def media_address_of(body: bytes) -> str:
    """The address of the media service. Raises SourceUnreadable where it has none."""
    for media in _all(_parsed(body), "Media"):
        if address := _text(media, "XAddr"):
            return address
    raise SourceUnreadable("the device has no media service")


def on_host_of(address: str, device: str) -> str:
    """``address`` on the host of ``device``: behind a router cameras name one that nobody reaches, and a login goes to no other host."""
    return urlunsplit(urlsplit(address)._replace(netloc=urlsplit(device).netloc))


def get_profiles(login: Login | None) -> bytes:
    """Which streams are there?"""
    return _envelope(f'<GetProfiles xmlns="{_MEDIA}"/>', login)


def profiles_of(body: bytes) -> list[Profile]:
    """The streams that the camera offers."""
    profiles = []
    for element in _all(_parsed(body), "Profiles"):
        for encoder in _all(element, "VideoEncoderConfiguration"):
            size = next(_all(encoder, "Resolution"), encoder)
            try:
                width, height = int(_text(size, "Width")), int(_text(size, "Height"))
                rate = float(_text(encoder, "FrameRateLimit") or 0)
            except ValueError:
                continue
            name = next((e.text or "" for e in element if _local(e) == "Name"), "")
            profiles.append(Profile(element.get("token", ""), name, _text(encoder, "Encoding").upper(), width, height, rate))
    return profiles


def sub_stream(profiles: Sequence[Profile]) -> Profile:
    """The stream to watch: the largest up to SUB_STREAM_SIDE, H.264 before H.265 before JPEG; else the smallest that there is.

    Raises SourceUnreadable where there is none."""
    if not profiles:
        raise SourceUnreadable("the camera offers no stream")
    ranks = {"H264": 0, "H265": 1, "JPEG": 2}

    def area(profile: Profile) -> int:
        return profile.width * profile.height

    fit = [p for p in profiles if LEAST_SIDE <= max(p.width, p.height) <= SUB_STREAM_SIDE]
    if fit:
        return min(fit, key=lambda p: (ranks.get(p.encoding, 3), -area(p)))
    large = [p for p in profiles if max(p.width, p.height) > SUB_STREAM_SIDE]
    return min(large, key=lambda p: (area(p), ranks.get(p.encoding, 3))) if large else max(profiles, key=area)


def get_stream_uri(profile: str, login: Login | None) -> bytes:
    """What is the address of the stream ``profile``?"""
    return _envelope(
        f'<GetStreamUri xmlns="{_MEDIA}"><StreamSetup><Stream xmlns="http://www.onvif.org/ver10/schema">RTP-Unicast</Stream>'
        '<Transport xmlns="http://www.onvif.org/ver10/schema"><Protocol>RTSP</Protocol></Transport></StreamSetup>'
        f"<ProfileToken>{escape(profile)}</ProfileToken></GetStreamUri>",
        login,
    )


def stream_uri_of(body: bytes) -> str:
    """The RTSP address. Raises SourceUnreadable where there is none."""
    for element in _all(_parsed(body), "MediaUri"):
        uri = _text(element, "Uri").strip()
        if uri.lower().startswith(("rtsp://", "rtsps://")):
            return uri
    raise SourceUnreadable("the camera names no RTSP address")


def with_login(uri: str, user: str, password: str) -> str:
    """``uri`` with user and password in it, as a site file takes it."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}")) if user else uri


def raise_fault(status: int, body: bytes) -> None:
    """Raise what a camera's refusal means: NotPermitted for a login, SourceUnreadable for anything else; return where it is no refusal."""
    if status == 401:
        raise NotPermitted("the camera refused the password")
    if status < 400:
        return
    reason = ""
    try:
        fault = _parsed(body)
        codes = " ".join(e.text or "" for e in fault.iter() if _local(e) in ("Value", "faultcode"))
        reason = " ".join((_text(fault, "Text") or _text(fault, "faultstring")).split())[:200]
        if "NotAuthorized" in codes or "FailedAuthentication" in codes:
            raise NotPermitted("the camera refused the password")
    except MalformedMessage:
        pass
    raise SourceUnreadable(f"the camera answered {status}" + (f": {reason}" if reason else ""))


def _envelope(body: str, login: Login | None = None) -> bytes:
    header = f"<s:Header>{login.header()}</s:Header>" if login else ""
    whole = f'<s:Envelope xmlns:s="{_SOAP}">{header}<s:Body>{body}</s:Body></s:Envelope>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{whole}'.encode()


def _parsed(data: bytes) -> ET.Element:
    """The XML in ``data``. A document type is refused: it serves only to blow up a parser. Raises MalformedMessage."""
    if len(data) > LONGEST:
        raise MalformedMessage(f"an answer of {len(data)} bytes")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or b"\0" in data:
        raise MalformedMessage("an answer with a document type")
    try:
        return ET.fromstring(data)  # noqa: S314 (bounded, and without a document type there are no entities)
    except (ET.ParseError, ValueError, LookupError) as e:
        raise MalformedMessage(f"no XML: {e}") from e


def _local(element: ET.Element) -> str:
    """The name without its namespace: firmwares differ in the prefixes and versions that they use."""
    return element.tag.rpartition("}")[2]


def _all(element: ET.Element, name: str) -> "filter[ET.Element]":
    return filter(lambda e: _local(e) == name, element.iter())


def _text(element: ET.Element, name: str) -> str:
    return next((e.text or "" for e in _all(element, name)), "")
