"""One shopper's own weights in a shop, from their events in its store."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from kgrank.choice.request import PersonTastes, person_tastes, personal_shares, personal_utilities
from kgrank.choice.sets import read_log
from kgrank.errors import InputError, nearest
from kgrank.graph.schema import EDGES
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ranking.shop import Shop
from kgrank.resources import cypher
from kgrank.weights.model import CategoryWeights

_EVENT = {"source": pl.String(), "target": pl.String(), **EDGES["INTERACTED"].columns}


def read_person(store: GraphStore, shop: Shop, user: str) -> PersonTastes:
    """A user's own tastes from the events that the store holds now; a user without choices has none.

    Raises:
        InputError: An unknown user.
    """
    rows = store.query(cypher("rank/user_choices"), {"user": user})
    if not rows:
        users = store.nodes("User")["id"]
        if user not in users:
            raise InputError(f"there is no user {user!r}", todo=nearest(user, users))
    events = [{"source": user, "target": r["item"], **r} for r in rows]
    return tastes_of(shop, pl.DataFrame(events, schema=_EVENT))


def tastes_of(shop: Shop, events: pl.DataFrame) -> PersonTastes:
    """One person's tastes from their events, a table like INTERACTED.

    Raises:
        InputError: An event on an item that the shop does not have.
    """
    seen = np.array([shop.item(i) for i in events["target"].unique().sort()], dtype=np.int64)
    graph = KnowledgeGraph({}, {**shop.items.graph(seen).edges, "INTERACTED": events})
    return person_tastes(read_log(graph, shop.ontology), shop.weights, shop.ontology, shop.design)


def personal_weights(shop: Shop, category: str, deviations: Mapping[str, float]) -> CategoryWeights:
    """A category's weights with one person's utilities."""
    return personal_utilities(shop.weights_of(category), shop.design(category).layout, deviations)


def shares(shop: Shop, category: str, deviations: Mapping[str, float]) -> dict[str, float]:
    """One person's share of each attribute in a category."""
    return personal_shares(shop.weights_of(category), shop.design(category).layout, deviations)
