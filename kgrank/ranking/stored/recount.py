"""Later events into the counts of the served weights: what goes after what, what is popular, what people took.

The curves stay as they were learned; what they are applied to follows the events that the store now has. The
counts are those that a training on all of them would make.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from kgrank.arrays import Ints
from kgrank.choice.behaviour.additive import with_counts
from kgrank.choice.behaviour.counts import LINKS_PER_ITEM, Counts, link_table
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.groupings import groupings
from kgrank.choice.behaviour.terms import NOW, grouping_of
from kgrank.graph.store import GraphStore, load_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology
from kgrank.ranking.catalogue.shop import stored_ontology
from kgrank.weights.liking import LikingWeights
from kgrank.weights.liking_file import served_liking
from kgrank.weights.model import LearnedWeights
from kgrank.weights.tables import check_fits, served_transitions, served_weights, weights_to_tables

READ = (("Log",), ("IN_CATEGORY", "HAS_VALUE", "INTERACTED"))
"""Nodes and edges that the counts are made of."""


def recount(store: GraphStore) -> bool:
    """Counts the behaviour terms of the served weights anew, and writes them in one transaction.

    Returns:
        Whether anything changed; False too where no weights with behaviour terms are served.
    """
    if store.nodes("Served").is_empty():
        return False
    weights, ontology = served_weights(store), stored_ontology(store)
    liking = served_liking(store, weights)
    if liking is None and not any(term.curve is not None for term in weights.terms):
        return False
    check_fits(weights, ontology)
    graph = load_graph(store, *READ)
    later, links = recounted(weights, graph, ontology)
    later_liking = None if liking is None else recounted_liking(liking, graph)
    keys = ["source", "target"]
    before = served_transitions(store, weights.version).sort(keys)
    same = later == weights and links.sort(keys).equals(before)
    if same and _people(liking) == _people(later_liking):
        return False
    posteriors = store.nodes("Weights", pl.Series([weights.version]))["posteriors"][0]
    nodes, edges = weights_to_tables(later, links, posteriors, later_liking)
    # A written ranking is of attributes alone, which events do not change.
    edges["RANKED"] = store.edges("RANKED").filter(pl.col("version") == weights.version)
    store.replace_version(weights.version, nodes, edges)
    return True


def recounted(
    weights: LearnedWeights, graph: KnowledgeGraph, ontology: Ontology
) -> tuple[LearnedWeights, pl.DataFrame]:
    """The weights with the counts of a graph's events, and the transitions beside them.

    Args:
        weights: Whose terms have curves.
        graph: Needs the tables of ``READ``.
        ontology: Of the weights.
    """
    log = read_event_log(graph)
    names = {name for term in weights.terms for name in (term.of or (term.name,))}
    groups = groupings(graph, ontology, log.items, {g for n in names if (g := grouping_of(n))})
    half_lives = [term.settings["half_life"] for term in weights.terms if term.name == NOW]
    fewest = weights.privacy.fewest_in_scores
    counts = Counts.of(log.events.once(), groups, half_lives=half_lives, fewest=fewest)
    terms = tuple(with_counts(term, counts.statistics, log.items) for term in weights.terms)
    return replace(weights, terms=terms), link_table(counts, log.items, LINKS_PER_ITEM)


def recounted_liking(liking: LikingWeights, graph: KnowledgeGraph) -> LikingWeights:
    """The liking of items with the people of a graph's events; its vectors stay as they were learned.

    Args:
        liking: Items that it does not know stay unknown until the next training.
        graph: Needs the edges INTERACTED.
    """
    number = pl.DataFrame({"target": liking.items, "item": np.arange(len(liking.items))})
    # As in training, a quantity of nothing, or one that came back, is no purchase.
    took = pl.col("value").is_null() | (pl.col("value") > 0) | (pl.col("kind") == "rating")
    bought = (
        graph.edge("INTERACTED")
        .filter(pl.col("kind").is_in(liking.kinds), took)
        .select("source", "target")
        .unique()
        .join(number, on="target")
    )
    person, item = bought["source"].rank("dense").to_numpy(), bought["item"].to_numpy()

    def people(group: Ints, groups: int) -> Ints:
        pairs = np.unique(np.stack([group[item], person])[:, group[item] >= 0], axis=1)
        return np.bincount(pairs[0].astype(np.int64), minlength=groups)

    groups = {r.name: people(r.group, len(r.people)) for r in liking.filter.relations}
    return liking.with_people(np.bincount(item, minlength=len(liking.items)), groups)


def _people(liking: LikingWeights | None) -> list[list[int]]:
    """Everything that is counted in a liking."""
    if liking is None:
        return []
    return [liking.filter.people.tolist(), *(r.people.tolist() for r in liking.filter.relations)]
