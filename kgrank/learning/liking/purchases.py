"""What people bought, and what items have in common: what a graph of purchases is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.behaviour.groupings import AISLE, CATEGORY, Grouping, groupings
from kgrank.choice.data.responses import RESPONSES
from kgrank.graph.schema import split_value_id
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology

KINDS = (("purchase",), RESPONSES, ("rating",))
"""Kinds of events that make the graph: the first that the log has any of."""

MOST_RELATIONS = 2
"""Attributes through which items are read: maker and type on the groceries."""

FEWEST_VALUES = 10
"""Values from which an attribute tells items of a category apart."""


@dataclass(frozen=True, kw_only=True)
class Purchases:
    """Who bought what and when.

    Attributes:
        kinds: Of the events.
        items: Ids of the items by number.
        person: (purchases,) person numbers, as in the choices.
        item: (purchases,) item numbers.
        time: (purchases,) when, in the log's clock.
        persons: Number of persons, those without a purchase included.
        category: (items,) category numbers.
        attributes: By relation, (items,) value numbers; -1 for none.
    """

    kinds: tuple[str, ...]
    items: tuple[str, ...]
    person: Ints
    item: Ints
    time: Ints
    persons: int
    category: Ints
    attributes: Mapping[str, Ints]

    def take(self, which: Truths) -> Purchases:
        """The purchases of a mask; persons and items keep their numbers."""
        return replace(self, person=self.person[which], item=self.item[which], time=self.time[which])

    def of_enough_people(self, fewest: int) -> Purchases:
        """Without the purchases of items that fewer different people bought."""
        return self if fewest <= 1 else self.take(self.people[self.item] >= fewest)

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """(pairs,) persons and items of the distinct pairs."""
        return np.divmod(np.unique(self.person * len(self.items) + self.item), max(len(self.items), 1))

    @property
    def people(self) -> Ints:
        """(items,) how many different people bought each."""
        return np.bincount(self.pairs[1], minlength=len(self.items))


def read_purchases(graph: KnowledgeGraph, ontology: Ontology, users: Sequence[str]) -> Purchases:
    """The purchases of a graph, or what its log has in their place.

    Args:
        graph: Items and events.
        ontology: Says which attributes there are.
        users: User ids by number.
    """
    logged = graph.edge("INTERACTED")
    present = set(logged["kind"].unique())
    kinds = next((kinds for kinds in KINDS if present.intersection(kinds)), KINDS[0])
    item_category = graph.edge("IN_CATEGORY").select("source", "target").sort("source", "target")
    item_category = item_category.unique("source", keep="first", maintain_order=True)
    items = tuple(item_category["source"])
    events = logged.filter(pl.col("kind").is_in(kinds))
    if kinds != ("rating",):
        # A quantity of nothing, or one that came back, is no purchase.
        events = events.filter(pl.col("value").is_null() | (pl.col("value") > 0))
    bought = (
        events.select("source", "target", "time")
        .join(pl.DataFrame({"source": users, "person": np.arange(len(users))}, strict=False), on="source")
        .join(pl.DataFrame({"target": items, "item": np.arange(len(items))}, strict=False), on="target")
    )
    _, category = np.unique(item_category["target"].to_numpy().astype(str), return_inverse=True)
    return Purchases(
        kinds=kinds,
        items=items,
        person=bought["person"].to_numpy().astype(np.int64),
        item=bought["item"].to_numpy().astype(np.int64),
        time=bought["time"].fill_null(0).to_numpy().astype(np.int64),
        persons=len(users),
        category=category.astype(np.int64),
        attributes=_relations(graph, ontology, items),
    )


def _relations(graph: KnowledgeGraph, ontology: Ontology, items: Sequence[str]) -> dict[str, Ints]:
    """The attributes with the most values, by which items of a category are told apart and still go together."""
    # What changes with time is no property of the item.
    changing = {split_value_id(node)[0] for node in graph.edge("OFFERED")["target"].unique()}
    relations = [
        group
        for group in groupings(graph, ontology, items)
        if group.name not in (CATEGORY, AISLE, *changing) and len(group.labels) >= FEWEST_VALUES
    ]
    relations = sorted(relations, key=lambda group: -len(group.labels))[:MOST_RELATIONS]
    return {group.name: _labels(group) for group in sorted(relations, key=lambda group: group.name)}


def _labels(group: Grouping) -> Ints:
    return np.where(group.label < len(group.labels), group.label, -1)


def drawn_persons(purchases: Purchases, most: int, seed: int) -> Ints | None:
    """Persons drawn at random with about so many pairs of a person and an item; None where all have no more."""
    person, _ = purchases.pairs
    pairs: Floats = np.bincount(person, minlength=purchases.persons).astype(float)
    if len(person) <= most:
        return None
    order = np.random.default_rng(seed).permutation(np.flatnonzero(pairs))
    return np.sort(order[np.cumsum(pairs[order]) <= most])
