"""Signatures by Standard Webhooks 1.0: id, time and body under HMAC-SHA256 (``v1``), one signature for each secret. Sans-I/O.

Several secrets at once are how a secret is changed without a gap (rotation, 密钥轮换): the receiver accepts any that it knows.
What must not go in: where secrets come from (``push/endpoints.py``), HTTP.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from hazards.errors import BadInput

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret (Standard Webhooks, "Signature scheme")."""


def secret_bytes(secret: str) -> bytes:
    """The key in ``whsec_`` + base64. Raises BadInput, which never repeats the secret."""
    if not secret.startswith(PREFIX):
        raise BadInput(f"a webhook secret begins with {PREFIX}", hint=f"{PREFIX} and base64 of {SHORTEST} to {LONGEST} random bytes")
    text = secret[len(PREFIX) :]
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)  # some tools leave the padding out
    except (binascii.Error, ValueError) as e:
        raise BadInput("what follows whsec_ is not base64", hint="openssl rand -base64 32") from e
    if not SHORTEST <= len(key) <= LONGEST:
        raise BadInput(f"the secret has {len(key)} bytes, {SHORTEST} to {LONGEST} are allowed", hint="openssl rand -base64 32")
    return key


def secrets_in(text: str) -> tuple[bytes, ...]:
    """The keys in a comma-separated list, at least one. Raises BadInput."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        raise BadInput("there is no secret", hint=f"{PREFIX} and base64 of {SHORTEST} to {LONGEST} random bytes")
    return tuple(secret_bytes(part) for part in parts)


def signed_headers(message_id: str, at: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of a message sent at ``at`` (UTC µs) and signed with every one of ``keys``.

    ``message_id`` stays the same over retries; the time is that of the attempt. Raises BadInput when nothing could sign."""
    if not keys:
        raise BadInput("nothing goes out unsigned")
    if "." in message_id:
        raise BadInput("a webhook-id has no full stop: it separates what is signed", where=message_id)
    seconds = str(at // 1_000_000)
    content = b".".join((message_id.encode(), seconds.encode(), body))
    signatures = (base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": " ".join(f"v1,{s}" for s in signatures)}
