"""One shopper's own weights in a shop, from their events in its store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from kgrank.arrays import Floats
from kgrank.choice.data.responses import ResponseLog, read_log
from kgrank.choice.importance import importance as shares_of
from kgrank.choice.tastes.person import (
    PersonTastes,
    people_tastes,
    person_tastes,
    personal_shares,
    segment_tastes,
    served_part_worths,
)
from kgrank.choice.tastes.shared_columns import column_map
from kgrank.errors import InputError, did_you_mean
from kgrank.graph.schema import EDGES
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.cells.normalise import same
from kgrank.ranking.catalogue.shop import Shop
from kgrank.resources import cypher

AT_ONCE = 500
"""People whose events are read at once: looked up rather than searched for, and a part of a large log."""

INTERVAL_DRAWS = 2000

_ENDS = {"source": pl.String(), "target": pl.String()}
_EVENT = {**_ENDS, **EDGES["INTERACTED"].columns}
_SEARCH = {**_ENDS, **EDGES["SEARCHED"].columns}


def read_person(store: GraphStore, shop: Shop, user: str) -> PersonTastes:
    """A user's own tastes from the events that the store holds now.

    A user without choices has those of their segment, or none.

    Raises:
        InputError: An unknown user.
    """
    events, searches = read_events(store, user)
    segment = read_segment(store, user)
    if events.is_empty() and searches.is_empty() and segment is None:
        users = store.nodes("User")["id"]
        if user not in users:
            raise InputError(f"there is no user {user!r}", todo=did_you_mean(user, users))
    return tastes_of(shop, events, searches, segment)


def read_segment(store: GraphStore, user: str) -> str | None:
    """The id of a user's segment; None where they are in none, or nobody knows them."""
    return next((row["id"] for row in store.query(cypher("rank/user_segment"), {"user": user})), None)


def read_events(store: GraphStore, user: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A user's events and searches, tables like INTERACTED and SEARCHED; none of a user whom nobody knows."""
    rows = store.query(cypher("rank/user_choices"), {"user": user})
    searched = store.query(cypher("rank/user_searches"), {"user": user})
    events = [{"source": user, "target": r["item"], **r} for r in rows]
    searches = [{"source": user, "target": r["category"], **r} for r in searched]
    return pl.DataFrame(events, schema=_EVENT), pl.DataFrame(searches, schema=_SEARCH)


def tastes_of(
    shop: Shop, events: pl.DataFrame, searches: pl.DataFrame | None = None, segment: str | None = None
) -> PersonTastes:
    """One person's tastes from their events, a table like INTERACTED, and searches, one like SEARCHED.

    They start at the mean of the person's segment, where it has one. What they bought counts in their liking of
    items also where it has left the shop.

    Raises:
        InputError: An event on an item that neither the shop nor its graph of purchases has.
    """
    liking = None
    if shop.liking is not None:
        liking = shop.liking.buyer_of(purchase_counts(events, shop.liking.weights.kinds))
    log = _log_of(shop, events, searches)
    tastes = person_tastes(log, shop.weights, shop.ontology, shop.design, segment=segment)
    return replace(tastes, liking=liking)


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


def purchase_counts(events: pl.DataFrame, kinds: Collection[str]) -> dict[str, int]:
    """How often each item was bought, by id, in a table like INTERACTED: events of some kinds.

    As in training a purchase counts once, whatever its quantity; one of nothing, or that came back, does not. A
    rating counts whatever it is.
    """
    took = pl.col("value").is_null() | (pl.col("value") > 0) | (pl.col("kind") == "rating")
    counted = events.filter(pl.col("kind").is_in(kinds), took)
    return dict(counted.group_by("target").len().sort("target").iter_rows())


def _log_of(shop: Shop, events: pl.DataFrame, searches: pl.DataFrame | None) -> ResponseLog:
    """The responses of some people; without those on items that have left the shop but are in its purchases."""
    if shop.liking is not None:
        number, index = shop.liking.number, shop.items.index
        left = [i for i in events["target"].unique() if i not in index and i in number]
        events = events.filter(~pl.col("target").is_in(left)) if left else events
    rows = np.array([shop.item(i) for i in events["target"].unique().sort()], dtype=np.int64)
    tables = {"INTERACTED": events} | ({} if searches is None else {"SEARCHED": searches})
    graph = KnowledgeGraph({}, {**shop.items.graph(rows).edges, **tables})
    return read_log(graph, shop.ontology, entry=shop.weights.reliability.entry)


def named_segment(shop: Shop, segment: str) -> str:
    """The id of a segment whose mean tastes are known, by its id or a name.

    Raises:
        InputError: There is no such segment, or nothing is known of its tastes.
    """
    known = shop.ontology.segments
    ids = {same(name): s.id for s in known.values() for name in (*s.names.values(), s.id)}
    if same(segment) not in ids:
        raise InputError(
            f"there is no segment {segment!r}",
            expected=f"one of {', '.join(known)}" if known else "a shop with segments of people",
            todo=did_you_mean(segment, known) if known else "Name them in the ontology as kg:Segment.",
        )
    learned = shop.weights.population.segments
    if ids[same(segment)] not in learned:
        raise InputError(
            f"nothing is known of the tastes of the segment {ids[same(segment)]!r}",
            expected=f"one of {', '.join(learned)}"
            if learned
            else "people whose choices show how they differ",
            todo="Load who is in it (people.csv: person, segment), and train.",
        )
    return ids[same(segment)]


def segment_tastes_in(shop: Shop, segment: str) -> PersonTastes:
    """The mean tastes of a segment, by its id or a name; errors as in ``named_segment``."""
    return segment_tastes(shop.weights.population, named_segment(shop, segment))


def segment_shares(shop: Shop, category: str, segment: str) -> dict[str, tuple[float, float, float]]:
    """The share of each attribute for the mean tastes of a segment, and its 95 % interval.

    The errors of the category's weights and of the segment's departure from them count as independent.
    """
    population, learned = shop.weights.population, shop.weights_of(category)
    layout, tastes = shop.design(category).layout, population.segments[segment]
    to_layout = column_map(layout, (), population.columns, population.scales)
    served = served_part_worths(layout, learned)
    share = shares_of(layout, served + to_layout @ np.array(tastes.mean))
    normal = np.random.default_rng(0).standard_normal((INTERVAL_DRAWS, len(tastes.mean)))
    root = np.linalg.cholesky(np.array(tastes.covariance) + 1e-12 * np.eye(len(tastes.mean)))
    drawn = shares_of(layout, served + (np.array(tastes.mean) + normal @ root.T) @ to_layout.T)
    below, above = share - np.quantile(drawn, 0.025, axis=0), np.quantile(drawn, 0.975, axis=0) - share
    average = {a.attribute: (a.share - a.lower, a.upper - a.share) for a in learned.attributes}
    return {
        name: (
            float(share[k]),
            float(max(share[k] - np.hypot(max(below[k], 0.0), average[name][0]), 0.0)),
            float(min(share[k] + np.hypot(max(above[k], 0.0), average[name][1]), 1.0)),
        )
        for k, name in enumerate(layout.block)
    }


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
