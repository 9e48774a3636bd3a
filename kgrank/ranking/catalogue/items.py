"""The items of a graph as arrays: their ids, categories and values.

Whole numbers that name items are of four kinds, and each has its word in all of ``kgrank.ranking``: a ``row`` is a
row number in ``Items``; a ``member`` is the index of an item among the items of one category, whose rows are
``CategoryScores.rows``; an ``index`` counts what an array of some members holds; and a ``position`` is an item's
position in a ranking, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.errors import InputError
from kgrank.graph.schema import split_value_id
from kgrank.graph.tables import KnowledgeGraph

Rows = Ints
"""Row numbers of items in ``Items``."""
Members = Ints
"""Indices of items among those of one category: ``CategoryScores.rows[members]`` are their rows."""


@dataclass(frozen=True)
class Items:
    """Items in the order of their ids, with their values in rows sorted by item.

    Attributes:
        ids: Item ids, ascending; an item's row number is its index here.
        titles: Their titles.
        nodes: AttributeValue ids.
        row_item: Item of each HAS_VALUE row, ascending (rows,).
        row_node: Index of its AttributeValue in ``nodes`` (rows,).
        row_number: Its number, 0 for a choice (rows,).
        category_rows: Rows of the items that are placed in each category itself.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...]
    nodes: tuple[str, ...]
    row_item: Ints
    row_node: Ints
    row_number: Floats
    category_rows: Mapping[str, Ints]

    @staticmethod
    def of(graph: KnowledgeGraph) -> Items:
        """The arrays of a graph's Item, AttributeValue, IN_CATEGORY and HAS_VALUE tables."""
        table = graph.node("Item").sort("id")
        ids = table["id"].to_list()
        nodes = graph.node("AttributeValue")["id"].sort().to_list()
        values = graph.edge("HAS_VALUE")
        item = indices(values["source"], ids, "item")
        node = indices(values["target"], nodes, "value")
        order = np.lexsort((node, item))
        placed = graph.edge("IN_CATEGORY")
        inside: dict[str, Ints] = {}
        for (category,), part in placed.partition_by("target", as_dict=True).items():
            inside[category] = indices(part["source"], ids, "item")
        return Items(
            ids=tuple(ids),
            titles=tuple(table["title"].fill_null("").to_list()),
            nodes=tuple(nodes),
            row_item=item[order],
            row_node=node[order],
            row_number=values["number"].to_numpy()[order],
            category_rows=inside,
        )

    @cached_property
    def index(self) -> dict[str, int]:
        """Row number by id."""
        return {name: k for k, name in enumerate(self.ids)}

    @cached_property
    def categories(self) -> dict[int, tuple[str, ...]]:
        """The categories of each item, by row number."""
        by_item: dict[int, list[str]] = {}
        for category in sorted(self.category_rows):
            for item in self.category_rows[category].tolist():
                by_item.setdefault(item, []).append(category)
        return {item: tuple(names) for item, names in by_item.items()}

    @cached_property
    def first_category(self) -> tuple[str | None, ...]:
        """The first category of each item, by name; None where it is in none."""
        return tuple(self.categories.get(row, (None,))[0] for row in range(len(self.ids)))

    def within(self, categories: Sequence[str]) -> Ints:
        """Row numbers of the items in some categories, each once, ascending."""
        placed = [self.category_rows[c] for c in categories if c in self.category_rows]
        return np.unique(np.concatenate(placed)) if placed else np.empty(0, dtype=np.int64)

    @cached_property
    def _by_node(self) -> tuple[Ints, Ints]:
        """The rows of HAS_VALUE in the order of their values, and the first row of each value."""
        order = np.argsort(self.row_node, kind="stable")
        return order, np.searchsorted(self.row_node[order], np.arange(len(self.nodes) + 1))

    @cached_property
    def node(self) -> dict[str, int]:
        """Index of each AttributeValue id."""
        return {name: k for k, name in enumerate(self.nodes)}

    @cached_property
    def of_attribute(self) -> dict[str, dict[str, int]]:
        """By attribute, the index of each of its values; a number has the value ``*``."""
        by_attribute: dict[str, dict[str, int]] = {}
        for index, name in enumerate(self.nodes):
            attribute, value = split_value_id(name)
            by_attribute.setdefault(attribute, {})[value] = index
        return by_attribute

    def rows_of(self, node: int) -> Ints:
        """The rows of HAS_VALUE with one value, in the order of their items."""
        order, start = self._by_node
        return order[start[node] : start[node + 1]]

    def having(self, node: int) -> Ints:
        """Row numbers of the items with one value, ascending."""
        return self.row_item[self.rows_of(node)]

    def values(self, item: int) -> list[tuple[str, float]]:
        """AttributeValue id and number of all that one item has."""
        low, high = np.searchsorted(self.row_item, [item, item + 1])
        rows = slice(int(low), int(high))
        return [
            (self.nodes[n], x)
            for n, x in zip(self.row_node[rows].tolist(), self.row_number[rows].tolist(), strict=True)
        ]

    def values_of(self, item: int, attribute: str) -> list[tuple[str, float]]:
        """AttributeValue id and number of what one item has of one attribute."""
        return [v for v in self.values(item) if split_value_id(v[0])[0] == attribute]

    def graph(self, rows: Ints) -> KnowledgeGraph:
        """The categories and values of some items, by row number, as tables again."""
        ids, nodes = np.array(self.ids, dtype=object), np.array(self.nodes, dtype=object)
        wanted = np.zeros(len(ids), dtype=bool)
        wanted[rows] = True
        placed = [(c, items[wanted[items]]) for c, items in self.category_rows.items()]
        edges = wanted[self.row_item]
        return KnowledgeGraph(
            {},
            {
                "IN_CATEGORY": pl.DataFrame(
                    {
                        "source": [i for _, items in placed for i in ids[items].tolist()],
                        "target": [c for c, items in placed for _ in range(len(items))],
                    },
                    schema={"source": pl.String(), "target": pl.String()},
                ),
                "HAS_VALUE": pl.DataFrame(
                    {
                        "source": ids[self.row_item[edges]].tolist(),
                        "target": nodes[self.row_node[edges]].tolist(),
                        "number": self.row_number[edges],
                    },
                    schema={"source": pl.String(), "target": pl.String(), "number": pl.Float64()},
                ),
            },
        )


def indices(column: pl.Series, names: Sequence[str], kind: str) -> Ints:
    """Index of each text in a list of unique names.

    Raises:
        InputError: A text that is not in the list.
    """
    codes = column.cast(pl.Enum(list(names)), strict=False)
    missing = column.filter(codes.is_null())
    if len(missing):
        raise InputError(
            f"an edge names {kind} {missing[0]!r}, which has no node",
            todo="Load the graph again: `kgrank load`",
        )
    result: npt.NDArray[Any] = codes.to_physical().to_numpy()
    return result.astype(np.int64)
