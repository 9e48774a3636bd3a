"""What a write means: tables held to the schema, and the rows that a store does not have yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from kgrank.errors import InputError, StoreError, did_you_mean, near_miss
from kgrank.graph.schema import EDGES, LEARNED_EDGES, NODES, EdgeType
from kgrank.resources import schema_version


def node_schema(label: str) -> pl.Schema:
    """The columns of a label; StoreError where the schema has no such label."""
    if label not in NODES:
        raise StoreError(
            f"no label {label}", expected="a label of kgrank.graph.schema", todo=did_you_mean(label, NODES)
        )
    return pl.Schema({"id": pl.String(), **NODES[label].columns})


def edge_type(name: str) -> EdgeType:
    """The edge type of a name; StoreError where the schema has none."""
    if name not in EDGES:
        raise StoreError(
            f"no edge type {name}", expected="one of kgrank.graph.schema", todo=did_you_mean(name, EDGES)
        )
    return EDGES[name]


def edge_schema(name: str) -> pl.Schema:
    """The columns of an edge type; StoreError where the schema has no such type."""
    return pl.Schema({"source": pl.String(), "target": pl.String(), **edge_type(name).columns})


def edge_key(edge: EdgeType) -> list[str]:
    """The columns that identify an edge."""
    return ["source", "target", *([edge.key] if edge.key else [])]


def checked_nodes(label: str, table: pl.DataFrame) -> pl.DataFrame:
    """The node table in the schema's columns; StoreError where it breaks the schema."""
    return _checked(label, table, node_schema(label), ["id"])


def checked_edges(name: str, table: pl.DataFrame) -> pl.DataFrame:
    """The edge table in the schema's columns; StoreError where it breaks the schema."""
    return _checked(name, table, edge_schema(name), edge_key(EDGES[name]))


def changed(table: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``table`` that are not in ``stored`` as they are: new ones, and ones that changed."""
    if stored.is_empty():
        return table
    return table.join(stored, on=table.columns, how="anti", nulls_equal=True)


def refuse_missing(name: str, end: str, table: pl.DataFrame, known: pl.Series) -> None:
    """StoreError, with an example, where the ``end`` (source or target) of an edge is not a known node."""
    label = getattr(edge_type(name), end)
    missing = table.filter(~pl.col(end).is_in(known.implode()))
    if missing.is_empty():
        return
    edge = missing.row(0, named=True)
    raise StoreError(
        f"{len(missing):,} of the {name} edges have a {end} that is not in the store; "
        f"the first is ({edge['source']})-[:{name}]->({edge['target']})",
        expected=f"a node {label} with the id {edge[end]}",
        todo=f"Write the {label} nodes first.",
    )


def refuse_other_sources(name: str, sources: pl.Series, table: pl.DataFrame) -> None:
    """StoreError where a table has edges of a source that is not among some."""
    others = table.filter(~pl.col("source").is_in(sources.implode()))["source"]
    if len(others):
        raise StoreError(
            f"the table of {name} has edges of {others[0]}", expected="edges of the named sources"
        )


def check_version(version: str, edges: Mapping[str, pl.DataFrame]) -> None:
    """StoreError where a table of one version holds edges of another type or another version."""
    for name, table in edges.items():
        if name not in LEARNED_EDGES:
            raise StoreError(f"{name} is not learned", expected=f"one of {', '.join(LEARNED_EDGES)}")
        others = set(table["version"].unique()) - {version}
        if others:
            raise StoreError(f"{name} has edges of the version {min(map(str, others))}", expected=version)


def refuse_unknown_version(version: str, known: Sequence[str]) -> None:
    """InputError where the store has no such version of the weights."""
    if version not in known:
        raise InputError(
            f"no version {version} of the weights",
            expected=f"one of {', '.join(sorted(known))}" if known else "weights in the store",
            todo=near_miss(version, known) if known else "Learn some: `kgrank train --config FILE`.",
        )


def refuse_served_version(version: str, served: Sequence[str]) -> None:
    """StoreError where a version that is served would be deleted."""
    if version in served:
        raise StoreError(
            f"the version {version} is served",
            expected="one that is not",
            todo="Serve another one first: kgrank weights serve VERSION.",
        )


def refuse_newer(version: int, address: str) -> None:
    """StoreError where a store was prepared by a later kgrank than this."""
    if version > schema_version():
        raise StoreError(
            f"the store has schema {version}",
            where=address,
            expected=f"schema {schema_version()} or earlier",
            todo="It was made by a newer kgrank: upgrade this one.",
        )


def _checked(name: str, table: pl.DataFrame, schema: pl.Schema, key: list[str]) -> pl.DataFrame:
    if set(table.columns) != set(schema):
        raise StoreError(
            f"the table of {name} has the columns {', '.join(table.columns)}", expected=", ".join(schema)
        )
    try:
        table = table.select(schema.names()).cast(schema)
    except pl.exceptions.PolarsError as error:
        raise StoreError(f"the table of {name} has values of another type: {error}") from error
    _refuse(
        name, table, pl.any_horizontal(pl.col(key).is_null()), f"no {' or '.join(key)}", "one in each row"
    )
    for column in (c for c, kind in schema.items() if kind == pl.Float64()):
        _refuse(
            name, table, ~pl.col(column).is_finite(), f"a {column} that is no number", "a number or nothing"
        )
    _refuse(name, table, pl.struct(key).is_duplicated(), f"the same {', '.join(key)} twice", "each once")
    return table


def _refuse(name: str, table: pl.DataFrame, wrong: pl.Expr, problem: str, expected: str) -> None:
    rows = table.filter(wrong)
    if rows.is_empty():
        return
    example = ", ".join(f"{k}={v!r}" for k, v in list(rows.row(0, named=True).items())[:8])
    count = f"{len(rows):,} row{'s' if len(rows) > 1 else ''} of {name}"
    raise StoreError(f"{count} with {problem}: {example}", expected=expected)
