"""What one question may ask for is bounded, and the description says how."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from shops import Example

from kgrank.ranking import Shop
from kgrank.ranking.catalogue.items import Items
from kgrank.serving.current import ANSWERS, Served
from kgrank.serving.endpoints import ENDPOINTS
from kgrank.serving.openapi import document

LONG = "x" * 900_000


def ask(address: str, client: Any, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    async def send() -> list[httpx.Response]:
        async with client(address) as http:
            return [await http.request(method, path, json=body) for method, path, body in requests]

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/rank", {"text": LONG}),
        ("/v1/rank", {"category": "clothes", "boosts": [{"target": "i1", "amount": 1, "reason": LONG}]}),
        ("/v1/rank", {"category": "clothes", "pins": [{"item": "i1", "position": 1, "reason": LONG}]}),
        ("/v1/rank", {"category": "clothes", "excludes": [{"target": LONG}]}),
        ("/v1/rank", {"category": "clothes", "filters": [{"attribute": LONG, "minimum": 1}]}),
        ("/v1/rank", {"category": "clothes", "filters": [{"attribute": "size", "values": ["s"] * 2000}]}),
        ("/v1/rank", {"category": "clothes", "caps": [{"attribute": "brand", "share": 0, "top": 10**8}]}),
        ("/v1/rank", {"category": "clothes", "pins": [{"item": "i1", "position": 10**8}]}),
        ("/v1/rank", {"category": "clothes", "page": 10**30}),
        ("/v1/rank", {"category": "clothes", LONG: 1}),
        ("/v1/facets", {"category": LONG}),
        ("/v1/explain", {"category": "clothes", "item": LONG}),
        ("/v1/sessions/s/events", {"events": [{"kind": "search", "text": LONG, "category": "clothes"}]}),
        ("/v1/sessions/s/events", {"events": [{"kind": LONG, "item": "i1"}]}),
        ("/v1/sessions/s/events", {"events": [{"kind": "view", "item": "i1", "shown": ["i1"] * 2000}]}),
    ],
)
def test_what_is_too_long_is_refused_in_a_short_answer(
    stored: str, client: Any, path: str, body: dict[str, Any]
) -> None:
    (response,) = ask(stored, client, ("POST", path, body))
    assert response.status_code == 422
    assert len(response.content) < 3000


def test_a_long_path_is_not_given_back_whole(stored: str, client: Any) -> None:
    unknown, category = ask(
        stored,
        client,
        ("GET", f"/v1/{'x' * 60_000}", None),
        ("GET", f"/v1/importance/{'x' * 60_000}", None),
    )
    assert (unknown.status_code, category.status_code) == (404, 422)
    assert max(len(unknown.content), len(category.content)) < 3000


def test_every_string_and_every_list_of_a_message_has_a_maximum_in_the_description() -> None:
    components = document(ENDPOINTS)["components"]["schemas"]
    unbounded: list[str] = []
    seen: set[str] = set()

    def walk(name: str, schema: dict[str, Any]) -> None:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name not in seen:
                seen.add(name)
                walk(name, components[name])
            return
        if schema.get("type") == "string" and not {"maxLength", "pattern", "enum"} & schema.keys():
            unbounded.append(name)
        if schema.get("type") == "array" and "maxItems" not in schema:
            unbounded.append(name)
        if schema.get("type") == "integer" and "maximum" not in schema:
            unbounded.append(name)
        for part in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
            walk(name, part)
        for field, part in schema.get("properties", {}).items():
            walk(f"{name}.{field}", part)

    for endpoint in ENDPOINTS:
        if endpoint.takes is not None:
            walk("", {"$ref": f"#/components/schemas/{endpoint.takes.__name__}"})
    assert not unbounded


def test_answers_in_memory_take_no_more_than_their_room(made: Example) -> None:
    served = Served(Shop.of(made.graph, made.ontology, made.weights, made.transitions), "now")
    for number in range(2000):
        for _ in range(2):
            served.remember("/v1/rank", b"%d" % number, b"x" * 60_000)
    assert 0.98 * ANSWERS < sum(map(len, served.answers.values())) < ANSWERS
    assert served.taken <= ANSWERS
    assert ("/v1/rank", b"1999") in served.answers
    assert ("/v1/rank", b"0") not in served.answers


def test_many_caps_on_the_same_attributes_look_each_item_up_once(
    stored: str, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: Counter[int] = Counter()
    values = Items.values
    monkeypatch.setattr(Items, "values", lambda items, row: looked_up.update([row]) or values(items, row))
    caps = [{"attribute": a, "share": 0, "top": 1000} for a in ("color", "brand", "style", "price")] * 5
    (response,) = ask(stored, client, ("POST", "/v1/rank", {"category": "clothes", "size": 1, "caps": caps}))
    assert response.status_code == 200
    # Once for the caps; once more where its contributions are shown.
    assert max(looked_up.values()) <= 2
