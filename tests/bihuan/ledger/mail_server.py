"""A real SMTP server on loopback that keeps what it is sent: plain, with STARTTLS, with TLS from the start; with or without a password."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.real.ports import free_port


class MailServer:
    """``answers``: what the next letters are answered, then "250 OK". ``on_letter`` is called when one has arrived, before the answer."""

    def __init__(self, folder: Path, security: str = "none", password: str = "", port: int = 0) -> None:
        self.letters: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.answers: list[str] = []
        self.on_letter: Callable[[], None] = lambda: None
        self.authority = folder / "authority.pem"
        context = _certificate(folder, self.authority) if security != "none" else None
        more: dict[str, Any] = {}
        if password:
            more = {"authenticator": lambda s, se, e, m, data: AuthResult(success=cast(LoginPassword, data).password == password.encode()),
                    "auth_required": True, "auth_require_tls": security == "starttls"}  # fmt: skip
        if security == "starttls":
            more |= {"tls_context": context, "require_starttls": True}
        self.port = port or free_port()
        more |= {"ssl_context": context} if security == "tls" else {}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, data_size_limit=50_000_000, **more)
        self._controller.start()

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        raw = cast(bytes, envelope.original_content)
        if self.answers:
            return self.answers.pop(0)
        self.raw.append(raw)
        self.letters.append(cast(EmailMessage, message_from_bytes(raw, policy=policy.default)))
        self.recipients.append(list(envelope.rcpt_tos))
        self.on_letter()
        return "250 OK"

    def stop(self) -> None:
        self._controller.stop()


def _certificate(folder: Path, authority: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1, signed by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )  # fmt: skip
    authority.write_bytes(made.public_bytes(Encoding.PEM))
    secret = folder / "server.pem"
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + authority.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(secret)
    return context
