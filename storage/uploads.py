"""Files of evidence that people uploaded, by the zone they are of: which may be named in a claim, and who may see them.

The bytes are in ``storage/evidence.py``. What must not go in: HTTP, files.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from hazards.errors import BadInput
from storage import schema
from storage.bulk import insert_into
from storage.camera_evidence import zones_of


def keep_upload(connection: Connection, sha256: str, *, media_type: str, size: int, device: str, zone: str, taken_at: int) -> None:
    """Note that the file was uploaded for ``zone``; the same bytes again for that zone keep their first note."""
    row = {"sha256": sha256, "media_type": media_type, "size": size, "device": device, "zone": zone, "taken_at": taken_at}
    connection.execute(insert_into(connection, schema.evidence).values(row).on_conflict_do_nothing(index_elements=["sha256", "zone"]))


def upload_zones(connection: Connection, sha256: str) -> list[str]:
    """The zones for which the file was uploaded: whoever did so had its bytes, so who may see the zone may see the file."""
    return list(connection.scalars(select(schema.evidence.c.zone).where(schema.evidence.c.sha256 == sha256)))


def first_kept(connection: Connection, files: Sequence[str]) -> dict[str, int]:
    """When each of ``files`` (SHA-256) was first uploaded, sent with an alarm or filmed, µs: it shows nothing later than that."""
    found: dict[str, int] = {}
    uploads = select(schema.evidence.c.sha256, schema.evidence.c.taken_at).where(schema.evidence.c.sha256.in_(files))
    alarms = schema.alarms.c
    snapshots = select(alarms.snapshot, func.min(alarms.at)).where(alarms.snapshot.in_(files)).group_by(alarms.snapshot)
    filmed = select(schema.camera_evidence.c.sha256, schema.camera_evidence.c.begins).where(schema.camera_evidence.c.sha256.in_(files))
    for query in (uploads, snapshots, filmed) if files else ():
        for sha256, at in connection.execute(query):
            found[sha256] = min(at, found.get(sha256, at))
    return found


def check_files(connection: Connection, files: Sequence[tuple[int, str]], zone: str) -> None:
    """Raises BadInput for the first of ``files`` (place in the list, SHA-256) that is no upload and no camera's or alarm's of ``zone``."""
    for n, sha256 in files:
        snapshot = select(schema.alarms.c.id).where(schema.alarms.c.snapshot == sha256, schema.alarms.c.zone == zone).limit(1)
        known = zone in upload_zones(connection, sha256) or zone in zones_of(connection, sha256)
        if not known and connection.execute(snapshot).first() is None:
            raise BadInput("no such file of this zone", where=f"/evidence/{n}/sha256", hint="upload it first")
