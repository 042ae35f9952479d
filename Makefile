# Everything a developer or an operator calls. A step that is up to date is a quick no-op.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := .stamps/ready

.PHONY: setup run test check soak

setup: $(READY)

# The lock file is the one source of packages; --require-hashes refuses anything else. The project itself is linked, not copied.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "bihuan needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@mkdir -p .stamps && touch $@

run: $(READY)
	@$(BIN)/bihuan up --demo $(ARGS)

# PROCESSES=2 is quicker: one for what runs whole systems and waits, one for what computes (tests/conftest.py).
test: $(READY)
	@$(BIN)/python -m pytest -m "not soak" $(if $(PROCESSES),-n $(PROCESSES)) $(ARGS)

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

soak: $(READY)
	@$(BIN)/python -m pytest -m soak --timeout 3600 $(ARGS)
