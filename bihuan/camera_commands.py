"""``bihuan cameras discover``: which ONVIF cameras are on the network, and what to write into the site file for each.

What must not go in: ONVIF's words, sockets.
"""

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from ingest.cameras.onvif_client import Offer

PASSWORD = "BIHUAN_CAMERA_PASSWORD"  # noqa: S105 (the name of the variable)
cameras_app = typer.Typer(help="Cameras of the network.", no_args_is_help=True, rich_markup_mode=None)


@cameras_app.callback()
def _cameras() -> None:
    """Cameras of the network."""


@cameras_app.command("discover")
def discover_cameras(
    user: Annotated[str, typer.Option(help=f"User to ask with; the password is read from {PASSWORD}.")] = "",
    seconds: Annotated[float, typer.Option(help="How long to wait for answers.", min=0.5, max=60)] = 3.0,
    interface: Annotated[str, typer.Option(help="Our IP address on the network of the cameras.")] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a camera.")] = False,
) -> None:
    """List the ONVIF cameras that answer, with the address of the sub-stream of each."""
    for offer in asyncio.run(_found(seconds, interface, user)):
        print(_json(offer) if json_lines else _for_people(offer), flush=True)


async def _found(seconds: float, interface: str, user: str) -> "list[Offer]":
    from ingest.cameras.onvif_client import discover, offers

    return await offers(await discover(seconds, interface=interface), user=user, password=os.environ.get(PASSWORD, ""))


def _json(offer: "Offer") -> str:
    profile = offer.profile
    return msgspec.json.encode({
        "id": offer.device.id, "name": offer.device.name, "hardware": offer.device.hardware, "device": offer.device.addresses[0],
        "url": offer.url, "profile": profile.token if profile else "", "encoding": profile.encoding if profile else "",
        "width": profile.width if profile else 0, "height": profile.height if profile else 0, "problem": offer.problem,
    }).decode()  # fmt: skip


def _for_people(offer: "Offer") -> str:
    """One line; the address without a password, which does not belong on a screen."""
    name = " ".join(part for part in (offer.device.name, offer.device.hardware) if part) or offer.device.id
    if offer.profile is None:
        return f"{name}  {offer.device.addresses[0]}  {offer.problem}"
    p = offer.profile
    return f"{name}  {offer.url}  {p.encoding} {p.width}x{p.height}" + (f" {p.rate:g}/s" if p.rate else "")
