"""A synthetic evening in a synthetic park, for the pictures of the console: drawn snapshots, no real footage."""

import time
from typing import Any

import cv2
import httpx
import msgspec
import numpy as np
from sqlalchemy import update

from hazards.zones import Device, Enterprise, Grade, Site, Zone
from storage import schema
from tests.api.conftest import PASSWORD, Server, System, alarm

SITE = Site(
    id="demo-park", name="示例工业园区", synthetic=True,
    enterprises=[Enterprise(id="alu", name="示例铝业"), Enterprise(id="chem", name="示例化工"), Enterprise(id="log", name="示例物流")],
    zones=[
        Zone(id="smelter", name="熔铸车间", enterprise="alu", grade=Grade.RED),
        Zone(id="tank", name="储罐区", enterprise="chem", grade=Grade.RED),
        Zone(id="depot", name="危废库", enterprise="chem", grade=Grade.ORANGE),
        Zone(id="store", name="二号成品库", enterprise="log", grade=Grade.YELLOW),
        Zone(id="pump", name="消防泵房", enterprise="chem", grade=Grade.ORANGE),
        Zone(id="gate", name="南门装卸区", enterprise="log", grade=Grade.BLUE),
        Zone(id="pipeline", name="厂外燃气管线", grade=Grade.RED),
        Zone(id="office", name="办公楼", enterprise="alu", grade=Grade.BLUE),
    ],
    devices=[
        Device(id=d, zone=z, type=t) for d, z, t in (
            ("CAM-1", "smelter", "camera"), ("T-101", "smelter", "sensor"), ("G-201", "tank", "sensor"), ("L-202", "tank", "sensor"),
            ("CAM-2", "depot", "camera"), ("CAM-7", "store", "camera"), ("P-11", "pump", "sensor"), ("CAM-9", "gate", "camera"),
            ("G-310", "pipeline", "sensor"), ("CAM-12", "office", "camera"),
        )
    ],
)  # fmt: skip


def picture(kind: str, seed: int) -> bytes:
    """A drawn hall with something in it, 960x540 JPEG."""
    random = np.random.default_rng(seed)
    wall, floor, dark = (58, 60, 64), (44, 46, 50), (30, 32, 36)
    frame = np.full((540, 960, 3), wall, np.uint8)
    cv2.rectangle(frame, (0, 330), (960, 540), floor, -1)
    for n in range(7):
        x = 60 + n * 145
        cv2.rectangle(frame, (x, 40), (x + 12, 330), (74, 76, 80), -1)
        cv2.line(frame, (480, 330), (n * 200 - 120, 540), (56, 58, 62), 2, cv2.LINE_AA)
    for n in range(4):
        x, h = int(80 + n * 220 + random.integers(-20, 20)), int(random.integers(70, 150))
        cv2.rectangle(frame, (x, 360 - h), (x + 120, 400), (88 + n * 6, 92, 96), -1)
        cv2.rectangle(frame, (x, 360 - h), (x + 120, 400), dark, 2)
    box = (int(random.integers(420, 560)), 220, 110, 160)
    if kind == "flame":
        _flame(frame, box, random)
    else:
        x, y, w, h = box
        cv2.ellipse(frame, (x + w // 2, y + 20), (17, 20), 0, 0, 360, (150, 160, 178), -1, cv2.LINE_AA)
        cv2.ellipse(frame, (x + w // 2, y + 90), (34, 58), 0, 0, 360, (70, 96, 128), -1, cv2.LINE_AA)
    x, y, w, h = box
    cv2.rectangle(frame, (x - 8, y - 8), (x + w + 8, y + h + 8), (245, 245, 245), 2)
    frame = cv2.add(frame, random.normal(0, 4, frame.shape).astype(np.int16).clip(0, 12).astype(np.uint8))
    return bytes(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def _flame(frame: np.ndarray[Any, Any], box: tuple[int, int, int, int], random: np.random.Generator) -> None:
    x, y, w, h = box
    glow = np.zeros_like(frame)
    for size, colour in ((1.0, (20, 90, 235)), (0.68, (40, 165, 250)), (0.36, (150, 235, 255))):
        points = [
            (x + w / 2 + np.sin(a) * w / 2 * size * (1 - 0.5 * (np.cos(a) < 0) * random.random()),
             y + h - h / 2 * size + np.cos(a) * h / 2 * size * (1 + 0.25 * random.random()))
            for a in np.linspace(0, 2 * np.pi, 28)
        ]  # fmt: skip
        cv2.fillPoly(glow, [np.array(points, np.int32)], colour, cv2.LINE_AA)
    halo = cv2.GaussianBlur(glow, (0, 0), 38)
    frame[:] = cv2.add(cv2.add(frame, halo), cv2.GaussianBlur(glow, (0, 0), 3))


STORY = [
    # minutes ago, device, kind, action, score, message, picture
    (640, "CAM-12", "loitering", "pulse", 0.62, "", "person"),
    (512, "P-11", "power_lost", "raised", None, "主泵供电中断", ""),
    (350, "CAM-7", "exit_blocked", "raised", 0.81, "托盘堵塞 3 号安全出口", "person"),
    (212, "L-202", "level_low", "raised", None, "", ""),
    (118, "新接入-07", "device_fault", "raised", None, "未登记设备上报", ""),
    (74, "CAM-9", "line_crossing", "pulse", 0.77, "", "person"),
    (41, "G-310", "methane_high", "raised", None, "1.2 %VOL", ""),
    (40, "G-310", "methane_high", "cleared", None, "0.6 %VOL", ""),
    (23, "CAM-2", "intrusion", "raised", 0.91, "危废库内有人员进入", "person"),
    (22, "CAM-2", "intrusion", "raised", 0.88, "", "person"),
    (12, "L-202", "level_high", "raised", None, "86 %，高限 85 %", ""),
    (6, "G-201", "flammable_gas_high", "raised", None, "27 %LEL，一级报警 25 %LEL", ""),
    (3, "CAM-1", "flame", "raised", 0.94, "3 号炉前出现明火", "flame"),
    (2, "T-101", "temperature_high", "raised", None, "63 ℃，高限 60 ℃", ""),
    (1, "CAM-1", "flame", "raised", 0.97, "明火持续扩大", "flame"),
    (1, "CAM-1", "smoke", "raised", 0.71, "", ""),
]  # fmt: skip


def play(server: Server) -> None:
    """Let the evening happen; some of it is acknowledged, assigned and shelved already."""
    system, now = server.system, time.time()
    for n, (ago, device, kind, action, score, message, drawn) in enumerate(STORY):
        data: dict[str, Any] = {"kind": kind, "message": message}
        if score is not None:
            data["score"] = score
        if drawn:
            image = picture(drawn, n)
            zone = system.registry.zone_of(device)
            taken_at = int((now - ago * 60) * 1e6)
            data["snapshot"] = system.evidence.put(image, media_type="image/jpeg", device=device, zone=zone, taken_at=taken_at)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - ago * 60 - n * 7 % 53))
        server.post({**alarm(f"scene-{n}", device=device, kind=kind, action=action), "time": stamp, "data": data})
    with system.database.write() as connection:  # as if each had been received when it happened
        connection.execute(update(schema.incidents).values(raised_at=schema.incidents.c.opened_at))


DONE = [
    ("office", {"command": "acknowledge"}), ("pump", {"command": "acknowledge"}), ("pump", {"command": "assign", "to": "zhao"}),
    ("gate", {"command": "acknowledge"}), ("store", {"command": "shelve", "minutes": 120, "reason": "整改中"}),
    ("smelter", {"command": "comment", "text": "已电话通知示例铝业值班室，炉前人员正在撤离"}),
]  # fmt: skip


def handle(server: Server, user: str) -> None:
    """What ``user`` (with the tests' password) has done about it so far."""
    server.system.user("zhao", "operator")
    with httpx.Client(base_url=f"{server.url}/api/v1") as client:
        me = client.post("/session", json={"name": user, "password": PASSWORD}).json()
        client.headers["X-CSRF-Token"] = me["csrf"]
        of_zone = {i["zone"]: i["id"] for i in reversed(client.get("/incidents").json()["items"])}
        of_zone["smelter"] = client.get("/incidents?zone=smelter&family=fire").json()["items"][0]["id"]
        for zone, command in DONE:
            answer = client.post(f"/incidents/{of_zone[zone]}/commands", json=command)
            assert answer.status_code == 200, answer.text
        client.delete("/session")
    server.run(server.system.position())


def made(system_folder: Any) -> System:
    """A system of this park."""
    return System(system_folder, site=msgspec.structs.replace(SITE))
