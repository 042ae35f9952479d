"""``bihuan detect`` as a tuning tool: folders, drawn videos, and figures against a list of labels."""

import json
from pathlib import Path

import av
import pytest

from hazards.errors import BadInput, InvalidFile, SourceUnreadable
from ingest.detect import detect
from ingest.evaluate import evaluate
from ingest.labels import read_labels
from tests.ingest.cameras.scenes import clip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fire from 1 s on, a scene without, a file that is no video, and notes."""
    root = tmp_path_factory.mktemp("clips")
    (root / "fire").mkdir()
    clip(root / "fire" / "burns.mp4", seconds=6, burning=(1, 6))
    clip(root / "quiet.mp4", seconds=4)
    (root / "broken.avi").write_bytes(b"no video" * 1000)
    (root / "notes.txt").write_text("not looked at")
    return root


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_is_watched_file_by_file_and_drawn(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detect(str(folder), detectors=["flame"], json_lines=True, annotate=tmp_path / "drawn")
    out, err = capsys.readouterr()
    told = [json.loads(line) for line in out.splitlines()]
    assert [(line["file"], line["state"]) for line in told] == [("fire/burns.mp4", "raised"), ("fire/burns.mp4", "cleared")]
    assert "broken.avi" in err and err.count("\n") == 1
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["fire_burns.mp4.mp4", "quiet.mp4.mp4"]
    with av.open(str(tmp_path / "drawn" / "fire_burns.mp4.mp4")) as video:
        frames = list(video.decode(video=0))
    assert len(frames) > 60
    assert frames[-1].time == pytest.approx(5.9, abs=0.2)
    first, last = (frame.to_ndarray(format="bgr24").astype(int) for frame in (frames[0], frames[-1]))
    edge = (last - first)[1:-1, 1].mean(axis=0)
    assert edge[2] > 100 > edge[0], "a picture with an alarm has a red rim"


def test_people_are_told_the_cues_and_the_time_it_took(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detect(str(folder / "fire" / "burns.mp4"), detectors=["flame"], annotate=tmp_path / "drawn.mp4")
    out, err = capsys.readouterr()
    assert "flicker" in out
    assert "times as fast as shown" in err and "ms a frame" in err
    assert (tmp_path / "drawn.mp4").stat().st_size > 10_000


def labels(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_the_figures_of_labelled_clips(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "file,label,source,onset_s\nfire/burns.mp4,fire,drawn,1\nquiet.mp4,negative,drawn,\nbroken.avi,people,,\n"
    listed = labels(tmp_path / "labels.csv", rows)
    evaluate(str(folder), listed, detectors=["flame"], json_lines=True)
    said = lines(capsys)
    assert [line["type"] for line in said] == ["clip", "clip", "total", "time"]
    burns, quiet, total, time = said
    assert (burns["verdict"], quiet["verdict"]) == ("found", "silent")
    assert 0 < float(str(burns["delay"])) < 3.5
    assert (total["recall"], total["precision"], total["false_alarms"], total["within_3_s"]) == (1.0, 1.0, 0, 1)
    assert "1 of 1 clips found is a recall between 21% and 100%" in str(total["proves"])
    assert (time["clips"], time["unreadable"]) == (2, 1)
    evaluate(str(folder / "quiet.mp4"), listed, detectors=["flame"])
    assert "silent on 1 of 1 clips" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,file\nfire,gone.mp4\n", r"line 2, file: there is no 'gone\.mp4'"),
        ("file,label\nquiet.mp4,flames\n", "line 2, label: 'flames' is no label"),
        ("file,label,from\nquiet.mp4,fire,\nquiet.mp4,fire,soon\n", "line 3, from: 'soon' is no number of seconds"),
        ("file,label,onset_s\nquiet.mp4,fire,-1\n", "onset_s: '-1' is no number"),
        ("file,label\n,fire\nquiet.mp4\n", "line 2, file: is empty.*line 3, label: '' is no label"),
    ],
)
def test_bad_rows_are_named_with_their_line(folder: Path, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidFile, match=said):
        read_labels(labels(tmp_path / "labels.csv", text), folder)


def test_a_list_that_is_none_is_one_error(folder: Path, tmp_path: Path) -> None:
    for text, said in (("a,b\n1,2\n", "no column 'file'"), ("", "no column"), ("file,label\n", "names no clip")):
        with pytest.raises(BadInput, match=said):
            read_labels(labels(tmp_path / "labels.csv", text), folder)
    with pytest.raises(BadInput, match="No such file"):
        read_labels(tmp_path / "nothing.csv", folder)
    with pytest.raises(SourceUnreadable, match="no clip could be read"):
        evaluate(str(folder), labels(tmp_path / "labels.csv", "file,label\nbroken.avi,fire\n"))


def test_rows_elsewhere_are_left_out_and_files_are_found_beside_the_labels(folder: Path) -> None:
    listed = labels(folder / "index.csv", "file,label,notes\nfire/burns.mp4,fire,\"a, b\"\nquiet.mp4,negative,\n")
    assert [clip.file for clip in read_labels(listed, folder / "fire")] == ["fire/burns.mp4"]


def test_a_drawn_video_of_many_needs_a_folder(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="need a folder"):
        detect(str(folder), annotate=tmp_path / "one.mp4")
    with pytest.raises(SourceUnreadable, match="holds no video"):
        detect(str(tmp_path))
