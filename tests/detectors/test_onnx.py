"""A user's own network: a real model file, boxes that are known, and what is wrong with one is said without stopping the others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.base import Frame, View
from detectors.onnx import OnnxDetector, Parameters
from detectors.pyramid import frame_of
from detectors.watch import Watch
from hazards.errors import BadInput, InvalidFile
from tests.detectors.onnx_models import model


def parameters(path: Path, layout: str = "yolox", **more: Any) -> Parameters:
    given = {"classes": ("fire", "helmet"), "kinds": {"fire": "flame"}, "input_wh": (64, 64)} | more
    return Parameters(model=str(path), layout=layout, **given)  # type: ignore[arg-type]


def picture(*bright: tuple[int, int], size: tuple[int, int] = (128, 96), t: float = 0.0) -> Frame:
    """Dark, with bright squares of 16 pixels at ``bright`` (left, top): one cell of the finest grid, since 128 pixels become 64."""
    pixels = np.full((size[1], size[0], 3), 20, np.uint8)
    for x, y in bright:
        pixels[y : y + 16, x : x + 16] = 255
    return frame_of(pixels, t, 0)


@pytest.mark.parametrize(
    ("layout", "strides", "box"),
    [
        ("yolox", (8, 16, 32), (40, 24, 32, 32)),  # around the middle of the cell, (56, 40)
        ("nanodet", (8, 16, 32), (40, 24, 32, 32)),
        ("nanodet_plus", (8, 16, 32, 64), (32, 16, 32, 32)),  # around its corner, (48, 32)
    ],
)
def test_a_bright_square_is_where_the_layout_says(tmp_path: Path, layout: str, strides: tuple[int, ...], box: tuple[int, ...]) -> None:
    detector = OnnxDetector(View(parameters=parameters(model(tmp_path / "bright.onnx", layout, strides=strides), layout)))
    assert detector.look(picture()) == []
    (seen,) = detector.look(picture((48, 32), t=2.0))
    assert (seen.kind, seen.fired) == ("flame", ("fire",))
    assert seen.box == pytest.approx(box, abs=0.5)
    assert seen.score > 0.9
    assert detector.figures == {"fire_seen": 1.0}


def test_boxes_of_one_thing_are_one_and_two_things_are_two(tmp_path: Path) -> None:
    path = model(tmp_path / "bright.onnx", "yolox")
    near, apart = picture((32, 32), (48, 32)), picture((0, 0), (96, 64))
    assert len(OnnxDetector(View(parameters=parameters(path, overlap=0.3))).look(near)) == 1, "they share a third of their union"
    assert len(OnnxDetector(View(parameters=parameters(path, overlap=0.9))).look(near)) == 2
    assert len(OnnxDetector(View(parameters=parameters(path))).look(apart)) == 2


def test_an_area_a_threshold_and_a_number_that_is_allowed(tmp_path: Path) -> None:
    path, frame = model(tmp_path / "bright.onnx", "yolox"), picture((48, 32))
    left = np.zeros((96, 128), np.bool_)
    left[:, :40] = True
    assert OnnxDetector(View(left, parameters=parameters(path))).look(frame) == []
    assert len(OnnxDetector(View(~left, parameters=parameters(path))).look(frame)) == 1
    assert OnnxDetector(View(parameters=parameters(path, thresholds={"fire": 1.0}))).look(frame) == []
    allowed = OnnxDetector(View(parameters=parameters(path, most={"fire": 1}, kinds={"fire": "overcrowding"})))
    assert allowed.look(frame) == []
    assert [d.kind for d in allowed.look(picture((0, 0), (96, 64), t=2.0))] == ["overcrowding"] * 2
    assert allowed.figures == {"fire_seen": 2.0}


def test_it_raises_and_clears_over_time_under_the_configured_kind(tmp_path: Path) -> None:
    given = parameters(model(tmp_path / "bright.onnx", "yolox"), kinds={"fire": "no_helmet"}, every=0.5)
    watch = Watch(["onnx"], parameters={"onnx": given})
    told = [x for n in range(100) for x in watch.feed(picture(*[(48, 32)] * (20 <= n < 50), t=n / 10))]
    assert [(x.kind, x.state) for x in told] == [("no_helmet", "raised"), ("no_helmet", "cleared")]
    assert 2.0 < told[0].t < 4.0
    assert 8.5 < told[1].t < 9.8


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"model": ""}, "onnx.model"), ({"classes": ()}, "onnx.classes"), ({"kinds": {}}, "onnx.kinds"),
        ({"kinds": {"smoke": "smoke"}}, "onnx.kinds"), ({"thresholds": {"smoke": 0.5}}, "onnx.thresholds"),
    ],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_named(tmp_path: Path, change: dict[str, Any], where: str) -> None:
    given = {"model": str(tmp_path / "none.onnx"), "classes": ("fire",), "kinds": {"fire": "flame"}} | change
    with pytest.raises(BadInput) as caught:
        OnnxDetector(View(parameters=Parameters(**given)))
    assert caught.value.where == where
    assert caught.value.hint


def test_a_bad_model_is_named_and_the_other_detectors_go_on(tmp_path: Path) -> None:
    garbage, empty = tmp_path / "garbage.onnx", tmp_path / "empty.onnx"
    garbage.write_bytes(b"not a model" * 100)
    empty.write_bytes(b"")
    good = model(tmp_path / "bright.onnx", "yolox")
    for bad in (parameters(tmp_path / "none.onnx"), parameters(garbage), parameters(empty), parameters(good, "nanodet"),
                parameters(good, classes=("fire",)), parameters(good, "nanodet_plus")):  # fmt: skip
        with pytest.raises(InvalidFile) as caught:
            OnnxDetector(View(parameters=bad))
        assert caught.value.where == bad.model
        assert caught.value.problems[0].hint
    watch = Watch(["onnx", "intrusion"], parameters={"onnx": parameters(garbage)})
    for n in range(3):
        assert watch.feed(picture(t=n)) == []
    assert list(watch.problems) == ["onnx"]
    assert str(garbage) in watch.problems["onnx"]


def test_a_detector_that_fails_on_a_frame_is_left_out_for_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(["onnx", "intrusion"], parameters={"onnx": parameters(model(tmp_path / "bright.onnx", "yolox"))})
    assert watch.feed(picture()) == []

    def fail(self: OnnxDetector, frame: Frame) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(OnnxDetector, "look", fail)
    assert watch.feed(picture(t=1.0)) == []
    assert watch.problems == {"onnx": "RuntimeError: out of memory"}
    monkeypatch.undo()
    assert watch.feed(picture((48, 32), t=2.0)) == [], "it is not asked again"
    assert list(watch.problems) == ["onnx"]
    told = [x for n in range(8) for x in watch.feed(picture((48, 32), t=62.0 + n / 4))]
    assert watch.problems == {} and told, "after a minute it is tried again"
