"""What items have in common: their category, the category above it, their brand and other single choices."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.arrays import Ints
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import AttributeType, Ontology

CATEGORY, AISLE = "category", "aisle"
MOST_LABELS = 5_000


@dataclass(frozen=True)
class Grouping:
    """Items by one thing that each has at most one of: its brand, its category.

    Attributes:
        name: ``brand``, ``category`` …
        labels: Their ids.
        label: (items,) number of each item's label; ``len(labels)`` where it has none.
    """

    name: str
    labels: tuple[str, ...]
    label: Ints


def groupings(
    graph: KnowledgeGraph, ontology: Ontology, items: Sequence[str], names: Collection[str] | None = None
) -> tuple[Grouping, ...]:
    """The groupings of items: category, the category above it, and each attribute of one choice.

    Args:
        graph: Needs IN_CATEGORY and HAS_VALUE.
        ontology: Says which attributes there are.
        items: Item ids in order.
        names: The groupings that are wanted; by default the informative ones, with two labels or more,
            and fewer than one label for two items.
    """
    item_category = graph.edge("IN_CATEGORY").unique("source", keep="first", maintain_order=True)
    parent_of = {c.id: c.parent for c in ontology.categories.values()}
    tables = {
        CATEGORY: item_category.select("source", label="target"),
        AISLE: item_category.select(
            "source", label=pl.col("target").replace_strict(parent_of, default=None, return_dtype=pl.String)
        ),
    }
    node = graph.edge("HAS_VALUE").select("source", pl.col("target").str.splitn("=", 2).alias("node"))
    values = node.unnest("node").rename({"field_0": "attribute", "field_1": "label"})
    for attribute in ontology.attributes.values():
        if attribute.type is AttributeType.CHOICE:
            item_values = values.filter(pl.col("attribute") == attribute.id).select("source", "label")
            tables[attribute.id] = item_values.unique("source", keep="first", maintain_order=True)
    selected = []
    for name, table in tables.items():
        if names is not None and name not in names:
            continue
        group = _grouping(name, table, items)
        if names is not None or 1 < len(group.labels) <= min(MOST_LABELS, len(items) // 2):
            selected.append(group)
    return tuple(selected)


def members(graph: KnowledgeGraph, ontology: Ontology, items: Sequence[str]) -> dict[str, Ints]:
    """By category, the numbers of its items and of those below it."""
    number = pl.DataFrame(
        {"source": items, "n": np.arange(len(items))}, schema_overrides={"source": pl.String}
    )
    item_categories = graph.edge("IN_CATEGORY").join(number, on="source").select("n", "target")
    rows: dict[str, list[Ints]] = {}
    for (category,), part in item_categories.partition_by("target", as_dict=True).items():
        for holder in ontology.lineage(category):
            rows.setdefault(holder, []).append(part["n"].to_numpy())
    return {category: np.unique(np.concatenate(parts)) for category, parts in rows.items()}


def titles(graph: KnowledgeGraph, items: Sequence[str]) -> tuple[str, ...]:
    """The titles of items, empty where they have none."""
    title_of = dict(graph.node("Item").select("id", pl.col("title").fill_null("")).iter_rows())
    return tuple(title_of.get(item, "") for item in items)


def _grouping(name: str, table: pl.DataFrame, items: Sequence[str]) -> Grouping:
    order = pl.DataFrame({"source": items}, schema={"source": pl.String})
    label = order.join(table, on="source", how="left", maintain_order="left")["label"]
    labels = label.drop_nulls().unique().sort()
    numbers = pl.DataFrame({"label": labels, "n": np.arange(len(labels))})
    number = order.select(label=label).join(numbers, on="label", how="left", maintain_order="left")["n"]
    return Grouping(name, tuple(labels), number.fill_null(len(labels)).to_numpy().astype(np.int64))
