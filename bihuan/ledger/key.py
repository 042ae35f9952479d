"""The key that signs anchors: Ed25519 in a file outside the database, PKCS#8 PEM, mode 0600; the public key beside it.

A new key is handed over to by the old one, which signs it and is then gone: ``ledger-anchor.key.handovers``, public, tells who verifies
why another key signs. What must not go in: what is signed, SQL.
"""

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from hazards.errors import BadInput, Misconfigured
from hazards.ledger.anchors import Handover, handover_bytes
from storage.durable import sync_folder

PUBLIC, HANDOVERS = ".pub", ".handovers"
"""What lies beside a key, by what is added to its name."""
_handovers = msgspec.json.Decoder(list[Handover])


@dataclass(frozen=True, slots=True)
class AnchorKey:
    """The key of this system. ``public``: 64 hexadecimal digits; ``handovers``: from the first key to this one."""

    private: Ed25519PrivateKey
    public: str
    handovers: list[Handover]

    def sign(self, data: bytes) -> str:
        """The signature of ``data``, hexadecimal."""
        return self.private.sign(data).hex()

    def public_pem(self) -> str:
        """The public key as tools like openssl read it."""
        return public_pem(self.public)


def public_pem(public: str) -> str:
    """A public key (hexadecimal) as PEM."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def is_signed(data: bytes, signature: str, public: str) -> bool:
    """Whether ``signature`` is by ``public`` over ``data``; both hexadecimal."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_public(given: str) -> str:
    """A public key given as 64 hexadecimal digits, as PEM, or as a file of either. Raises BadInput."""
    text = given.strip()
    try:
        if len(text) < 4096 and "\n" not in text and Path(text).is_file():
            text = Path(text).read_text(encoding="ascii").strip()
        if text.startswith("-----"):
            key = load_pem_public_key(text.encode("ascii"))
            if not isinstance(key, Ed25519PublicKey):
                raise BadInput("is a public key of another kind", where=given[:80], hint="anchors are signed by Ed25519")
            return key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        if len(bytes.fromhex(text)) == 32:
            return text.lower()
    except (OSError, ValueError, UnsupportedAlgorithm) as e:
        raise BadInput("is no public key", where=given[:80], hint="`bihuan ledger key` prints it") from e
    raise BadInput("is no public key", where=given[:80], hint="`bihuan ledger key` prints it")


def trusted_with(keys: Iterable[str], handovers: Sequence[Handover]) -> set[str]:
    """``keys``, those to which they handed over, and those from which they took over: each step by the signature of the known one."""
    trusted = set(keys)
    for _ in handovers:
        for h in handovers:
            if h.old in trusted and is_signed(handover_bytes(h.old, h.new), h.given, h.old):
                trusted.add(h.new)
            if h.new in trusted and is_signed(handover_bytes(h.old, h.new), h.taken, h.new):
                trusted.add(h.old)
    return trusted


# --- the file ---
def beside(path: Path, what: str) -> Path:
    """``PUBLIC`` or ``HANDOVERS`` of the key in ``path``; "" is the key itself."""
    return path.with_name(path.name + what)


def load_key(path: Path) -> AnchorKey | None:
    """The key in ``path``; None without such a file. Raises Misconfigured for one that is no key, or that others may read."""
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as e:
        raise Misconfigured(f"can't be read: {e.strerror}", where=str(path)) from e
    if mode & 0o077:
        raise Misconfigured("others may read this key", where=str(path), hint=f"chmod 600 {path}")
    try:
        private = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        raise Misconfigured("is no key", where=str(path), hint="put the file back from your copy") from e
    if not isinstance(private, Ed25519PrivateKey):
        raise Misconfigured("is a key of another kind", where=str(path), hint="Ed25519 is needed")
    return AnchorKey(private, _public_of(private), _read_handovers(path))


def make_key(path: Path) -> AnchorKey:
    """A new key in ``path``, unless somebody was faster; the one that is there afterwards. Raises Misconfigured."""
    private = Ed25519PrivateKey.generate()
    try:
        _write_key(path, private, replace=False)
    except FileExistsError:
        pass
    except OSError as e:
        raise Misconfigured(f"the key can't be written: {e.strerror}", where=str(path)) from e
    made = load_key(path)
    if made is None:
        raise Misconfigured("the key vanished", where=str(path))
    _write_public(path, made)
    return made


def replace_key(path: Path, *, lost: str | None = None) -> AnchorKey:
    """A new key in place of the one in ``path``, which signs it and is then gone.

    ``lost``: the old public key where its file is gone; it can't sign, so whoever verifies must be given the new public key."""
    old, private = load_key(path), Ed25519PrivateKey.generate()
    new, before = _public_of(private), old.public if old is not None else lost
    if before is None:
        return make_key(path)
    said = handover_bytes(before, new)
    handover = Handover(old=before, new=new, given=old.sign(said) if old is not None else "", taken=private.sign(said).hex())
    handovers = [*_read_handovers(path), handover]
    try:  # first the handover: with it and the old key everything still holds
        _write(_handovers_path(path), msgspec.json.encode(handovers), 0o644)
        _write_key(path, private, replace=True)
    except OSError as e:
        raise Misconfigured(f"the key can't be written: {e.strerror}", where=str(path)) from e
    made = AnchorKey(private, new, handovers)
    _write_public(path, made)
    return made


def _public_of(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _handovers_path(path: Path) -> Path:
    return beside(path, HANDOVERS)


def _read_handovers(path: Path) -> list[Handover]:
    try:
        return _handovers.decode(_handovers_path(path).read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as e:
        raise Misconfigured(f"can't be read: {e}", where=str(_handovers_path(path))) from e


def _write_public(path: Path, key: AnchorKey) -> None:
    _write(beside(path, PUBLIC), key.public_pem().encode("ascii"), 0o644)


def _write_key(path: Path, private: Ed25519PrivateKey, *, replace: bool) -> None:
    _write(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600, replace=replace)


def _write(path: Path, data: bytes, mode: int, *, replace: bool = True) -> None:
    """Whole or not at all, on disk. Raises OSError; FileExistsError where it is there and must not be replaced."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            part.replace(path)
        else:
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
