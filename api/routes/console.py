"""The console's static files, from memory. What must not go in: templates, anything that depends on who asks."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter
from fastapi.responses import Response

from api.gate import GuardedRoute
from hazards.errors import NotFound

FOLDER = Path(__file__).parent.parent / "console"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2",
}  # fmt: skip

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the console."""

    content: bytes
    media_type: str
    etag: str


def load_assets() -> dict[str, Asset]:
    """Every file of the console by its path; read once at start."""
    assets = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and path.suffix in MEDIA_TYPES:
            content = path.read_bytes()
            assets[path.relative_to(FOLDER).as_posix()] = Asset(content, MEDIA_TYPES[path.suffix], f'"{sha256(content).hexdigest()[:32]}"')
    return assets


ASSETS = load_assets()


def _serve(name: str, request: Request) -> Response:
    asset = ASSETS.get(name)
    if asset is None:
        raise NotFound("no such page")
    headers = {"ETag": asset.etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, headers=headers, media_type=asset.media_type)


@router.get("/")
async def get_page(request: Request) -> Response:
    """The one page; it asks for the session itself and shows the sign-in without one."""
    return _serve("index.html", request)


@router.get("/console/{path:path}")
async def get_file(path: Annotated[str, PathParameter(max_length=200)], request: Request) -> Response:
    """Scripts, styles, catalogues."""
    return _serve(path, request)
