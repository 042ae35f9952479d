"""Names of cues in Chinese and English, with their measured figure, as a console or the command line shows them.

What must not go in: how a cue is measured, thresholds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CueWords:
    """``zh`` and ``en``: what the cue is called; ``unit_zh`` and ``unit_en`` follow its figure; ``percent``: the figure is a share 0..1."""

    zh: str
    en: str
    unit_zh: str = ""
    unit_en: str = ""
    percent: bool = False

    def figure(self, value: float, *, chinese: bool = False) -> str:
        """``value`` with its unit: "闪烁 6.1 次/秒" or "flicker 6.1 a second"."""
        name, unit = (self.zh, self.unit_zh) if chinese else (self.en, self.unit_en)
        number = f"{100 * value:.0f}%" if self.percent else f"{value:.1f}"
        return f"{name} {number} {unit}".rstrip()


CUE_WORDS: Mapping[str, CueWords] = {
    "area": CueWords("面积", "area", "像素", "pixels"),
    "area_share": CueWords("画面占比", "share of the picture", percent=True),
    "turns": CueWords("闪烁", "flicker", "次/秒", "turns a second"),
    "spread": CueWords("明暗层次", "many brightnesses", "灰度", "grey levels"),
    "light": CueWords("亮度", "brightness", "灰度", "grey levels"),
    "in_step": CueWords("同步闪变", "all in step", percent=True),
    "lasting": CueWords("持续在原处", "stays in place", percent=True),
    "grown": CueWords("扩大", "growth", "倍", "times"),
    "edges_lost": CueWords("轮廓变模糊", "edges veiled", percent=True),
    "contrast_lost": CueWords("对比度下降", "contrast lost", percent=True),
    "grey": CueWords("灰白无色", "colourless", percent=True),
    "soft": CueWords("边界柔和", "soft boundary", percent=True),
    "rise": CueWords("向上飘动", "drifts upward", "画面高/秒", "picture heights a second"),
}
"""Every cue that a detector of flame or smoke names in ``Detection.fired``."""


def said(fired: Sequence[str], cues: Mapping[str, float], *, chinese: bool = False) -> str:
    """The cues that decided, in words; a cue without words here keeps its name."""
    parts = []
    for name in fired:
        words, value = CUE_WORDS.get(name), cues.get(name)
        if words is None:
            parts.append(name if value is None else f"{name} {value:g}")
        else:
            parts.append((words.zh if chinese else words.en) if value is None else words.figure(value, chinese=chinese))
    return ("，" if chinese else ", ").join(parts)
