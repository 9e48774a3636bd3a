"""Writes to the embedded store, over a connection in a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import ladybug
import polars as pl

from kgrank.graph.changes import (
    edge_key,
    refuse_missing,
    refuse_unknown_version,
)
from kgrank.graph.embedded.reading import matched, values
from kgrank.graph.schema import EDGES, NODES, EdgeType

_TYPES: Mapping[pl.DataType, str] = {
    pl.String(): "STRING",
    pl.Float64(): "DOUBLE",
    pl.Int64(): "INT64",
    pl.Boolean(): "BOOLEAN",
}

BULK = 10_000
"""Edges above which COPY is faster: its commit writes the whole table anew, about 2 s for a million edges."""


def definitions() -> Iterator[str]:
    """The statements that make the tables of the schema, and add columns that an earlier schema lacked."""
    for node in NODES.values():
        yield f"CREATE NODE TABLE IF NOT EXISTS `{node.label}`(id STRING, PRIMARY KEY (id))"
    for edge in EDGES.values():
        yield f"CREATE REL TABLE IF NOT EXISTS `{edge.name}`(FROM `{edge.source}` TO `{edge.target}`)"
    columns = {n: t.columns for n, t in NODES.items()} | {n: t.columns for n, t in EDGES.items()}
    for name, kinds in columns.items():
        for column, kind in kinds.items():
            yield f"ALTER TABLE `{name}` ADD IF NOT EXISTS `{column}` {_TYPES[kind]}"


def _pattern(edge: EdgeType) -> str:
    return f"(a:`{edge.source}`)-[r:`{edge.name}`]->(b:`{edge.target}`)"


def refuse_missing_ends(connection: ladybug.Connection, name: str, table: pl.DataFrame) -> None:
    """Refuses edges to or from nodes that the store does not have."""
    for end in ("source", "target"):
        known = matched(
            connection, f"(n:`{getattr(EDGES[name], end)}`", "", "n.id AS id", table[end].unique()
        )
        refuse_missing(name, end, table, known["id"].cast(pl.String()))


def write_version(
    connection: ladybug.Connection,
    version: str,
    names: Iterable[str],
    edges: Mapping[str, pl.DataFrame],
    *,
    bulk: bool,
) -> None:
    """Replaces a version's edges of some types; those of a type without a table are deleted."""
    for name in names:
        remove_version(connection, name, version)
    for name, table in edges.items():
        refuse_missing_ends(connection, name, table)
        insert_edges(connection, name, table, bulk=bulk)


def serve_version(connection: ladybug.Connection, version: str) -> None:
    """Names the version that readers are served; an unknown one is refused."""
    refuse_unknown_version(version, values(connection, "MATCH (w:Weights) RETURN w.id"))
    connection.execute("MERGE (s:Served {id: 'weights'}) SET s.version = $version", {"version": version})


def remove_version(connection: ladybug.Connection, name: str, version: str) -> None:
    """Deletes the edges of a version in one table."""
    pattern = _pattern(EDGES[name])
    connection.execute(f"MATCH {pattern} WHERE r.version = $version DELETE r", {"version": version})


def merge_nodes(connection: ladybug.Connection, label: str, table: pl.DataFrame) -> None:
    """Writes nodes; those that exist get the table's properties."""
    columns = NODES[label].columns
    setting = " SET " + ", ".join(f"n.`{c}` = `{c}`" for c in columns) if columns else ""
    connection.execute(f"LOAD FROM $rows MERGE (n:`{label}` {{id: id}}){setting}", {"rows": table.to_arrow()})


def insert_edges(
    connection: ladybug.Connection, name: str, table: pl.DataFrame, *, bulk: bool = True
) -> None:
    """New edges; those that exist already must be deleted first, or there are two of each.

    Not ``bulk`` where the rest of the transaction must not be kept without them: rows of a COPY are not in the
    engine's log, and a kill in the checkpoint after the commit loses them, but not what the log has.
    """
    if bulk and len(table) > BULK:
        # Edges lie by their source, and those that come in that order are written sooner.
        connection.execute(f"COPY `{name}` FROM $rows", {"rows": table.sort("source").to_arrow()})
    elif len(table):
        edge = EDGES[name]
        columns = ", ".join(f"`{c}`: `{c}`" for c in edge.columns)
        ends = f"MATCH (a:`{edge.source}` {{id: source}}) MATCH (b:`{edge.target}` {{id: target}})"
        created = f"(a)-[:`{name}` {{{columns}}}]->(b)" if columns else f"(a)-[:`{name}`]->(b)"
        connection.execute(f"LOAD FROM $rows {ends} CREATE {created}", {"rows": table.to_arrow()})


def delete_edges(connection: ladybug.Connection, name: str, table: pl.DataFrame) -> None:
    """Deletes the edges of a table, by their keys."""
    if table.is_empty():
        return
    edge = EDGES[name]
    keys = table.select(edge_key(edge))
    same = f" WHERE r.`{edge.key}` = `{edge.key}`" if edge.key else ""
    ends = f"(a:`{edge.source}` {{id: source}})-[r:`{name}`]->(b:`{edge.target}` {{id: target}})"
    connection.execute(f"LOAD FROM $rows MATCH {ends}{same} DELETE r", {"rows": keys.to_arrow()})
