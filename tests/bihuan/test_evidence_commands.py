"""`bihuan evidence …` as somebody meets it who was handed a clip."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bihuan.cli import app
from bihuan.configuration import load
from bihuan.parts.camera_evidence import open_archive
from bihuan.preparation import open_ledger
from hazards.camera_evidence import Role, Statement
from storage.migrations import upgrade

CLIP = b"packets of a camera"
AT = 1_800_000_000_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one kept clip, and the clip as a file beside it."""
    settings = load(data=str(tmp_path / "data"))
    settings.folder.mkdir(mode=0o700)
    database = open_ledger(settings)
    upgrade(database)
    archive = open_archive(settings, database)
    archive.keep(CLIP, Statement(
        sha256="", media_type="video/mp4", size=0, device="CAM-2", zone="depot", kind="smoke", onset=AT, role=Role.CLIP,
        begins=AT - 5_000_000, ends=AT + 8_000_000,
    ))  # fmt: skip
    archive.note_down(AT)
    database.close()
    (tmp_path / "clip.mp4").write_bytes(CLIP)
    return settings.folder


def run(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(app, ["evidence", *words])
    return found.exit_code, found.output


def test_a_clip_that_is_unchanged_is_known_with_its_camera_and_times(data: Path) -> None:
    code, said = run("check", str(data.parent / "clip.mp4"), "--data", str(data))
    assert code == 0
    assert "clip of camera CAM-2 in zone depot, smoke, 2027-01-15T07:59:55.000+00:00 to 2027-01-15T08:00:08.000+00:00, signed" in said


def test_one_that_was_changed_and_one_by_another_key_are_not(data: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(CLIP + b".")
    assert run("check", str(changed), "--data", str(data))[0] == 2
    code, said = run("check", str(data.parent / "clip.mp4"), "--key", "ab" * 32, "--data", str(data))
    assert code == 2 and "NOT signed by the key abababab" in said


def test_the_key_is_printed_and_stays(data: Path) -> None:
    first, again = run("key", "--data", str(data)), run("key", "--data", str(data))
    assert first == again and first[0] == 0 and "BEGIN PUBLIC KEY" in first[1]
    digits = first[1].splitlines()[0]
    assert run("check", str(data.parent / "clip.mp4"), "--key", digits, "--data", str(data))[0] == 0
