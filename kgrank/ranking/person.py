"""One shopper's own weights in a shop, from their events in its store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.choice.layout import Layout
from kgrank.choice.log import read_log
from kgrank.choice.request import PersonTastes, person_tastes, personal_shares
from kgrank.errors import InputError, nearest
from kgrank.graph.schema import EDGES, NUMBER, value_id
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ranking.items import Integers, Reals
from kgrank.ranking.scores import CategoryScores, Worth
from kgrank.ranking.shop import Shop
from kgrank.resources import cypher

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
            raise InputError(f"there is no user {user!r}", todo=nearest(user, users))
    return tastes_of(shop, events, searches)


def read_events(store: GraphStore, user: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A user's events and searches, tables like INTERACTED and SEARCHED; none of a user whom nobody knows."""
    rows = store.query(cypher("rank/user_choices"), {"user": user})
    asked = store.query(cypher("rank/user_searches"), {"user": user})
    events = [{"source": user, "target": r["item"], **r} for r in rows]
    searches = [{"source": user, "target": r["category"], **r} for r in asked]
    return pl.DataFrame(events, schema=_EVENT), pl.DataFrame(searches, schema=_SEARCH)


def tastes_of(shop: Shop, events: pl.DataFrame, searches: pl.DataFrame | None = None) -> PersonTastes:
    """One person's tastes from their events, a table like INTERACTED, and searches, one like SEARCHED.

    Raises:
        InputError: An event on an item that the shop does not have.
    """
    seen = np.array([shop.item(i) for i in events["target"].unique().sort()], dtype=np.int64)
    own = {"INTERACTED": events} | ({} if searches is None else {"SEARCHED": searches})
    graph = KnowledgeGraph({}, {**shop.items.graph(seen).edges, **own})
    log = read_log(graph, shop.ontology, entry=shop.weights.reliability.entry)
    return person_tastes(log, shop.weights, shop.ontology, shop.design)


def shares(shop: Shop, category: str, deviations: Mapping[str, float]) -> dict[str, float]:
    """One person's share of each attribute in a category."""
    return personal_shares(shop.weights_of(category), shop.design(category).layout, deviations)


def own_shares(shop: Shop, category: str, deviations: Reals | None) -> dict[str, float]:
    """Each attribute's share for a person with deviations (population columns,), or for the average shopper."""
    if deviations is None or not len(deviations):
        return {a.attribute: a.weight for a in shop.weights_of(category).attributes}
    return shares(shop, category, dict(zip(shop.column, deviations.tolist(), strict=True)))


@dataclass(frozen=True)
class Moves:
    """How a person's deviations act on the items of a category.

    Columns are those of the population.

    Attributes:
        profiles: What a deviation adds to each profile, measured from the average item (profiles, columns).
        units: The numbers in units of their columns, 0 where missing (items, numbers).
        number: Column of each number; one without a column has units of 0 (numbers,).
        values: What a deviation adds to each whole value, by AttributeValue id (columns,).
    """

    profiles: Reals
    units: Reals
    number: Integers
    values: Mapping[str, Reals]

    def worth(self, table: CategoryScores, deviations: Reals) -> Worth:
        """What values and numbers of the category are worth to a person with deviations (columns,)."""
        profile = table.worth.profile + self.profiles @ deviations
        return Worth(profile, table.profiles.tables(profile), deviations[self.number])

    def rows(self, table: CategoryScores, places: Integers) -> Reals:
        """(places, columns) of some items of the category."""
        own = table.profiles.own[places]
        has = np.zeros((len(places), len(self.profiles)))
        has[np.arange(len(places))[:, None], own] = 1.0
        found: Reals = has @ self.profiles
        for m, column in enumerate(self.number.tolist()):
            found[:, column] += self.units[places, m]
        return found


def moves(shop: Shop, category: str) -> Moves:
    """How deviations act in a category; ``Shop.moves`` keeps it."""
    table, layout = shop.scores(category), shop.design(category).layout
    served = {u.node for u in shop.weights_of(category).utilities}
    at = shop.column
    profiles = np.zeros((int(table.profiles.first[-1]), len(at)))
    effects = _effects(layout, at)
    for profile, node, share in zip(
        table.profiles.part_profile.tolist(),
        (shop.items.nodes[n] for n in table.profiles.part_node.tolist()),
        table.profiles.part_number.tolist(),
        strict=True,
    ):
        # A value without a served utility adds nothing for anyone; one among several counts by its share.
        if node in served and node in effects:
            profiles[profile] += effects[node] * (share or 1.0)
    number = np.zeros(len(table.numbers), dtype=np.int64)
    units = np.zeros(table.number.shape, order="F")
    for m, k in enumerate(table.numbers):
        node = value_id(table.attributes[k], NUMBER)
        if node in at and node in served:
            block = layout.block[table.attributes[k]]
            number[m] = at[node]
            units[:, m] = np.nan_to_num((table.number[:, m] - block.centre) / block.scale)
    return Moves(profiles, units, number, effects)


def _effects(layout: Layout, at: Mapping[str, int]) -> dict[str, Reals]:
    """What one deviation after another adds to a whole value, against the average item that has one (columns,)."""
    found = {}
    for block in layout.blocks:
        mean = np.zeros(len(at))
        for node, share in zip(block.nodes, block.mean.tolist(), strict=True):
            if node in at:
                mean[at[node]] = share
        for node in () if block.number else block.nodes:
            found[node] = -mean
            if node in at:
                found[node] = found[node].copy()
                found[node][at[node]] += 1.0
    return found
