"""The knowledge graph as tables in memory, external ids kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from kgrank.graph.schema import EDGES, NODES


def empty_nodes(label: str) -> pl.DataFrame:
    """A node table without rows, in the schema's columns."""
    return pl.DataFrame(schema={"id": pl.String(), **NODES[label].columns})


def empty_edges(name: str) -> pl.DataFrame:
    """An edge table without rows, in the schema's columns."""
    return pl.DataFrame(schema={"source": pl.String(), "target": pl.String(), **EDGES[name].columns})


@dataclass(frozen=True)
class KnowledgeGraph:
    """Node tables by label and edge tables by type, in the columns of ``kgrank.graph.schema``."""

    nodes: Mapping[str, pl.DataFrame]
    edges: Mapping[str, pl.DataFrame]

    def node(self, label: str) -> pl.DataFrame:
        """The table of a label, empty where the graph has none."""
        return self.nodes.get(label, empty_nodes(label))

    def edge(self, name: str) -> pl.DataFrame:
        """The table of a relationship type, empty where the graph has none."""
        return self.edges.get(name, empty_edges(name))

    def until(self, time: int) -> KnowledgeGraph:
        """The graph as it was: events at or before ``time`` (epoch seconds, or the order of the log)."""
        return KnowledgeGraph(
            self.nodes,
            {
                name: table.filter(pl.col("time") <= time) if "time" in EDGES[name].columns else table
                for name, table in self.edges.items()
            },
        )

    def __repr__(self) -> str:
        counts = [f"{len(t):,} {name}" for name, t in {**self.nodes, **self.edges}.items() if len(t)]
        return f"KnowledgeGraph({', '.join(counts)})"
