"""Signatures as the standard's own library verifies them."""

import base64
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from hazards.errors import BadInput
from push.signing import secret_bytes, secrets_in, signed_headers


def now() -> int:
    return time.time_ns() // 1000


def secret(size: int = 32) -> str:
    return "whsec_" + base64.b64encode(os.urandom(size)).decode()


@given(st.binary(min_size=24, max_size=64), st.text())
def test_the_standards_own_library_accepts_what_we_sign(key: bytes, text: str) -> None:
    body = text.encode("utf-8", "surrogatepass") if text.isascii() else b'{"type":"incident.opened"}'
    headers = signed_headers("5f0c-1", now(), body, [key])
    Webhook("whsec_" + base64.b64encode(key).decode()).verify(body, headers, json_parse=False)


def test_while_a_secret_is_changed_the_old_and_the_new_receiver_accept() -> None:
    old, new = secret(24), secret(64)
    headers = signed_headers("m", now(), b"{}", secrets_in(f"{new}, {old}"))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for known in (old, new):
        Webhook(known).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret()).verify(b"{}", headers)


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body"])
def test_nothing_that_is_signed_can_be_changed(changed: str) -> None:
    known, body = secret(), b'{"a":1}'
    headers = signed_headers("m", now(), body, secrets_in(known))
    if changed == "body":
        body = b'{"a":2}'
    else:
        headers[changed] = str(int(headers[changed]) + 1) if changed == "webhook-timestamp" else "n"
    with pytest.raises(WebhookVerificationError):
        Webhook(known).verify(body, headers)


def test_the_standards_example_has_the_standards_signature() -> None:
    key = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330 * 1_000_000, b'{"test": 2432232314}', [key])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no secret"),
        (" , ", "no secret"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with whsec_"),
        ("whsec_###", "not base64"),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), "23 bytes"),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), "65 bytes"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,short", "begins with whsec_"),
    ],
)
def test_a_secret_that_is_none_is_named_and_not_repeated(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        secrets_in(text)
    assert not text.strip(" ,") or text[6:] not in str(caught.value)


def test_nothing_goes_out_unsigned() -> None:
    with pytest.raises(BadInput, match="unsigned"):
        signed_headers("m", now(), b"{}", [])
    with pytest.raises(BadInput, match="full stop"):
        signed_headers("m.n", now(), b"{}", [b"x" * 24])
