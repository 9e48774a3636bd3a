"""A question over HTTP for a segment of people."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
from shops import Example, example, load, with_segments

from kgrank.graph.connect import open_store
from kgrank.ranking import Query, Shop, answer
from kgrank.ranking.shopper.person import segment_tastes_in


def test_a_segment_is_ranked_for_and_never_beside_a_user(client: Any, tmp_path: Path) -> None:
    made: Example = with_segments(example(3, items=40))
    address = str(tmp_path / "graph.lb")
    with open_store(address) as store:
        load(store, made)

    async def ask(*bodies: dict[str, Any]) -> list[httpx.Response]:
        async with client(address) as http:
            return [await http.post("/v1/rank", json=body) for body in bodies]

    young, by_user, both, old = asyncio.run(
        ask(
            {"category": "tops", "segment": "young"},
            {"category": "tops", "user": "cal"},
            {"category": "tops", "segment": "young", "user": "ann"},
            {"category": "tops", "segment": "old"},
        )
    )
    shop = Shop.of(made.graph, made.ontology, made.weights, made.transitions)
    want = answer(shop, Query(category="tops", person=segment_tastes_in(shop, "young")))
    assert [i["item"] for i in young.json()["items"]] == list(want.ids)
    assert young.json()["items"] == by_user.json()["items"]
    assert young.json()["notes"] == ["By the mean tastes of the segment Young, from choices of 12 people."]
    assert both.status_code == old.status_code == 422
    assert "one of them" in str(both.json())
    assert "nothing is known of the tastes of the segment" in str(old.json())
