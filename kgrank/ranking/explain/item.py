"""Why an item stands where it does in a category: attribute by attribute, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_words
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.top import DECIMALS, position
from kgrank.ranking.explain.uncertainty import SURE, standard_errors
from kgrank.ranking.page.answer import score_query
from kgrank.ranking.page.query import Contribution, Query
from kgrank.ranking.page.score import (
    ScoredCategory,
    member_index,
    population_vector,
    score,
    show,
    value_worths,
)

if TYPE_CHECKING:
    from kgrank.ranking.shopper.session import Session


@dataclass(frozen=True)
class AttributeReason:
    """What one attribute does for an item.

    Attributes:
        attribute: Its id.
        name: Its name.
        value: The item's value ids joined by ``|``, or its number; None where it has none.
        words: The value for a reader.
        logits: Contribution to the score, in logits.
        average: Contribution to the score of the average item of the category; near 0, as utilities are
            measured from there, but not where many values are missing.
        share: Share of the decision.
        value_rank: Place of the value among the attribute's values here, 1 the best; None for a number, for
            several values, and for none.
        value_count: Number of values that are compared.
        better_than: Share of the category's items to which the attribute contributes less.
        sentence: All of it in one sentence.
        lower: Lower end of the 95 % interval of ``logits``, by the errors of the weights and, in a session, of the
            shopper's own tastes.
        upper: Upper end.
    """

    attribute: str
    name: str
    value: str | None
    words: str
    logits: float
    average: float
    share: float
    value_rank: int | None
    value_count: int
    better_than: float
    sentence: str
    lower: float
    upper: float


@dataclass(frozen=True)
class Explanation:
    """An item's score opened up: the amounts of attributes and terms add up to it (to 1e-9)."""

    item: str
    title: str
    category: str
    position: int
    item_count: int
    score: float
    sentence: str
    attributes: tuple[AttributeReason, ...]
    terms: tuple[Contribution, ...]


def explain(
    shop: Shop,
    item: str,
    category: str,
    *,
    history: Sequence[str] = (),
    person: Mapping[str, float] | None = None,
    session: Session | None = None,
    language: str = "en",
) -> Explanation:
    """Why an item stands where it does in a category.

    Args:
        shop: Where.
        item: Its id.
        category: The category that is ranked.
        history: Items looked at in this session, oldest first.
        person: A person's deviations, as in ``rank``; a session brings its own.
        session: The shopper's session so far.
        language: Of the words, ``en`` or ``zh``.

    Returns:
        The explanation, the attributes with the largest contributions first.

    Raises:
        InputError: An unknown category or item, or an item that stands outside the category.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    place = member_index(shop, category, item)
    if session is not None:
        scored = score_query(shop, category, Query(category, history=tuple(history), session=session))
    else:
        scored = score(shop, category, history, population_vector(shop, person) if person else None)
    (shown,) = show(shop, scored, np.array([place]), scored.scores[[place]].round(DECIMALS), language)
    stands = position(scored.scores, place)
    attributes = [c for c in shown.contributions if c.kind == "attribute"]
    errors = standard_errors(shop, scored, place, own=session.posterior if session else None)
    error = dict(zip(scored.names, errors.tolist(), strict=True))
    sentence = phrase(
        "standing",
        language,
        title=shown.title or item,
        position=stands,
        items=len(scored.scores),
        category=shop.ontology.categories[category].name(language),
        score=shown.score,
    )
    return Explanation(
        item=item,
        title=shown.title,
        category=category,
        position=stands,
        item_count=len(scored.scores),
        score=shown.score,
        sentence=sentence,
        attributes=tuple(_reason(shop, scored, place, c, error[c.name], language) for c in attributes),
        terms=tuple(c for c in shown.contributions if c.kind == "term"),
    )


def _reason(
    shop: Shop, scored: ScoredCategory, place: int, part: Contribution, error: float, language: str
) -> AttributeReason:
    table, learned = scored.table, shop.weights_of(scored.category)
    column = table.column(part.name, scored.worth, scored.units)
    values = shop.items.values_of(int(table.members[place]), part.name)
    rank, ranks = _place(value_worths(shop, scored.category, part.name, scored.deviations), values)
    name = attribute_name(shop.ontology, part.name, language)
    words = value_words(shop.ontology, values, language)
    average = scored.strength * float(column.mean())
    better_than = float((column < column[place]).mean())
    if part.value is None:
        sentence = phrase("missing", language, name=name)
    else:
        what = phrase("is", language, name=name, value=words)
        how = _how(rank, ranks, better_than, language)
        sentence = phrase("adds", language, what=what, how=how, difference=part.logits - average)
    return AttributeReason(
        attribute=part.name,
        name=name,
        value=part.value,
        words=words,
        logits=part.logits,
        average=average,
        share=next(a.share for a in learned.attributes if a.attribute == part.name),
        value_rank=rank,
        value_count=ranks,
        better_than=better_than,
        sentence=sentence,
        lower=part.logits - SURE * error,
        upper=part.logits + SURE * error,
    )


def _place(worths: Mapping[str, float], values: Sequence[tuple[str, float]]) -> tuple[int | None, int]:
    """Place of a single value among the attribute's values, and how many there are."""
    if len(values) != 1 or values[0][0] not in worths:
        return None, len(worths)
    return 1 + sum(w > worths[values[0][0]] for w in worths.values()), len(worths)


def _how(place: int | None, places: int, better_than: float, language: str) -> str:
    if place is None:
        return phrase("better-than", language, share=f"{better_than:.0%}")
    if places == 1:
        return phrase("only", language)
    key = "best" if place == 1 else "last" if place == places else "place"
    return phrase(key, language, place=place, places=places)
