"""Configuration: sources, precedence, checks, masking, the page of the documentation."""

from pathlib import Path

import pytest

from bihuan.configuration import Settings, as_markdown, as_text, keys, load
from hazards.errors import Misconfigured

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_of_the_documentation_is_the_generated_one() -> None:
    assert DOCUMENTATION.read_text(encoding="utf-8") == as_markdown(), "run `bihuan config --markdown > docs/configuration.md`"


def test_every_key_has_a_default_and_a_meaning() -> None:
    assert all(k.meaning.endswith(".") for k in keys())
    assert load({}, data="d").port == 8080


def test_command_line_comes_before_environment_before_file_before_default(tmp_path: Path) -> None:
    file = tmp_path / "bihuan.env"
    file.write_text("# ours\nBIHUAN_PORT=1\nHOST=0.0.0.0\nexport BIHUAN_LOG='debug'\n")
    environment = {"BIHUAN_CONFIG": str(file), "BIHUAN_PORT": "2"}
    settings = load(environment, port=3)
    assert (settings.port, settings.host, settings.log) == (3, "0.0.0.0", "debug")
    assert load(environment).port == 2
    assert load({"BIHUAN_CONFIG": str(file)}).port == 1


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+psycopg://me:hidden@db/bihuan\n")
    settings = load({"BIHUAN_DATABASE_FILE": str(tmp_path / "url")})
    assert settings.database_url.startswith("postgresql")
    assert "hidden" not in as_text(settings)
    assert "me:***@db" in as_text(settings)
    assert "hidden" not in as_text(load({"BIHUAN_INFLUX_TOKEN": "hidden:token=="}))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"BIHUAN_PORT": "80a"}, "BIHUAN_PORT"),
        ({"BIHUAN_PORT": "70000"}, "BIHUAN_PORT"),
        ({"BIHUAN_LOG": "loud"}, "BIHUAN_LOG"),
        ({"BIHUAN_KAFKA": "localhost"}, "BIHUAN_KAFKA"),
        ({"BIHUAN_BROKER_BOUND": "much"}, "BIHUAN_BROKER_BOUND"),
        ({"BIHUAN_DEMO": "perhaps"}, "BIHUAN_DEMO"),
        ({"BIHUAN_INFLUX_URL": "influx:8086"}, "BIHUAN_INFLUX_URL"),
        ({"BIHUAN_INFLUX_URL": "http://influx:8086"}, "BIHUAN_INFLUX_TOKEN"),
        ({"BIHUAN_CONFIG": "/nowhere/at/all"}, "/nowhere/at/all"),
        ({"BIHUAN_DATABASE_FILE": "/nowhere/at/all"}, "BIHUAN_DATABASE_FILE"),
    ],
)
def test_a_wrong_value_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        load(environment)


@pytest.mark.parametrize(("text", "size"), [("2MB", 2_000_000), ("1 GB", 10**9), ("300000", 300_000), ("256kB", 256_000)])
def test_sizes_have_units(text: str, size: int) -> None:
    assert load({"BIHUAN_BROKER_BOUND": text}).broker_bound == size


def test_relative_folders_start_where_the_command_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load({"BIHUAN_DATA": "d", "BIHUAN_SITE": "s.yaml"})
    assert (settings.data, settings.site) == (str(tmp_path / "d"), str(tmp_path / "s.yaml"))
    assert settings.evidence_path == tmp_path / "d" / "evidence"


def test_settings_survive_the_control_channel() -> None:
    from bihuan.control import Start, _encoder, _to_part

    start = Start(name="x", settings=Settings(database="postgresql://u:p@h/d", log="debug"), broker="b:1")
    assert _to_part.decode(_encoder.encode(start)) == start
