"""The section mqtt of the site file: what is sound is kept, each mistake is named by its line."""

from pathlib import Path

import pytest

from bihuan.site_file import parse_site, read_site
from hazards.errors import InvalidFile
from ingest.mqtt.settings import settings_of

TEXT = """\
site: {id: s, name: s}
enterprises: [{id: alu, name: alu}]
mqtt:
  url: mqtts://broker.example:8883
  protocol: 3.1.1
  client_id: park
  username: bihuan
  session_expiry: 3600
  subscriptions:
    - {topic: "park/{zone}/{device}/{metric}", format: plain, qos: 1, unit: Cel}
    - {topic: "sensors/{device}", format: json, time_field: ts, fields: {temp: temperature}, enterprise: alu}
    - {topic: "gateway/+", format: senml}
    - {topic: oven, format: plain, device: T-1, metric: temperature}
"""


def problems(text: str) -> tuple[list[str], list[str]]:
    """(errors, warnings)."""
    try:
        return [], [str(w) for w in parse_site(text.encode(), file="f", folder=Path("/")).warnings]
    except InvalidFile as e:
        return [str(p) for p in e.problems], []


def test_a_sound_section_is_kept_and_read_again() -> None:
    found = parse_site(TEXT.encode(), file="f", folder=Path("/"))
    assert not found.warnings
    settings = settings_of(found.site.settings)
    assert settings is not None and len(settings.subscriptions) == 4 and not settings.is_5
    assert (settings.url, settings.client_id, settings.session_expiry) == ("mqtts://broker.example:8883", "park", 3600)
    assert settings.subscriptions[1].fields == {"temp": "temperature"}


CASES = {
    "no section at all": ("mqtt:\n", "mqtt: 5\nrest:\n", "line 3", "keys are expected"),
    "no url": ("  url: mqtts://broker.example:8883\n", "", "line 4", "url: is missing"),
    "a url of another protocol": ("mqtts://broker.example:8883", "http://x", "line 4", "no address of a broker"),
    "a url without host": ("mqtts://broker.example:8883", "mqtt://", "line 4", "no address of a broker"),
    "a port that is none": (":8883", ":x", "line 4", "no address of a broker"),
    "a password in the url": ("mqtts://broker", "mqtts://user:secret@broker", "line 4", "use username and password_env"),
    "a version nobody speaks": ("protocol: 3.1.1", "protocol: 4", "line 5", "3.1.1"),
    "a certificate of somewhere": ("client_id: park", "ca: ca.pem", "line 6", "absolute path"),
    "an expiry in words": ("session_expiry: 3600", "session_expiry: 1h", "line 8", "whole number"),
    "a format nobody reads": ("format: senml", "format: cbor", "line 12", "no format 'cbor'"),
    "no format": (", format: senml", "", "line 12", "format: is missing"),
    "a topic that is none": ('"gateway/+"', '"gateway/#/x"', "line 12", "is no topic"),
    "no topic": ('topic: "gateway/+", ', "", "line 12", "topic: is missing"),
    "quality 2": ("qos: 1", "qos: 2", "line 10", "from 0 to 1"),
    "a unit nobody knows": ("unit: Cel", "unit: Celsius", "line 10", "no unit"),
    "a metric that is none": ("metric: temperature", "metric: Temp", "line 13", "can't be a metric"),
    "nothing names the device": ("device: T-1, ", "", "line 13", "nothing names the device"),
    "nothing names the metric": (", metric: temperature", "", "line 13", "nothing names the metric"),
    "JSON of nobody": ('"sensors/{device}"', "sensors", "line 11", "nothing names the device"),
    "fields of a plain value": ("device: T-1,", "device: T-1, fields: {a: b},", "line 13", "several metrics"),
    "a field to no metric": ("{temp: temperature}", "{temp: Temp}", "line 11", "a metric is expected"),
    "an enterprise that is none": ("enterprise: alu}", "enterprise: none}", "line 11", "no enterprise 'none'"),
    "one filter twice": ('"gateway/+"', '"sensors/+"', "line 12", "again"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_mistake_is_named_by_its_line(name: str) -> None:
    good, bad, line, said = CASES[name]
    assert good in TEXT
    errors, _ = problems(TEXT.replace(good, bad, 1))
    assert any(e.startswith(f"{line},") and said in e for e in errors), errors


def test_no_password_of_a_url_stands_in_a_problem() -> None:
    errors, _ = problems(TEXT.replace("mqtts://broker", "mqtts://user:hunter2@broker"))
    assert errors and "hunter2" not in str(errors)


def test_a_missing_secret_a_plain_connection_and_an_unknown_key_are_warnings() -> None:
    text = TEXT.replace("mqtts://broker.example:8883", "mqtt://broker.example").replace(
        "username: bihuan", "username: bihuan\n  password_env: BIHUAN_TEST_NO_SUCH_SECRET\n  colour: red"
    )
    _, warnings = problems(text)
    assert len(warnings) == 3
    for said in ("BIHUAN_TEST_NO_SUCH_SECRET", "use mqtts", "colour"):
        assert any(said in w for w in warnings)


def test_the_site_that_docker_starts_from_is_sound() -> None:
    site = read_site(Path(__file__).parents[2] / "docker/site.example.yaml").site
    assert settings_of(site.settings) is not None
