"""Writes to Neo4j, each function over one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import polars as pl

from kgrank.errors import StoreError
from kgrank.graph.changes import (
    edge_key,
    refuse_missing,
    refuse_served_version,
    refuse_unknown_version,
)
from kgrank.graph.neo4j.batches import batches
from kgrank.graph.neo4j.statements import BATCH, edge_pattern, merge_edges, merge_nodes, positions, seek_by_id
from kgrank.graph.neo4j.transaction import ShopTransaction
from kgrank.graph.schema import EDGES, LEARNED_EDGES


def missing_ids(transaction: ShopTransaction, label: str, ids: list[str]) -> list[str]:
    """Those of some ids that have no node of the label."""
    matched = seek_by_id("n", label, "id")
    statement = f"UNWIND $ids AS id OPTIONAL {matched} WITH id, n WHERE n IS NULL RETURN id"
    return [id for (id,) in transaction.run(statement, ids=ids).values()]


def refuse_missing_ends(transaction: ShopTransaction, name: str, table: pl.DataFrame) -> None:
    """Refuses edges to or from nodes that the database does not have."""
    for end in ("source", "target"):
        ids = table[end].unique()
        label = getattr(EDGES[name], end)
        missing = pl.Series(
            list(chain.from_iterable(missing_ids(transaction, label, part) for part in batches(ids, BATCH))),
            dtype=pl.String,
        )
        refuse_missing(name, end, table, ids.filter(~ids.is_in(missing.implode())))


def change_edges(transaction: ShopTransaction, name: str, stale: pl.DataFrame, new: pl.DataFrame) -> None:
    """Deletes stale edges and writes new ones."""
    if len(stale):
        remove_edges(transaction, name, stale)
    write_edges(transaction, name, new)


def write_edges(transaction: ShopTransaction, name: str, table: pl.DataFrame) -> None:
    """Writes edges; all of them, or a StoreError."""
    statement = merge_edges(EDGES[name])
    for rows in table.iter_slices(BATCH):
        (written,) = transaction.run(statement, rows=rows.rows()).single(strict=True)
        if written != len(rows):
            raise StoreError(
                f"{len(rows) - written:,} of {len(rows):,} {name} edges were not written",
                expected="nodes that stay while their edges are written",
                todo="Write again.",
            )


def remove_edges(transaction: ShopTransaction, name: str, table: pl.DataFrame) -> None:
    """Deletes the edges of a table, by their keys."""
    edge = EDGES[name]
    at = positions(pl.Schema(table.select(edge_key(edge)).schema))
    same = f" WHERE r.`{edge.key}` = {at[edge.key]}" if edge.key else ""
    statement = f"""
        UNWIND $rows AS row
        {seek_by_id("a", edge.source, at["source"])}
        {seek_by_id("b", edge.target, at["target"])}
        MATCH (a)-[r:`{name}`]->(b){same} DELETE r
    """
    transaction.run(statement, rows=table.select(edge_key(edge)).rows()).consume()


def write_version(
    transaction: ShopTransaction,
    version: str,
    nodes: Mapping[str, pl.DataFrame],
    edges: Mapping[str, pl.DataFrame],
    new: bool,
) -> None:
    """Writes a version's nodes and edges and serves it; unless it is new, its edges from before are deleted."""
    for name in () if new else LEARNED_EDGES:
        remove_version(transaction, name, version)
    for label, table in nodes.items():
        transaction.run(merge_nodes(label), rows=table.rows()).consume()
    serve_version(transaction, version, edges)


def serve_version(transaction: ShopTransaction, version: str, edges: Mapping[str, pl.DataFrame]) -> None:
    """Replaces edges of a version, and names it as the one that readers are served; an unknown one is refused."""
    known = transaction.run("MATCH (w:Weights) RETURN w.id AS id").value()
    refuse_unknown_version(version, known)
    for name, table in edges.items():
        remove_version(transaction, name, version)
        refuse_missing_ends(transaction, name, table)
        write_edges(transaction, name, table)
    transaction.run("MERGE (s:Served {id: 'weights'}) SET s.version = $version", version=version).consume()


def delete_version(transaction: ShopTransaction, version: str) -> None:
    """Deletes a version's node; an unknown version and the served one are refused."""
    refuse_unknown_version(version, transaction.run("MATCH (w:Weights) RETURN w.id AS id").value())
    refuse_served_version(version, transaction.run("MATCH (s:Served) RETURN s.version AS version").value())
    transaction.run("MATCH (w:Weights {id: $version}) DETACH DELETE w", version=version).consume()


def remove_batch(transaction: ShopTransaction, name: str, version: str) -> int:
    """Deletes a batch of a version's edges; how many there were."""
    statement = f"""
        MATCH {edge_pattern(EDGES[name])} WHERE r.version = $version WITH r LIMIT {BATCH}
        DELETE r RETURN count(*) AS deleted
    """
    (deleted,) = transaction.run(statement, version=version).single(strict=True)
    return int(deleted)


def remove_version(transaction: ShopTransaction, name: str, version: str) -> None:
    """Deletes a version's edges of one type."""
    statement = f"MATCH {edge_pattern(EDGES[name])} WHERE r.version = $version DELETE r"
    transaction.run(statement, version=version).consume()
