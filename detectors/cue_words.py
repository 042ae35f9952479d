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
    "in_step": CueWords("同步闪变", "in step", percent=True),
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
    "travel": CueWords("移动距离占画面", "distance gone, share of the picture", percent=True),
    "size": CueWords("大小似人或车辆", "of the size of a person or vehicle"),
    "stay": CueWords("停留过久", "stays too long"),
    "crossed_in": CueWords("进入方向越线", "crossed inwards"),
    "crossed_out": CueWords("离开方向越线", "crossed outwards"),
    "people": CueWords("人数", "people", "人"),
    "empty": CueWords("岗位无人", "nobody at the post"),
    "stands": CueWords("新出现的静止物品", "a new thing that stands still"),
    "covered": CueWords("镜头被遮挡", "covered"),
    "defocused": CueWords("画面失焦", "out of focus"),
    "moved": CueWords("镜头被转动", "turned away"),
    "view_lost": CueWords("看不到原有场景", "the usual view is gone"),
    "black": CueWords("画面全黑", "black"),
    "overexposed": CueWords("画面过曝", "overexposed"),
    "same_picture": CueWords("画面完全不变", "exactly the same picture"),
    "almost_same_picture": CueWords("画面几乎不变", "almost the same picture"),
}
"""Every cue that a detector names in ``Detection.fired``, but the classes of a user's own model."""


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
