"""The compose file: the specification's schema, secrets, health, hardening, and that it names what exists."""

import json
import re
import subprocess
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bihuan.configuration import keys
from bihuan.system import ALONE
from tests.conftest import part
from tests.docker.compose import DOCKER, MissingVariable, environment, raw, services, variables
from tests.real.influx import Influx

SECRET = re.compile(r"PASSWORD|TOKEN|SECRET")
OURS = ("api", "ingest", "worker", "store", "push")
GIVEN = {name: f"given-{name.lower()}" for name, rest in variables().items() if rest.startswith(":?")}
LOADED = services(GIVEN)
every_service = pytest.mark.parametrize("name", sorted(LOADED))
every_process = pytest.mark.parametrize("name", OURS)


def test_it_holds_to_the_compose_specification() -> None:
    (file,) = (f for f in metadata.files("check-jsonschema") or [] if f.name == "compose-spec.json")
    schema = json.loads(file.locate().read_text("utf-8"))  # type: ignore[attr-defined]
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(raw())] == []
    broken = raw() | {"services": {"api": {"imagine": "bihuan"}}}
    assert list(validator.iter_errors(broken)), "the schema must be able to fail"


def test_every_secret_is_required_and_has_no_default() -> None:
    found = variables()
    assert {n for n in found if SECRET.search(n)} >= {"POSTGRES_PASSWORD", "INFLUXDB_ADMIN_TOKEN", "MQTT_PASSWORD", "GRAFANA_PASSWORD"}
    for name, rest in found.items():
        assert rest[:2] in (":?", ":-"), f"{name} would be empty without a word"
        assert not SECRET.search(name) or rest.startswith(":?"), f"{name} has a default"
    for name in GIVEN:
        with pytest.raises(MissingVariable, match=name):
            services({k: v for k, v in GIVEN.items() if k != name})


@every_service
def test_no_secret_stands_in_the_file(name: str) -> None:
    for key, value in environment(raw()["services"][name]).items():
        if SECRET.search(key) or key == "PGPASSWORD":
            assert value.startswith(("${", "/")), f"{name}: {key} is written out"


def test_new_secrets_gives_every_required_variable_and_never_the_same_twice() -> None:
    first, second = (
        dict(line.split("=", 1) for line in done.stdout.splitlines() if not line.startswith("#"))
        for done in (subprocess.run([DOCKER / "new-secrets"], check=True, capture_output=True, text=True) for _ in range(2))
    )
    assert set(first) == set(GIVEN)
    assert all(len(v) >= 32 and re.fullmatch(r"[\w-]+", v) and v != second[k] for k, v in first.items() if SECRET.search(k))


@every_service
def test_a_service_is_hardened_bounded_and_watched(name: str) -> None:
    service = LOADED[name]
    once = service.get("restart") == "no"
    assert service["security_opt"] == ["no-new-privileges:true"] and service["cap_drop"] == ["ALL"]
    assert not service.get("privileged") and "docker.sock" not in str(service.get("volumes"))
    assert service["deploy"]["resources"]["limits"]["memory"] and service["logging"]["options"]["max-size"]
    assert once or (service["restart"] == "unless-stopped" and service["healthcheck"]["test"])
    image = service["image"]
    assert image == "bihuan:local" or re.search(r":\d+(\.\d+)*(-\w+)?$", image), f"{image} may change under us"


@every_service
def test_a_service_names_what_exists(name: str) -> None:
    service = LOADED[name]
    assert set(service.get("depends_on", {})) <= set(LOADED) and set(service["networks"]) <= set(raw()["networks"])
    for volume in service.get("volumes", []):
        source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
        if isinstance(volume, dict):
            assert source == GIVEN["BIHUAN_SITE_FILE"] and not volume["bind"]["create_host_path"]
        elif source.startswith("."):
            assert (DOCKER / source).exists(), f"no {source}"
        else:
            assert source in raw()["volumes"]


@every_service
def test_what_is_published_listens_on_this_machine_only_unless_somebody_says_otherwise(name: str) -> None:
    for port in LOADED[name].get("ports", []):
        assert port.startswith("127.0.0.1:")
    if name in ("kafka", "postgres", "influxdb"):
        assert "ports" not in LOADED[name] and LOADED[name]["networks"] == ["back"] and raw()["networks"]["back"]["internal"]


@every_process
def test_a_process_of_ours_runs_unprivileged_with_keys_that_the_product_knows(name: str) -> None:
    service = LOADED[name]
    assert service["command"] == [name] and name in ALONE
    assert service["read_only"] and "cap_add" not in service and "user" not in service  # the image's own, which is not root
    known = {k.variable for k in keys()}
    for key, value in environment(service).items():
        assert not key.startswith("BIHUAN_") or key.removesuffix("_FILE") in known, f"{key}={value} would be ignored or refused"


def test_the_start_has_an_order_without_a_circle() -> None:
    waiting, started = {n: set(s.get("depends_on", {})) for n, s in LOADED.items()}, list[str]()
    while ready := sorted(n for n, needs in waiting.items() if needs <= set(started)):
        started += ready
        for n in ready:
            del waiting[n]
    assert not waiting, f"they wait for each other: {waiting}"
    assert started.index("postgres") < started.index("api") < started.index("worker"), "the API brings the tables up to date"


def documented() -> str:
    return (DOCKER.parent / "docs" / "docker.md").read_text("utf-8")


@pytest.mark.parametrize("variable", sorted(variables()))
def test_every_variable_is_documented(variable: str) -> None:
    assert f"`{variable}`" in documented()


def test_the_scripts_are_sound_shell() -> None:
    for script, shell in (("new-secrets", "sh"), ("mosquitto/start.sh", "sh"), ("influxdb/tokens.sh", "bash")):
        done: Any = subprocess.run([shell, "-n", DOCKER / script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (DOCKER / script).stat().st_mode & 0o111


def test_influxdb_takes_the_settings_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {k: v for k, v in environment(LOADED["influxdb"]).items() if k.startswith("INFLUXD_")}
    for key, value in given.items():
        monkeypatch.setenv(key, value)
    server = Influx(part("INFLUXD"), tmp_path)
    try:
        with urllib.request.urlopen(f"{server.url}/health", timeout=10) as answer:
            assert json.loads(answer.read())["status"] == "pass"
    finally:
        server.stop()
