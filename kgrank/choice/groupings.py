"""What items have in common: their category, the category above it, their brand and other single choices."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import polars as pl

from kgrank.choice.amounts import Grouping
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import AttributeType, Ontology

CATEGORY, AISLE = "category", "aisle"
MOST_LABELS = 5_000


def groupings(
    graph: KnowledgeGraph, ontology: Ontology, items: Sequence[str], names: Collection[str] | None = None
) -> tuple[Grouping, ...]:
    """The groupings of items: category, the category above it, and each attribute of one choice.

    Args:
        graph: Needs IN_CATEGORY and HAS_VALUE.
        ontology: Says which attributes there are.
        items: Item ids in order.
        names: The groupings that are wanted; by default those that tell something, with two labels or more,
            and fewer than one for two items.
    """
    home = graph.edge("IN_CATEGORY").unique("source", keep="first", maintain_order=True)
    above = {c.id: c.parent for c in ontology.categories.values()}
    tables = {
        CATEGORY: home.select("source", label="target"),
        AISLE: home.select(
            "source", label=pl.col("target").replace_strict(above, default=None, return_dtype=pl.String)
        ),
    }
    node = graph.edge("HAS_VALUE").select("source", pl.col("target").str.splitn("=", 2).alias("node"))
    values = node.unnest("node").rename({"field_0": "attribute", "field_1": "label"})
    for attribute in ontology.attributes.values():
        if attribute.type is AttributeType.CHOICE:
            own = values.filter(pl.col("attribute") == attribute.id).select("source", "label")
            tables[attribute.id] = own.unique("source", keep="first", maintain_order=True)
    found = []
    for name, table in tables.items():
        if names is not None and name not in names:
            continue
        group = _grouping(name, table, items)
        if names is not None or 1 < len(group.labels) <= min(MOST_LABELS, len(items) // 2):
            found.append(group)
    return tuple(found)


def _grouping(name: str, table: pl.DataFrame, items: Sequence[str]) -> Grouping:
    order = pl.DataFrame({"source": items}, schema={"source": pl.String})
    label = order.join(table, on="source", how="left", maintain_order="left")["label"]
    labels = label.drop_nulls().unique().sort()
    numbers = pl.DataFrame({"label": labels, "n": np.arange(len(labels))})
    number = order.select(label=label).join(numbers, on="label", how="left", maintain_order="left")["n"]
    return Grouping(name, tuple(labels), number.fill_null(len(labels)).to_numpy().astype(np.int64))
