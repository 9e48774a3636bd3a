"""Behaviour terms with learned curves, for one history: the same sum as in learning, without scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.curves import evaluate_curve
from kgrank.choice.behaviour.groupings import Grouping, groupings
from kgrank.choice.behaviour.neighbours import Neighbours
from kgrank.choice.behaviour.popularity import Recent
from kgrank.choice.behaviour.sequences import RECENT, EventSequences
from kgrank.choice.behaviour.terms import (
    AFTER,
    ALIKE,
    LINKED,
    NOW,
    POPULAR,
    TITLE_TERMS,
    Links,
    Statistics,
    TermValues,
    Values,
    family,
    flow,
    grouping_of,
    term_values,
)
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.errors import WeightsError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology
from kgrank.ranking.catalogue.items import Items, indices
from kgrank.weights.artefact import LINK_COLUMNS
from kgrank.weights.model import BehaviourTerm, Flow, LearnedWeights, Privacy

ATTRIBUTES = "attributes"
"""The weight of the attribute score beside the terms, in ``CategoryWeights.terms``."""


@dataclass(frozen=True)
class LinkSource:
    """The item of a history behind a term over links, by row number, and how many people it rests on.

    Without an item where it rests on fewer people than are named.
    """

    item: int | None
    people: int


@dataclass(frozen=True)
class Behaviour:
    """The curved terms of one version of the weights over the items of a shop."""

    terms: tuple[BehaviourTerm, ...]
    statistics: Statistics
    links: Links
    neighbours: Neighbours | None
    privacy: Privacy

    @staticmethod
    def of(
        weights: LearnedWeights,
        transitions: pl.DataFrame | None,
        graph: KnowledgeGraph,
        ontology: Ontology,
        items: Items,
    ) -> Behaviour | None:
        """The terms that have a curve; None where there is none.

        Raises:
            WeightsError: Their transitions, with the counts, or the events behind a term, are not given.
        """
        terms = weights.terms
        curved = tuple(t for t in terms if t.curve is not None)
        if not curved:
            return None
        if transitions is None or (len(transitions) and not set(LINK_COLUMNS) <= set(transitions.columns)):
            raise WeightsError(
                "the behaviour terms lack the transitions between items",
                expected=f"a table with {', '.join(LINK_COLUMNS)}",
                todo="Give the transitions that are stored beside the weights, or train again",
            )
        by_name = {t.name: t for t in terms}
        names = {name for t in curved for name in (t.of or (t.name,))}
        groups = groupings(graph, ontology, items.ids, {g for n in names if (g := grouping_of(n))})
        statistics = Statistics(
            _counts(by_name, POPULAR, items),
            groups,
            {g.name: _flow_matrix(g, by_name[flow(g.name)].flows) for g in groups if flow(g.name) in by_name},
            _recent(by_name, items) if NOW in names else None,
            TitleVectors.of(items.titles) if names & set(TITLE_TERMS) else None,
        )
        neighbours = _neighbours(graph, items) if ALIKE in names else None
        return Behaviour(
            terms=curved,
            statistics=statistics,
            links=_links(transitions, items),
            neighbours=neighbours,
            privacy=weights.privacy,
        )

    @cached_property
    def wanted(self) -> frozenset[str]:
        """The terms whose values are needed."""
        return frozenset(name for t in self.terms for name in (t.of or (t.name,)))

    @cached_property
    def matrices(self) -> Mapping[str, Floats]:
        """(links,) the matrices of ``LINKED``."""
        return self.links.scaled(self.statistics.count)

    def term_values(self, history: Sequence[int]) -> dict[str, Values]:
        """The values of all terms after a history of row numbers, oldest first."""
        recent = self.recent(history)
        sequence = EventSequences(recent, np.array([0, len(recent)]), len(self.statistics.count))
        return term_values(self, sequence, self.wanted)

    def recent(self, history: Sequence[int]) -> Ints:
        """Each item of the history at its last time, the last ``RECENT`` of them."""
        last = {item: index for index, item in enumerate(history)}
        return np.array(sorted(last, key=last.__getitem__)[-RECENT:], dtype=np.int64)

    def contributions(
        self, history: Sequence[int], rows: Ints, weights: Mapping[str, float]
    ) -> dict[str, Floats]:
        """What each term adds to each member (members,), by the weights of the families in a category."""
        values = self.term_values(history)
        histories = np.zeros(len(rows), dtype=np.int64)
        logits = {}
        for term in self.terms:
            if term.curve is not None:
                parts = [values[name].of(histories, rows) for name in term.of or (term.name,)]
                logits[term.name] = weights.get(family(term.name), 1.0) * evaluate_curve(term.curve, *parts)
        return logits

    @cached_property
    def people_behind(self) -> Mapping[str, Floats]:
        """(links,) the people on whom each term over links rests."""
        return {name: self.links.people_behind(name) for name in LINKED}

    def strongest_source(self, name: str, history: Sequence[int], target: int) -> LinkSource | None:
        """What adds most to a term over links, of the items of the history that rest on enough people.

        None where no item of the history is linked to the target.
        """
        matrix, decay, _ = LINKED[name]
        largest, source = 0.0, None
        recent = self.recent(history)
        for back, item in enumerate(reversed(recent.tolist())):
            row = slice(self.links.start[item], self.links.start[item + 1])
            to_target = self.links.target[row] == target
            amount = float(np.power(decay, back, dtype=float) * self.matrices[matrix][row][to_target].sum())
            if amount > largest:
                people = int(self.people_behind[name][row][to_target].sum())
                if people >= self.privacy.fewest_people:
                    largest, source = amount, LinkSource(item, people)
                elif source is None:
                    source = LinkSource(None, people)
        return source

    def first(self, histories: EventSequences, matrix: str, decay: float) -> TermValues:
        """(1, items) what the items of a history link to, by recency."""
        start = np.zeros(len(self.statistics.count))
        start[histories.item] = histories.recency(decay)
        return self._along(matrix, start[None])

    def walk(self, begun: Values) -> TermValues:
        """(1, items) one step along the links of ``goes-after`` from amounts (1, items)."""
        return self._along(AFTER, begun.dense())

    def _along(self, matrix: str, start: Floats) -> TermValues:
        reached = np.zeros(start.shape)
        for item in np.flatnonzero(start[0]).tolist():
            row = slice(self.links.start[item], self.links.start[item + 1])
            # A row names each target once, so that plain indexing adds.
            reached[0, self.links.target[row]] += start[0, item] * self.matrices[matrix][row]
        return TermValues(reached)

    def similar_people(self, histories: EventSequences) -> TermValues:
        """(1, items) what people took who share items with a history."""
        if self.neighbours is None:
            return TermValues(np.zeros((1, len(self.statistics.count))))
        person, weight = self.neighbours.similar_people(histories.item, self.statistics.rarity)
        values = self.neighbours.taken(person, weight)
        if not self.privacy.few_in_scores:
            holders = self.neighbours.taken(person, np.ones(len(person)))
            values[holders < self.privacy.fewest_people] = 0.0
        return TermValues(values[None])

    def similar_people_count(self, history: Sequence[int], target: int) -> int:
        """How many people share an item with the history and took the target."""
        if self.neighbours is None:
            return 0
        person, _ = self.neighbours.similar_people(self.recent(history), self.statistics.rarity)
        first = self.neighbours.first
        return int(np.isin(self.neighbours.person[first[target] : first[target + 1]], person).sum())


def _counts(terms: Mapping[str, BehaviourTerm], name: str, items: Items) -> Floats:
    counts = terms[name].counts if name in terms else {}
    return np.array([counts.get(item, 0.0) for item in items.ids])


def _recent(terms: Mapping[str, BehaviourTerm], items: Items) -> Recent:
    half_life = terms[NOW].settings["half_life"]
    return Recent.at_the_end(half_life, _counts(terms, NOW, items))


def _neighbours(graph: KnowledgeGraph, items: Items) -> Neighbours:
    """People and their items, each once, from the events.

    Raises:
        WeightsError: The graph was read without its events.
    """
    # Only this term needs the events.
    from kgrank.choice.behaviour.event_log import read_event_log

    if "INTERACTED" not in graph.edges:
        raise WeightsError(
            f"the term {ALIKE!r} lacks what people took",
            expected="a graph with its INTERACTED edges",
            todo="Read the events with the items",
        )
    log = read_event_log(graph)
    rows = indices(pl.Series(log.items, dtype=pl.String), items.ids, "item")
    people = replace(log.events, item=rows[log.events.item], item_count=len(items.ids)).once()
    return Neighbours.of(people.item, people.start, len(items.ids))


def _flow_matrix(group: Grouping, flows: Sequence[Flow]) -> Floats:
    index = {label: k for k, label in enumerate(group.labels)}
    counts = np.zeros((len(group.labels), len(group.labels)))
    for step in flows:
        if step.source in index and step.target in index:
            counts[index[step.source], index[step.target]] = step.count
    return counts


def _links(table: pl.DataFrame, items: Items) -> Links:
    source = indices(table["source"], items.ids, "item")
    target = indices(table["target"], items.ids, "item")
    order = np.lexsort((target, source))
    start = np.searchsorted(source[order], np.arange(len(items.ids) + 1))
    # An empty table need not have the counts.
    counts = (table[n].to_numpy()[order] if len(table) else np.empty(0) for n in LINK_COLUMNS)
    return Links(start.astype(np.int64), target[order], *counts)
