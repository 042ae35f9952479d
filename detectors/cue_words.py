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
    "soft": CueWords("柔和变化占比", "soft changes", percent=True),
    "grey": CueWords("灰白无色", "colourless", percent=True),
    "unbroken": CueWords("不间断翻动", "changes without a break", percent=True),
    "uneven": CueWords("浓淡不匀", "uneven", percent=True),
    "turbulent": CueWords("翻卷", "turbulence", "灰度", "grey levels"),
    "beyond_motion": CueWords("超出镜头移动的变化", "change beyond the camera's motion", "灰度", "grey levels"),
    "paled": CueWords("背景变淡", "background paled"),
    "replaced": CueWords("背景被遮换", "background replaced"),
    "plain": CueWords("无纹理背景", "plain background", percent=True),
    "dragged": CueWords("随镜头平移", "dragged with the camera", percent=True),
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
