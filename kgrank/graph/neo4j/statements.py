"""Cypher for Neo4j, built from the names in ``kgrank.graph.schema`` alone; all data goes in as parameters.

Labels are in their short form; ``ShopTransaction`` makes them those of a shop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from kgrank.graph.changes import (
    edge_schema,
    node_schema,
)
from kgrank.graph.schema import EdgeType

BATCH = 10_000
"""Rows in one statement and, but for a version of weights, in one transaction."""


def edge_pattern(edge: EdgeType) -> str:
    """The pattern of an edge ``r`` from ``a`` to ``b``."""
    return f"(a:`{edge.source}`)-[r:`{edge.name}`]->(b:`{edge.target}`)"


def all_nodes(label: str) -> str:
    """Reads all nodes of a label, in batches of lists."""
    lists = _lists("part", node_schema(label))
    return f"""
        MATCH (n:`{label}`) WITH collect(n) AS found
        UNWIND range(0, size(found) - 1, {BATCH}) AS start
        WITH found[start .. start + {BATCH}] AS part
        RETURN {lists}
    """


def nodes_by_id(label: str) -> str:
    """Reads the nodes of a label with ``$ids``, as lists."""
    lists = _lists("part", node_schema(label))
    return f"UNWIND $ids AS id {seek_by_id('n', label, 'id')} WITH collect(n) AS part RETURN {lists}"


def _lists(collected: str, columns: Iterable[str]) -> str:
    """The columns of a list of nodes or edges as lists; one null for nothing but nulls."""
    return ", ".join(
        f"CASE WHEN any(x IN {collected} WHERE x.`{c}` IS NOT NULL) THEN [x IN {collected} | x.`{c}`] "
        f"ELSE [x IN {collected}[0..1] | null] END AS `{c}`"
        for c in columns
    )


def seek_by_id(variable: str, label: str, value: str) -> str:
    """Matches the node of a label by its id, through the index."""
    # Right after a load the planner takes the index for empty, and would scan it for each id.
    return f"MATCH ({variable}:`{label}` {{id: {value}}}) USING INDEX SEEK {variable}:`{label}`(id)"


def all_edges(edge: EdgeType, of_sources: bool = False) -> str:
    """Reads all edges of a type, or those of the sources ``$ids``, as lists for each source."""
    first = f"UNWIND $ids AS id {seek_by_id('a', edge.source, 'id')}" if of_sources else ""
    lists = f", {_lists('edges', edge.columns)}" if edge.columns else ""
    return f"""
        {first}
        MATCH {edge_pattern(edge)}
        WITH a.id AS source, collect(r) AS edges, collect(b.id) AS target
        RETURN [source] AS source, target{lists}
    """


def merge_nodes(label: str) -> str:
    """Writes nodes from ``$rows``."""
    at = positions(node_schema(label))
    return f"UNWIND $rows AS row MERGE (n:`{label}` {{id: {at.pop('id')}}}) {_setting('n', at)}"


def merge_edges(edge: EdgeType) -> str:
    """Writes edges from ``$rows`` and counts them."""
    at = positions(edge_schema(edge.name))
    source, target = at.pop("source"), at.pop("target")
    key = f" {{`{edge.key}`: {at.pop(edge.key)}}}" if edge.key else ""
    return f"""
        UNWIND $rows AS row
        {seek_by_id("a", edge.source, source)}
        {seek_by_id("b", edge.target, target)}
        MERGE (a)-[r:`{edge.name}`{key}]->(b) {_setting("r", at)}
        RETURN count(r) AS written
    """


def positions(schema: pl.Schema) -> dict[str, str]:
    """The position of each column in a row: rows travel as lists, a third faster than as maps."""
    return {column: f"row[{i}]" for i, column in enumerate(schema)}


def _setting(variable: str, values: Mapping[str, str]) -> str:
    listed = ", ".join(f"{variable}.`{column}` = {value}" for column, value in values.items())
    return f"SET {listed}" if listed else ""
