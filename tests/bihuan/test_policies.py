"""Policy packs on the command line: checked, applied, listed, shown; each mistake one line, exit code 2."""

from pathlib import Path

import pytest

from bihuan.configuration import Settings, load
from bihuan.policies import apply_pack, pack_lines, version_lines
from bihuan.policy_file import PACKS
from hazards.errors import Conflict, InvalidFile, NotFound
from tests.bihuan.test_cli import bihuan
from tests.packs import POLICY, SHANXI

TEXT = (PACKS / "guangyuan.yaml").read_text("utf-8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({}, data=str(tmp_path / "data"))


def pack_file(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path = folder / "pack.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_pack_is_applied_once_listed_and_shown_with_who_says_what(settings: Settings, tmp_path: Path) -> None:
    newer = pack_file(tmp_path, (f"version: {POLICY.version}", "version: guangyuan-3027"), ("most_days: 15", "most_days: 10"))
    assert apply_pack(settings, newer)[-1] == "policy guangyuan: version guangyuan-3027"
    assert apply_pack(settings, newer)[-1] == "policy guangyuan: version guangyuan-3027, already there"
    newest, *others = version_lines(settings)
    assert newest.startswith("* guangyuan-3027 ") and newest.endswith("by command line")
    assert {line.split()[0] for line in others} == {POLICY.version, SHANXI.version}, "none of them is in force"
    shown = pack_lines(settings, "guangyuan")
    assert shown[0].startswith("guangyuan-3027") and any("at most 10 days" in line for line in shown)
    assert any("major 重大: 15 natural days  [clause 001(15)]" in line for line in shown)
    assert any("at most 15 days" in line for line in pack_lines(settings, POLICY.version)), "an old version is shown by its name"
    with pytest.raises(NotFound, match="no pack 'nowhere'"):
        pack_lines(settings, "nowhere")


def test_a_taken_version_and_a_wrong_file_change_nothing(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=f"the version {POLICY.version} is taken"):
        apply_pack(settings, pack_file(tmp_path, ("most_days: 15", "most_days: 10")))
    with pytest.raises(InvalidFile, match="there is no rule"):
        apply_pack(settings, pack_file(tmp_path, ("rule: major_limit}", "rule: nope}")))
    assert len(version_lines(settings)) == 2


def test_another_citys_pack_says_what_the_site_file_still_has_to_say(settings: Settings, tmp_path: Path) -> None:
    other = pack_file(tmp_path, ("id: guangyuan", "id: linjiang"), (f"version: {POLICY.version}", "version: linjiang-1"))
    lines = apply_pack(settings, other)
    assert "this one holds when the site file says `policy: linjiang`" in lines[-2]


def test_the_commands_say_one_line_a_problem_and_end_with_2(tmp_path: Path) -> None:
    sound = bihuan("policy", "check", PACKS / "shanxi.yaml")
    assert (sound.returncode, sound.stdout.count("\n")) == (0, 1) and "2 grades" in sound.stdout
    wrong = pack_file(tmp_path, ("rule: major_limit}", "rule: nope}"), ("most_days: 15", "most_days: 99999"))
    refused = bihuan("policy", "check", wrong)
    assert refused.returncode == 2 and refused.stdout == ""
    lines = refused.stderr.splitlines()
    assert len(lines) == 2 and all(f"bihuan: {wrong}: line " in line for line in lines)
    shown = bihuan("policy", "show", "nowhere", "--data", tmp_path / "data")
    assert shown.returncode == 2 and len(shown.stderr.splitlines()) == 1
