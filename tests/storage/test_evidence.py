"""Evidence files: kept by content, whole or not at all, never served when changed."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hazards.errors import NotFound, StorageUnavailable
from storage.evidence import EvidenceStore


def put(store: EvidenceStore, data: bytes, zone: str = "smelter") -> str:
    return store.put(data, media_type="image/jpeg", device="CAM-1", zone=zone, taken_at=1)


def test_what_was_put_is_read_back_under_the_hash_of_its_content(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    sha256 = put(store, b"a picture")
    assert sha256 == hashlib.sha256(b"a picture").hexdigest()
    assert store.read(sha256) == (b"a picture", "image/jpeg", "smelter")
    assert (tmp_path / "evidence" / sha256[:2] / sha256[2:4] / sha256).read_bytes() == b"a picture"
    note = store.note(sha256)
    assert (note.device, note.size, note.taken_at) == ("CAM-1", 9, 1)


def test_the_same_bytes_are_one_file_with_its_first_note(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    assert put(store, b"same") == put(store, b"same", zone="tank")
    assert store.read(put(store, b"same"))[2] == "smelter"
    sha256 = put(store, b"same", zone="depot/../x")
    assert store.zones(sha256)[0] == "smelter" and sorted(store.zones(sha256)) == ["depot/../x", "smelter", "tank"]
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 4


def test_every_zone_whose_camera_took_the_same_bytes_at_once_is_known(tmp_path: Path) -> None:
    zones = [f"zone-{n}" for n in range(16)]
    with ThreadPoolExecutor(16) as pool:
        (sha256,) = set(pool.map(lambda zone: put(EvidenceStore(tmp_path), b"one picture", zone), zones))
    assert sorted(EvidenceStore(tmp_path).zones(sha256)) == sorted(zones)


def test_many_writers_of_one_picture_leave_one_whole_file(tmp_path: Path) -> None:
    data = os.urandom(200_000)
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: put(EvidenceStore(tmp_path), data), range(32)))
    assert len(names) == 1
    assert EvidenceStore(tmp_path).read(names.pop())[0] == data
    assert [p for p in tmp_path.rglob(".*") if p.is_file()] == []


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "ABCDEF", "0" * 63 + "\n"])
def test_a_name_that_is_not_there_or_no_hash_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        EvidenceStore(tmp_path).read(name)


def test_a_changed_file_is_not_served(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    sha256 = put(store, b"true")
    (tmp_path / sha256[:2] / sha256[2:4] / sha256).write_bytes(b"forged")
    with pytest.raises(NotFound, match="changed on disk"):
        store.read(sha256)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_bytes(b"a file where the folder belongs")
    with pytest.raises(StorageUnavailable, match="can't be written"):
        put(EvidenceStore(tmp_path / "evidence"), b"x")
