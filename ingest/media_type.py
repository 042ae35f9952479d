"""Content types of what senders post. What must not go in: HTTP, parsing of bodies."""

import re
from collections.abc import Sequence

from hazards.errors import MalformedMessage

_CHARSET = re.compile(r'charset\s*=\s*"?([^";\s]*)', re.IGNORECASE)


def check_media_type(content_type: str, taken: Sequence[str]) -> None:
    """Raises MalformedMessage unless ``content_type`` is one of ``taken`` ("": none was sent) and its text UTF-8."""
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() not in taken:
        raise MalformedMessage(f"content type {media_type.strip()!r} is not taken here", where="", hint=f"send {taken[0]}")
    charset = _CHARSET.search(parameters)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise MalformedMessage(f"charset {charset[1]!r} is not taken here", where="", hint="JSON is UTF-8 (RFC 8259)")
