"""The demonstration: invented alarms that fit the synthetic park, and everything it shows marked synthetic."""

import itertools
import time
from collections import Counter
from pathlib import Path

import httpx
import msgspec

from bihuan.demo import add_demo, demo_site, plot
from hazards.kinds import KINDS
from hazards.messages import Action
from hazards.zones import Device, Grade, Site, crossing_edges
from storage.site_store import Registry
from tests.bihuan.test_cli import EXAMPLE, Up, bihuan

BEGINS = 1_795_340_000_000_000


def test_the_park_is_sound_and_marked() -> None:
    site = demo_site(Path("/data"))
    assert site.synthetic
    assert {z.grade for z in site.zones} == set(Grade)
    assert all(crossing_edges(z.polygon) is None for z in site.zones)
    assert {d.zone for d in site.devices} <= {z.id for z in site.zones}
    assert {z.enterprise for z in site.zones} <= {e.id for e in site.enterprises}
    assert msgspec.json.decode(msgspec.json.encode(site), type=Site) == site


def test_the_park_added_to_a_real_site_leaves_its_devices_real() -> None:
    mixed = add_demo(Site(id="real", name="真实", devices=[Device("CAM-1", "z", "camera")]), Path("/data"))
    registry = Registry(1, mixed, {z.id: z for z in mixed.zones}, {d.id: d for d in mixed.devices})
    assert {d.id for d in mixed.devices if not registry.is_synthetic(d.id)} == {"CAM-1"}, "a real device is never marked synthetic"


def test_an_hour_of_alarms_fits_the_park_and_what_is_raised_is_cleared() -> None:
    hour = list(itertools.takewhile(lambda r: (r.at or 0) < BEGINS + 3_600_000_000, plot(1, BEGINS)))
    assert hour == list(itertools.islice(plot(1, BEGINS), len(hour))), "the same seed, the same story"
    times = [r.at or 0 for r in hour]
    assert times == sorted(times)
    assert {r.device for r in hour} <= {d.id for d in demo_site(Path("/")).devices}
    assert {r.kind for r in hour} <= set(KINDS)
    assert all("SYNTHETIC" in r.message for r in hour)
    standing = Counter[tuple[str, str]]()
    for report in hour:
        key = report.device, report.kind
        if report.action is Action.CLEARED:
            assert standing.pop(key)
        elif report.action is Action.RAISED:
            standing[key] += 1
    assert len(standing) < 8, "at most one condition of each story stands at the end"
    assert 100 < len(hour) < 1000


def test_the_park_never_replaces_a_real_site(tmp_path: Path) -> None:
    assert bihuan("site", "apply", EXAMPLE, "--data", tmp_path / "d").returncode == 0
    done = bihuan("up", "--demo", "--data", tmp_path / "d", "--port", "0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds the site demo-park" in done.stderr


def test_the_demonstration_shows_a_flame_with_its_picture_all_marked_synthetic(tmp_path: Path) -> None:
    system = Up(tmp_path / "data", "--demo")
    try:
        system.ready()
        token = bihuan("token", "create", "--role", "operator", "--data", system.folder).stdout.strip()
        with httpx.Client(base_url=system.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
            until = time.monotonic() + 90
            flames: list[dict[str, object]] = []
            while not flames and time.monotonic() < until:
                items = client.get("/api/v1/incidents").json()["items"]
                flames = [i for i in items if "flame" in i["kinds"]]
                time.sleep(0.2)
            assert flames, "no flame within 90 s"
            assert all(i["synthetic"] for i in items)
            assert client.get(str(flames[0]["snapshot_url"])).headers["content-type"] == "image/jpeg"
            assert not [i for i in items if "camera_offline" in i["kinds"]], "the clip was drawn in time"
    finally:
        code, _, err = system.stop()
    assert code == 0, err
