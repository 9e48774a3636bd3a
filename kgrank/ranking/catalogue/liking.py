"""How people like a shop's items by what they bought: the filter's vectors of each category, ready to score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.tastes.liking import PersonLiking
from kgrank.ranking.catalogue.items import Items, Members, Rows
from kgrank.ranking.catalogue.kept import Kept
from kgrank.weights.liking import LikingWeights

LIKING, BUYERS = "liking", "buyers"
"""The terms of the score: what the filter says of a person and an item, and how many people bought the item."""

ROOM = 64 << 20
"""Bytes of the scores that are kept at most, of the persons and categories that were ranked last."""


@dataclass(frozen=True)
class CategoryLiking:
    """What is read of the items of one category.

    Attributes:
        numbers: The filter's number of each, -1 for an item that it does not know (items,).
        vectors: Of each, the sum over all relations (items, width); zeros for an item that it does not know.
        buyers: Logits of how many people bought each, none of an item that it does not know (items,).
    """

    numbers: Ints
    vectors: Floats
    buyers: Floats


@dataclass(frozen=True)
class LikingTerms:
    """What a person's liking adds to each item of a category.

    Attributes:
        scores: Of the filter (items,); None for a person of whom it knows no purchase.
        total: The scores and the buyers' logits (items,).
    """

    scores: Floats | None
    total: Floats


@dataclass(frozen=True)
class StrongestBought:
    """Of what a person bought, the item that decides most in the direction of their liking of some items.

    Attributes:
        item: The filter's number of it for each of the items (items,).
        relation: Name of the relation through which it counts most, where it is named (items,).
        unnamed: Why none is named, None where one is: ``bought-few`` people are behind it, ``liking-none`` where
            nothing that was bought counts, ``liking-usual`` where all counts in the other direction (items,).
    """

    item: Ints
    relation: tuple[str, ...]
    unnamed: tuple[str | None, ...]


@dataclass(frozen=True)
class Liking:
    """The liking of items in a shop.

    Items of the filter that have left the shop still count in what a person bought.

    Attributes:
        weights: Vectors and weights.
        number: The filter's number of each of its items.
        number_of_row: The same of each row of the shop, -1 for an item that the filter does not know (rows,).
        nobody: A person who has bought nothing.
        kept: What was computed for the persons who were ranked last.
    """

    weights: LikingWeights
    number: Mapping[str, int]
    number_of_row: Ints
    nobody: PersonLiking
    _categories: dict[str, CategoryLiking] = field(default_factory=dict, repr=False, compare=False)
    kept: Kept[LikingTerms] = field(default_factory=lambda: Kept(ROOM), repr=False, compare=False)

    @staticmethod
    def in_shop(weights: LikingWeights, items: Items) -> Liking:
        """The liking of a shop's items."""
        number = {item: k for k, item in enumerate(weights.items)}
        rows = np.array([number.get(item, -1) for item in items.ids], dtype=np.int64)
        return Liking(weights, number, rows, PersonLiking(weights, {}))

    def of(self, person: PersonLiking | None) -> PersonLiking:
        """A person's liking under these weights: what they bought may have been read under others."""
        if person is None or person.weights is self.weights:
            return person or self.nobody
        return self.buyer_of({person.weights.items[item]: count for item, count in person.bought.items()})

    def buyer_of(self, bought: Mapping[str, int]) -> PersonLiking:
        """The person who bought some items so often, by id; items that the filter does not know say nothing."""
        counts = {self.number[item]: count for item, count in bought.items() if item in self.number}
        return PersonLiking(self.weights, counts) if counts else self.nobody

    def category(self, category: str, rows: Rows) -> CategoryLiking:
        """What is read of a category's items, by their rows; made once."""
        if category not in self._categories:
            self._categories[category] = _category(self.weights, self.number_of_row[rows])
        return self._categories[category]

    def terms(self, person: PersonLiking, category: str, rows: Rows) -> LikingTerms:
        """What a person's liking adds in a category, kept for the next question about both."""
        terms = self.kept.get(person, category)
        if terms is None:
            of_items = self.category(category, rows)
            if not person.is_known:
                return LikingTerms(None, of_items.buyers)
            scores = of_items.vectors @ person.vector.vector
            terms = LikingTerms(scores, scores + of_items.buyers)
            self.kept.put(person, category, terms, 2 * scores.nbytes)
        return terms


def _category(weights: LikingWeights, numbers: Ints) -> CategoryLiking:
    known = numbers >= 0
    vectors = np.zeros((len(numbers), weights.filter.vectors.shape[1]))
    for relation in weights.filter.relations:
        vectors[known, : relation.vectors.shape[1]] += relation.of(numbers[known])
    # An item that the filter does not know is read from the last place.
    buyers = np.append(weights.popularity_of(np.arange(len(weights.items))), weights.few_buyers)
    return CategoryLiking(numbers, vectors, buyers[numbers])


def strongest_bought(
    person: PersonLiking, category: CategoryLiking, members: Members, fewest_people: int
) -> StrongestBought:
    """What is named of a person's purchases beside some items of a category.

    Args:
        person: Of whom the filter knows a purchase.
        category: The category.
        members: The items (members,).
        fewest_people: A bought item, and what an item is read through, are named from so many people on.
    """
    vector, learned = person.vector, person.weights.filter
    weighted = vector.weight[:, None] * learned.vectors[vector.bought]
    parts, total = category.vectors[members] @ weighted.T, category.vectors[members] @ vector.vector
    directed = np.where(total >= 0, 1.0, -1.0)[:, None] * parts
    named = np.where(learned.people[vector.bought] >= fewest_people, directed, -np.inf)
    row = named.argmax(axis=1)
    numbers = np.maximum(category.numbers[members], 0)
    logits, people = np.zeros((2, len(members), len(learned.relations)))
    for k, relation in enumerate(learned.relations):
        logits[:, k] = (relation.of(numbers) * weighted[row, : relation.vectors.shape[1]]).sum(axis=1)
        people[:, k] = relation.people_behind(numbers)
    enough = (people >= fewest_people) & (logits != 0)
    names = [learned.relations[k].name for k in np.where(enough, np.abs(logits), -1.0).argmax(axis=1)]
    unnamed = np.full(len(members), "bought-few", dtype=object)
    unnamed[(named.max(axis=1) > 0) & enough.any(axis=1)] = None
    unnamed[directed.max(axis=1) <= 0] = "liking-usual"
    unnamed[(category.numbers[members] < 0) | ~parts.any(axis=1)] = "liking-none"
    return StrongestBought(vector.bought[row], tuple(names), tuple(unnamed.tolist()))
