"""ONVIF's words: answers as cameras give them, the digest of the specification, the choice of the sub-stream, nonsense."""

import base64
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazards.errors import BihuanError, MalformedMessage, NotPermitted, SourceUnreadable
from ingest import onvif

MATCH = b"""<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch>
<wsa:EndpointReference><wsa:Address>urn:uuid:1419d68a-1dd2-11b2-a105-000000000001</wsa:Address></wsa:EndpointReference>
<d:Types>dn:NetworkVideoTransmitter</d:Types>
<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Gate%20East onvif://www.onvif.org/hardware/DS-2CD</d:Scopes>
<d:XAddrs>http://192.0.2.7/onvif/device_service http://[2001:db8::7]/onvif/device_service</d:XAddrs>
</d:ProbeMatch></d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>"""


def profile(width: int, height: int, encoding: str = "H264", token: str = "p") -> onvif.Profile:
    return onvif.Profile(token, token, encoding, width, height)


def test_a_device_is_read_from_its_answer_to_a_probe() -> None:
    (device,) = onvif.found(MATCH)
    assert device.id == "urn:uuid:1419d68a-1dd2-11b2-a105-000000000001"
    assert device.addresses[0] == "http://192.0.2.7/onvif/device_service"
    assert (device.name, device.hardware) == ("Gate East", "DS-2CD")


def test_a_probe_carries_its_id() -> None:
    number = uuid.uuid4()
    assert str(number).encode() in onvif.probe(number)


def test_the_digest_is_that_of_the_specification() -> None:
    """The example of ONVIF's Application Programmer's Guide 1.0, section 6.1.1.3."""
    login = onvif.Login("user", "userpassword", base64.b64decode("LKqI6G/AikKCQrN0zqZFlg=="), datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC))
    header = login.header()
    assert "tuOSpGlFlIXsozq4HFNeeGeFLEI=" in header
    assert "userpassword" not in header


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([profile(2560, 1440), profile(704, 576), profile(352, 288)], (704, 576)),
        ([profile(1920, 1080), profile(640, 360, "H265"), profile(640, 360, "JPEG")], (640, 360)),
        ([profile(1920, 1080), profile(1280, 720)], (1280, 720)),
        ([profile(640, 480, "JPEG"), profile(640, 360, "H264")], (640, 360)),
        ([profile(160, 120), profile(1920, 1080)], (1920, 1080)),
        ([profile(160, 120)], (160, 120)),
    ],
)
def test_the_sub_stream_is_chosen(offered: list[onvif.Profile], chosen: tuple[int, int]) -> None:
    picked = onvif.sub_stream(offered)
    assert (picked.width, picked.height) == chosen


def test_a_camera_without_streams_is_said_to_have_none() -> None:
    with pytest.raises(SourceUnreadable):
        onvif.sub_stream([])


def test_a_login_goes_into_the_address_whatever_it_holds() -> None:
    assert onvif.with_login("rtsp://192.0.2.7:554/s?x=1", "ad min", "p@ss/word") == "rtsp://ad%20min:p%40ss%2Fword@192.0.2.7:554/s?x=1"
    assert onvif.with_login("rtsp://192.0.2.7/s", "", "") == "rtsp://192.0.2.7/s"


def test_a_login_is_sent_to_no_other_host_than_the_device() -> None:
    assert onvif.on_host_of("http://10.0.0.1:80/onvif/media", "http://192.0.2.7:8080/onvif/device") == "http://192.0.2.7:8080/onvif/media"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", NotPermitted),
        (400, b"<E><Fault><Code><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code></Fault></E>", NotPermitted),
        (500, b"<E><Fault><Reason><Text>Internal</Text></Reason></Fault></E>", SourceUnreadable),
        (404, b"not found", SourceUnreadable),
    ],
)
def test_a_refusal_says_what_it_is(status: int, body: bytes, error: type[BihuanError]) -> None:
    with pytest.raises(error):
        onvif.raise_fault(status, body)


def test_an_answer_that_would_blow_up_a_parser_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        onvif.found(b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>')
    with pytest.raises(MalformedMessage):
        onvif.found(b"<x>" + b"a" * onvif.LONGEST + b"</x>")


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: f"<E><Profiles token='{t}'>{t}</Profiles></E>".encode()))
def test_nonsense_is_a_malformed_message_or_nothing(data: bytes) -> None:
    for read in (onvif.found, onvif.profiles_of, onvif.time_of):
        try:
            read(data)
        except MalformedMessage:
            continue
