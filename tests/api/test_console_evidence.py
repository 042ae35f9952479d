"""Evidence of an incident on the console in a real Chromium: pictures with and without the box, the clip, what is signed, holds."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from detectors.cue_words import CUE_WORDS, said
from hazards.camera_evidence import Role
from storage.evidence_sweep import Bounds, EvidenceSweep
from tests.api.camera_scene import Camera, pictures, real_clip
from tests.api.conftest import Server, bearer
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.touch import within_reach

CATALOGUES = Path(__file__).parents[2] / "api" / "console" / "catalogue"
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_cue_of_a_detector_has_its_words_and_its_unit_in_the_console(language: str) -> None:
    words = json.loads((CATALOGUES / f"{language}.json").read_text("utf-8"))
    for name, cue in CUE_WORDS.items():
        unit = "%" if cue.percent else cue.unit_zh if language == "zh" else cue.unit_en
        assert words[f"cue.{name}"] == (cue.zh if language == "zh" else cue.en), name
        assert words.get(f"cue.unit.{name}", "") == unit, name
    told = {key.removeprefix("cue.").removeprefix("unit.") for key in words if key.startswith("cue.")}
    assert told == set(CUE_WORDS), "no words of a cue that is gone"


def test_a_picture_is_seen_with_and_without_its_box_and_the_clip_comes_without_a_reload(
    open_page: Open, park: Server, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    camera, (boxed, plain) = Camera(park), pictures(1)
    fired, cues = ["turns", "area_share", "nobody_knows"], {"turns": 6.13, "area_share": 0.0731, "spread": 12.0}
    page = open_page()
    live(page)
    told = camera.raises("fire", fired=fired, cues=cues)
    expect(page.locator(".story .cues")).to_have_text(f"判据：{said(fired, cues, chinese=True)}")
    first, second = camera.keeps(told, Role.BOXED, boxed), camera.keeps(told, Role.PLAIN, plain)
    image = page.locator(".evidence .picture img")
    expect(image).to_have_attribute("src", f"/api/v1/evidence/{first.sha256}")
    expect(image).to_have_js_property("naturalWidth", 960)
    page.get_by_role("button", name="原始截图").click()
    expect(image).to_have_attribute("src", f"/api/v1/evidence/{second.sha256}")
    expect(page.locator(".evidence figcaption")).to_contain_text("CAM-1 · 原始截图 · ")

    film = camera.keeps(told, Role.CLIP, real_clip(tmp_path))
    page.get_by_role("button", name="报警录像").click()
    video = page.locator(".evidence video[controls]")
    expect(video).to_have_attribute("src", f"/api/v1/evidence/{film.sha256}")
    expect(page.locator(".evidence figcaption")).to_contain_text(" – ")
    where = video.evaluate("""(video) => new Promise((resolve, reject) => {
      video.onerror = () => reject(new Error(video.error.message));
      const seek = () => { video.onseeked = () => resolve([video.videoWidth, video.currentTime]); video.currentTime = 4; };
      if (video.readyState > 0) seek(); else video.onloadedmetadata = seek;
    })""")
    assert where == [352, pytest.approx(4, abs=0.1)], "a browser plays it and moves in it"
    page.locator(".signed summary").click()
    codes = page.locator(".signed code").all_inner_texts()
    assert codes[0] == film.sha256 == hashlib.sha256(park.system.evidence.read(film.sha256)[0]).hexdigest()
    assert film.sha256 in codes[3] and len(codes[1]) == 128
    assert page.evaluate(CONTRAST) == []


def test_an_authority_holds_what_an_incident_shows_and_what_is_gone_says_why(open_page: Open, park: Server) -> None:  # noqa: F811
    camera, (boxed, plain) = Camera(park), pictures(2)
    told = camera.raises("fire")
    camera.keeps(told, Role.BOXED, boxed)
    camera.keeps(told, Role.PLAIN, plain)
    park.system.user("zhao", "bureau")
    page = open_page(user="zhao")
    live(page)
    expect(page.locator(".evidence .picture img")).to_have_count(1)
    expect(page.locator(".evidence .held")).to_have_count(0)
    page.get_by_role("button", name="封存证据").click()
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .wrong-here:visible")).to_have_text("请填写此项")
    page.locator("dialog [name=reason]").fill("事故调查")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".evidence .held")).to_have_text("已封存")
    headers = bearer(park.system.token("bureau"))
    (hold,) = httpx.get(f"{park.url}/api/v1/evidence-holds", headers=headers).json()["items"]
    assert hold["begins"] <= hold["entered_at"] <= hold["ends"]
    lifted = httpx.post(f"{park.url}/api/v1/evidence-holds/{hold['id']}/lift", json={"reason": "结案"}, headers=headers)
    assert lifted.status_code == 200
    sweep = EvidenceSweep(park.system.database, park.system.evidence, Bounds(days=90, most=0, free=0))
    assert sweep.sweep(park.system.now()).crowded == 2
    operator = open_page()
    live(operator)
    expect(operator.get_by_role("button", name="封存证据")).to_have_count(0)
    expect(operator.locator(".evidence-bar .gone")).to_have_count(2)
    operator.get_by_role("button", name="原始截图").click()
    expect(operator.locator(".evidence .picture")).to_contain_text("存储空间不足")
    assert operator.evaluate(CONTRAST) == []


def test_on_a_phone_the_evidence_is_within_reach(open_page: Open, park: Server) -> None:  # noqa: F811
    camera, (boxed, plain) = Camera(park), pictures(3)
    told = camera.raises("fire")
    camera.keeps(told, Role.BOXED, boxed)
    camera.keeps(told, Role.PLAIN, plain)
    page = open_page("phone")
    page.locator(".row[data-id]").click()
    for name in ("带框截图", "原始截图"):
        within_reach(page.get_by_role("button", name=name))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
