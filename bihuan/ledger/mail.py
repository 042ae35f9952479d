"""Anchors by e-mail: the letter, and SMTP by the standard library, which blocks and belongs on a thread.

``smtps://USER:PASSWORD@HOST:465`` speaks TLS from the start; ``smtp://…@HOST:587`` demands STARTTLS; ``smtp://HOST:25?starttls=no`` is
plain, for a relay on this machine or a closed network. ``?from=ADDRESS`` is the sender, ``?ca=FILE`` a certificate authority of one's own.
A letter has the same bytes and Message-ID at every attempt, so a receiver can tell that a second one is the same.
What must not go in: when a letter is sent, SQL.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

from msgspec import Struct

from bihuan.ledger.key import public_pem
from hazards.errors import Misconfigured, Unavailable
from hazards.ledger.anchors import Anchor
from storage.anchors import AnchorRow

TIMEOUT = 30.0


class MailServer(Struct, frozen=True, kw_only=True):
    """Where letters go. ``security``: tls, starttls or none."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = ""
    sender: str = ""
    authority: str = ""


def read_address(url: str, where: str = "BIHUAN_ANCHOR_SMTP") -> MailServer:
    """The server named by ``url``. Raises Misconfigured."""
    try:
        parts = urlsplit(url)
        port, options = parts.port, {name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
    except ValueError as e:
        raise Misconfigured(f"is no address of a mail server: {e}", where=where) from e
    unknown = options.keys() - {"starttls", "from", "ca"}
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or unknown or options.get("starttls", "yes") not in ("yes", "no"):
        raise Misconfigured("is no address of a mail server", where=where, hint="for example smtp://user:password@mail.example:587")
    plain = options.get("starttls") == "no"
    security = "tls" if parts.scheme == "smtps" else "none" if plain else "starttls"
    user = unquote(parts.username or "")
    sender = options.get("from") or (user if "@" in user else f"bihuan@{socket.gethostname() or 'localhost'}")
    return MailServer(
        host=parts.hostname, port=port or {"tls": 465, "starttls": 587, "none": 25}[security], security=security, user=user,
        password=unquote(parts.password or ""), sender=sender, authority=options.get("ca", ""),
    )  # fmt: skip


def letter(row: AnchorRow, anchor: Anchor, name: str, document: bytes, *, sender: str, recipient: str, with_heads: bool) -> EmailMessage:
    """The letter with the anchor's ``document`` as the file ``name``."""
    made = EmailMessage()
    days = anchor.day if anchor.first_day == anchor.day else f"{anchor.first_day} … {anchor.day}"
    made["Subject"] = f"闭环台账锚点 ledger anchor {anchor.number}, {days} ({anchor.site})"
    made["From"], made["To"] = sender, recipient
    made["Date"] = format_datetime(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row.created_at))
    made["Message-ID"] = f"<{row.digest}@ledger-anchor.bihuan>"
    lines = [
        "请保存附件：它证明当日隐患台账的内容，今后可据此核验。", "Keep the attached file: it proves what the hazard ledger held.", "",
        f"site      {anchor.site}", f"days      {days} ({anchor.time_zone})", f"anchor    {anchor.number}",
        f"hazards   {anchor.hazards}", f"events    {anchor.events}", f"digest    {row.digest}", f"signature {row.signature}", "",
        "公钥 public key:", public_pem(anchor.key),
    ]  # fmt: skip
    if not with_heads:
        lines.append("The list of heads is too long for a letter: it is in the folder of anchors and at GET /api/v1/ledger/anchors/NUMBER.")
    made.set_content("\n".join(lines))
    made.add_attachment(document, maintype="application", subtype="json", filename=name)
    made.set_boundary(f"anchor-{row.digest[:32]}")
    return made


def send(server: MailServer, message: EmailMessage, recipient: str) -> None:
    """Hand the letter over; the server has taken it when this returns. Blocks. Raises Unavailable with what the server said."""
    try:
        with _connected(server) as connection:
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message, from_addr=server.sender, to_addrs=[recipient])
    except (OSError, smtplib.SMTPException, ValueError) as e:  # ValueError: an address that is none
        raise Unavailable(f"the letter was not taken: {e}", where=f"{server.host}:{server.port}", hint="it is tried again") from e


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context(cafile=server.authority or None)
    if server.security == "tls":
        with smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT, context=context) as connection:
            yield connection
        return
    with smtplib.SMTP(server.host, server.port, timeout=TIMEOUT) as connection:
        if server.security == "starttls":
            connection.starttls(context=context)
        yield connection
