"""`bihuan ledger key`: the public key, or a new key. What must not go in: the file's format (``bihuan/ledger/key.py``)."""

from bihuan.configuration import Settings
from bihuan.data_folder import make_folder
from bihuan.ledger.key import load_key, make_key, replace_key
from bihuan.preparation import open_ledger
from hazards.errors import Misconfigured
from storage.anchors import last_anchor


def public_key(settings: Settings, *, new: bool) -> str:
    """The public key as PEM, with its 64 digits in a line before. ``new``: a new key takes over first. Raises Misconfigured.

    A running system signs its next anchor with the new key."""
    make_folder(settings.folder)
    path = settings.anchor_key_path
    key = load_key(path)
    signed_by = _last_key(settings) if new or key is None else None
    if new:
        key = replace_key(path, lost=signed_by)
    elif key is None:
        if signed_by is not None:
            raise Misconfigured("the key of the ledger's anchors is gone", where=str(path),
                                hint=f"put the file back, or make another with --new; its public key was {signed_by}")  # fmt: skip
        key = make_key(path)
    return f"{key.public}\n{key.public_pem()}"


def _last_key(settings: Settings) -> str | None:
    """The key that signed the newest anchor."""
    database = open_ledger(settings)
    try:
        with database.read() as connection:
            row = last_anchor(connection)
        return row.anchor().key if row is not None else None
    finally:
        database.close()
