"""A shop that is ready to rank: items, ontology and weights in memory, scores by category on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from kgrank.arrays import Floats
from kgrank.choice.behaviour.terms import ALIKE
from kgrank.errors import InputError, StoreError, WeightsError, did_you_mean
from kgrank.graph.store import GraphStore, load_graph
from kgrank.graph.tables import KnowledgeGraph, empty_edges
from kgrank.ontology.document import load
from kgrank.ontology.model import Ontology
from kgrank.ranking.catalogue.behaviour import Behaviour
from kgrank.ranking.catalogue.items import Items
from kgrank.ranking.catalogue.kept import Kept
from kgrank.ranking.catalogue.liking import Liking
from kgrank.ranking.catalogue.phrases import checked_language
from kgrank.ranking.catalogue.scores import CategoryScores, Worth
from kgrank.ranking.catalogue.text import TextIndex
from kgrank.ranking.catalogue.wording import ItemWording
from kgrank.weights.liking import LikingWeights
from kgrank.weights.liking_file import served_liking
from kgrank.weights.model import CategoryWeights, LearnedWeights
from kgrank.weights.tables import check_fits, served_transitions, served_weights

if TYPE_CHECKING:
    from kgrank.choice.data.design import Design
    from kgrank.ranking.catalogue.deviations import DeviationEffects

NEEDED_NODES = ("Item", "AttributeValue")
NEEDED_EDGES = ("IN_CATEGORY", "HAS_VALUE", "OFFERED", "SUBCATEGORY_OF")

ROOM = 32 << 20
"""Bytes of what values are worth to persons that are kept at most."""


@dataclass(frozen=True)
class Shop:
    """What a ranking needs; build it with ``open_shop`` or ``Shop.of``."""

    ontology: Ontology
    weights: LearnedWeights
    items: Items
    below: Mapping[str, tuple[str, ...]]
    """The categories right below each category, as the graph has them."""
    behaviour: Behaviour | None = None
    """The behaviour terms; None where the weights have none."""
    liking: Liking | None = None
    """How people like the items by what they bought; None where the weights have no graph of purchases."""
    offers: pl.DataFrame = field(default_factory=lambda: empty_edges("OFFERED"), repr=False, compare=False)
    """The table OFFERED: a choice counts with the values that its alternatives had then."""
    kept_worths: Kept[tuple[Floats, Worth]] = field(
        default_factory=lambda: Kept(ROOM), repr=False, compare=False
    )
    """Deviations in a category, and what its values are worth, of the persons who were ranked last."""
    _scores: dict[str, CategoryScores] = field(default_factory=dict, repr=False, compare=False)
    _designs: dict[str, Design] = field(default_factory=dict, repr=False, compare=False)
    _homes: dict[frozenset[str | None], str | None] = field(default_factory=dict, repr=False, compare=False)
    _wordings: dict[tuple[str, str], ItemWording] = field(default_factory=dict, repr=False, compare=False)
    _phrases: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict, repr=False, compare=False)
    _deviation_effects: dict[str, DeviationEffects] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of(
        graph: KnowledgeGraph,
        ontology: Ontology,
        weights: LearnedWeights,
        transitions: pl.DataFrame | None = None,
        liking: LikingWeights | None = None,
    ) -> Shop:
        """A shop from tables in memory.

        Args:
            graph: Needs the tables of NEEDED_NODES and NEEDED_EDGES, and its events for ``people-like-you``.
            ontology: Names, applicability and rules.
            weights: Of the same ontology.
            transitions: Item transitions with their counts, for the terms over links.
            liking: People's liking of items, of the same version of the weights.

        Raises:
            WeightsError: The weights belong to another ontology, or the liking to other weights.
        """
        check_fits(weights, ontology)
        if liking is not None and liking.version != weights.version:
            raise WeightsError(
                f"people's liking of items belongs to weights {liking.version}",
                expected=f"that of {weights.version}",
            )
        items = Items.of(graph)
        below = graph.edge("SUBCATEGORY_OF").group_by("target", maintain_order=True).agg("source")
        return Shop(
            ontology=ontology,
            weights=weights,
            items=items,
            below={parent: tuple(kids) for parent, kids in below.iter_rows()},
            behaviour=Behaviour.of(weights, transitions, graph, ontology, items),
            liking=None if liking is None else Liking.in_shop(liking, items),
            offers=graph.edge("OFFERED"),
        )

    @cached_property
    def text(self) -> TextIndex:
        """The words of the items; made at the first query."""
        return TextIndex.of(self.items, self.ontology)

    @cached_property
    def column(self) -> Mapping[str, int]:
        """Index of each column of the population."""
        return {name: k for k, name in enumerate(self.weights.population.columns)}

    @cached_property
    def population(self) -> tuple[Floats, Floats]:
        """Mean (columns,) and precision (columns, columns) of the shoppers' deviations in a category."""
        learned = self.weights.population
        width = len(learned.columns)
        mean = np.array(learned.mean) if learned.mean else np.zeros(width)
        covariance = np.array(learned.covariance).reshape(width, width)
        if learned.within:
            covariance = covariance + np.array(learned.within)
        return mean, np.linalg.inv(covariance)

    def wording(self, category: str, language: str) -> ItemWording:
        """What the items of a category have, in words; made once.

        Raises:
            InputError: An unknown category or language.
            WeightsError: A category without weights.
        """
        if (category, language) not in self._wordings:
            self._wordings[category, language] = ItemWording(
                self.ontology, self.items.nodes, self.scores(category), checked_language(language)
            )
        return self._wordings[category, language]

    def phrases(self, category: str) -> dict[str, tuple[str, str]]:
        """Attribute and value by the words that name them in a category; computed once."""
        from kgrank.choice.data.searches import values_by_phrase

        if category not in self._phrases:
            self._phrases[category] = values_by_phrase(self.ontology, category)
        return self._phrases[category]

    def common_category(self, rows: Sequence[int]) -> str | None:
        """The lowest category that has some items, by row number; None where there is none."""
        homes = self.items.first_category
        firsts = frozenset([homes[row] for row in rows])
        if firsts not in self._homes:
            named = [category for category in firsts if category is not None]
            # An item in no category has no category in common with others.
            common = self.ontology.lowest_common(named) if len(named) == len(firsts) else None
            self._homes[firsts] = common
        return self._homes[firsts]

    @property
    def required_behaviour(self) -> Behaviour:
        """The behaviour terms.

        Raises:
            WeightsError: The weights have none.
        """
        if self.behaviour is None:
            raise WeightsError(
                f"weights {self.weights.version} have no behaviour term: a history says nothing",
                todo="Rank without a history, or train on a log of events",
            )
        return self.behaviour

    def subtree(self, category: str) -> tuple[str, ...]:
        """The category and all below it, each once.

        Raises:
            InputError: An unknown category.
        """
        check_category(self.ontology, category)
        inside = {category: None}
        waiting = [category]
        while waiting:
            for child in self.below.get(waiting.pop(), ()):
                if child not in inside:
                    inside[child] = None
                    waiting.append(child)
        return tuple(inside)

    def weights_of(self, category: str) -> CategoryWeights:
        """What is learned of a category; errors as in ``category_weights``."""
        return category_weights(self.weights, self.ontology, category)

    def scores(self, category: str) -> CategoryScores:
        """The attribute scores of a category's subtree; computed once.

        Raises:
            InputError: An unknown category.
            WeightsError: A category without weights.
        """
        if category not in self._scores:
            inside = self.subtree(category)
            self._scores[category] = CategoryScores.of(self.items, self.weights_of(category), inside)
        return self._scores[category]

    def design(self, category: str) -> Design:
        """A category's columns, in which people differ; computed once.

        Raises:
            InputError: An unknown category.
        """
        if category not in self._designs:
            # Only a person's own tastes need scipy; a plain ranking starts without it.
            from kgrank.choice.data.design import category_design

            graph = self.items.graph(self.items.within(self.subtree(category)))
            graph = KnowledgeGraph(graph.nodes, {**graph.edges, "OFFERED": self.offers})
            self._designs[category] = category_design(graph, self.ontology, category)
        return self._designs[category]

    def deviation_effects(self, category: str) -> DeviationEffects:
        """How a person's tastes act on a category's items; computed once.

        Raises:
            InputError: An unknown category.
            WeightsError: A category without weights.
        """
        if category not in self._deviation_effects:
            from kgrank.choice.tastes.shared_columns import scale_factors
            from kgrank.ranking.catalogue.deviations import deviation_effects

            served = {u.node for u in self.weights_of(category).utilities}
            layout, population = self.design(category).layout, self.weights.population
            factors = scale_factors(layout, population.columns, population.scales)
            self._deviation_effects[category] = deviation_effects(
                self.scores(category), layout, served, self.items.nodes, self.column, factors
            )
        return self._deviation_effects[category]

    def item(self, item: str) -> int:
        """Row number of an item.

        Raises:
            InputError: An unknown item.
        """
        if item not in self.items.index:
            raise InputError(
                f"there is no item {item!r}", todo=did_you_mean(item, self.items.ids, ascending=True)
            )
        return self.items.index[item]


def own_category(shop: Shop, item: str) -> str:
    """The category that an item is in; of several the first by name.

    Raises:
        InputError: An unknown item, or one in no category.
    """
    category = shop.items.first_category[shop.item(item)]
    if category is None:
        raise InputError(f"item {item!r} is in no category", todo="Load it with a category.")
    return category


def check_category(ontology: Ontology, category: str) -> None:
    """InputError with the nearest names where the ontology has no such category."""
    if category not in ontology.categories:
        raise InputError(
            f"there is no category {category!r}", todo=did_you_mean(category, ontology.categories)
        )


def category_weights(weights: LearnedWeights, ontology: Ontology, category: str) -> CategoryWeights:
    """What is learned of a category.

    Raises:
        InputError: An unknown category.
        WeightsError: The weights say nothing of it.
    """
    check_category(ontology, category)
    if category not in weights.categories:
        raise WeightsError(
            f"weights {weights.version} say nothing of category {category!r}",
            expected=f"one of {len(weights.categories)} categories",
            todo="Train again on the present graph: `kgrank train`",
        )
    return weights.categories[category]


def open_shop(
    store: GraphStore, weights: LearnedWeights | None = None, *, history: bool = True, persons: bool = True
) -> Shop:
    """The shop of a store, with the weights that it serves or with others of the same ontology.

    The store may be closed afterwards.

    Args:
        store: Where.
        weights: By default those that it serves.
        history: Whether rankings after a history are wanted; without, the edges between items, most of a large
            shop, are not read, and the shop has no behaviour terms.
        persons: Whether rankings for known shoppers, or after purchases, are wanted; without, people's liking of
            items is not read.

    Raises:
        StoreError: The store holds no shop.
        WeightsError: It serves no weights, the weights belong to another ontology, or their network is damaged.
    """
    ontology = stored_ontology(store)
    used = weights or served_weights(store)
    check_fits(used, ontology)
    liking = served_liking(store, used) if persons else None
    if not history:
        plain = Shop.of(
            load_graph(store, NEEDED_NODES, NEEDED_EDGES), ontology, replace(used, terms=()), liking=liking
        )
        return replace(plain, weights=used)
    alike = any(ALIKE in (term.of or (term.name,)) for term in used.terms if term.curve is not None)
    events = ("INTERACTED",) if alike else ()
    graph = load_graph(store, (*NEEDED_NODES, *(("Log",) if alike else ())), (*NEEDED_EDGES, *events))
    return Shop.of(graph, ontology, used, served_transitions(store, used.version), liking)


def stored_ontology(store: GraphStore) -> Ontology:
    """The ontology that a store was loaded with.

    Raises:
        StoreError: The store holds no shop.
    """
    nodes = store.nodes("Ontology")
    if nodes.is_empty():
        raise StoreError("no shop is loaded", where=store.address, todo="Load one: `kgrank load`")
    return load(nodes["document"][0])
