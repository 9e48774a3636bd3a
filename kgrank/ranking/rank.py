"""The ranking: items by score, each score the sum of named contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kgrank.errors import InputError, WeightsError
from kgrank.graph.schema import NUMBER, split_value_id
from kgrank.ranking.behaviour import reason
from kgrank.ranking.items import Integers, Reals
from kgrank.ranking.scores import CategoryScores
from kgrank.ranking.shop import Shop
from kgrank.ranking.terms import ATTRIBUTES, DECAY, GOES_AFTER, UNIT, recency
from kgrank.ranking.words import attribute_name, phrase, value_words
from kgrank.weights.model import CategoryWeights

DECIMALS = 9
"""Scores are compared after rounding, in Python and in Cypher alike."""

PERSONAL = 0.1
"""In logits: a person's own part is named from here on, where it is larger than the average shopper's."""


@dataclass(frozen=True)
class Contribution:
    """One summand of a score.

    Attributes:
        name: The attribute's id, or the term's name.
        kind: ``attribute`` or ``term``.
        amount: In logits, against the average item of the category.
        value: The item's value ids joined by ``|``, or its number; None where it has none. For a term, the
            item of the history that speaks loudest.
        words: The same for a reader.
    """

    name: str
    kind: str
    amount: float
    value: str | None
    words: str


@dataclass(frozen=True)
class RankedItem:
    """An item, its score, and the contributions that add up to it (to 1e-9), largest first."""

    item: str
    title: str
    score: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True)
class Scored:
    """All items of a category with their scores, before any is shown.

    Attributes:
        weights: Of the category, with the utilities of the person if one is given.
        table: What each attribute contributes by them.
        personal: The person's part of it (items, attributes); None without a person.
        scores: Rounded to 9 decimals, in the order of ``CategoryScores.members`` (items,).
        order: Places of the items from the highest score down, ties by id (items,).
        strength: Weight of the attribute score.
        terms: Weighted amount of each behaviour term (items,).
        seen: How much each item of the history still counts, by row number.
        history: Row numbers of the history, oldest first.
    """

    weights: CategoryWeights
    table: CategoryScores
    personal: Reals | None
    scores: Reals
    order: Integers
    strength: float
    terms: dict[str, Reals]
    seen: dict[int, float]
    history: tuple[int, ...]


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
    """The items of a category and all below it, by that category's weights.

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
    scored = score(shop, category, history, person)
    order = scored.order if candidates is None else _among(shop, category, scored, candidates)
    return [
        show(shop, category, scored, place, language) for place in order[offset : offset + limit].tolist()
    ]


def score(
    shop: Shop, category: str, history: Sequence[str] = (), person: Mapping[str, float] | None = None
) -> Scored:
    """Scores every item of a category's subtree."""
    table, weights, personal = shop.scores(category), shop.weights_of(category), None
    if person:
        from kgrank.ranking.person import personal_weights

        average, weights = table, personal_weights(shop, category, person)
        table = CategoryScores.of(shop.items, weights, shop.subtree(category))
        personal = table.amounts - average.amounts
    strength, terms, seen = 1.0, dict[str, Reals](), dict[int, float]()
    rows = tuple(shop.item(item) for item in history)
    if rows and shop.behaviour is not None:
        learned = shop.weights_of(category).terms
        strength = learned.get(ATTRIBUTES, 1.0)
        added = shop.behaviour.contributions(rows, table.members)
        terms = {name: learned.get(name, 1.0) * amount for name, amount in added.items()}
    elif rows:
        learned = shop.weights_of(category).terms
        settings = _goes_after(shop, category)
        seen = recency(rows, settings[DECAY])
        amount = shop.transitions.after(seen, len(shop.items.ids))[table.members]
        strength = learned.get(ATTRIBUTES, 1.0)
        terms[GOES_AFTER] = learned[GOES_AFTER] * np.log1p(amount / settings[UNIT])
    total = np.round(strength * table.total + sum(terms.values()), DECIMALS)
    # Members stand in the order of their ids, so a stable sort breaks ties by id.
    return Scored(
        weights, table, personal, total, np.argsort(-total, kind="stable"), strength, terms, seen, rows
    )


def show(shop: Shop, category: str, scored: Scored, place: int, language: str) -> RankedItem:
    """One scored item with its contributions in words."""
    table = scored.table
    item = int(table.members[place])
    values: dict[str, list[tuple[str, float]]] = {}
    for node, number in shop.items.values(item):
        values.setdefault(split_value_id(node)[0], []).append((node, number))
    amounts = (scored.strength * table.amounts[place]).tolist()
    own = [0.0] * len(amounts)
    if scored.personal is not None:
        own = (scored.strength * scored.personal[place]).tolist()
    parts = [
        _attribute(shop, attribute, amount, mine, values.get(attribute, []), language)
        for attribute, amount, mine in zip(table.attributes, amounts, own, strict=True)
    ]
    parts += [
        _term(shop, name, float(amount[place]), item, scored, language)
        for name, amount in scored.terms.items()
    ]
    parts.sort(key=lambda c: -abs(c.amount))
    return RankedItem(
        shop.items.ids[item], shop.items.titles[item], float(scored.scores[place]), tuple(parts)
    )


def place_of(shop: Shop, category: str, item: str) -> int:
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


def _among(shop: Shop, category: str, scored: Scored, candidates: Sequence[str]) -> Integers:
    """The order of the candidates alone."""
    wanted = np.zeros(len(scored.order), dtype=bool)
    wanted[[place_of(shop, category, item) for item in candidates]] = True
    chosen: Integers = scored.order[wanted[scored.order]]
    return chosen


def _attribute(
    shop: Shop,
    attribute: str,
    amount: float,
    personal: float,
    values: Sequence[tuple[str, float]],
    language: str,
) -> Contribution:
    name = attribute_name(shop.ontology, attribute, language)
    words = phrase("has", language, name=name, value=value_words(shop.ontology, values, language))
    if abs(personal) >= PERSONAL and abs(personal) > abs(amount - personal):
        words = phrase("for-you", language, words=words, amount=personal)
    return Contribution(attribute, "attribute", amount, _value(values), words)


def _value(values: Sequence[tuple[str, float]]) -> str | None:
    parts = [(split_value_id(node)[1], number) for node, number in values]
    return "|".join(repr(number) if value == NUMBER else value for value, number in parts) or None


def _goes_after(shop: Shop, category: str) -> Mapping[str, float]:
    """The settings of the behaviour term: weight · log(1 + amount / unit), the amount decayed."""
    settings = {term.name: term.settings for term in shop.weights.terms}.get(GOES_AFTER, {})
    if not {DECAY, UNIT} <= settings.keys() or GOES_AFTER not in shop.weights_of(category).terms:
        raise WeightsError(
            f"weights {shop.weights.version} have no term {GOES_AFTER!r} in category {category!r}",
            todo="Rank without a history, or train on a log of events",
        )
    return settings


def _term(shop: Shop, name: str, amount: float, item: int, scored: Scored, language: str) -> Contribution:
    """The words and the value of a behaviour term; without curves `goes-after` is the one there is."""
    if shop.behaviour is not None:
        value, words = reason(shop.behaviour, name, scored.history, item, shop.items, language)
        return Contribution(name, "term", amount, value, words)
    source = shop.transitions.strongest(scored.seen, item)
    if source is None:
        return Contribution(name, "term", amount, None, phrase("goes-after-none", language))
    words = phrase("goes-after", language, title=shop.items.titles[source] or shop.items.ids[source])
    return Contribution(name, "term", amount, shop.items.ids[source], words)
