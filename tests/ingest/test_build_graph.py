"""The clean tables as a graph, and the graph in a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_shop import Shop

from kgrank.graph.build import build_graph
from kgrank.graph.schema import EDGES, NODES, UNBOUNDED
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ontology import document
from kgrank.ontology.model import Ontology

FASHION = """id,category,brand,color,price,care,title
d1,dresses,aurora,Red,40,machine-wash,A dress
d2,dresses,casa-lana,navy,60 EUR,,Another
s1,shoes,,black,90,,
"""
EVENTS = """time,user,kind,item,category,query,value
2026-07-01T10:00:00Z,u1,search,,dresses,red dress,
2026-07-01T10:00:05Z,u1,view,d1,,,
2026-07-01T10:00:09Z,u2,rating,s1,,,4.5
"""


@pytest.fixture
def graph(shop: Shop, fashion: Ontology) -> KnowledgeGraph:
    return build_graph(ingest(shop(items_csv=FASHION, events_csv=EVENTS), ontology=fashion))


def pairs(graph: KnowledgeGraph, edge: str) -> set[tuple[str, str]]:
    return set(graph.edge(edge).select("source", "target").iter_rows())


def test_an_item_has_its_category_brand_and_values(graph: KnowledgeGraph) -> None:
    assert ("d1", "dresses") in pairs(graph, "IN_CATEGORY")
    assert pairs(graph, "MADE_BY") == {("d1", "aurora"), ("d2", "casa-lana")}
    assert {t for s, t in pairs(graph, "HAS_VALUE") if s == "d1"} == {
        "brand=aurora",
        "color=red",
        "price=*",
        "care=machine-wash",
    }
    number = graph.edge("HAS_VALUE").filter(pl.col("source") == "d2", pl.col("target") == "price=*")["number"]
    assert number.to_list() == [60.0]


def test_every_end_of_an_edge_is_a_node(graph: KnowledgeGraph) -> None:
    for name, table in graph.edges.items():
        assert set(table["source"]) <= set(graph.node(EDGES[name].source)["id"]), name
        assert set(table["target"]) <= set(graph.node(EDGES[name].target)["id"]), name


def test_what_applies_in_a_category_is_unfolded(graph: KnowledgeGraph, fashion: Ontology) -> None:
    applies = graph.edge("APPLIES")
    for category in fashion.categories:
        rows = applies.filter(pl.col("source") == category)
        assert rows["target"].to_list() == list(fashion.applicable(category))
    price = applies.filter(pl.col("target") == "price").row(0, named=True)
    assert (price["low"], price["high"]) == (0.0, UNBOUNDED)


def test_values_stand_in_the_ontologys_order(graph: KnowledgeGraph, fashion: Ontology) -> None:
    sizes = graph.edge("OF").filter(pl.col("target") == "size").sort("position")["source"].to_list()
    assert sizes == [f"size={v}" for v in fashion.attributes["size"].values]


def test_rules_say_their_sentence_and_where_they_hold(graph: KnowledgeGraph, fashion: Ontology) -> None:
    assert set(graph.node("Rule")["id"]) == set(fashion.rules)
    assert all(graph.node("Rule")["sentence"])
    assert pairs(graph, "HOLDS_IN") == {(r.id, c) for r in fashion.rules.values() for c in fashion.scope(r)}


def test_the_whole_ontology_stands_in_the_graph(graph: KnowledgeGraph, fashion: Ontology) -> None:
    (row,) = graph.node("Ontology").to_dicts()
    assert row["fingerprint"] == fashion.fingerprint
    assert document.load(row["document"]) == fashion


def test_searches_go_to_categories_and_acts_to_items(graph: KnowledgeGraph) -> None:
    (search,) = graph.edge("SEARCHED").to_dicts()
    assert (search["source"], search["target"], search["query"]) == ("u1", "dresses", "red dress")
    assert set(graph.edge("INTERACTED")["kind"]) == {"view", "rating"}


def tables(store: GraphStore) -> dict[str, pl.DataFrame]:
    return {n: store.nodes(n) for n in NODES} | {e: store.edges(e) for e in EDGES}


def test_a_loaded_store_gives_the_graph_back(store: GraphStore, graph: KnowledgeGraph) -> None:
    load(store, graph)
    for label, table in graph.nodes.items():
        assert_frame_equal(store.nodes(label), table.sort("id"), check_row_order=False)
    for name, table in graph.edges.items():
        assert_frame_equal(store.edges(name), table, check_row_order=False)


def test_a_second_load_of_the_same_files_changes_nothing(store: GraphStore, graph: KnowledgeGraph) -> None:
    load(store, graph)
    before = tables(store)
    load(store, graph)
    for name, table in tables(store).items():
        assert_frame_equal(table, before[name])


def test_a_load_that_was_killed_is_completed_by_the_next(store: GraphStore, graph: KnowledgeGraph) -> None:
    seen: list[str] = []

    def kill(name: str, done: int, total: int) -> None:
        seen.append(name)
        if name == "HAS_VALUE":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(store, graph, kill)
    assert store.nodes("Ontology").is_empty()
    load(store, graph)
    order: Sequence[str] = [*graph.nodes, *graph.edges]
    for name in order:
        found = store.nodes(name) if name in NODES else store.edges(name)
        assert len(found) == len(graph.node(name) if name in NODES else graph.edge(name)), name


def test_what_the_catalogue_and_the_ontology_no_longer_say_is_taken_away(
    store: GraphStore, shop: Shop, fashion: Ontology
) -> None:
    load(store, build_graph(ingest(shop(items_csv=FASHION, events_csv=EVENTS), ontology=fashion)))
    fewer = replace(fashion, rules=dict(list(fashion.rules.items())[1:]))
    later = FASHION.replace("d1,dresses,aurora,Red", "d1,shirts,aurora,navy").replace(
        "s1,shoes,,black,90,,\n", ""
    )
    events = "time,user,kind,item\n2026-07-05,u3,view,d1\n"
    graph = build_graph(ingest(shop(items_csv=later, events_csv=events), ontology=fewer))
    load(store, graph)
    placed = dict(store.edges("IN_CATEGORY").select("source", "target").iter_rows())
    assert placed == {"d1": "shirts", "d2": "dresses", "s1": "shoes"}
    colors = store.edges("HAS_VALUE").filter(pl.col("target").str.starts_with("color="))
    assert dict(colors.select("source", "target").iter_rows())["d1"] == "color=navy"
    assert set(store.edges("HOLDS_IN")["source"]) == set(fewer.rules)
    assert len(store.edges("INTERACTED")) == 3


def test_deleting_edges_passes_over_those_that_are_not_there(
    store: GraphStore, graph: KnowledgeGraph
) -> None:
    load(store, graph)
    events = store.edges("INTERACTED")
    store.delete_edges("INTERACTED", events.head(1))
    store.delete_edges("INTERACTED", events.head(1))
    assert_frame_equal(store.edges("INTERACTED"), events.tail(-1))
