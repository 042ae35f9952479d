"""Any detection network that a city brings (helmets, vests, smoke), run by OpenCV's own ``cv2.dnn``: YOLOX and NanoDet layouts.

The one file that is read in this package is the model, once, when the detector is made: a network of some megabytes has no other way to
come here. It looks about once a second at the whole picture. What must not go in: how rows become boxes (``detectors.onnx_layouts``),
training, downloads.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import cv2
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from detectors.base import NO_VIEW, Attention, Box, Detection, Detector, Frame, Picture, Timing, View, parameters_in
from detectors.onnx_layouts import LAYOUTS, Found, cells, letterbox, read
from hazards.errors import BadInput, FileProblem, InvalidFile

Share = Annotated[float, Meta(ge=0, le=1)]


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """What a site file sets.

    ``model``: path of the ONNX file; ``layout``: of its output; ``classes``: their names in the order of the model; ``kinds``: the alarm
    kind of a class by its name, others are no alarm; ``thresholds``: score from which a class counts, by its name; ``threshold``: of the
    others; ``most``: how many of a class may be seen without an alarm (people allowed); ``input_wh``: of the network, pixels; ``overlap``:
    from which two boxes are one; ``every``: seconds between two looks; ``rgb``: the model wants red first; ``scale``: the input is
    multiplied by it (1/255 for models trained on 0 to 1)."""

    model: str = ""
    layout: Literal["yolox", "nanodet", "nanodet_plus"] = "yolox"
    classes: tuple[str, ...] = ()
    kinds: dict[str, str] = {}
    thresholds: dict[str, Share] = {}
    threshold: Share = 0.4
    most: dict[str, Annotated[int, Meta(ge=0)]] = {}
    input_wh: tuple[Annotated[int, Meta(ge=32, le=4096)], Annotated[int, Meta(ge=32, le=4096)]] = (416, 416)
    overlap: Share = 0.45
    every: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    rgb: bool = False
    scale: Annotated[float, Meta(gt=0)] = 1.0


class OnnxDetector(Detector):
    """A user's network over one camera. Raises BadInput for parameters that don't fit together, InvalidFile for a model that is not
    there or that is none."""

    kinds: ClassVar[Sequence[str]] = ()
    timing: ClassVar[Timing] = Timing(raise_after=0.8, clear_after=4.0, threshold=0.0001, keep=0.0001)  # thresholds are the classes'
    Parameters: ClassVar[type[Struct]] = Parameters

    def __init__(self, view: View = NO_VIEW) -> None:
        super().__init__(view)
        self._parameters = parameters_in(view, Parameters)
        self._layout = LAYOUTS[self._parameters.layout]
        _check(self._parameters)
        self._net = _network(self._parameters)
        self._rows = len(cells(self._layout.strides, self._parameters.input_wh)[1])
        self._run(np.full((self._parameters.input_wh[1], self._parameters.input_wh[0], 3), 114, np.uint8))  # a bad model fails here
        self._next = float("-inf")
        self._seen: list[Detection] = []
        self._counts: dict[str, float] = {}

    @classmethod
    def kinds_with(cls, parameters: Struct | None) -> Sequence[str]:
        """The kinds of its classes."""
        return tuple(dict.fromkeys(parameters.kinds.values())) if isinstance(parameters, Parameters) else ()

    def look(self, frame: Frame) -> list[Detection]:
        """What the network sees, strongest first; between two looks what it saw last."""
        if not self._next - self._parameters.every <= frame.t < self._next:
            self._next = frame.t + self._parameters.every
            whole, ratio = letterbox(frame.full(), self._parameters.input_wh)
            self._seen = self._detections(self._run(whole), ratio, frame)
        return self._seen

    @property
    def attention(self) -> Attention:
        """A few frames a second while it sees something, so that this gathers or clears soon."""
        return Attention.MOVING if self._seen else Attention.STILL

    @property
    def figures(self) -> Mapping[str, float]:
        """How many of each class that has a kind were seen."""
        return self._counts

    def _run(self, whole: Picture) -> Found:
        layout, p = self._layout, self._parameters
        mean, deviation = np.array(layout.mean, np.float32), np.array(layout.deviation, np.float32)
        pixels = (whole.astype(np.float32) - mean) / deviation * np.float32(p.scale)
        pixels = pixels[:, :, ::-1] if p.rgb else pixels
        self._net.setInput(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None]))
        try:
            out = np.asarray(self._net.forward(), np.float32)
        except cv2.error as e:
            raise _bad_model(p, f"the network does not run: {e.err}", "is input_wh what the model was made for?") from e
        wanted = self._rows, layout.columns + len(p.classes)
        if out.size != wanted[0] * wanted[1] or out.shape[-1] != wanted[1]:
            shown = " x ".join(str(n) for n in out.shape)
            raise _bad_model(p, f"gives {shown} figures, {p.layout} with {len(p.classes)} classes has {wanted[0]} x {wanted[1]}",
                             "check layout, classes and input_wh")  # fmt: skip
        least = min([p.threshold, *p.thresholds.values()])
        return read(out.reshape(wanted), layout, p.input_wh, least=least, overlap=p.overlap)

    def _detections(self, found: Found, ratio: float, frame: Frame) -> list[Detection]:
        p = self._parameters
        by_class: dict[str, list[Detection]] = {name: [] for name in p.classes if name in p.kinds}
        for xywh, score, number in zip(found.xywh / ratio, found.scores, found.classes, strict=True):
            name = p.classes[int(number)]
            box = _within(xywh, frame.size_wh)
            if name in by_class and score >= p.thresholds.get(name, p.threshold) and box is not None and self._in_area(box, frame):
                cues = {"score": round(float(score), 3), "class": float(number)}
                by_class[name].append(Detection(p.kinds[name], min(1.0, float(score)), box, cues, (name,)))
        self._counts = {f"{name}_seen": float(len(seen)) for name, seen in by_class.items()}
        alarming = [d for name, seen in by_class.items() if len(seen) > p.most.get(name, 0) for d in seen]
        return sorted(alarming, key=lambda d: -d.score)

    def _in_area(self, box: Box, frame: Frame) -> bool:
        """Whether the middle of the box's lower edge or its centre is where the detector may look."""
        mask = self.view.mask
        if mask is None:
            return True
        x, y, w, h = box
        column = min(mask.shape[1] - 1, int((x + w / 2) / frame.size_wh[0] * mask.shape[1]))
        rows = (min(mask.shape[0] - 1, int(down / frame.size_wh[1] * mask.shape[0])) for down in (y + h - 1, y + h / 2))
        return any(bool(mask[row, column]) for row in rows)


def _within(xywh: NDArray[np.float32], size_wh: tuple[int, int]) -> Box | None:
    """The box cut to the frame; None where nothing is left."""
    left, top = max(0.0, float(xywh[0])), max(0.0, float(xywh[1]))
    right, bottom = min(float(size_wh[0]), float(xywh[0] + xywh[2])), min(float(size_wh[1]), float(xywh[1] + xywh[3]))
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _check(p: Parameters) -> None:
    """Raises BadInput where the parameters don't fit together."""
    if not p.model:
        raise BadInput("no model is named", where="onnx.model", hint="give the path of an ONNX file")
    if not p.classes:
        raise BadInput("no classes are named", where="onnx.classes", hint="name them in the order of the model")
    for field, named in (("kinds", p.kinds), ("thresholds", p.thresholds), ("most", p.most)):
        for name in named:
            if name not in p.classes:
                raise BadInput(f"no class {name!r}", where=f"onnx.{field}", hint=f"there are: {', '.join(p.classes)}")
    if not p.kinds:
        raise BadInput("no class has a kind, so nothing could be told", where="onnx.kinds", hint='for example {"fire": "flame"}')


def _network(p: Parameters) -> cv2.dnn.Net:
    """The network in the model's file. Raises InvalidFile."""
    try:
        model = Path(p.model).read_bytes()
    except OSError as e:
        raise _bad_model(p, f"can't be read: {e.strerror}", "is the path right, and may this process read it?") from e
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    except (cv2.error, TypeError) as e:
        raise _bad_model(p, "is no ONNX model that OpenCV can read", "export it with opset 11 to 13, without control flow") from e
    if net.empty():
        raise _bad_model(p, "holds no network", "export it anew")
    return net


def _bad_model(p: Parameters, what: str, hint: str) -> InvalidFile:
    return InvalidFile(p.model, (FileProblem(0, "", what, hint),))
