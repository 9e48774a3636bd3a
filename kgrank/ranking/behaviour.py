"""Behaviour terms with learned curves, for one history: the same sum as in learning, without scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.choice.amounts import (
    LINKED,
    POPULAR,
    RECENT,
    STEPS,
    Amount,
    Grouping,
    Histories,
    Links,
    Statistics,
    amounts,
    flow,
    in_history,
    popular,
    same,
)
from kgrank.choice.curves import apply
from kgrank.choice.groupings import groupings
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology
from kgrank.ranking.items import Integers, Items, Reals, positions
from kgrank.ranking.words import grouping_name, phrase
from kgrank.weights.artefact import LINK_COLUMNS
from kgrank.weights.model import BehaviourTerm, Flow


@dataclass(frozen=True)
class Behaviour:
    """The curved terms of one version of the weights over the items of a shop."""

    terms: tuple[BehaviourTerm, ...]
    statistics: Statistics
    links: Links
    matrices: Mapping[str, Reals]

    @staticmethod
    def of(
        terms: Sequence[BehaviourTerm],
        transitions: pl.DataFrame | None,
        graph: KnowledgeGraph,
        ontology: Ontology,
        items: Items,
    ) -> Behaviour | None:
        """The terms that have a curve; None where there is none, or no transition with its counts."""
        curved = tuple(t for t in terms if t.curve is not None)
        if not curved or transitions is None or not set(LINK_COLUMNS) <= set(transitions.columns):
            return None
        known = {t.name: t for t in curved}
        names = [t.name.removeprefix("same-") for t in curved if t.name.startswith("same-") and not t.of]
        groups = groupings(graph, ontology, items.ids, names)
        counts = known[POPULAR].counts if POPULAR in known else {}
        statistics = Statistics(
            np.array([counts.get(item, 0.0) for item in items.ids]),
            groups,
            {g.name: _moves(g, known[flow(g.name)].flows) for g in groups},
        )
        links = _links(transitions, items)
        return Behaviour(curved, statistics, links, links.scaled(statistics.count))

    def amounts(self, history: Sequence[int]) -> dict[str, Amount]:
        """The amounts of all terms after a history of row numbers, oldest first."""
        kept = self.recent(history)
        return amounts(self.statistics, Histories(kept, np.array([0, len(kept)])), self._first, self._walk)

    def recent(self, history: Sequence[int]) -> Integers:
        """Each item of the history at its last time, the last ``RECENT`` of them."""
        last = {item: place for place, item in enumerate(history)}
        return np.array(sorted(last, key=last.__getitem__)[-RECENT:], dtype=np.int64)

    def contributions(self, history: Sequence[int], members: Integers) -> dict[str, Reals]:
        """What each term adds to each member (members,)."""
        found = self.amounts(history)
        none = np.zeros(len(members), dtype=np.int64)
        added = {}
        for term in self.terms:
            if term.curve is not None:
                parts = [found[name].of(none, members) for name in term.of or (term.name,)]
                added[term.name] = apply(term.curve, *parts)
        return added

    def speaks_loudest(self, name: str, history: Sequence[int], target: int) -> int | None:
        """The item of the history that adds most to a term over links; None where none does."""
        matrix, decay, _ = LINKED[name]
        best, found = 0.0, None
        kept = self.recent(history)
        for back, item in enumerate(reversed(kept.tolist())):
            row = slice(self.links.start[item], self.links.start[item + 1])
            here = self.links.target[row] == target
            amount = float(np.power(decay, back, dtype=float) * self.matrices[matrix][row][here].sum())
            if amount > best:
                best, found = amount, item
        return found

    def _first(self, who: Histories, matrix: str, decay: float) -> Reals:
        begun = np.zeros(len(self.statistics.count))
        begun[who.item] = who.recency(decay)
        return self._walk(matrix, begun[None])

    def _walk(self, matrix: str, begun: Reals) -> Reals:
        """(1, items) one step along the links from amounts (1, items)."""
        found = np.zeros(begun.shape)
        for item in np.flatnonzero(begun[0]).tolist():
            row = slice(self.links.start[item], self.links.start[item + 1])
            # A row names each target once, so that plain indexing adds.
            found[0, self.links.target[row]] += begun[0, item] * self.matrices[matrix][row]
        return found


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
    counts = (table[name].to_numpy()[order] for name in LINK_COLUMNS)
    return Links(start.astype(np.int64), target[order], *counts)


def reason(
    behaviour: Behaviour, term: str, history: Sequence[int], item: int, items: Items, language: str
) -> tuple[str | None, str]:
    """The item of the history behind a term, if there is one, and the term in words."""
    if term in LINKED:
        source = behaviour.speaks_loudest(term, history, item)
        if source is None:
            return None, phrase("goes-after-none", language)
        return items.ids[source], phrase(f"term-{term}", language, title=_title(items, source))
    for pair in (t for t in behaviour.terms if t.name == term and t.of):
        first, second = (reason(behaviour, name, history, item, items, language) for name in pair.of)
        return first[0], phrase("term-pair", language, first=first[1], second=second[1])
    if term in STEPS or term in (POPULAR, "history-length"):
        return None, phrase(f"term-{term}", language)
    last = int(history[-1])
    for group in behaviour.statistics.groupings:
        if term in (same(group.name), in_history(group.name), flow(group.name), popular(group.name)):
            kind = term.replace(group.name, "group")
            name = grouping_name(group.name, language)
            alike = group.label[last] == group.label[item] < len(group.labels)
            if term == same(group.name) and not alike:
                kind = "other-group"
            return None, phrase(f"term-{kind}", language, name=name, title=_title(items, last))
    return None, term


def _title(items: Items, item: int) -> str:
    return items.titles[item] or items.ids[item]
