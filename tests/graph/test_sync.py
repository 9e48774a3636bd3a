"""A load writes what changed, and takes away what left the catalogue."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kgrank.errors import StoreError
from kgrank.graph.record import buckets
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph, empty_edges, empty_nodes

COLORS = ("red", "blue", "green")


def _filled(table: pl.DataFrame, columns: dict[str, list[Any]]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    return pl.DataFrame({c: columns.get(c, [None] * rows) for c in table.columns}, schema=table.schema)


def catalogue(items: dict[str, tuple[str, str]], events: list[tuple[str, str, str]] = ()) -> KnowledgeGraph:  # type: ignore[assignment]
    """A shop of one category: items with a title and a color, and events (user, item, id)."""
    colors = sorted({color for _, color in items.values()})
    values = [f"color={c}" for c in colors]
    users = sorted({u for u, _, _ in events})
    return KnowledgeGraph(
        {
            "Category": _filled(empty_nodes("Category"), {"id": ["tops"]}),
            "Attribute": _filled(empty_nodes("Attribute"), {"id": ["color"]}),
            "AttributeValue": _filled(empty_nodes("AttributeValue"), {"id": values}),
            "Item": _filled(
                empty_nodes("Item"), {"id": list(items), "title": [title for title, _ in items.values()]}
            ),
            "User": _filled(empty_nodes("User"), {"id": users}),
            "Ontology": _filled(empty_nodes("Ontology"), {"id": ["ontology"]}),
        },
        {
            "IN_CATEGORY": _filled(
                empty_edges("IN_CATEGORY"), {"source": list(items), "target": ["tops"] * len(items)}
            ),
            "OF": _filled(empty_edges("OF"), {"source": values, "target": ["color"] * len(values)}),
            "HAS_VALUE": _filled(
                empty_edges("HAS_VALUE"),
                {"source": list(items), "target": [f"color={c}" for _, c in items.values()]},
            ),
            "INTERACTED": _filled(
                empty_edges("INTERACTED"),
                {
                    "source": [u for u, _, _ in events],
                    "target": [i for _, i, _ in events],
                    "id": [e for _, _, e in events],
                },
            ),
        },
    )


FOUR = {"i1": ("one", "red"), "i2": ("two", "red"), "i3": ("three", "blue"), "i4": ("four", "green")}
EVENTS = [("u1", "i1", "e1"), ("u1", "i2", "e2"), ("u2", "i4", "e3")]


def test_the_same_load_again_compares_no_row(store: GraphStore) -> None:
    load(store, catalogue(FOUR, EVENTS))
    assert load(store, catalogue(FOUR, EVENTS)).compared == {}


def test_a_changed_item_is_all_that_is_compared(store: GraphStore) -> None:
    load(store, catalogue(FOUR, EVENTS))
    changes = load(store, catalogue(FOUR | {"i2": ("two, warmer", "blue")}, EVENTS))
    assert changes.compared == {"Item": 1, "HAS_VALUE": 1}
    assert store.nodes("Item")["title"].to_list() == ["one", "two, warmer", "three", "four"]
    values = store.edges("HAS_VALUE").select("source", "target").rows()
    assert values == [("i1", "color=red"), ("i2", "color=blue"), ("i3", "color=blue"), ("i4", "color=green")]


def test_an_item_that_left_stays_unless_the_load_prunes(store: GraphStore) -> None:
    load(store, catalogue(FOUR, EVENTS))
    three = {i: item for i, item in FOUR.items() if i != "i4"}
    load(store, catalogue(three, EVENTS[:2]))
    assert store.nodes("Item")["id"].to_list() == ["i1", "i2", "i3", "i4"]
    changes = load(store, catalogue(three, EVENTS[:2]), prune=True)
    assert store.nodes("Item")["id"].to_list() == ["i1", "i2", "i3"]
    assert store.edges("INTERACTED")["id"].to_list() == ["e1", "e2"]
    assert changes.deleted["Item"] == 1
    load(store, catalogue(FOUR, EVENTS))
    assert store.edges("INTERACTED")["id"].to_list() == ["e1", "e2", "e3"]


def test_a_catalogue_of_which_most_is_missing_prunes_nothing(store: GraphStore) -> None:
    load(store, catalogue(FOUR, EVENTS))
    with pytest.raises(StoreError, match=r"3 of the 4 items in the store are not in the files.*--prune"):
        load(store, catalogue({"i1": FOUR["i1"]}), prune=True)
    assert len(store.nodes("Item")) == 4


def test_a_value_goes_when_no_item_has_it(store: GraphStore) -> None:
    load(store, catalogue(FOUR))
    load(store, catalogue({"i3": ("three", "red")}))
    assert store.nodes("AttributeValue")["id"].to_list() == ["color=green", "color=red"]


def test_what_something_else_wrote_is_mended_by_comparing_all(store: GraphStore) -> None:
    load(store, catalogue(FOUR))
    other = _filled(empty_nodes("Item"), {"id": ["i1"], "title": ["edited elsewhere"]})
    store.upsert_nodes("Item", other)
    load(store, catalogue(FOUR))
    assert store.nodes("Item")["title"][0] == "edited elsewhere"
    load(store, catalogue(FOUR), anew=True)
    assert store.nodes("Item")["title"][0] == "one"


def test_a_load_that_was_cut_short_is_completed(store: GraphStore) -> None:
    load(store, catalogue(FOUR, EVENTS))
    after = catalogue(FOUR | {"i1": ("first", "green")}, EVENTS)

    def stop(name: str, *_: int) -> None:
        if name == "HAS_VALUE":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(store, after, stop)
    load(store, after)
    assert ("i1", "color=green") in store.edges("HAS_VALUE").select("source", "target").rows()


def test_a_record_means_the_same_in_another_process() -> None:
    code = (
        "import polars as pl; from kgrank.graph.record import buckets;"
        "print(buckets(pl.DataFrame({'id': ['a', 'b'], 'x': [1.5, None]})).rows())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(buckets(pl.DataFrame({"id": ["a", "b"], "x": [1.5, None]})).rows())


catalogues = st.builds(
    catalogue,
    st.dictionaries(
        st.sampled_from(["i1", "i2", "i3"]),
        st.tuples(st.text("ab", max_size=1), st.sampled_from(COLORS)),
        min_size=1,
    ),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=catalogues, other=catalogues)
def test_a_load_by_the_record_writes_what_a_full_comparison_would(
    embedded_store: GraphStore, one: KnowledgeGraph, other: KnowledgeGraph
) -> None:
    load(embedded_store, one)
    load(embedded_store, other)
    found = {name: embedded_store.edges(name) for name in other.edges}
    items = embedded_store.nodes("Item")
    load(embedded_store, other, anew=True)
    assert_frame_equal(embedded_store.nodes("Item"), items)
    for name, table in found.items():
        assert_frame_equal(embedded_store.edges(name), table)
