"""The site file: the shared example as it stands, and each kind of mistake named by its line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bihuan.cli import explain
from bihuan.site_file import parse_site, read_site
from hazards.errors import InvalidFile
from hazards.zones import Grade, Position

EXAMPLE = """\
site: {id: demo-park, name: 示例园区, district: "510800", time_zone: Asia/Shanghai, policy: guangyuan}
enterprises:
  - {id: alu, name: 示例铝业, contacts: [{name: 值班室, role: safety_officer}]}
zones:
  - {id: smelter, name: 熔铸车间, enterprise: alu, grade: red, polygon: [[0, 0], [60, 0], [60, 40], [0, 40]], risks: [铝液泄漏, 火灾]}
  - {id: pipe, name: 管线, grade: orange, line: [[0, 0], [60, 5], [90, 5]]}
devices:
  - {id: T-101, zone: smelter, type: sensor, metric: temperature, limits: {high: 60, high_high: 80}, on_delay: 500ms, stale_after: 60s}
  - {id: CAM-1, zone: smelter, type: camera, url: "file:clips/furnace.mp4", detectors: [flame], areas: {flame: [[0, 0], [1, 0], [1, 1]]}}
webhooks:
  - {enterprise: alu, url: "http://127.0.0.1:9099/alu", secret_env: BIHUAN_TEST_NO_SUCH_SECRET, allow_private: true}
later: {key: [1, 2]}
"""


def parse(text: str) -> list[tuple[int, str]]:
    """Line and text of every problem of ``text``."""
    with pytest.raises(InvalidFile) as caught:
        parse_site(text.encode(), file="site.yaml", folder=Path("/"))
    return [(p.line, str(p)) for p in caught.value.problems]


def test_operating_positions_are_read_and_one_that_gets_nothing_is_odd(tmp_path: Path) -> None:
    more = "positions:\n  - {id: north, name: 北岗, zones: [smelter], seats: 2}\n  - {id: south, name: 南岗, colour: red}\nlater:"
    found = parse_site(EXAMPLE.replace("later:", more).encode(), file="site.yaml", folder=tmp_path)
    assert found.site.positions == [Position("north", "北岗", ["smelter"], 2), Position("south", "南岗")]
    assert "positions" not in found.site.settings
    said = [str(w) for w in found.warnings if "positions[1]" in str(w)]
    assert "no alarm is its own" in said[0] and "colour" in said[1]


def test_a_sound_file_becomes_a_site(tmp_path: Path) -> None:
    found = parse_site(EXAMPLE.encode(), file="site.yaml", folder=tmp_path)
    site = found.site
    assert (site.id, site.name, site.district) == ("demo-park", "示例园区", "510800")
    assert site.zones[0].grade is Grade.RED
    assert site.zones[1].line == [(0, 0), (60, 5), (90, 5)]
    sensor, camera = site.devices
    assert sensor.timing.on_delay == 500_000
    assert sensor.settings["limits"] == {"high": 60, "high_high": 80}
    assert camera.url == f"file:{tmp_path}/clips/furnace.mp4", "relative clips start at the site file"
    assert site.settings["later"] == {"key": [1, 2]}
    assert site.settings["webhooks"][0]["enterprise"] == "alu"


def test_districts_are_taken_as_written_and_odd_ones_warned_of(tmp_path: Path) -> None:
    agreements = "agreements:\n  - {districts: [510802, 510703]}\n"
    text = EXAMPLE.replace("id: pipe,", "id: pipe, district: 510802001,").replace("later:", f"{agreements}later:")
    found = parse_site(text.encode(), file="site.yaml", folder=tmp_path)
    assert [z.district for z in found.site.zones] == ["", "510802001"]
    assert [a.districts for a in found.site.agreements] == [["510802", "510703"]] and "agreements" not in found.site.settings
    assert [w.line for w in found.warnings] == [9, 11], "the clip and the secret alone"
    outside = parse_site(text.replace("510802001", "510703").encode(), file="site.yaml", folder=tmp_path).warnings
    assert any("line 6" in str(w) and "510703 lies outside of the site's district 510800" in str(w) for w in outside)
    unknown = parse_site(text.replace('"510800"', "demo").encode(), file="site.yaml", folder=tmp_path).warnings
    assert any("line 1" in str(w) and "'demo' is no district" in str(w) for w in unknown)


def test_a_missing_clip_and_a_missing_secret_are_warnings(tmp_path: Path) -> None:
    texts = [str(w) for w in parse_site(EXAMPLE.encode(), file="site.yaml", folder=tmp_path).warnings]
    assert len(texts) == 2
    assert "line 9" in texts[0] and "furnace.mp4" in texts[0]
    assert "line 11" in texts[1] and "BIHUAN_TEST_NO_SUCH_SECRET" in texts[1]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", allow_private: true", "", "127.0.0.1 is loopback (allow_private"),
        ('"http://127.0.0.1:9099/alu"', '"http://169.254.169.254/alu"', "cloud metadata"),
        ('"http://127.0.0.1:9099/alu", secret_env', '"http://alu.example/hook", allow_private: false, secret_env', "over http not secret"),
        (", secret_env: BIHUAN_TEST_NO_SUCH_SECRET", "", "names no secret_env"),
        ("allow_private: true", "allow_private: true, secert: x", "secert: is not known"),
    ],
)  # fmt: skip
def test_what_is_odd_about_a_webhook_is_a_warning(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in EXAMPLE
    text = EXAMPLE.replace(old, new).replace("allow_private: false, secret_env: BIHUAN_TEST_NO_SUCH_SECRET, allow_private: true",
                                             "secret_env: BIHUAN_TEST_NO_SUCH_SECRET")  # fmt: skip
    warnings = [str(w) for w in parse_site(text.encode(), file="site.yaml", folder=tmp_path).warnings]
    assert any("line 11" in w and said in w for w in warnings), warnings


@pytest.mark.parametrize(
    ("value", "said"),
    [("whsec_" + "QUFB" * 8, ""), ("whsec_QUFB", "3 bytes"), ("hunter2", "begins with whsec_"), (" ", "the environment has no")],
)
def test_a_secret_is_checked_when_the_environment_has_it(monkeypatch: pytest.MonkeyPatch, value: str, said: str, tmp_path: Path) -> None:
    monkeypatch.setenv("BIHUAN_TEST_NO_SUCH_SECRET", value)
    warnings = [str(w) for w in parse_site(EXAMPLE.encode(), file="site.yaml", folder=tmp_path).warnings if "webhooks" in str(w)]
    assert [said in w and "hunter2" not in w for w in warnings] == ([True] if said else [])


def test_a_webhook_of_nobody_gets_everything_and_one_given_twice_is_named() -> None:
    city = '{url: "https://city.example/hook", secret_env: CITY}'
    once = EXAMPLE.replace("webhooks:\n", f"webhooks:\n  - {city}\n")
    assert parse_site(once.encode(), file="f", folder=Path("/")).site.settings["webhooks"][0]["url"] == "https://city.example/hook"
    twice = once.replace(f"  - {city}\n", f"  - {city}\n  - {city}\n")
    assert [(line, "first on line 11" in text) for line, text in parse(twice)] == [(12, True)]


def test_the_example_that_outside_checks_use_is_accepted() -> None:
    site = read_site(Path(__file__).with_name("example_site.yaml")).site
    assert [len(x) for x in (site.enterprises, site.zones, site.devices)] == [2, 4, 5]


CASES = {
    "a wrong grade": ("grade: red,", "grade: purple,", 5, "'purple' is no grade"),
    "a crossing polygon": ("[[0, 0], [60, 0], [60, 40], [0, 40]]", "[[0, 0], [60, 40], [60, 0], [0, 40]]", 5, "crosses itself: edge 0"),
    "two corners": ("[[0, 0], [60, 0], [60, 40], [0, 40]]", "[[0, 0], [60, 0]]", 5, "too few"),
    "a corner that is no point": ("[60, 40]", "[60]", 5, "two numbers"),
    "a corner at infinity": ("[60, 40]", "[60, .inf]", 5, "two numbers"),
    "a corner twice": ("[[0, 0], [60, 0],", "[[0, 0], [0, 0], [60, 0],", 5, "repeats"),
    "a zone of nobody": ("enterprise: alu, grade", "enterprise: none, grade", 5, "no enterprise 'none'"),
    "a duplicate zone": ("id: pipe", "id: smelter", 6, "first on line 5"),
    "a duplicate device": ("id: CAM-1", "id: T-101", 9, "first on line 8"),
    "a key twice": ("name: 管线,", "name: 管线, name: 管,", 6, "name is given twice"),
    "a device nowhere": ("id: CAM-1, zone: smelter", "id: CAM-1, zone: attic", 9, "no zone 'attic'"),
    "no name": ("name: 管线, ", "", 6, "name: is missing"),
    "a type nobody knows": ("type: sensor", "type: toaster", 8, "no type of device"),
    "a delay without unit": ("on_delay: 500ms", "on_delay: 5", 8, "duration"),
    "stale without unit": ("stale_after: 60s", "stale_after: soon", 8, "duration"),
    "limits out of order": ("{high: 60,", "{high: 90,", 8, "out of order"),
    "a limit that is a word": ("{high: 60,", "{high: hot,", 8, "numbers are expected"),
    "a URL that is none": ('"file:clips/furnace.mp4"', '"ftp://x/y"', 9, "no camera URL"),
    "a port that is none": ('"file:clips/furnace.mp4"', '"rtsp://x:abc/y"', 9, "no URL"),
    "an area in pixels": ("[1, 1]]}", "[640, 480]]}", 9, "fractions"),
    "a webhook to nobody": ("{enterprise: alu, url", "{enterprise: none, url", 11, "no enterprise 'none'"),
    "a secret in the file": ("secret_env: BIHUAN_TEST_NO_SUCH_SECRET", "secret_env: whsec-QUFB/x", 11, "never stands in this file"),
    "a webhook nowhere": ('"http://127.0.0.1:9099/alu"', '"gopher://x"', 11, "http"),
    "no time zone": ("Asia/Shanghai", "Mars/One", 1, "no time zone"),
    "an id with a space": ("id: pipe", "id: pi pe", 6, "can't be an id"),
    "a district of letters": ("id: pipe,", "id: pipe, district: 利州,", 6, "'利州' is no district (a code of 6, 9 or 12 digits"),
    "a district of seven digits": ("id: pipe,", "id: pipe, district: 5108021,", 6, "zone pipe.district: '5108021' is no district"),
    "a village of no town": ("id: pipe,", 'id: pipe, district: "510802000001",', 6, "is no district"),
    "an agreement with nobody": ("later:", "agreements:\n  - {districts: [510802]}\nlater:", 13, "between two districts or more"),
    "an agreement of words": ("later:", "agreements:\n  - {districts: [510802, 昭化区]}\nlater:", 13, "'昭化区' is no district"),
    "an agreement with a parent": (
        "later:", "agreements:\n  - {districts: [510802, 510703]}\n  - {districts: [510802, 510703, 510800]}\nlater:", 14,
        "510802 lies within 510800",
    ),
    "an agreement with oneself": ("later:", "agreements:\n  - {districts: [510802, 510802000]}\nlater:", 13, "lies within"),
    "an agreement that is a word": ("later:", "agreements:\n  - 510802\nlater:", 13, "keys are expected"),
    "a position without a name": ("later:", "positions:\n  - {id: north, zones: [pipe]}\nlater:", 13, "positions[0].name: is missing"),
    "a position of no zone": ("later:", "positions:\n  - {id: north, name: 北岗, zones: [gate]}\nlater:", 13, "there is no zone 'gate'"),
    "a zone of two positions": (
        "later:", "positions:\n  - {id: a, name: A, zones: [pipe]}\n  - {id: b, name: B, zones: [smelter, pipe]}\nlater:", 14,
        "zone 'pipe' belongs to position 'a' already",
    ),
    "two positions of one id": (
        "later:", "positions:\n  - {id: a, name: A, zones: [pipe]}\n  - {id: a, name: B, zones: [smelter]}\nlater:", 14, "used twice",
    ),
    "a position without people": ("later:", "positions:\n  - {id: a, name: A, seats: 0}\nlater:", 13, "a whole number from 1 to 50"),
    "the kept id": ("id: pipe", "id: unassigned", 6, "kept for alarms"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_mistake_is_named_by_its_line(name: str) -> None:
    good, bad, line, said = CASES[name]
    assert good in EXAMPLE
    problems = parse(EXAMPLE.replace(good, bad, 1))
    assert any(where == line and said in text for where, text in problems), problems


def test_all_mistakes_are_named_at_once_in_the_order_of_the_file() -> None:
    text = EXAMPLE.replace("grade: red,", "grade: purple,").replace("Asia/Shanghai", "Mars/One").replace("type: sensor", "type: toaster")
    assert [line for line, _ in parse(text)] == [1, 5, 8]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"- 1", "no keys"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"site: {", "not YAML"),
        (b"site: &a [*a]", "beyond reason"),
        (b"a: \x00", "not YAML"),
        (b"zones: []", "site: is missing"),
        (b"site: text", "keys are expected"),
        (
            b"a: &a [x, x, x, x, x, x, x, x, x]\n"
            + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 106)),
            "beyond",
        ),
        (b"x" * 9_000_000, "allowed"),
    ],
)
def test_what_is_no_site_at_all_gets_one_clear_line(data: bytes, said: str) -> None:
    with pytest.raises(InvalidFile) as caught:
        parse_site(data, file="f", folder=Path("/"))
    assert len(caught.value.problems) == 1
    assert said in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(InvalidFile, match="can't be read"):
        read_site(Path("/nowhere/site.yaml"))
    with pytest.raises(InvalidFile, match="can't be read"):
        read_site(Path("a\0b"))


@pytest.mark.parametrize("data", ["fifo", "folder", "device", "large"])
def test_what_is_not_a_file_of_a_sound_size_is_refused_before_it_is_read(tmp_path: Path, data: str) -> None:
    path = tmp_path / "site.yaml"
    match data:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path = Path("/dev/zero")
        case _:
            with path.open("wb") as file:
                file.truncate(2**40)
    with pytest.raises(InvalidFile, match=r"not a regular file|more than the") as caught:
        read_site(path)
    assert "line 0" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["9" * 6000, "0x", "!!int x", "!!float x", "!!bool x", r'"a\ud800b"', r'"a\0b"', r'{"a\ud800": 1}', r'[["\0"]]',
     "{<<: 5}", "{<<: [{}, 5]}"],
)  # fmt: skip
def test_a_value_that_can_not_be_kept_is_named_by_its_line_wherever_it_stands(value: str) -> None:
    if value == "0x":
        value = "!!int 0x"
    for text, line in ((f"{EXAMPLE}more:\n  further: {value}\n", 14), (EXAMPLE.replace("name: 管线", f"name: {value}"), 6)):
        assert [where for where, _ in parse(text)] == [line]


def test_an_id_of_many_digits_stays_as_it_is_written() -> None:
    text = EXAMPLE.replace("id: CAM-1", "id: 34020000001320000001").replace("later: ", "later: {channel: 34020000001320000001}\nmore: ")
    site = parse_site(text.encode(), file="f", folder=Path("/")).site
    assert site.devices[1].id == site.settings["later"]["channel"] == "34020000001320000001"


def test_a_duration_beyond_reason_is_named() -> None:
    assert [line for line, _ in parse(EXAMPLE.replace("500ms", "9" * 400 + "d"))] == [8]


def test_a_key_merged_into_itself_ends() -> None:
    assert parse(EXAMPLE + "self: &a {<<: *a, b: 1}\n")


def test_detectors_that_this_version_has_not_are_warnings_also_beside_errors() -> None:
    text = EXAMPLE.replace("detectors: [flame]", "detectors: [flame, x_ray]")
    warned = [str(w) for w in parse_site(text.encode(), file="f", folder=Path("/")).warnings]
    assert any("line 9" in w and "'x_ray'" in w and "there are: " in w for w in warned)
    with pytest.raises(InvalidFile) as caught:
        parse_site(text.replace("grade: red,", "grade: purple,").encode(), file="f", folder=Path("/"))
    lines = explain(caught.value)
    assert "purple" in lines[0] and any("warning: line 9" in line and "'x_ray'" in line for line in lines[1:])


def test_reading_a_site_file_loads_no_opencv() -> None:
    program = "import sys, bihuan.site_file; sys.exit('cv2' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
