"""The ranking: items by score, each score the sum of named contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, split_value_id
from kgrank.ranking.catalogue.behaviour import ATTRIBUTES
from kgrank.ranking.catalogue.items import Integers, Reals
from kgrank.ranking.catalogue.phrases import phrase
from kgrank.ranking.catalogue.scores import CategoryScores, Worth
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.term_phrases import reason
from kgrank.ranking.catalogue.top import first
from kgrank.ranking.page.query import Contribution, RankedItem

PERSONAL = 0.1
"""In logits: a person's own part is named from here on, where it is larger than the average shopper's."""


@dataclass(frozen=True)
class ScoredCategory:
    """All items of a category with their scores, before any is shown.

    Attributes:
        category: By whose weights.
        table: What each attribute contributes by them.
        worth: What values and numbers are worth to the person, or to the average shopper.
        units: The numbers in standard units, where a person is given (items, numbers).
        scores: Before rounding, in the order of ``CategoryScores.members`` (items,).
        strength: Weight of the attribute score.
        terms: Weighted amount of each behaviour term (items,).
        history: Row numbers of the history, oldest first.
        deviations: The person's, in the order of the population's columns (columns,).
    """

    category: str
    table: CategoryScores
    worth: Worth
    units: Reals | None
    scores: Reals
    strength: float
    terms: Mapping[str, Reals]
    history: tuple[int, ...]
    deviations: Reals | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The summands: attributes, most important first, then terms."""
        return (*self.table.attributes, *self.terms)

    def contributions(self, places: Integers) -> Reals:
        """What each summand adds to some items (places, names)."""
        found = self.table.contributions(places, self.worth, self.units)
        if self.strength != 1.0:
            found *= self.strength
        if not self.terms:
            return found
        return np.column_stack([found, *(amount[places] for amount in self.terms.values())])

    def personal(self, places: Integers) -> Reals | None:
        """The person's part of the attributes' amounts (places, attributes); None without a person."""
        if self.units is None:
            return None
        average = self.table.contributions(places, self.table.worth)
        return self.strength * (self.table.contributions(places, self.worth, self.units) - average)


def rank(
    shop: Shop,
    category: str,
    *,
    limit: int = 20,
    offset: int = 0,
    history: Sequence[str] = (),
    candidates: Sequence[str] | None = None,
    person: Mapping[str, float] | None = None,
    language: str = "en",
) -> list[RankedItem]:
    """The items of a category and all below it, by that category's weights: ``answer`` without a page's extras.

    Args:
        shop: Where.
        category: Its id.
        limit: At most so many items.
        offset: So many items are skipped first.
        history: Items looked at in this session, oldest first; without any, the attributes rank alone.
        candidates: Rank these items only.
        person: How a person's part-worths differ from the average shopper's, by AttributeValue id
            (``PersonTastes.deviations``).
        language: Of the words, ``en`` or ``zh``.

    Returns:
        Items from the highest score down, equal scores by id; none for a category without items.

    Raises:
        InputError: An unknown category or item, or a candidate that stands outside the category.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    if limit < 0 or offset < 0:
        raise InputError(f"limit {limit}, offset {offset}", expected="neither below 0")
    scored = score(shop, category, history, population_vector(shop, person) if person else None)
    some = np.arange(len(scored.scores))
    if candidates is not None:
        some = np.unique(
            np.array([member_index(shop, category, item) for item in candidates], dtype=np.int64)
        )
    places, scores = first(scored.scores[some], offset + limit)
    return show(shop, scored, some[places[offset:]], scores[offset:], language)


def population_vector(shop: Shop, deviations: Mapping[str, float]) -> Reals:
    """(columns,) deviations by AttributeValue id in the order of the population's columns."""
    return np.array([deviations.get(node, 0.0) for node in shop.weights.population.columns])


def score(
    shop: Shop,
    category: str,
    history: Sequence[str] = (),
    deviations: Reals | None = None,
    known: Worth | None = None,
) -> ScoredCategory:
    """Scores every item of a category's subtree.

    Args:
        shop: Where.
        category: Its id.
        history: Items looked at, oldest first.
        deviations: A person's, in the order of the population's columns (columns,).
        known: What values are worth by these deviations, where that is known already.

    Raises:
        InputError: An unknown category or item.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    table = shop.scores(category)
    worth, units = table.worth, None
    if deviations is not None and len(deviations):
        moved = shop.deviation_effects(category)
        worth, units = known or moved.worth(table, deviations), moved.units
    scores = table.scores(worth, units)
    if not history:
        return ScoredCategory(category, table, worth, units, scores, 1.0, {}, (), deviations)
    rows = tuple(shop.item(item) for item in history)
    learned = shop.weights_of(category).terms
    strength = learned.get(ATTRIBUTES, 1.0)
    terms = shop.required_behaviour.contributions(rows, table.members, learned)
    total = strength * scores + sum(terms.values())
    return ScoredCategory(category, table, worth, units, total, strength, terms, rows, deviations)


def show(
    shop: Shop, scored: ScoredCategory, places: Integers, scores: Reals, language: str
) -> list[RankedItem]:
    """Scored items with their contributions in words, the largest first."""
    table, wording = scored.table, shop.wording(scored.category, language)
    amounts = scored.contributions(places)
    # Of equal sizes the more important attribute comes first.
    order = np.argsort(-np.abs(amounts), axis=1, kind="stable").tolist()
    own, numbers = table.profiles.own[places].tolist(), table.number[places].tolist()
    personal = scored.personal(places)
    mine = [[]] * len(places) if personal is None else personal.tolist()
    names, ids, titles = table.attributes, shop.items.ids, shop.items.titles
    found = []
    for k, (row, total) in enumerate(zip(table.members[places].tolist(), scores.tolist(), strict=True)):
        said = list(wording.nothing)
        for attribute, profile in zip(table.profiles.attributes, own[k], strict=True):
            said[attribute] = wording.profiles[profile]
        for attribute, number in zip(table.numbers, numbers[k], strict=True):
            if number == number:  # a missing number is NaN
                said[attribute] = wording.number(attribute, number)
        amount = amounts[k].tolist()
        parts = [
            Contribution(name, "attribute", x, value, words)
            for name, x, (value, words) in zip(names, amount, said, strict=False)
        ]
        if mine[k]:
            parts = [
                _personal(part, own_part, language) for part, own_part in zip(parts, mine[k], strict=True)
            ]
        for name, x in zip(scored.terms, amount[len(names) :], strict=True):
            parts.append(_term(shop, name, x, row, scored, language))
        found.append(RankedItem(ids[row], titles[row], total, tuple([parts[j] for j in order[k]])))
    return found


def _personal(part: Contribution, own: float, language: str) -> Contribution:
    """A contribution that names the person's part where that is the larger one."""
    if abs(own) < PERSONAL or abs(own) <= abs(part.logits - own):
        return part
    return replace(part, words=phrase("for-you", language, words=part.words, amount=own))


def value_worths(
    shop: Shop, category: str, attribute: str, deviations: Reals | None = None
) -> dict[str, float]:
    """What a whole value of an attribute adds in a category, by AttributeValue id; empty for a number.

    A value among several counts by its share of this.
    """
    moved = None if deviations is None or not len(deviations) else shop.deviation_effects(category)
    found = {}
    for utility in shop.weights_of(category).utilities:
        name, value = split_value_id(utility.node)
        if name == attribute and value != NUMBER:
            found[utility.node] = utility.at(1.0)
            if moved is not None and deviations is not None and utility.node in moved.values:
                found[utility.node] += float(moved.values[utility.node] @ deviations)
    return found


def member_index(shop: Shop, category: str, item: str) -> int:
    """Place of an item among the members of a category.

    Raises:
        InputError: An unknown item, or one that stands outside the category.
    """
    members = shop.scores(category).members
    row = shop.item(item)
    place = int(np.searchsorted(members, row))
    if place == len(members) or members[place] != row:
        inside = ", ".join(shop.items.categories.get(row, ())) or "no category"
        raise InputError(
            f"item {item!r} does not stand in {category!r} or below it",
            expected=f"an item of {category!r}",
            todo=f"It stands in {inside}",
        )
    return place


def _term(
    shop: Shop, name: str, amount: float, item: int, scored: ScoredCategory, language: str
) -> Contribution:
    """The words and the value of a behaviour term."""
    value, words = reason(shop.required_behaviour, name, scored.history, item, shop.items, language)
    return Contribution(name, "term", amount, value, words)
