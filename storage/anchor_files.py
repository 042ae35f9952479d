"""Anchors as documents: one JSON file each, in a folder outside the database. Written whole or not at all, never written over.

What must not go in: SQL, keys, mail.
"""

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from hazards.errors import Conflict, Unavailable
from hazards.ledger.anchors import Anchor, Document, Head, read_document
from storage.anchors import AnchorRow
from storage.durable import sync_folder

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def file_name(anchor: Anchor) -> str:
    """The name of an anchor's file, the same at every attempt."""
    site = _UNFIT.sub("_", anchor.site).strip("._")[:64] or "site"
    return f"ledger-anchor-{site}-{anchor.number:06d}-{anchor.day}.json"


def document_parts(row: AnchorRow, heads: Iterable[list[Head]] | None) -> Iterator[bytes]:
    """The bytes of an anchor's document, in parts. ``heads`` None leaves them out."""
    fields = (("statement", row.statement.decode("utf-8")), ("signature", row.signature), ("handovers", row.handovers))
    yield b"{" + b",\n".join(b'"%b":%b' % (name.encode(), msgspec.json.encode(value)) for name, value in fields)
    if heads is None:
        yield b"}\n"
        return
    yield b',\n"heads":['
    separator = b"\n"
    for portion in heads:
        yield separator + b",\n".join(msgspec.json.encode(head) for head in portion)
        separator = b",\n"
    yield b"\n]}\n"


def keep_in_folder(folder: Path, name: str, parts: Iterable[bytes]) -> None:
    """Write a document into ``folder``, on disk when this returns. What is there already with the same bytes is left.

    Raises Unavailable when the folder is away (it is never made: what is not mounted must not be written beside), Conflict when a file
    of that name says something else."""
    path = folder / name
    part = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        try:
            with part.open("xb") as file:
                for data in parts:
                    file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                if not _same(path, part):
                    raise Conflict("another anchor is there under this name", where=str(path), hint="run `bihuan ledger verify --anchors`")
            else:
                part.replace(path)
            sync_folder(folder)
        finally:
            part.unlink(missing_ok=True)
    except OSError as e:
        raise Unavailable(f"the anchor can't be written: {e.strerror}", where=str(folder)) from e


def documents_in(folder: Path) -> list[Path]:
    """The files that are documents by their name, in its order. Raises Unavailable."""
    if not folder.is_dir():
        raise Unavailable("there is no such folder", where=str(folder))
    return sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))


def read_file(path: Path) -> Document | None:
    """The document in the file; None where it is none."""
    try:
        return read_document(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as a, other.open("rb") as b:
        while True:
            x, y = a.read(1 << 16), b.read(1 << 16)
            if x != y:
                return False
            if not x:
                return True
