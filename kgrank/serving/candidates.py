"""Candidates of a caller whose catalogue is another: one that the shop does not have does not cost the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kgrank.ranking.catalogue.phrases import phrase
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.answer import lowest_category
from kgrank.ranking.page.query import Query

NAMED = 10
"""Candidates that are named at most."""


def with_known_candidates(shop: Shop, query: Query) -> Query:
    """The query without the candidates that cannot be ranked; as it is where none would be left.

    Raises:
        InputError: An unknown category.
        WeightsError: The weights say nothing of the category.
    """
    if not query.candidates:
        return query
    index = shop.items.index
    known = tuple(item for item in query.candidates if item in index)
    rows = np.array([index[item] for item in known], dtype=np.int64)
    category = query.category
    if category is None and query.text is None and known:
        category = lowest_category(shop, np.unique(rows))
    if category is not None and known:
        inside = np.isin(rows, shop.scores(category).rows)
        known = tuple(item for item, ranked in zip(known, inside.tolist(), strict=True) if ranked)
    if not known or len(known) == len(query.candidates):
        return query
    return replace(query, category=category, candidates=known)


def dropped_note(candidates: Sequence[str] | None, query: Query) -> str | None:
    """A note that names the candidates that a query is without; None where it has all."""
    if candidates is None or query.candidates is None or len(candidates) == len(query.candidates):
        return None
    ranked = set(query.candidates)
    dropped = [item for item in candidates if item not in ranked]
    rest = [f"+ {len(dropped) - NAMED}"] if len(dropped) > NAMED else []
    return phrase("candidates-dropped", query.language, items=", ".join([*dropped[:NAMED], *rest]))
