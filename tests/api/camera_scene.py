"""What cameras leave behind in the tests of the console: drawn pictures and a real clip, kept and signed as the video part does."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hazards.camera_evidence import Role, Statement
from ingest.cameras.synthetic import write_flame_clip
from storage.evidence_archive import EvidenceArchive
from tests.api import scene
from tests.api.conftest import Server, alarm, bearer
from tests.ingest.cameras.test_clip import clip, pieces_of

SECOND = 1_000_000


def real_clip(folder: Path, *, seconds: float = 6) -> bytes:
    """A clip as the video part makes it: H.264 packets copied into a fragmented MP4."""
    path = folder / "drawn.mp4"
    write_flame_clip(path, seconds=seconds, flame_from=1, flame_to=seconds, size=(352, 288))
    return clip(pieces_of(path))


@dataclass
class Camera:
    """Keeps evidence of a camera's alarms."""

    server: Server

    def __post_init__(self) -> None:
        system, key = self.server.system, Ed25519PrivateKey.generate()
        self.archive = EvidenceArchive(
            system.evidence, system.database, system.folder / "waiting", sign=lambda data: key.sign(data).hex(),
            public_key=key.public_key().public_bytes_raw().hex(),
        )  # fmt: skip

    def raises(self, event: str, device: str = "CAM-1", **data: Any) -> Statement:
        """An alarm, and what its evidence says of it but for the file: device, kind and times."""
        told = alarm(event, device=device, **data)
        self.server.post(told)
        with httpx.Client(base_url=f"{self.server.url}/api/v1", headers=bearer(self.server.system.token("operator"))) as client:
            zone = self.server.system.registry.zone_of(device)
            (incident, *_) = client.get("/incidents", params={"zone": zone}).json()["items"]
            signals = client.get(f"/incidents/{incident['id']}/alarms").json()["items"]
        at = max(datetime.fromisoformat(s["at"]) for s in signals if s["device"] == device)
        onset = round(at.timestamp() * SECOND)
        return Statement(sha256="", media_type="", size=0, device=device, zone=zone, kind=told["data"]["kind"], onset=onset,
                         role=Role.BOXED, begins=onset, ends=onset)  # fmt: skip

    def keeps(self, said: Statement, role: Role, data: bytes) -> Statement:
        """The file, kept and noted in SQL."""
        span = 5 * SECOND if role is Role.CLIP else 0
        kept = self.archive.keep(data, Statement(
            sha256="", size=0, media_type="video/mp4" if role is Role.CLIP else "image/jpeg", device=said.device, zone=said.zone,
            kind=said.kind, onset=said.onset, role=role, begins=said.onset - span, ends=said.onset + span,
        ))  # fmt: skip
        self.archive.note_down(self.server.system.now())
        return kept


def pictures(seed: int) -> tuple[bytes, bytes]:
    """The same drawn picture with a box and without: two different files of one size."""
    boxed = scene.picture("flame", seed)
    plain = cv2.imdecode(np.frombuffer(boxed, np.uint8), cv2.IMREAD_COLOR)
    return boxed, bytes(cv2.imencode(".jpg", cv2.GaussianBlur(plain, (0, 0), 1))[1])
