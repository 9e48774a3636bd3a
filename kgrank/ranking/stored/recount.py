"""Later events into the counts of the served weights: what goes after what, what is popular, what people took.

The curves stay as they were learned; what they are applied to follows the events that the store now has. The
counts are those that a training on all of them would make.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from kgrank.choice.behaviour.additive import with_counts
from kgrank.choice.behaviour.counts import LINKS_PER_ITEM, Counts, link_table
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.groupings import groupings
from kgrank.choice.behaviour.terms import NOW, grouping_of
from kgrank.graph.store import GraphStore, load_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology
from kgrank.ranking.catalogue.shop import stored_ontology
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
    if not any(term.curve is not None for term in weights.terms):
        return False
    check_fits(weights, ontology)
    later, links = recounted(weights, load_graph(store, *READ), ontology)
    keys = ["source", "target"]
    before = served_transitions(store, weights.version).sort(keys)
    if later == weights and links.sort(keys).equals(before):
        return False
    posteriors = store.nodes("Weights", pl.Series([weights.version]))["posteriors"][0]
    nodes, edges = weights_to_tables(later, links, posteriors)
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
