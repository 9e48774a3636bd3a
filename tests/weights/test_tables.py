from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from test_artefact import weights

from kgrank.errors import WeightsError
from kgrank.graph.schema import EDGES
from kgrank.graph.store import GraphStore
from kgrank.ontology.model import Attribute, Category, Ontology
from kgrank.weights.tables import check_fits, served_transitions, served_weights, weights_to_tables

TRANSITIONS = pl.DataFrame({"source": ["i1"], "target": ["i2"], "weight": [0.5]})


def prepared(store: GraphStore) -> GraphStore:
    """The nodes that the edges of ``weights()`` stand on."""
    for label, ids in {
        "Category": ["c0"],
        "Attribute": ["color", "price"],
        "AttributeValue": ["color=red"],
        "Item": ["i1", "i2"],
    }.items():
        empty = store.nodes(label)
        store.upsert_nodes(label, pl.concat([empty, pl.DataFrame({"id": ids})], how="diagonal"))
    return store


def test_the_tables_have_the_columns_of_the_schema() -> None:
    nodes, edges = weights_to_tables(weights(), TRANSITIONS)
    assert list(nodes) == ["Weights"]
    for name, table in edges.items():
        assert table.schema == {"source": pl.String, "target": pl.String, **EDGES[name].columns}
        assert set(table["version"]) == {"v1"}
    assert {name: len(table) for name, table in edges.items()} == {
        "IMPORTANCE": 2,
        "UTILITY": 1,
        "GOES_AFTER": 1,
    }


def test_a_store_gives_back_the_weights_and_transitions_that_it_serves(store: GraphStore) -> None:
    prepared(store).replace_version("v1", *weights_to_tables(weights(), TRANSITIONS))
    assert served_weights(store) == weights()
    assert served_transitions(store, "v1").equals(TRANSITIONS)
    assert served_transitions(store, "v0").is_empty()


def test_a_store_serves_the_version_that_was_written_last(store: GraphStore) -> None:
    prepared(store)
    for version in ("v1", "v2", "v1"):
        written = replace(weights(), version=version)
        store.replace_version(version, *weights_to_tables(written))
        assert served_weights(store) == written


def test_a_store_without_weights_says_how_to_get_some(store: GraphStore) -> None:
    with pytest.raises(WeightsError, match=r"no weights are served\. Learn some"):
        served_weights(store)


def test_weights_that_were_edited_in_the_store_are_refused(store: GraphStore) -> None:
    prepared(store).replace_version("v1", *weights_to_tables(weights()))
    table = store.nodes("Weights").with_columns(
        pl.col("document").str.replace('"share": 0.5', '"share": 0.4')
    )
    store.upsert_nodes("Weights", table)
    with pytest.raises(WeightsError, match="weights v1: was edited or damaged"):
        served_weights(store)


def test_nan_never_reaches_a_store() -> None:
    with pytest.raises(WeightsError, match="not a finite number"):
        weights_to_tables(weights(utility=float("nan")))


def test_weights_fit_the_ontology_that_they_were_learned_with_and_no_other() -> None:
    ontology = Ontology("2", {"c0": Category("c0")}, {"color": Attribute("color")})
    check_fits(replace(weights(), ontology=ontology.fingerprint), ontology)
    renamed = replace(ontology, categories={"c0": Category("c0", names={"en": "Shirts"})})
    check_fits(replace(weights(), ontology=ontology.fingerprint), renamed)
    with pytest.raises(WeightsError) as caught:
        check_fits(weights(), ontology)
    for part in ("weights v1", "o" * 16, ontology.fingerprint, "Train again"):
        assert part in caught.value.sentence()
