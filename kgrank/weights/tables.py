"""Learned weights as nodes and edges of the graph, and back."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kgrank.errors import WeightsError
from kgrank.graph.changes import refuse_unknown_version
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.store import GraphStore
from kgrank.ontology.model import Ontology
from kgrank.resources import cypher
from kgrank.weights.artefact import LINK_COLUMNS, document, weights_of
from kgrank.weights.liking import LikingWeights
from kgrank.weights.liking_file import liking_document
from kgrank.weights.model import LearnedWeights

Tables = dict[str, pl.DataFrame]


def weights_to_tables(
    weights: LearnedWeights,
    transitions: pl.DataFrame | None = None,
    posteriors: str | None = None,
    liking: LikingWeights | None = None,
) -> tuple[Tables, Tables]:
    """Node and edge tables of one version of the weights, for ``GraphStore.replace_version``.

    Args:
        weights: The weights; the whole artefact goes into the node's ``document``.
        transitions: Item transitions (source, target, weight), written as GOES_AFTER edges.
        posteriors: The document of what the choices alone say (``kgrank.weights.posteriors``).
        liking: The liking of items that belongs to them, written into the node's ``network``.

    Raises:
        WeightsError: The weights could not be written to a file either.
    """
    node = {
        "id": weights.version,
        "created": weights.created,
        "ontology": weights.ontology,
        "graph": weights.graph,
        "code": weights.code,
        "document": document(weights, weights.version),
        "posteriors": posteriors,
        "network": None if liking is None else liking_document(liking, weights.version),
    }
    nodes = {"Weights": pl.DataFrame([node], schema={"id": pl.String(), **NODES["Weights"].columns})}
    edges = {
        "IMPORTANCE": _edges("IMPORTANCE", _importance(weights)),
        "UTILITY": _edges("UTILITY", _utilities(weights)),
    }
    if transitions is not None:
        schema = _schema("GOES_AFTER")
        table = transitions.with_columns(version=pl.lit(weights.version))
        edges["GOES_AFTER"] = table.select(
            (pl.col(name) if name in table.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in schema.items()
        )
    return nodes, edges


def served_weights(store: GraphStore) -> LearnedWeights:
    """The weights that a store serves.

    Raises:
        WeightsError: None are served, or their document is damaged.
    """
    # No statement that is handed out reads the document: it holds counts of what few people did.
    versions = store.nodes("Served")["version"]
    nodes = store.nodes("Weights", versions)
    if nodes.is_empty():
        raise WeightsError(
            "no weights are served",
            where=store.address,
            todo="Learn some: `kgrank train --config fashion`",
        )
    return weights_of(nodes["document"][0], f"{store.address}, weights {versions[0]}")


def stored_weights(store: GraphStore, version: str) -> LearnedWeights:
    """One version of the weights in a store.

    Raises:
        InputError: The store has no such version.
        WeightsError: Its document is damaged.
    """
    rows = store.nodes("Weights", pl.Series([version])).rows(named=True)
    if not rows:
        refuse_unknown_version(version, [row["version"] for row in store.query(cypher("rank/versions"))])
    return weights_of(rows[0]["document"], f"{store.address}, weights {version}")


def served_transitions(store: GraphStore, version: str) -> pl.DataFrame:
    """The item transitions of one version in a store: source, target, weight, and the counts if it has any."""
    edges = store.edges("GOES_AFTER").filter(pl.col("version") == version)
    counts = [name for name in LINK_COLUMNS if edges[name].is_not_null().any()]
    return edges.select("source", "target", "weight", *counts)


def check_fits(weights: LearnedWeights, ontology: Ontology) -> None:
    """Refuses weights whose meaning is another ontology's.

    Raises:
        WeightsError: The fingerprints differ.
    """
    if weights.ontology != ontology.fingerprint:
        raise WeightsError(
            f"weights {weights.version} belong to the ontology with fingerprint {weights.ontology}",
            expected=f"fingerprint {ontology.fingerprint} (the ontology here, version {ontology.version})",
            todo="Train again on this graph, or carry over what still means the same: kgrank ontology carry",
        )


def _schema(name: str) -> Mapping[str, pl.DataType]:
    return {"source": pl.String(), "target": pl.String(), **EDGES[name].columns}


def _edges(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_schema(name))


def _importance(weights: LearnedWeights) -> list[dict[str, object]]:
    return [
        {
            "source": category.category,
            "target": a.attribute,
            "version": weights.version,
            "weight": a.share,
            "low": a.lower,
            "high": a.upper,
            "reference": a.reference,
            "shoppers": a.shoppers,
            "strength": category.strength,
        }
        for category in weights.categories.values()
        for a in category.attributes
    ]


def _utilities(weights: LearnedWeights) -> list[dict[str, object]]:
    return [
        {
            "source": category.category,
            "target": utility.node,
            "id": f"{weights.version}/{category.category}/{utility.node}/{k}",
            "version": weights.version,
            "low": s.start,
            "high": s.stop,
            "intercept": s.intercept,
            "slope": s.slope,
        }
        for category in weights.categories.values()
        for utility in category.utilities
        for k, s in enumerate(utility.segments)
    ]
