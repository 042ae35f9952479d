"""``bihuan dead-letters …``: what the command line takes and prints.

Imports happen inside the commands, so that each starts fast. What must not go in: what the commands do.
"""

from pathlib import Path
from typing import Annotated

import typer

letters_app = typer.Typer(help="Messages that were put aside.", no_args_is_help=True, rich_markup_mode=None)
Data = Annotated[Path | None, typer.Option("--data", help="The data folder.", metavar="DIR")]


@letters_app.command("list")
def letters_list(
    every: Annotated[bool, typer.Option("--all", help="Also those that were sent again.")] = False, data: Data = None
) -> None:  # fmt: skip
    """Print a line for each message that was put aside, with the reason."""
    from bihuan.configuration import load
    from bihuan.dead_letters import letter_lines

    for line in letter_lines(load(data=str(data) if data else None), every=every):
        print(line)


@letters_app.command("resend")
def letters_resend(
    ids: Annotated[list[str] | None, typer.Argument(help="Letters, by id.", metavar="ID")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="All that waited for an upgrade.")] = False,
    data: Data = None,
) -> None:
    """Send messages again, through the journal: what had its effect already has no second one."""
    from bihuan.configuration import load
    from bihuan.dead_letters import resend_letters

    for line in resend_letters(load(data=str(data) if data else None), ids or [], parked=parked):
        print(line)
