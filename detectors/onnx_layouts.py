"""What comes out of a detection network, as boxes: the output layouts of YOLOX and NanoDet. Arrays in, arrays out.

Both give one row for each cell of grids that halve in size; they differ in what a row holds. Sources: Ge et al., YOLOX (2021,
arXiv:2107.08430), decoupled head without anchors; Li et al., Generalized Focal Loss (2020, arXiv:2006.04388), the distribution of
distances that NanoDet uses. What must not go in: the network, names of classes, decisions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detectors.base import Picture

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes of one picture. ``xywh`` (n, 4): pixels of the network's input; ``scores`` (n,): 0..1; ``classes`` (n,): numbers."""

    xywh: Rows
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Layout:
    """One family of networks. ``strides``: pixels of a cell of each grid; ``columns``: of a row beside one for each class; ``middle``:
    where in its cell, 0 to 1, a row counts from; ``mean``, ``deviation``: of the input, BGR; ``boxes``: of rows, points of cells (n, 2)
    and their strides (n,), as (n, 4) xywh; ``scores``: of rows (n, classes)."""

    strides: Sequence[int]
    columns: int
    middle: float
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    boxes: Callable[[Rows, Rows, Rows], Rows]
    scores: Callable[[Rows], Rows]


def _yolox_boxes(rows: Rows, points: Rows, strides: Rows) -> Rows:
    """Columns 0 to 3: centre from the cell's corner in cells, logarithm of the size in cells."""
    centre = (rows[:, :2] + points) * strides[:, None]
    size = np.exp(np.minimum(rows[:, 2:4], 10.0)) * strides[:, None]
    return np.hstack([centre - size / 2, size]).astype(np.float32)


def _yolox_scores(rows: Rows) -> Rows:
    """Column 4: something is there; from 5 on: which class. Both are probabilities already."""
    scores: Rows = rows[:, 4:5] * rows[:, 5:]
    return scores


REACH = 8
"""Bins of a distance in NanoDet's rows (reg_max 7 and one), in cells 0 to 7."""


def _nanodet_boxes(rows: Rows, points: Rows, strides: Rows) -> Rows:
    """The last 32 columns: how probable each distance from the cell's point to left, top, right and bottom is, in cells."""
    bins = rows[:, -4 * REACH :].reshape(-1, 4, REACH)
    likely = np.exp(bins - bins.max(axis=2, keepdims=True))
    far = (likely @ np.arange(REACH, dtype=np.float32)) / likely.sum(axis=2) * strides[:, None]
    x, y = points[:, 0] * strides, points[:, 1] * strides
    return np.stack([x - far[:, 0], y - far[:, 1], far[:, 0] + far[:, 2], far[:, 1] + far[:, 3]], axis=1).astype(np.float32)


def _nanodet_scores(rows: Rows) -> Rows:
    """The first columns, probabilities already."""
    return rows[:, : rows.shape[1] - 4 * REACH]


_NANODET_INPUT = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
LAYOUTS: Mapping[str, Layout] = {
    "yolox": Layout((8, 16, 32), 5, 0.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), _yolox_boxes, _yolox_scores),
    "nanodet": Layout((8, 16, 32), 4 * REACH, 0.5, *_NANODET_INPUT, _nanodet_boxes, _nanodet_scores),
    "nanodet_plus": Layout((8, 16, 32, 64), 4 * REACH, 0.0, *_NANODET_INPUT, _nanodet_boxes, _nanodet_scores),
}


def cells(strides: Sequence[int], size_wh: tuple[int, int]) -> tuple[Rows, Rows]:
    """Corners (n, 2), in cells, and strides (n,) of all cells of the grids over an input of ``size_wh``, row by row, finest first."""
    corners, of = [], []
    for stride in strides:
        across, down = -(-size_wh[0] // stride), -(-size_wh[1] // stride)
        x, y = np.meshgrid(np.arange(across), np.arange(down))
        corners.append(np.stack([x.ravel(), y.ravel()], axis=1))
        of.append(np.full(across * down, stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(of).astype(np.float32)


def letterbox(picture: Picture, size_wh: tuple[int, int]) -> tuple[Picture, float]:
    """``picture`` in the upper left of an input of ``size_wh``, grey around it, as both families are trained; and its scale."""
    height, width = picture.shape[:2]
    ratio = min(size_wh[0] / width, size_wh[1] / height)
    inner = max(1, round(width * ratio)), max(1, round(height * ratio))
    whole = np.full((size_wh[1], size_wh[0], 3), 114, np.uint8)
    whole[: inner[1], : inner[0]] = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR if ratio > 1 else cv2.INTER_AREA)
    return whole, ratio


def read(rows: Rows, layout: Layout, size_wh: tuple[int, int], *, least: float, overlap: float) -> Found:
    """Boxes in ``rows`` (n, columns) with a score of at least ``least``; of one class those that overlap more than ``overlap`` (share of
    their union) are one."""
    corners, strides = cells(layout.strides, size_wh)
    scores = layout.scores(rows)
    classes, best = scores.argmax(axis=1), scores.max(axis=1)
    good = np.isfinite(best) & (best >= least)
    xywh = layout.boxes(rows[good], corners[good] + np.float32(layout.middle), strides[good])
    best, classes = best[good].astype(np.float32), classes[good]
    kept = cv2.dnn.NMSBoxesBatched(xywh.tolist(), best.tolist(), classes.tolist(), least, overlap) if len(best) else []
    index = np.asarray(kept, np.int64).ravel()
    return Found(xywh[index], best[index], classes[index])
