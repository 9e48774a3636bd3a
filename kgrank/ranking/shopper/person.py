"""One shopper's own weights in a shop, from their events in its store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from kgrank.arrays import Floats
from kgrank.choice.data.responses import ResponseLog, read_log
from kgrank.choice.tastes.person import PersonTastes, people_tastes, person_tastes, personal_shares
from kgrank.errors import InputError, did_you_mean
from kgrank.graph.schema import EDGES
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ranking.catalogue.shop import Shop
from kgrank.resources import cypher

AT_ONCE = 500
"""People whose events are read at once: looked up rather than searched for, and a part of a large log."""

_ENDS = {"source": pl.String(), "target": pl.String()}
_EVENT = {**_ENDS, **EDGES["INTERACTED"].columns}
_SEARCH = {**_ENDS, **EDGES["SEARCHED"].columns}


def read_person(store: GraphStore, shop: Shop, user: str) -> PersonTastes:
    """A user's own tastes from the events that the store holds now; a user without choices has none.

    Raises:
        InputError: An unknown user.
    """
    events, searches = read_events(store, user)
    if events.is_empty() and searches.is_empty():
        users = store.nodes("User")["id"]
        if user not in users:
            raise InputError(f"there is no user {user!r}", todo=did_you_mean(user, users))
    return tastes_of(shop, events, searches)


def read_events(store: GraphStore, user: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A user's events and searches, tables like INTERACTED and SEARCHED; none of a user whom nobody knows."""
    rows = store.query(cypher("rank/user_choices"), {"user": user})
    searched = store.query(cypher("rank/user_searches"), {"user": user})
    events = [{"source": user, "target": r["item"], **r} for r in rows]
    searches = [{"source": user, "target": r["category"], **r} for r in searched]
    return pl.DataFrame(events, schema=_EVENT), pl.DataFrame(searches, schema=_SEARCH)


def tastes_of(shop: Shop, events: pl.DataFrame, searches: pl.DataFrame | None = None) -> PersonTastes:
    """One person's tastes from their events, a table like INTERACTED, and searches, one like SEARCHED.

    Raises:
        InputError: An event on an item that the shop does not have.
    """
    log = _log_of(shop, events, searches)
    return person_tastes(log, shop.weights, shop.ontology, shop.design)


def everyones_tastes(store: GraphStore, shop: Shop) -> Iterator[tuple[int, Floats]]:
    """The tastes of all users with choices, some hundred at a time.

    Yields:
        How many users of the store are done, and (people, columns) the tastes of some, without their ids, in a
        category new to them, in the population's columns.
    """
    users = store.nodes("User")["id"]
    for first in range(0, len(users), AT_ONCE):
        some = users[first : first + AT_ONCE]
        log = _log_of(shop, store.edges("INTERACTED", some), store.edges("SEARCHED", some))
        chose = np.unique(pl.concat([log.heads["user"], log.searches["user"]]).to_numpy())
        tastes = people_tastes(log, shop.weights, shop.ontology, shop.design)
        yield first + len(some), tastes[chose]


def _log_of(shop: Shop, events: pl.DataFrame, searches: pl.DataFrame | None) -> ResponseLog:
    rows = np.array([shop.item(i) for i in events["target"].unique().sort()], dtype=np.int64)
    tables = {"INTERACTED": events} | ({} if searches is None else {"SEARCHED": searches})
    graph = KnowledgeGraph({}, {**shop.items.graph(rows).edges, **tables})
    return read_log(graph, shop.ontology, entry=shop.weights.reliability.entry)


def shares(shop: Shop, category: str, deviations: Mapping[str, float]) -> dict[str, float]:
    """One person's share of each attribute in a category."""
    return personal_shares(
        shop.weights_of(category), shop.design(category).layout, deviations, shop.weights.population
    )


def own_shares(shop: Shop, category: str, deviations: Floats | None) -> dict[str, float]:
    """Each attribute's share for a person with deviations (population columns,), or for the average shopper."""
    if deviations is None or not len(deviations):
        return {a.attribute: a.share for a in shop.weights_of(category).attributes}
    return shares(shop, category, dict(zip(shop.column, deviations.tolist(), strict=True)))
