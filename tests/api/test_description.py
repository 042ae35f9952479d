"""Schemathesis against every route but the endless feed: no 500, and no answer that the description does not have."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from api.roles import ROUTES
from tests.api.conftest import System, bearer

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
DESCRIBED = sorted((method, path) for method, path in ROUTES if path.startswith("/api/") and path != "/api/v1/feed")


@pytest.mark.parametrize(("method", "path"), DESCRIBED)
def test_requests_made_from_the_description_meet_what_it_promises(system: System, method: str, path: str) -> None:
    headers = bearer(system.token("administrator"))
    operation = openapi.from_asgi("/openapi.json", system.app)[path][method]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        if mode is GenerationMode.NEGATIVE and not (operation.query or operation.body):
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=10, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def run(case: Any) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        run()
