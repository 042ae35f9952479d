"""The demonstration: a synthetic park (演示), marked synthetic from end to end, and invented alarms over minutes.

What must not go in: anything of a real place; drawing the clip (``ingest.cameras.synthetic``).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hazards.admission import Report
from hazards.messages import Action
from hazards.zones import AlarmTiming, Contact, Device, Enterprise, Grade, Site, Zone

CLIP_SECONDS = 40.0
CLIP_SIZE = (480, 384)
"""Width and height in pixels: small, so that it is drawn before a camera that waits for it counts as offline."""
FLAME = (8.0, 22.0)
"""When the drawn flame burns in the clip, in seconds from its start."""
_ID = "demo-"


def clip_path(folder: Path) -> Path:
    """Where the drawn clip lies in the data folder."""
    return folder / "demo" / "flame.mp4"


def _rectangle(x: float, y: float, w: float, h: float) -> list[tuple[float, float]]:
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


_ENTERPRISES = [
    Enterprise(_ID + "alu", "演示铝业 (SYNTHETIC)", [Contact("演示值班室", "safety_officer", "000-0001")]),
    Enterprise(_ID + "chem", "演示化工 (SYNTHETIC)", [Contact("演示值班室", "safety_officer", "000-0002")]),
    Enterprise(_ID + "store", "演示仓储 (SYNTHETIC)", [Contact("演示值班室", "safety_officer", "000-0003")]),
]
_ZONES = [
    Zone(
        _ID + "smelter",
        "演示·熔铸车间",
        Grade.RED,
        _ID + "alu",
        _rectangle(0, 0, 60, 40),
        risks=["铝液泄漏", "火灾"],
        measures=["视频监控", "温度监测"],
    ),
    Zone(_ID + "rolling", "演示·轧制车间", Grade.YELLOW, _ID + "alu", _rectangle(0, 50, 60, 30), risks=["机械伤害"]),
    Zone(_ID + "office", "演示·办公楼", Grade.BLUE, _ID + "alu", _rectangle(0, 90, 30, 20)),
    Zone(
        _ID + "tank",
        "演示·储罐区",
        Grade.RED,
        _ID + "chem",
        _rectangle(80, 0, 60, 50),
        risks=["可燃气体泄漏", "爆炸"],
        major_hazard_level=3,
    ),
    Zone(
        _ID + "reactor", "演示·反应车间", Grade.RED, _ID + "chem", _rectangle(150, 0, 40, 40), risks=["超压", "中毒"], major_hazard_level=4
    ),
    Zone(_ID + "depot", "演示·危废库", Grade.ORANGE, _ID + "chem", _rectangle(80, 60, 30, 30), risks=["人员闯入", "火灾"]),
    Zone(_ID + "warehouse", "演示·立体仓库", Grade.ORANGE, _ID + "store", _rectangle(120, 60, 70, 30), risks=["火灾", "堵塞消防通道"]),
]


def _camera(name: str, zone: str, clip: Path) -> Device:
    return Device(_ID + name, _ID + zone, "camera", url=f"file:{clip}", loop=True, detectors=["flame"], settings={"synthetic": True})


def _sensor(name: str, zone: str, metric: str, unit: str, *, off_delay: int = 0) -> Device:
    return Device(
        _ID + name, _ID + zone, "sensor", AlarmTiming(off_delay=off_delay), settings={"metric": metric, "unit": unit, "synthetic": True}
    )


def demo_site(folder: Path) -> Site:
    """The synthetic park, its cameras looking at the clip drawn into ``folder``."""
    clip = clip_path(folder)
    devices = [
        _camera("cam-1", "smelter", clip),
        _camera("cam-2", "warehouse", clip),
        _sensor("t-101", "smelter", "temperature", "Cel", off_delay=5_000_000),
        _sensor("g-201", "tank", "flammable_gas", "%LEL"),
        _sensor("l-202", "tank", "level", "%"),
        _sensor("p-301", "reactor", "pressure", "kPa"),
        _sensor("x-302", "reactor", "toxic_gas", "ppm"),
        _sensor("pir-401", "depot", "presence", "1"),
        _sensor("door-501", "warehouse", "passage", "1"),
        _sensor("post-601", "rolling", "presence", "1"),
    ]
    return Site(
        id="demo",
        name="演示园区 SYNTHETIC",
        district="000000",
        policy="guangyuan",
        synthetic=True,
        enterprises=_ENTERPRISES,
        zones=_ZONES,
        devices=devices,
    )


def add_demo(site: Site | None, folder: Path) -> Site:
    """The park alone, or added to ``site``, whose own devices stay real: only what the park's devices say is marked synthetic."""
    park = demo_site(folder)
    if site is None:
        return park
    return msgspec.structs.replace(
        site,
        name=f"{site.name} + 演示 SYNTHETIC",
        enterprises=[*site.enterprises, *park.enterprises],
        zones=[*site.zones, *park.zones],
        devices=[*site.devices, *park.devices],
    )


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that happens again and again: a condition of a device, how long it stands, how often it chatters."""

    device: str
    kind: str
    message: str
    stands: tuple[float, float]  # seconds, from … to
    repeats: int = 1  # raised so often before it is cleared
    pulse: bool = False


STORIES = (
    Story("t-101", "temperature_high", "演示：炉温超过上限", (40, 120), repeats=3),
    Story("g-201", "flammable_gas_high", "演示：可燃气体浓度达到一级报警值", (30, 90), repeats=2),
    Story("g-201", "flammable_gas_high_high", "演示：可燃气体浓度达到二级报警值", (20, 40)),
    Story("l-202", "level_high", "演示：储罐液位高", (60, 180)),
    Story("p-301", "pressure_high", "演示：反应釜压力高", (30, 60), repeats=4),
    Story("x-302", "toxic_gas_high", "演示：有毒气体报警", (20, 50)),
    Story("pir-401", "intrusion", "演示：危废库有人进入", (15, 45), repeats=2),
    Story("door-501", "exit_blocked", "演示：消防通道被占用", (90, 240)),
    Story("post-601", "absent_from_post", "演示：岗位无人", (60, 150)),
    Story("post-601", "manual_call_point", "演示：有人按下手动报警按钮", (0, 0), pulse=True),
)
"""Invented; plausible for a control room at work: about one incident every 20 seconds."""


def _report(story: Story, action: Action, at: int, number: int) -> Report:
    return Report(
        source="demo/SYNTHETIC",
        source_id=None,
        device=_ID + story.device,
        kind=story.kind,
        action=action,
        at=at,
        sequence=number,
        message=f"{story.message} (SYNTHETIC)",
        details={"synthetic": True},
    )


def plot(seed: int, begins: int) -> Iterator[Report]:
    """Alarms without end, ordered by ``at`` (UTC microseconds from ``begins``); the same arguments give the same alarms."""
    chance = random.Random(seed)
    waiting: list[Report] = []
    busy: dict[tuple[str, str], int] = {}
    clock, number = begins, 0
    while True:
        clock += round(chance.uniform(5, 35) * 1e6)
        story = chance.choice(STORIES)
        if busy.get((story.device, story.kind), 0) < clock:
            ends = clock + round(chance.uniform(*story.stands) * 1e6)
            busy[story.device, story.kind] = ends
            steps = sorted(chance.uniform(clock, ends) for _ in range(story.repeats - 1))
            for at in (clock, *steps):
                number += 1
                waiting.append(_report(story, Action.PULSE if story.pulse else Action.RAISED, round(at), number))
            if not story.pulse:
                number += 1
                waiting.append(_report(story, Action.CLEARED, ends, number))
        waiting.sort(key=lambda r: r.at or 0)
        while waiting and (waiting[0].at or 0) <= clock:
            yield waiting.pop(0)
