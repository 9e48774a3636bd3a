"""Why one item stands above another, attribute by attribute, with how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ranking.answer import asked_for, score_query
from kgrank.ranking.items import Reals
from kgrank.ranking.query import Query
from kgrank.ranking.rank import Scored, place_of, show
from kgrank.ranking.shop import Shop
from kgrank.ranking.top import DECIMALS
from kgrank.ranking.words import attribute_name, phrase, value_words

SURE = 1.96
"""Standard errors on either side of a 95 % interval."""


@dataclass(frozen=True)
class Difference:
    """One summand of the difference of two scores.

    Attributes:
        name: The attribute's id, or the term's name.
        kind: ``attribute`` or ``term``.
        first: What the first item has, in words.
        second: What the second has.
        amount: What it adds to the difference, in logits.
        low: Lower end of its 95 % interval; the amount itself for a term, whose error is not known.
        high: Upper end.
        sentence: All of it in words.
    """

    name: str
    kind: str
    first: str
    second: str
    amount: float
    low: float
    high: float
    sentence: str


@dataclass(frozen=True)
class Comparison:
    """Two items of a category; the amounts of ``parts`` add up to the difference of their scores (to 1e-9).

    The interval takes the errors of values to be independent of each other, and adds the uncertainty of a
    person's own tastes.
    """

    category: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    parts: tuple[Difference, ...]
    sentence: str


def compare(shop: Shop, query: Query, first: str, second: str) -> Comparison:
    """Why ``first`` stands above ``second``, or that it does not.

    Args:
        shop: Where.
        query: The ranking: its category, shopper, session and language.
        first: An item's id.
        second: Another's.

    Raises:
        InputError: An unknown category or item, or an item outside the category.
        WeightsError: The weights say nothing of the category.
    """
    category = asked_for(shop, query).category
    places = np.array([place_of(shop, category, item) for item in (first, second)])
    scored = score_query(shop, category, query)
    scores = scored.scores[places].round(DECIMALS)
    one, other = show(shop, scored, places, scores, query.language)
    words = [{c.name: c.words for c in item.contributions} for item in (one, other)]
    amounts = scored.amounts(places)
    gap = amounts[0] - amounts[1]
    errors = _errors(shop, scored, places, query)
    parts = []
    for name, amount, error in zip(scored.names, gap.tolist(), errors.tolist(), strict=True):
        attribute = name in scored.table.attributes
        had = (words[0][name], words[1][name])
        if attribute:
            values = [shop.items.values_of(int(scored.table.members[p]), name) for p in places.tolist()]
            had = (
                value_words(shop.ontology, values[0], query.language),
                value_words(shop.ontology, values[1], query.language),
            )
        label = attribute_name(shop.ontology, name, query.language)
        key = "alike" if had[0] == had[1] and not amount else "against"
        said = phrase(
            key,
            query.language,
            name=label,
            first=had[0],
            second=had[1],
            difference=amount,
            margin=SURE * error,
        )
        kind = "attribute" if attribute else "term"
        low, high = amount - SURE * error, amount + SURE * error
        parts.append(Difference(name, kind, *had, amount, low, high, said))
    difference, margin = float(scores[0] - scores[1]), SURE * math.sqrt(float((errors**2).sum()))
    # Equal scores are ordered by id, so the first may stand above without a difference.
    above = (-scores[0], first) < (-scores[1], second)
    sentence = phrase(
        "over" if above else "under",
        query.language,
        first=one.title or first,
        second=other.title or second,
        difference=difference,
        margin=margin,
    )
    parts.sort(key=lambda p: -abs(p.amount))
    return Comparison(
        category, first, second, difference, difference - margin, difference + margin, tuple(parts), sentence
    )


def _errors(
    shop: Shop, scored: Scored, places: np.ndarray[tuple[int], np.dtype[np.int64]], query: Query
) -> Reals:
    """(names,) standard error of what each summand adds to the difference of two items."""
    errors = np.zeros(len(scored.names))
    known = {u.node: u for u in shop.weights_of(scored.category).utilities}
    values = [dict(shop.items.values(int(scored.table.members[p]))) for p in places.tolist()]
    for k, attribute in enumerate(scored.table.attributes):
        number = value_id(attribute, NUMBER)
        if number in known and all(number in v for v in values):
            block = shop.design(scored.category).layout.block[attribute]
            width = (block.high - block.low) or 1.0
            errors[k] = known[number].error * abs(values[0][number] - values[1][number]) / width
            continue
        own = [
            {n: x or 1.0 for n, x in v.items() if split_value_id(n)[0] == attribute and n in known}
            for v in values
        ]
        nodes = {*own[0], *own[1]}
        # A value that both have says nothing of their difference.
        errors[k] = math.sqrt(
            sum(
                (known[n].error * (own[0].get(n, 0.0) - own[1].get(n, 0.0))) ** 2
                for n in nodes
                if n != number
            )
        )
    spread = _spread(query)
    if spread is not None and scored.deviations is not None:
        rows = shop.moves(scored.category).rows(scored.table, places)
        gap = rows[0] - rows[1]
        for k, attribute in enumerate(scored.table.attributes):
            here = np.array([split_value_id(n)[0] == attribute for n in shop.column])
            part = np.where(here, gap, 0.0)
            errors[k] = math.sqrt(errors[k] ** 2 + float(part @ spread @ part))
    return errors * scored.strength


def _spread(query: Query) -> Reals | None:
    """(columns, columns) covariance of the shopper's own tastes; None for the average shopper."""
    if query.session is not None:
        return query.session.posterior.covariance()
    if query.person is not None and query.person.posterior is not None:
        return query.person.posterior.covariance
    return None
