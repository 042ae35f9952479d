"""`bihuan ledger …`: verify, export, key. Imports happen inside the commands. What must not go in: what they do."""

import sys
from pathlib import Path
from typing import Annotated

import typer

ledger_app = typer.Typer(help="The record of hazards and its anchors.", no_args_is_help=True, rich_markup_mode=None)

Data = Annotated[Path | None, typer.Option("--data", help="The data folder.", metavar="DIR")]
Several = Annotated[list[str] | None, typer.Option(help="May be repeated; none: all.")]


@ledger_app.command("verify")
def ledger_verify(
    anchors: Annotated[
        Path | None, typer.Option(help="Folder of anchors kept outside; without it BIHUAN_ANCHOR_FOLDER.", metavar="DIR")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Public key that signed: a file or 64 digits; may be repeated.", metavar="PUBLIC")
    ] = None,
    data: Data = None,
) -> None:
    """Check every chain, every evidence file that a record names, every anchor. One line a finding; exit code 0, or 2 with findings."""
    from bihuan.configuration import load
    from bihuan.ledger.verify_run import verify

    sys.exit(verify(load(data=None if data is None else str(data)), anchors, key or []))


@ledger_app.command("export")
def ledger_export(
    file: Annotated[Path, typer.Argument(help="FILE.xlsx or FILE.csv.")],
    state: Several = None,
    grade: Several = None,
    zone: Annotated[str | None, typer.Option(help="Only this zone.")] = None,
    enterprise: Annotated[str | None, typer.Option(help="Only this enterprise.")] = None,
    incident: Annotated[str | None, typer.Option(help="Only what was proposed from this incident.")] = None,
    overdue: Annotated[bool | None, typer.Option("--overdue/--not-overdue", help="Only overdue ones, or only others.")] = None,
    data: Data = None,
) -> None:
    """Write the ledger, newest first, as a table for Excel or as CSV."""
    from bihuan.configuration import load
    from bihuan.ledger.export_run import export

    filters = {"states": state or [], "grades": grade or [], "zone": zone, "enterprise": enterprise, "incident": incident,
               "overdue": overdue}  # fmt: skip
    print(export(load(data=None if data is None else str(data)), file, filters))


@ledger_app.command("key")
def ledger_key(
    new: Annotated[bool, typer.Option("--new", help="Make a new key; the old one signs it and is then gone.")] = False,
    data: Data = None,
) -> None:
    """Print the public key of the anchors: give it to whoever is to verify them."""
    from bihuan.configuration import load
    from bihuan.ledger.key_run import public_key

    print(public_key(load(data=None if data is None else str(data)), new=new), end="")
