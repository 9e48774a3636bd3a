"""A shop with people's liking of its items, drawn from a seed; without any learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
from shops import Example

from kgrank.choice.tastes.person import PersonTastes
from kgrank.graph.schema import EDGES
from kgrank.ranking import Shop
from kgrank.ranking.shopper.person import tastes_of
from kgrank.weights.graph_filter import ITEM, GraphFilter, Relation
from kgrank.weights.liking import LikingWeights

GONE = "gone"
"""An item of the graph of purchases that has left the shop."""

WIDTH, NARROW, FEWEST = 5, 3, 3
UNKNOWN = "i1"
"""An item of the shop that the graph of purchases does not know."""

RARE = "i2"
"""An item that fewer people bought than anybody is told of."""


def liking_of(made: Example, seed: int = 0) -> LikingWeights:
    """Vectors at random: the item itself, its brand, brand and style together, and the decoder of its category."""
    rng = np.random.default_rng(seed)
    items = (*(i for i in sorted(made.graph.node("Item")["id"]) if i != UNKNOWN), GONE)
    branded = set(made.graph.edge("MADE_BY")["source"])
    brand = np.array([0 if item in branded else -1 for item in items])
    both = np.where(brand >= 0, rng.integers(0, 3, len(items)), -1)
    people = rng.integers(FEWEST, 40, len(items))
    people[items.index(RARE)] = FEWEST - 1
    itself = np.arange(len(items))

    def relation(name: str, group: np.ndarray, width: int, people: np.ndarray) -> Relation:
        return Relation(name, group, rng.normal(size=(len(people), width)), people)

    return LikingWeights(
        version=made.weights.version,
        items=items,
        filter=GraphFilter(
            people=people,
            strength=1 / np.sqrt(people),
            vectors=rng.normal(size=(len(items), WIDTH)),
            mean=0.1 * rng.normal(size=WIDTH),
            relations=(
                relation(ITEM, itself, WIDTH, people),
                relation("brand", brand, WIDTH, np.array([99])),
                relation("brand and style", both, WIDTH, np.array([50, 1, 20])),
                relation("category", itself, NARROW, people),
            ),
        ),
        popularity=0.3,
        few_buyers=-0.7,
        beside_history=0.4,
    )


def liked_shop(made: Example, liking: LikingWeights | None = None) -> Shop:
    """The shop with its people's liking of items."""
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions, liking or liking_of(made))


def person_who_bought(shop: Shop, bought: Mapping[str, int]) -> PersonTastes:
    """A person of whom the store holds some purchases."""
    rows = [
        {"source": "eve", "target": item, "id": f"{item}-{k}", "kind": "purchase", "time": 100 * n + k}
        for n, (item, times) in enumerate(bought.items())
        for k in range(times)
    ]
    columns = {"source": pl.String(), "target": pl.String(), **EDGES["INTERACTED"].columns}
    return tastes_of(shop, pl.DataFrame(rows, schema=columns))


def without_liking(tastes: PersonTastes) -> PersonTastes:
    """The same person where nothing is known of what they bought."""
    return replace(tastes, liking=None)
