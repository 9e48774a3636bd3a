"""The service described as OpenAPI 3.1, from its table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kgrank import __version__
from kgrank.ranking.answers import Health
from kgrank.serving.endpoints import Endpoint
from kgrank.serving.messages import Id, SessionId
from kgrank.serving.schemas import schemas

PROBLEM = {
    "type": "object",
    "description": "What was found, where, what was expected, and what to do.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["found"],
            "properties": {
                name: {"type": ["string", "null"]} for name in ("found", "where", "expected", "todo")
            },
        }
    },
}

FAILURES = {
    "400": "The body is no JSON, or the request no HTTP/1.1.",
    "401": "No key, an unknown one, or one whose last day is over.",
    "403": "The key's role is not enough; without keys, the Host or the Origin is not this machine.",
    "409": "The weights say nothing of the category.",
    "413": "The body is too large.",
    "408": "The headers or the body did not come in time.",
    "415": "The body is compressed, not in UTF-8, or (without keys) not marked as JSON.",
    "422": "A field, a category, an item or a value is not what it should be.",
    "431": "The headers are too large.",
    "429": "Too many requests; Retry-After says when to ask again.",
    "503": "Nothing is served yet, or the store does not answer.",
}

OPEN = {
    "/health": "The process runs.",
    "/ready": "Weights are served.",
    "/metrics": "For Prometheus.",
    "/openapi.json": "This document.",
}
"""The paths that need no key."""


def document(endpoints: Sequence[Endpoint], root_path: str = "") -> dict[str, Any]:
    """The whole document.

    Args:
        endpoints: What can be asked.
        root_path: Before each path, where a proxy offers the service under one.
    """
    types = [t for e in endpoints for t in (e.takes, e.gives) if t is not None]
    references, components = schemas([*types, Health, Id, SessionId], "#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(
            endpoint, references, {"session": references[SessionId]}
        )
    for path, words in OPEN.items():
        kind = "text/plain" if path == "/metrics" else "application/json"
        schema = references[Health] if path in ("/health", "/ready") else {}
        answer = {"description": words, "content": {kind: {"schema": schema}}}
        responses = {"200": answer}
        if path == "/ready":
            responses["503"] = _failure("503")
        paths[path] = {"get": {"summary": words, "responses": responses, "security": []}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kgrank",
            "version": __version__,
            "description": "Learned attribute importance for e-commerce catalogues, and rankings that add up.",
        },
        **({"servers": [{"url": root_path}]} if root_path else {}),
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": PROBLEM},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _operation(
    endpoint: Endpoint, schema: Mapping[Any, Any], parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    summary = (endpoint.handler.__doc__ or "").strip()
    answer = {
        "description": "The answer.",
        "content": {"application/json": {"schema": schema[endpoint.gives]}},
    }
    operation: dict[str, Any] = {
        "summary": summary,
        "description": f"Needs the role `{endpoint.role}`.",
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": parameters.get(name, schema[Id])}
            for name in re.findall(r"{(\w+)}", endpoint.path)
        ],
        "responses": {"200": answer} | {code: _failure(code) for code in FAILURES},
    }
    if endpoint.takes is not None:
        content: dict[str, Any] = {"schema": schema[endpoint.takes], "example": dict(endpoint.example)}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if endpoint.successor is not None:
        operation["deprecated"] = True
    return operation


def _failure(code: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": FAILURES[code], "content": content}
