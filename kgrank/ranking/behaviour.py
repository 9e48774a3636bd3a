"""Behaviour terms with learned curves, for one history: the same sum as in learning, without scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from kgrank.choice.amounts import (
    ALIKE,
    LENGTH,
    LINKED,
    NOW,
    POPULAR,
    RECENT,
    STEPS,
    WORDED,
    Amount,
    Links,
    Statistics,
    amounts,
    family,
    flow,
    grouping_of,
    in_history,
    popular,
    same,
)
from kgrank.choice.curves import apply
from kgrank.choice.groupings import groupings
from kgrank.choice.histories import Grouping, Histories, Neighbours, Recent
from kgrank.choice.likeness import Words
from kgrank.errors import WeightsError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology
from kgrank.ranking.items import Integers, Items, Reals, positions
from kgrank.ranking.words import grouping_name, phrase
from kgrank.weights.artefact import LINK_COLUMNS
from kgrank.weights.model import BehaviourTerm, Flow

ATTRIBUTES = "attributes"
"""The weight of the attribute score beside the terms, in ``CategoryWeights.terms``."""


@dataclass(frozen=True)
class Behaviour:
    """The curved terms of one version of the weights over the items of a shop."""

    terms: tuple[BehaviourTerm, ...]
    statistics: Statistics
    links: Links
    neighbours: Neighbours | None

    @staticmethod
    def of(
        terms: Sequence[BehaviourTerm],
        transitions: pl.DataFrame | None,
        graph: KnowledgeGraph,
        ontology: Ontology,
        items: Items,
    ) -> Behaviour | None:
        """The terms that have a curve; None where there is none.

        Raises:
            WeightsError: Their transitions, with the counts, or the events behind a term, are not given.
        """
        curved = tuple(t for t in terms if t.curve is not None)
        if not curved:
            return None
        if transitions is None or (len(transitions) and not set(LINK_COLUMNS) <= set(transitions.columns)):
            raise WeightsError(
                "the behaviour terms lack the transitions between items",
                expected=f"a table with {', '.join(LINK_COLUMNS)}",
                todo="Give the transitions that stand beside the weights, or train again",
            )
        known = {t.name: t for t in terms}
        names = {name for t in curved for name in (t.of or (t.name,))}
        groups = groupings(graph, ontology, items.ids, {g for n in names if (g := grouping_of(n))})
        statistics = Statistics(
            _counts(known, POPULAR, items),
            groups,
            {g.name: _moves(g, known[flow(g.name)].flows) for g in groups if flow(g.name) in known},
            _recent(known, items) if NOW in names else None,
            Words.of(items.titles) if names & set(WORDED) else None,
        )
        neighbours = _neighbours(graph, items) if ALIKE in names else None
        return Behaviour(curved, statistics, _links(transitions, items), neighbours)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """The terms whose amounts are needed."""
        return frozenset(name for t in self.terms for name in (t.of or (t.name,)))

    @cached_property
    def matrices(self) -> Mapping[str, Reals]:
        """(links,) the matrices of ``LINKED``."""
        return self.links.scaled(self.statistics.count)

    def amounts(self, history: Sequence[int]) -> dict[str, Amount]:
        """The amounts of all terms after a history of row numbers, oldest first."""
        kept = self.recent(history)
        return amounts(self, Histories(kept, np.array([0, len(kept)])), self.wanted)

    def recent(self, history: Sequence[int]) -> Integers:
        """Each item of the history at its last time, the last ``RECENT`` of them."""
        last = {item: place for place, item in enumerate(history)}
        return np.array(sorted(last, key=last.__getitem__)[-RECENT:], dtype=np.int64)

    def contributions(
        self, history: Sequence[int], members: Integers, weights: Mapping[str, float]
    ) -> dict[str, Reals]:
        """What each term adds to each member (members,), by the weights of the families in a category."""
        found = self.amounts(history)
        none = np.zeros(len(members), dtype=np.int64)
        added = {}
        for term in self.terms:
            if term.curve is not None:
                parts = [found[name].of(none, members) for name in term.of or (term.name,)]
                added[term.name] = weights.get(family(term.name), 1.0) * apply(term.curve, *parts)
        return added

    def speaks_loudest(self, name: str, history: Sequence[int], target: int) -> tuple[int, int] | None:
        """The item of the history that adds most to a term over links, and how many went on from there."""
        matrix, decay, _ = LINKED[name]
        best, found = 0.0, None
        kept = self.recent(history)
        for back, item in enumerate(reversed(kept.tolist())):
            row = slice(self.links.start[item], self.links.start[item + 1])
            here = self.links.target[row] == target
            amount = float(np.power(decay, back, dtype=float) * self.matrices[matrix][row][here].sum())
            if amount > best:
                count = self.links.together if name == "together" else self.links.people
                best, found = amount, (item, int(count[row][here].sum()))
        return found

    def first(self, histories: Histories, matrix: str, decay: float) -> Reals:
        """(1, items) what the items of a history link to, by recency."""
        begun = np.zeros(len(self.statistics.count))
        begun[histories.item] = histories.recency(decay)
        return self.walk(matrix, begun[None])

    def walk(self, matrix: str, begun: Reals) -> Reals:
        """(1, items) one step along the links from amounts (1, items)."""
        found = np.zeros(begun.shape)
        for item in np.flatnonzero(begun[0]).tolist():
            row = slice(self.links.start[item], self.links.start[item + 1])
            # A row names each target once, so that plain indexing adds.
            found[0, self.links.target[row]] += begun[0, item] * self.matrices[matrix][row]
        return found

    def alike(self, histories: Histories) -> Reals:
        """(1, items) what people took who share items with a history."""
        if self.neighbours is None:
            return np.zeros((1, len(self.statistics.count)))
        person, weight = self.neighbours.alike(histories.item, self.statistics.rarity)
        return self.neighbours.taken(person, weight)[None]

    def alike_people(self, history: Sequence[int], target: int) -> int:
        """How many people share an item with the history and took the target."""
        if self.neighbours is None:
            return 0
        person, _ = self.neighbours.alike(self.recent(history), self.statistics.rarity)
        first = self.neighbours.first
        return int(np.isin(self.neighbours.person[first[target] : first[target + 1]], person).sum())


def _counts(known: Mapping[str, BehaviourTerm], name: str, items: Items) -> Reals:
    counts = known[name].counts if name in known else {}
    return np.array([counts.get(item, 0.0) for item in items.ids])


def _recent(known: Mapping[str, BehaviourTerm], items: Items) -> Recent:
    half_life = known[NOW].settings["half_life"]
    return Recent(half_life, np.zeros(1, dtype=np.int64), _counts(known, NOW, items)[None])


def _neighbours(graph: KnowledgeGraph, items: Items) -> Neighbours:
    """People and their items, each once, from the events.

    Raises:
        WeightsError: The graph was read without its events.
    """
    # Only this term needs events in order, and with them scipy.
    from kgrank.choice.counts import People
    from kgrank.choice.sequences import sequences

    if "INTERACTED" not in graph.edges:
        raise WeightsError(
            f"the term {ALIKE!r} lacks what people took",
            expected="a graph with its INTERACTED edges",
            todo="Read the events with the items",
        )
    log = sequences(graph)
    place = positions(pl.Series(log.items, dtype=pl.String), items.ids, "item")
    people = People.logged(replace(log, items=items.ids, item=place[log.item]))
    return Neighbours.of(people.item, people.start, len(items.ids))


def _moves(group: Grouping, flows: Sequence[Flow]) -> Reals:
    place = {label: k for k, label in enumerate(group.labels)}
    found = np.zeros((len(group.labels), len(group.labels)))
    for move in flows:
        if move.source in place and move.target in place:
            found[place[move.source], place[move.target]] = move.amount
    return found


def _links(table: pl.DataFrame, items: Items) -> Links:
    source = positions(table["source"], items.ids, "item")
    target = positions(table["target"], items.ids, "item")
    order = np.lexsort((target, source))
    start = np.searchsorted(source[order], np.arange(len(items.ids) + 1))
    # An empty table need not have the counts.
    counts = (table[n].to_numpy()[order] if len(table) else np.empty(0) for n in LINK_COLUMNS)
    return Links(start.astype(np.int64), target[order], *counts)


def reason(
    behaviour: Behaviour, term: str, history: Sequence[int], item: int, items: Items, language: str
) -> tuple[str | None, str]:
    """The item of the history behind a term, if there is one, and the term in words."""
    for pair in (t for t in behaviour.terms if t.name == term and t.of):
        first, second = (reason(behaviour, name, history, item, items, language) for name in pair.of)
        return first[0], phrase("term-pair", language, first=first[1], second=second[1])
    if term in LINKED:
        return _linked(behaviour, term, history, item, items, language)
    if term in WORDED:
        return _worded(behaviour, history, item, items, language)
    if term == ALIKE:
        people = behaviour.alike_people(history, item)
        kind = "people-like-you" if people else "no-people-like-you"
        return None, _by_people(phrase(f"term-{kind}", language), people, language)
    if term == NOW and behaviour.statistics.recent is not None:
        days = behaviour.statistics.recent.half_life / 86_400
        return None, phrase("term-popular-now", language, days=f"{days:g}")
    if term in STEPS or term in (POPULAR, LENGTH):
        return None, phrase(f"term-{term}", language)
    return None, _grouped(behaviour, term, int(history[-1]), item, items, language)


def _linked(
    behaviour: Behaviour, term: str, history: Sequence[int], item: int, items: Items, language: str
) -> tuple[str | None, str]:
    loudest = behaviour.speaks_loudest(term, history, item)
    if loudest is None:
        return None, phrase("goes-after-none", language)
    source, people = loudest
    words = phrase(f"term-{term}", language, title=_title(items, source))
    return items.ids[source], _by_people(words, people, language)


def _by_people(words: str, people: int, language: str) -> str:
    """The words, and how many people stand behind them."""
    if not people:
        return words
    return phrase("by-person" if people == 1 else "by-people", language, words=words, people=people)


def _worded(
    behaviour: Behaviour, history: Sequence[int], item: int, items: Items, language: str
) -> tuple[str | None, str]:
    words = behaviour.statistics.words
    kept = behaviour.recent(history)[::-1].tolist()
    shared = {source: words.shared(item, source) for source in kept} if words is not None else {}
    source = max(shared, key=lambda s: len(shared[s]), default=None)
    if source is None or not shared[source]:
        return None, phrase("term-no-words", language)
    named = phrase("and", language).join(f"“{word}”" for word in shared[source][:3])
    return items.ids[source], phrase("term-words", language, words=named, title=_title(items, source))


def _grouped(behaviour: Behaviour, term: str, last: int, item: int, items: Items, language: str) -> str:
    """The words of a term of a grouping, given the last item of the history."""
    group = next(g for g in behaviour.statistics.groupings if g.name == grouping_of(term))
    alike = group.label[last] == group.label[item] < len(group.labels)
    kinds = {
        same(group.name): "same-group" if alike else "other-group",
        in_history(group.name): "group-in-history",
        flow(group.name): "group-flow",
        popular(group.name): "popular-group",
    }
    name = grouping_name(group.name, language)
    return phrase(f"term-{kinds[term]}", language, name=name, title=_title(items, last))


def _title(items: Items, item: int) -> str:
    return items.titles[item] or items.ids[item]
