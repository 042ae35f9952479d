"""Whether a file is what it is called, by its first bytes. What must not go in: keeping files, HTTP."""

_BEGINNINGS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "application/pdf": b"%PDF-", "image/webp": b"RIFF"}


def begins_as(data: bytes, media_type: str) -> bool:
    """Whether ``data`` begins as a file of ``media_type`` does; no for a type that is not kept."""
    beginning = _BEGINNINGS.get(media_type)
    return beginning is not None and data.startswith(beginning) and (media_type != "image/webp" or data[8:12] == b"WEBP")
