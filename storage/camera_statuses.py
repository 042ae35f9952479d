"""How each camera was when it was last heard of, for every API on whatever machine. What must not go in: judging it."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, select

from hazards.cameras import CameraStatus
from storage.bulk import upsert_rows
from storage.schema import camera_statuses

FORGOTTEN_AFTER = 24 * 3600 * 1_000_000
"""µs after which a camera that nobody watches any more is dropped."""
_decoder = msgspec.json.Decoder(CameraStatus)


def note_cameras(connection: Connection, statuses: Sequence[CameraStatus], *, now: int) -> None:
    """Replace what was known of these cameras."""
    upsert_rows(connection, camera_statuses, [
        {"camera": s.camera, "noted_at": s.noted_at, "body": msgspec.json.encode(s).decode()} for s in statuses
    ])  # fmt: skip
    connection.execute(delete(camera_statuses).where(camera_statuses.c.noted_at < now - FORGOTTEN_AFTER))


def read_cameras(connection: Connection) -> list[CameraStatus]:
    """All cameras, by id."""
    return [_decoder.decode(body) for body in connection.scalars(select(camera_statuses.c.body).order_by(camera_statuses.c.camera))]
