"""No request that fits the description, or nearly does, ends in an error of the service itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from shops import COLORS, STYLES, TREE, Example

from kgrank.serving.endpoints import ENDPOINTS, Endpoint
from kgrank.serving.openapi import document
from kgrank.serving.service import Settings

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
SESSION = "s1"
ITEMS = ("item", "first", "second", "over", "candidates", "history", "shown")


@pytest.fixture(scope="module")
def url(stored: str, running: Any) -> Iterator[str]:
    with running(stored, settings=Settings(rate=1e6, burst=1e6, log=False)) as served:
        yield served


def with_ids_of_the_shop(made: Example) -> dict[str, Any]:
    """The description whose ids are those of the shop, since no other question reaches a ranking."""
    ids = {name: [f"i{k}" for k in range(40)] for name in ITEMS}
    ids |= {"category": [*TREE], "attribute": ["color", "price", "style", "brand"], "user": ["ann", "nobody"]}
    ids |= {"values": [*COLORS, *STYLES, "unknown"], "value": [*COLORS], "target": ["i1", "red", "acme"]}
    ids |= {
        "text": ["red", "dress"],
        "session": [SESSION],
        "event": ["0", "1"],
        "kind": ["view", "cart", "purchase", "search"],
    }
    ids |= {"version": [made.weights.version]}

    def narrowed(name: str, schema: Any) -> Any:
        if isinstance(schema, list):
            return [narrowed(name, part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        if schema.get("type") == "string" and name in ids:
            return {"enum": ids[name]}
        parts = {k: narrowed(name, part) for k, part in schema.items() if k != "properties"}
        if "maxItems" in schema:
            parts["maxItems"] = 3
        if "properties" in schema:
            parts["properties"] = {k: narrowed(k, part) for k, part in schema["properties"].items()}
            # Without one, most questions do not say what to rank.
            parts["required"] = [*schema["required"], *{"category"} & schema["properties"].keys()]
        return parts

    narrow = document(ENDPOINTS)
    components = narrow["components"]["schemas"]
    waiting = [endpoint.takes.__name__ for endpoint in ENDPOINTS if endpoint.takes is not None]
    messages: set[str] = set()
    while waiting:
        message = waiting.pop()
        if message not in messages:
            messages.add(message)
            components[message] = narrowed("", components[message])
            waiting += re.findall(r"#/components/schemas/(\w+)", str(components[message]))
    for operations in narrow["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = narrowed(parameter["name"], parameter["schema"])
    return narrow


def ask(
    url: str,
    description: dict[str, Any],
    endpoint: Endpoint,
    mode: GenerationMode,
    *,
    always_same: bool = False,
) -> Counter[int]:
    """The statuses of requests that a description allows, or nearly does; each as described."""
    operation = schemathesis.openapi.from_dict(description)[endpoint.path][endpoint.method]
    statuses: Counter[int] = Counter()

    @settings(
        max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=always_same
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case[Any]) -> None:
        # A question for a session, or its end, needs one.
        event = {"kind": "view", "item": "i1"}
        http.delete(f"/v1/sessions/{SESSION}").raise_for_status()
        http.post(f"/v1/sessions/{SESSION}/events", json={"events": [event]}).raise_for_status()
        response = case.call(base_url=url)
        statuses[response.status_code] += 1
        if response.status_code == 503:
            # To serve a version that the store does not have.
            assert case.operation.path == "/v1/weights"
        else:
            case.validate_response(response, checks=CHECKS)

    with httpx.Client(base_url=url) as http:
        check()
    return statuses


@pytest.mark.long
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
def test_any_request_is_answered_as_described(url: str, endpoint: Endpoint, mode: GenerationMode) -> None:
    ask(url, document(ENDPOINTS), endpoint, mode)


@pytest.mark.long
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.method} {e.path}")
def test_requests_about_what_the_shop_has_are_answered_as_described(
    url: str, made: Example, endpoint: Endpoint
) -> None:
    statuses = ask(url, with_ids_of_the_shop(made), endpoint, GenerationMode.POSITIVE, always_same=True)
    assert statuses[200]
