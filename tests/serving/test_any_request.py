"""No request that fits the description, or nearly does, ends in an error of the service itself."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from kgrank.serving.current import Current
from kgrank.serving.endpoints import ENDPOINTS, Endpoint
from kgrank.serving.service import Settings, application

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def description(stored: str) -> schemathesis.BaseSchema:
    current = Current(stored)
    current.refresh()
    app = application(current, None, Settings(rate=1e6, burst=1e6, log=False))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.long
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
def test_any_request_is_answered_as_described(
    description: schemathesis.BaseSchema, endpoint: Endpoint, mode: GenerationMode
) -> None:
    operation = description[endpoint.path][endpoint.method]

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case) -> None:
        response = case.call()
        if response.status_code == 503:
            # To serve a version that the store does not have.
            assert case.operation.path == "/v1/weights"
        else:
            case.validate_response(response, checks=CHECKS)

    check()
