"""A graph as files for Neo4j's own offline import, several times as fast as a load over Bolt."""

from __future__ import annotations

import shlex
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.files import make_folder, write_file
from kgrank.graph.changes import checked_edges, checked_nodes
from kgrank.graph.labels import PREFIX
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.tables import KnowledgeGraph

_KINDS = {pl.String(): "", pl.Float64(): ":double", pl.Int64(): ":long", pl.Boolean(): ":boolean"}


def write_import(graph: KnowledgeGraph, folder: Path, database: str = "neo4j") -> str:
    """Writes one CSV file for each label and relationship type; returns the arguments of ``neo4j-admin``.

    The server must be stopped; the database is overwritten. Afterwards ``kgrank doctor --repair`` makes the
    constraints and indexes.

    Args:
        graph: The whole graph.
        folder: A new or empty folder.
        database: The database's name.

    Raises:
        InputError: The folder holds something.
        StoreError: A table breaks the schema.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("it holds something", where=folder, expected="a new or empty folder")
    make_folder(folder)
    parts = [
        "database",
        "import",
        "full",
        database,
        "--overwrite-destination=true",
        "--multiline-fields=true",
    ]
    for label in (n for n in NODES if len(graph.node(n))):
        table = checked_nodes(label, graph.node(label))
        _write(table, folder / f"{label}.csv", {"id": f"id:ID({label})"})
        parts.append(f"--nodes={PREFIX}{label}={folder / label}.csv")
    for name in (e for e in EDGES if len(graph.edge(e))):
        edge = EDGES[name]
        table = checked_edges(name, graph.edge(name))
        ends = {"source": f":START_ID({edge.source})", "target": f":END_ID({edge.target})"}
        _write(table, folder / f"{name}.csv", ends)
        parts.append(f"--relationships={name}={folder / name}.csv")
    return shlex.join(parts)


def _write(table: pl.DataFrame, file: Path, named: dict[str, str]) -> None:
    """Text is quoted, so that an empty text is one, and nothing is nothing."""
    header = {c: named.get(c, f"{c}{_KINDS[kind]}") for c, kind in table.schema.items()}
    table = table.rename(header)
    # A server reads these files, and would keep what protects a spreadsheet.
    write_file(file, lambda opened: table.write_csv(opened, quote_style="non_numeric"))
