"""Rankings as edges, so that a reader of the graph looks them up."""

from __future__ import annotations

import json

import polars as pl

from kgrank.graph.tables import empty_edges
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.score import rank


def ranked_edges(shop: Shop, first: int) -> pl.DataFrame:
    """The RANKED edges of a shop's weights: the first items of each category that has weights."""
    rows = [
        {
            "source": category,
            "target": item.item,
            "version": shop.weights.version,
            "position": position,
            "score": item.score,
            "contributions": json.dumps({c.name: c.logits for c in item.contributions}),
        }
        for category in shop.weights.categories
        for position, item in enumerate(rank(shop, category, limit=first))
    ]
    return pl.DataFrame(rows, schema=empty_edges("RANKED").schema)
