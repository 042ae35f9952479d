"""`bihuan evidence …`: whether a picture or clip is what a camera of this system gave, and the key that says so.

What must not go in: signing, SQL.
"""

import hashlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bihuan.configuration import Settings
    from hazards.camera_evidence import Signed

evidence_app = typer.Typer(help="Pictures and clips of cameras' alarms.", no_args_is_help=True, rich_markup_mode=None)
Data = Annotated[Path | None, typer.Option("--data", help="The data folder.", metavar="DIR")]


def _settings(data: Path | None) -> "Settings":
    from bihuan.configuration import load

    return load(data=None if data is None else str(data))


@evidence_app.command("key")
def evidence_key(data: Data = None) -> None:
    """Print the public key that pictures and clips are checked with: give it to whoever is to check them."""
    from bihuan.data_folder import make_folder
    from bihuan.ledger.key import load_key, make_key

    settings = _settings(data)
    make_folder(settings.folder)
    key = load_key(settings.evidence_key_path) or make_key(settings.evidence_key_path)
    print(f"{key.public}\n{key.public_pem()}")


@evidence_app.command("check")
def evidence_check(
    file: Annotated[Path, typer.Argument(help="A picture or clip.", exists=True, dir_okay=False)],
    key: Annotated[
        str | None, typer.Option(help="Public key that signed: a file or 64 digits; without it this system's own.", metavar="PUBLIC")
    ] = None,
    data: Data = None,
) -> None:
    """Say which camera gave the file and when, if it is unchanged and its signature holds. Exit code 0, or 2 if not."""
    from bihuan.ledger.key import load_key, read_public

    settings = _settings(data)
    own = load_key(settings.evidence_key_path)
    public = read_public(key) if key is not None else own.public if own is not None else ""
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = [_line(signed, public) for signed in _found(settings, sha256)]
    if not lines:
        print(f"{file}: no camera of this system gave a file of these bytes (SHA-256 {sha256})", file=sys.stderr)
    for line, _ in lines:
        print(f"{file}: {line}")
    sys.exit(0 if lines and all(sound for _, sound in lines) else 2)


def _found(settings: "Settings", sha256: str) -> "list[Signed]":
    from bihuan.preparation import open_ledger
    from storage.camera_evidence import statements_of

    database = open_ledger(settings)
    try:
        with database.read() as connection:
            return statements_of(connection, sha256)
    finally:
        database.close()


def _line(signed: "Signed", public: str) -> tuple[str, bool]:
    from bihuan.ledger.key import is_signed
    from hazards.camera_evidence import statement_bytes

    said = signed.statement
    sound = signed.public_key == public and is_signed(statement_bytes(said), signed.signature, public)
    begins, ends = (datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="milliseconds") for at in (said.begins, said.ends))
    word = "signed" if sound else f"NOT signed by the key {public[:16] or '(none)'}…"
    return f"{said.role.value} of camera {said.device} in zone {said.zone}, {said.kind}, {begins} to {ends}, {word}", sound
