"""Ranking in Cypher and in Python: the same items, the same scores, the same order."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import TREE, Example, example, load

from kgrank.errors import WeightsError
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking import Shop, open_shop, rank
from kgrank.resources import cypher
from kgrank.weights.tables import served_weights, weights_to_tables

OTHER = example(1007, version="v1").weights


@pytest.fixture
def stocked(store: GraphStore) -> tuple[GraphStore, Example]:
    """A shop in a store that also holds another version of the weights."""
    made = example(7, items=25)
    load(store, made, other_version=OTHER)
    return store, made


def top_items(store: GraphStore, category: str) -> list[dict[str, object]]:
    asked = {"category": category, "limit": 1000}
    got = store.query(cypher("rank/top_items"), asked)
    if "://" in store.address:
        assert store.query(cypher("rank/neo4j/top_items"), asked) == got
    return got


def same_ranking(store: GraphStore, shop: Shop, category: str) -> None:
    got = top_items(store, category)
    want = rank(shop, category, limit=1000)
    assert [r["id"] for r in got] == [r.item for r in want]
    assert [r["title"] for r in got] == [r.title for r in want]
    assert [r["score"] for r in got] == pytest.approx([r.score for r in want], abs=1e-9, rel=0)


def test_before_weights_are_served_no_form_has_an_answer(store: GraphStore) -> None:
    made = example(7, items=25)
    store.prepare()
    for label, nodes in made.graph.nodes.items():
        store.upsert_nodes(label, nodes)
    for name, edges in made.graph.edges.items():
        store.upsert_edges(name, edges)
    assert top_items(store, "all") == []
    with pytest.raises(WeightsError, match="no weights are served"):
        open_shop(store)


@pytest.mark.parametrize("seed", [7, 8])
def test_cypher_ranks_as_python_does(store: GraphStore, seed: int) -> None:
    load(store, example(seed, items=25, whole=seed == 8), other_version=OTHER)
    shop = open_shop(store)
    for category in TREE:
        same_ranking(store, shop, category)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_any_small_shop_ranks_alike_in_the_embedded_store_and_in_python(
    tmp_path_factory: pytest.TempPathFactory, seed: int, ties: bool
) -> None:
    made = example(seed, whole=ties)
    with open_store(str(tmp_path_factory.mktemp("shop") / "shop.lb")) as store:
        load(store, made, other_version=OTHER)
        shop = open_shop(store)
        for category in TREE:
            same_ranking(store, shop, category)


def test_a_category_below_two_others_counts_its_items_once(stocked: tuple[GraphStore, Example]) -> None:
    store, _ = stocked
    store.upsert_edges("SUBCATEGORY_OF", pl.DataFrame({"source": ["dresses"], "target": ["shoes"]}))
    store.upsert_edges("SUBCATEGORY_OF", pl.DataFrame({"source": ["dresses"], "target": ["all"]}))
    shop = open_shop(store)
    for category in ("all", "shoes", "clothes"):
        same_ranking(store, shop, category)


def test_the_switch_says_which_version_ranks(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    before = top_items(store, "all")
    other = example(1008, items=25, version="v3").weights
    store.replace_version("v3", *weights_to_tables(other))
    assert top_items(store, "all") != before
    assert served_weights(store) == other
    store.replace_version("v2", *weights_to_tables(made.weights, made.transitions))
    assert top_items(store, "all") == before


def test_python_reads_from_the_store_what_was_written(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    shop = open_shop(store)
    assert shop.weights == made.weights
    local = Shop.of(made.graph, made.ontology, made.weights, made.transitions)
    for history in ((), ("i3", "i1")):
        got = rank(shop, "all", limit=50, history=history)
        assert [(r.item, r.contributions) for r in got] == [
            (r.item, r.contributions) for r in rank(local, "all", limit=50, history=history)
        ]
