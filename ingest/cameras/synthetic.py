"""Draws a clip of a flame, for the demonstration and for tests: invented pictures, plainly marked SYNTHETIC.

A quiet scene with something that moves, a flickering flame that grows, then the scene again. What must not go in:
pictures of anything real, knowledge of the detectors.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hazards.errors import SourceUnreadable

Picture = NDArray[np.uint8]

_MARK = "SYNTHETIC"
_GRID = (64, 56)  # cells of the heat field, height by width: coarse, since blurred up it looks like fire


class HeatField:
    """Clouds of noise that rise through the shape of a flame: cheap, ragged, and never twice the same."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        height, width = _GRID
        octaves = []
        for cells, rise, weight in ((4, 9.0, 0.5), (9, 14.0, 0.32), (18, 20.0, 0.18)):
            coarse = self._random.random((cells * 8, cells), np.float32)
            octaves.append((cv2.resize(coarse, (width, height * 8), interpolation=cv2.INTER_CUBIC), rise, weight))
        self._octaves = octaves
        self._height = 1.0

    def at(self, seconds: float, size: float) -> NDArray[np.float32]:
        """Heat 0..1 by cell (row 0 on top) of a flame of ``size`` (0..1), ``seconds`` after it caught fire."""
        height, width = _GRID
        noise = np.zeros(_GRID, np.float32)
        for cloud, rise, weight in self._octaves:
            noise += weight * np.roll(cloud, -int(seconds * rise * 4), axis=0)[:height]
        self._height = 0.45 * self._height + 0.55 * self._random.uniform(0.6, 1.3)  # the whole flame breathes: its flicker
        above = (height - 1 - np.arange(height, dtype=np.float32))[:, None] / (height * (0.3 + 0.65 * size) * self._height)
        lean = 0.12 * np.sin(seconds * 7.3 + above * 3.0) * above
        across = (np.arange(width, dtype=np.float32)[None] / width - 0.5 - lean) / (0.16 + 0.3 * size)
        shape = np.clip(1.15 - above, 0, 1.0) - across**2 * (1 + 1.5 * above)
        fade = np.clip((1.35 - above) * 3, 0, 1) * np.clip(np.arange(height, dtype=np.float32) / 6, 0, 1)[:, None]  # no cut tips
        heat: NDArray[np.float32] = (np.clip(shape + (noise - 0.5) * (0.95 + 1.1 * above), 0, 1) * fade).astype(np.float32)
        return heat


def _glow(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Heat to light, BGR 0..255: red, orange, yellow, and an over-exposed core as a real camera shows it."""
    red = np.clip(heat * 3.0, 0, 1)
    green = np.clip(heat * 1.9 - 0.35, 0, 1)
    blue = np.clip(heat * 2.4 - 1.3, 0, 1)
    return (np.dstack([blue, green, red]) * 255).astype(np.float32)


def _scene(size: tuple[int, int], seed: int) -> Picture:
    """A grey workshop: wall, floor, a tank and a pipe."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    picture[: int(height * 0.6)] = (92, 88, 84)
    picture[int(height * 0.6) :] = (66, 68, 70)
    cv2.rectangle(picture, (int(width * 0.06), int(height * 0.22)), (int(width * 0.26), int(height * 0.72)), (118, 112, 104), -1)
    cv2.line(picture, (0, int(height * 0.14)), (width, int(height * 0.14)), (130, 120, 96), max(2, height // 60))
    texture = np.random.default_rng(seed).normal(0, 4, (height, width, 1))
    return np.clip(picture + texture, 0, 255).astype(np.uint8)


def _draw_trolley(picture: Picture, at: float) -> None:
    """Something that moves and is no fire: a red trolley that goes to and fro on the floor."""
    height, width = picture.shape[:2]
    x = int(width * (0.3 + 0.45 * abs((at / 9.0) % 2 - 1)))
    y = int(height * 0.8)
    cv2.rectangle(picture, (x, y), (x + width // 9, y + height // 12), (52, 44, 168), -1)
    cv2.circle(picture, (x + width // 30, y + height // 12), height // 60, (24, 24, 24), -1)


def _draw_flame(picture: Picture, heat: NDArray[np.float32]) -> None:
    height, width = picture.shape[:2]
    w, h = int(width * 0.3), int(height * 0.46)
    left, top = int(width * 0.55), int(height * 0.74) - h
    light = cv2.GaussianBlur(cv2.resize(_glow(heat), (w, h), interpolation=cv2.INTER_CUBIC), (0, 0), 1.6)
    region = picture[top : top + h, left : left + w]
    region[:] = np.clip(region.astype(np.float32) * (1 - light.max(axis=2, keepdims=True) / 255 * 0.8) + light, 0, 255).astype(np.uint8)


def _stamp(picture: Picture, at: float) -> None:
    height = picture.shape[0]
    scale = height / 400
    for colour, shift in (((0, 0, 0), 2), ((235, 235, 235), 0)):  # a shadow keeps the mark legible on any ground
        for text, y, relative in ((f"{_MARK} {at:06.2f} s", int(26 * scale), 0.8), (_MARK, height - 12, 1.2)):
            place = (10 + shift, y + shift)
            cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale * relative, colour, 2, cv2.LINE_AA)


def flame_frames(
    *, seconds: float, flame_from: float, flame_to: float, size: tuple[int, int] = (704, 576), fps: int = 12
) -> Iterator[Picture]:
    """The frames of the clip, BGR, ``size`` = (width, height) in pixels; the flame burns from ``flame_from`` to ``flame_to`` seconds.

    The same arguments give the same frames."""
    scene, field = _scene(size, seed=7), HeatField(seed=11)
    random = np.random.default_rng(13)
    grain = [random.normal(0, 2, (size[1], size[0], 1)).astype(np.int16) for _ in range(8)]
    for n in range(round(seconds * fps)):
        at = n / fps
        picture = scene.copy()
        _draw_trolley(picture, at)
        if flame_from <= at < flame_to:
            burning = at - flame_from
            _draw_flame(picture, field.at(burning, min(1.0, 0.2 + burning / 8.0)))
        picture = np.clip(picture + random.choice(grain), 0, 255).astype(np.uint8)
        _stamp(picture, at)
        yield picture


def _encode(path: Path, codec: str, size: tuple[int, int], fps: int, frames: Callable[[], Iterator[Picture]]) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream(codec, rate=Fraction(fps))
        if not isinstance(stream, av.VideoStream):
            raise SourceUnreadable(f"{codec} is no video codec", where=str(path))
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        stream.codec_context.gop_size = fps * 2
        stream.codec_context.max_b_frames = 0  # frames leave in the order they are shown, as from a camera
        stream.codec_context.thread_count = 1
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "23"}
        else:
            stream.bit_rate = 1_500_000
        container.metadata["comment"] = "SYNTHETIC: drawn by bihuan, no real scene"
        for picture in frames():
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def write_flame_clip(
    path: Path, *, seconds: float, flame_from: float, flame_to: float, size: tuple[int, int] = (704, 576), fps: int = 12
) -> None:
    """Write the clip as MP4 (H.264 without B-frames where the wheel brings libx264, else MPEG-4), whole or not at all.

    ``size``: (width, height) in pixels, both even. The flame burns from ``flame_from`` to ``flame_to`` seconds."""
    part = path.with_name(path.name + ".part")

    def frames() -> Iterator[Picture]:
        return flame_frames(seconds=seconds, flame_from=flame_from, flame_to=flame_to, size=size, fps=fps)

    try:
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        _encode(part, codec, size, fps, frames)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
