"""The ranking: items by score, each score the sum of named contributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.behaviour.terms import NOW, POPULAR
from kgrank.choice.tastes.liking import PersonLiking
from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, split_value_id
from kgrank.ranking.answers import Contribution, RankedItem
from kgrank.ranking.catalogue.behaviour import ATTRIBUTES
from kgrank.ranking.catalogue.items import Members
from kgrank.ranking.catalogue.liking import BUYERS, LIKING, strongest_bought
from kgrank.ranking.catalogue.liking_phrases import liking_words
from kgrank.ranking.catalogue.phrases import phrase
from kgrank.ranking.catalogue.scores import CategoryScores, Worth
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.term_phrases import reason
from kgrank.ranking.catalogue.top import top_indices

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
        scores: Before rounding, in the order of ``CategoryScores.rows`` (items,).
        strength: Weight of the attribute score.
        terms: What each behaviour term adds, and what the person's purchases add, in logits (items,).
        history: Row numbers of the history, oldest first.
        deviations: The person's, in the order of the population's columns (columns,).
        liking: The person's liking of items; None where nobody is named and nothing was bought.
        liking_weight: Weight of the filter's scores.
    """

    category: str
    table: CategoryScores
    worth: Worth
    units: Floats | None
    scores: Floats
    strength: float
    terms: Mapping[str, Floats]
    history: tuple[int, ...]
    deviations: Floats | None = None
    liking: PersonLiking | None = None
    liking_weight: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """The summands: attributes, most important first, then terms."""
        return (*self.table.attributes, *self.terms)

    def contributions(self, members: Members) -> Floats:
        """What each summand adds to some items, in logits (members, names)."""
        logits = self.table.contributions(members, self.worth, self.units)
        if self.strength != 1.0:
            logits *= self.strength
        if not self.terms:
            return logits
        return np.column_stack([logits, *(term[members] for term in self.terms.values())])

    def personal(self, members: Members) -> Floats | None:
        """The person's part of the attributes' contributions (members, attributes); None without a person."""
        if self.units is None:
            return None
        average = self.table.contributions(members, self.table.worth)
        return self.strength * (self.table.contributions(members, self.worth, self.units) - average)


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
            (``PersonTastes.deviations``); what they bought counts in ``answer``, whose query has the person.
        language: Of the words, ``en`` or ``zh``.

    Returns:
        Items from the highest score down, equal scores by id; none for a category without items.

    Raises:
        InputError: An unknown category or item, or a candidate outside the category.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    if limit < 0 or offset < 0:
        raise InputError(f"limit {limit}, offset {offset}", expected="neither below 0")
    scored = score(shop, category, history, population_vector(shop, person) if person else None)
    members = np.arange(len(scored.scores))
    if candidates is not None:
        members = np.unique(
            np.array([member_index(shop, category, item) for item in candidates], dtype=np.int64)
        )
    order, scores = top_indices(scored.scores[members], offset + limit)
    positions = range(offset + 1, len(order) + 1)
    return show(shop, scored, members[order[offset:]], scores[offset:], positions, language)


def population_vector(shop: Shop, deviations: Mapping[str, float]) -> Floats:
    """(columns,) deviations by AttributeValue id in the order of the population's columns."""
    return np.array([deviations.get(node, 0.0) for node in shop.weights.population.columns])


def score(
    shop: Shop,
    category: str,
    history: Sequence[str] = (),
    deviations: Floats | None = None,
    known: Worth | None = None,
    liking: PersonLiking | None = None,
) -> ScoredCategory:
    """Scores every item of a category's subtree.

    Args:
        shop: Where.
        category: Its id.
        history: Items looked at, oldest first.
        deviations: A person's, in the order of the population's columns (columns,).
        known: What values are worth by these deviations, where that is known already.
        liking: A person's liking of items by what they bought (``Shop.liking``).

    Raises:
        InputError: An unknown category or item.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    table = shop.scores(category)
    worth, units = table.worth, None
    if deviations is not None and len(deviations):
        effects = shop.deviation_effects(category)
        worth, units = known or effects.worth(table, deviations), effects.units
    scores = table.scores(worth, units)
    strength, terms, rows, total = 1.0, dict[str, Floats](), tuple[int, ...](), scores
    if history:
        rows = tuple(shop.item(item) for item in history)
        weights = shop.weights_of(category).terms
        strength = weights.get(ATTRIBUTES, 1.0)
        terms = shop.required_behaviour.contributions(rows, table.rows, weights)
        total = strength * scores + sum(terms.values())
    liking_weight = 1.0
    if shop.liking is not None and liking is not None:
        liking_weight = shop.liking.weights.beside_history if history else 1.0
        added, more = _liking(shop, table, category, liking, liking_weight, has_history=bool(history))
        total, terms = total + added, terms | more
    return ScoredCategory(
        category=category,
        table=table,
        worth=worth,
        units=units,
        scores=total,
        strength=strength,
        terms=terms,
        history=rows,
        deviations=deviations,
        liking=liking,
        liking_weight=liking_weight,
    )


def _liking(
    shop: Shop,
    table: CategoryScores,
    category: str,
    person: PersonLiking,
    weight: float,
    *,
    has_history: bool,
) -> tuple[Floats, dict[str, Floats]]:
    """What a person's purchases add to each item, and its summands."""
    assert shop.liking is not None
    terms = shop.liking.terms(person, category, table.rows)
    own_popularity = has_history and bool({POPULAR, NOW} & shop.required_behaviour.wanted)
    parts = {} if own_popularity else {BUYERS: shop.liking.category(category, table.rows).buyers}
    if terms.scores is not None:
        parts = {LIKING: terms.scores if weight == 1.0 else weight * terms.scores, **parts}
    whole = weight == 1.0 and not own_popularity
    return terms.total if whole else sum(parts.values(), np.zeros(len(table.rows))), parts


def show(
    shop: Shop,
    scored: ScoredCategory,
    members: Members,
    scores: Floats,
    positions: Iterable[int],
    language: str,
) -> list[RankedItem]:
    """Scored items with their contributions in words, the largest first.

    Args:
        shop: Where.
        scored: The category's scores.
        members: The items to show (shown,).
        scores: Their scores, rounded (shown,).
        positions: Their positions in the ranking, from 1.
        language: Of the words.
    """
    table, wording = scored.table, shop.wording(scored.category, language)
    logits = scored.contributions(members)
    # Of equal sizes the more important attribute comes first.
    order = np.argsort(-np.abs(logits), axis=1, kind="stable").tolist()
    profiles, numbers = table.profiles.item_profiles[members].tolist(), table.number[members].tolist()
    personal_parts = scored.personal(members)
    personal = [[]] * len(members) if personal_parts is None else personal_parts.tolist()
    liked = _liking_words(shop, scored, members, language)
    names, ids, titles = table.attributes, shop.items.ids, shop.items.titles
    items = []
    for k, (row, total, position) in enumerate(
        zip(table.rows[members].tolist(), scores.tolist(), positions, strict=True)
    ):
        values = list(wording.nothing)
        for attribute, profile in zip(table.profiles.attributes, profiles[k], strict=True):
            values[attribute] = wording.profiles[profile]
        for attribute, number in zip(table.numbers, numbers[k], strict=True):
            if number == number:  # a missing number is NaN
                values[attribute] = wording.number(attribute, number)
        summands = logits[k].tolist()
        parts = [
            Contribution(name, "attribute", x, value, words)
            for name, x, (value, words) in zip(names, summands, values, strict=False)
        ]
        if personal[k]:
            parts = [_personal(part, x, language) for part, x in zip(parts, personal[k], strict=True)]
        for name, x in zip(scored.terms, summands[len(names) :], strict=True):
            value, words = liked[k] if name == LIKING else _term_words(shop, name, row, scored, language)
            parts.append(Contribution(name, "term", x, value, words))
        contributions = tuple([parts[j] for j in order[k]])
        items.append(
            RankedItem(
                position=position,
                item=ids[row],
                title=titles[row],
                score=total,
                contributions=contributions,
            )
        )
    return items


def _personal(part: Contribution, logits: float, language: str) -> Contribution:
    """A contribution that names the person's part of it, in logits, where that is the larger one."""
    if abs(logits) < PERSONAL or abs(logits) <= abs(part.logits - logits):
        return part
    return replace(part, words=phrase("for-you", language, words=part.words, amount=logits))


def value_worths(
    shop: Shop, category: str, attribute: str, deviations: Floats | None = None
) -> dict[str, float]:
    """What a whole value of an attribute adds in a category, by AttributeValue id; empty for a number.

    A value among several counts by its share of this.
    """
    effects = None if deviations is None or not len(deviations) else shop.deviation_effects(category)
    worths = {}
    for utility in shop.weights_of(category).utilities:
        name, value = split_value_id(utility.node)
        if name == attribute and value != NUMBER:
            worths[utility.node] = utility.at(1.0)
            if effects is not None and deviations is not None and utility.node in effects.values:
                worths[utility.node] += float(effects.values[utility.node] @ deviations)
    return worths


def member_index(shop: Shop, category: str, item: str) -> int:
    """Index of an item among the members of a category.

    Raises:
        InputError: An unknown item, or one outside the category.
    """
    rows = shop.scores(category).rows
    row = shop.item(item)
    member = int(np.searchsorted(rows, row))
    if member == len(rows) or rows[member] != row:
        inside = ", ".join(shop.items.categories.get(row, ())) or "no category"
        raise InputError(
            f"item {item!r} does not stand in {category!r} or below it",
            expected=f"an item of {category!r}",
            todo=f"It stands in {inside}",
        )
    return member


def _liking_words(
    shop: Shop, scored: ScoredCategory, members: Members, language: str
) -> list[tuple[str | None, str]]:
    """The value and the words of some items' liking; none where it is no summand."""
    if LIKING not in scored.terms or scored.liking is None or shop.liking is None:
        return []
    of_items = shop.liking.category(scored.category, scored.table.rows)
    strongest = strongest_bought(scored.liking, of_items, members, shop.weights.privacy.fewest_people)
    return liking_words(shop.ontology, shop.items, scored.liking, strongest, language)


def _term_words(
    shop: Shop, name: str, row: int, scored: ScoredCategory, language: str
) -> tuple[str | None, str]:
    """The value and the words of a term."""
    if name == BUYERS:
        return None, phrase("term-buyers", language)
    return reason(shop.required_behaviour, name, scored.history, row, shop.items, language)
