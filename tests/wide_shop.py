"""A wide, sparse shop made at random: many categories, items and people, and few events of each."""

from __future__ import annotations

import numpy as np
import polars as pl

from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.tables import KnowledgeGraph, empty_edges, empty_nodes
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology

DAY = 86_400
VALUES = 40
SHOWN = 5


def wide_shop(
    size: int, *, categories: int = 20, events: int = 3, impressions: bool, seed: int = 0
) -> tuple[KnowledgeGraph, Ontology]:
    """A shop of ``size`` items and as many people.

    Args:
        size: Number of items, and of people.
        categories: Below one root, each with a brand of 40 and a price.
        events: Purchases of each person, each in a category of its own.
        impressions: Whether each is from a list of 5 items of one category.
        seed: Of all that is drawn.
    """
    random = np.random.default_rng(seed)
    leaves = [f"c{k}" for k in range(categories)]
    uses = {"brand": Need.ALLOWED, "price": Need.ALLOWED}
    tree = {"shop": Category("shop", uses=uses)} | {c: Category(c, parent="shop") for c in leaves}
    attributes = {
        "brand": Attribute("brand", open=True),
        "price": Attribute("price", type=AttributeType.NUMBER),
    }
    category = np.arange(size) % categories
    items = np.array([f"i{k}" for k in range(size)])
    brand = [f"brand=b{k}" for k in random.integers(0, VALUES, size)]
    nodes = pl.DataFrame({"id": items, "title": [f"{b} number {k}" for k, b in enumerate(brand)]})
    has_value = pl.concat(
        [
            pl.DataFrame({"source": items, "target": brand, "number": np.zeros(size)}),
            pl.DataFrame({"source": items, "target": ["price=number"] * size, "number": random.random(size)}),
        ]
    )
    graph = KnowledgeGraph(
        {
            "Item": _filled(nodes, empty_nodes("Item")),
            "Log": _filled(pl.DataFrame({"id": ["log"], "clock": ["utc"]}), empty_nodes("Log")),
        },
        {
            "IN_CATEGORY": pl.DataFrame({"source": items, "target": [leaves[k] for k in category]}),
            "HAS_VALUE": _filled(has_value, empty_edges("HAS_VALUE")),
            "INTERACTED": _events(items, categories, events, random, impressions=impressions),
        },
    )
    assert set(graph.nodes) <= set(NODES)
    assert set(graph.edges) <= set(EDGES)
    return graph, Ontology("1", tree, attributes)


def _events(
    items: np.ndarray, categories: int, events: int, random: np.random.Generator, *, impressions: bool
) -> pl.DataFrame:
    """Purchases, with the lists that they are from where impressions are logged."""
    size = len(items)
    person = np.repeat(np.arange(size), events)
    leaf = random.integers(0, categories, len(person))
    # Items of a category are every so many; those of a list differ.
    first = random.integers(0, size // categories, len(person))
    shown = (first[:, None] + np.arange(SHOWN)) % (size // categories) * categories + leaf[:, None]
    time = 1_700_000_000 + random.integers(0, 200 * DAY, len(person))
    number = np.arange(len(person))
    bought = pl.DataFrame(
        {
            "source": [f"u{p}" for p in person],
            "target": items[shown[:, 0]],
            "id": [f"p{n}" for n in number],
            "kind": "purchase",
            "time": time + 1,
            "list": [f"l{n}" for n in number] if impressions else None,
        },
        schema_overrides={"list": pl.String()},
    )
    if not impressions:
        return _filled(bought, empty_edges("INTERACTED"))
    seen = pl.DataFrame(
        {
            "source": [f"u{p}" for p in np.repeat(person, SHOWN)],
            "target": items[shown.ravel()],
            "id": [f"s{n}" for n in range(shown.size)],
            "kind": "impression",
            "time": np.repeat(time, SHOWN),
            "list": [f"l{n}" for n in np.repeat(number, SHOWN)],
        }
    )
    return _filled(pl.concat([seen, bought]), empty_edges("INTERACTED"))


def _filled(table: pl.DataFrame, schema: pl.DataFrame) -> pl.DataFrame:
    """The table in the columns of the schema."""
    return pl.concat([schema, table.cast({n: schema.schema[n] for n in table.columns})], how="diagonal")
