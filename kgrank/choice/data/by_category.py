"""The tables of a shop cut by category once, so that a category reads its own rows and not those of all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from kgrank.choice.data.responses import ResponseLog
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology

Tables = Mapping[str, pl.DataFrame]
"""Tables by category: the rows of the category itself, without those below it."""


@dataclass(frozen=True)
class TablesByCategory:
    """A graph and its choices, cut by category.

    Attributes:
        graph: The whole graph.
        log: The choices of the whole shop.
        ontology: The category tree.
        members: IN_CATEGORY by category.
        values: HAS_VALUE of the items of each category.
        heads, rows, searches: Of the log, by the lowest category that holds a choice's items.
    """

    graph: KnowledgeGraph
    log: ResponseLog
    ontology: Ontology
    members: Tables
    values: Tables
    heads: Tables
    rows: Tables
    searches: Tables

    @staticmethod
    def of(graph: KnowledgeGraph, log: ResponseLog, ontology: Ontology) -> TablesByCategory:
        """Cuts the tables; each row is read once."""
        members, values = graph.edge("IN_CATEGORY"), graph.edge("HAS_VALUE")
        category_of = members.select("source", category="target").unique()
        rows = log.rows.join(log.heads.select("choice", "category"), on="choice")
        return TablesByCategory(
            graph=graph,
            log=log,
            ontology=ontology,
            members=_cut(members.with_columns(category="target")),
            values=_cut(values.join(category_of, on="source")),
            heads=_cut(log.heads, keep=True),
            rows=_cut(rows),
            searches=_cut(log.searches, keep=True),
        )

    def graph_of(self, category: str) -> KnowledgeGraph:
        """The graph with the items of a category and those below it, and their values."""
        members, values = (self._below(t, category) for t in (self.members, self.values))
        if members["source"].n_unique() < len(members):
            # The values of an item in two categories are those of one item.
            values = values.unique(maintain_order=True)
        edges = {"IN_CATEGORY": members, "HAS_VALUE": values}
        return replace(self.graph, edges={**self.graph.edges, **edges})

    def log_of(self, category: str) -> ResponseLog:
        """The choices and searches of a category and those below it."""
        heads, rows, searches = (self._below(t, category) for t in (self.heads, self.rows, self.searches))
        return replace(self.log, heads=heads.sort("choice"), rows=rows, searches=searches.sort("choice"))

    def alternatives(self, category: str, drawn: int, most: int) -> int:
        """Number of alternatives in the choices of a category and those below it.

        Args:
            category: Its id.
            drawn: Items that are drawn beside the chosen one where the log does not say what was shown.
            most: Choices at most for which they are drawn.
        """
        subtree = self.ontology.subtree(category)
        logged = sum(len(self.rows[c]) for c in subtree if c in self.rows)
        sampled = sum(int(self.heads[c]["sampled"].sum()) for c in subtree if c in self.heads)
        return logged - sampled + min(sampled, most) * (1 + drawn)

    def _below(self, tables: Tables, category: str) -> pl.DataFrame:
        """The rows of a category and those below it."""
        parts = [tables[c] for c in self.ontology.subtree(category) if c in tables]
        return pl.concat(parts) if parts else tables[""]


def _cut(table: pl.DataFrame, *, keep: bool = False) -> Tables:
    """The rows by their column ``category``, which goes unless it is kept; under "" a table without rows."""
    parts = table.drop_nulls("category").partition_by("category", as_dict=True, include_key=keep)
    empty = table.clear() if keep else table.clear().drop("category")
    return {str(category): part for (category,), part in parts.items()} | {"": empty}
