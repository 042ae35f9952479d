"""Parts of a file over HTTP (RFC 9110, 14): what a browser asks for when somebody moves within a clip.

What must not go in: files, who may see them.
"""

import re
from collections.abc import Mapping

_ONE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


class OutOfRange(Exception):
    """The part lies beyond the end: 416."""


def part_of(size: int, headers: Mapping[str, str], etag: str) -> tuple[int, int] | None:
    """First byte and the one after the last that the request wants of ``size`` bytes; None: all of it.

    Several parts at once, another unit, and a part of an older file (``If-Range``) get the whole, as the standard allows.
    Raises OutOfRange."""
    asked = _ONE.fullmatch(headers.get("range", "").replace(" ", ""))
    if asked is None or headers.get("if-range", etag) != etag:
        return None
    first, last, suffix = asked.groups()
    if suffix is not None:
        begins, ends = max(0, size - int(suffix)), size
    else:
        begins, ends = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < begins:
            return None
    if begins >= size or begins >= ends:
        raise OutOfRange
    return begins, ends
