"""RFC 3339 times: the examples of the document, the corners of the calendar, and what is not one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rfc3339 import parse_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t08:00:00+08:00", 0),
        ("1969-12-31 23:59:59.999999z", -1),
        ("2026-11-22T10:15:30+08:00", 1_795_313_730_000_000),
        ("1985-04-12T23:20:50.52Z", 482_196_050_520_000),
        ("1996-12-19T16:39:57-08:00", 851_042_397_000_000),
        ("1990-12-31T23:59:60Z", 662_688_000_000_000),
        ("1990-12-31T15:59:60-08:00", 662_688_000_000_000),
        ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130_000),
        ("2026-11-22T10:15:30.1234567891234567890-00:00", 1_795_342_530_123_456),
        ("0001-01-01T00:00:00+14:00", -62_135_647_200_000_000),
        ("9999-12-31T23:59:59.999999-23:59", 253_402_387_139_999_999),
        ("0000-02-29T00:00:00Z", -62_162_121_600_000_000),
        ("2100-02-28T00:00:00Z", 4_107_456_000_000_000),
    ],
)
def test_times_become_utc_microseconds(text: str, microseconds: int) -> None:
    assert parse_time(text) == microseconds


@pytest.mark.parametrize(
    "text",
    [
        "", "now", "1795313730", "2026-11-22", "2026-11-22T10:15:30", "2026-11-22T10:15Z", "2026-11-22T10:15:30+0800",
        "2026-11-22T10:15:30+08", "2026-1-2T10:15:30Z", "2026-11-22T10:15:30.Z", "2026-11-22T10:15:30,5Z", "+2026-11-22T10:15:30Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-11-00T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:15:61Z", "2026-11-22T10:15:60Z",
        "2026-11-22T10:15:30+24:00", "2026-11-22T10:15:30+08:60", "2026-11-22T10:15:30Z\n", " 2026-11-22T10:15:30Z",
        "２０２６-11-22T10:15:30Z", "2026-11-22T11:47:0500:00", "12026-11-22T10:15:30Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_time(text)


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), st.integers(-1439, 1439))
def test_it_agrees_with_datetime_wherever_datetime_can_tell(local: datetime, minutes: int) -> None:
    sign, offset = "-" if minutes < 0 else "+", abs(minutes)
    text = f"{local.isoformat()}{sign}{offset // 60:02}:{offset % 60:02}"
    assert parse_time(text) == (local.replace(tzinfo=UTC) - timedelta(minutes=minutes) - EPOCH) // timedelta(microseconds=1)


@given(st.text())
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        parse_time(text)
    except ValueError:
        pass
