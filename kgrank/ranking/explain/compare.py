"""Why one item stands above another, attribute by attribute, with how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kgrank.ranking.catalogue.items import Integers, Reals
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_words
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.top import DECIMALS
from kgrank.ranking.explain.uncertainty import SURE, standard_errors
from kgrank.ranking.page.answer import score_query, selection
from kgrank.ranking.page.query import Query
from kgrank.ranking.page.score import ScoredCategory, member_index, show


@dataclass(frozen=True)
class Difference:
    """One summand of the difference of two scores.

    Attributes:
        name: The attribute's id, or the term's name.
        kind: ``attribute`` or ``term``.
        first: What the first item has, in words.
        second: What the second has.
        logits: What it adds to the difference, in logits.
        lower: Lower end of its 95 % interval; the amount itself for a term, whose error is not known.
        upper: Upper end.
        sentence: All of it in words.
    """

    name: str
    kind: str
    first: str
    second: str
    logits: float
    lower: float
    upper: float
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
    lower: float
    upper: float
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
    category = selection(shop, query).category
    places = np.array([member_index(shop, category, item) for item in (first, second)])
    scored = score_query(shop, category, query)
    scores = scored.scores[places].round(DECIMALS)
    own = query.session.posterior if query.session else query.person.posterior if query.person else None
    errors = standard_errors(shop, scored, int(places[0]), int(places[1]), own)
    parts = _parts(shop, scored, places, scores, errors, query.language)
    difference, margin = float(scores[0] - scores[1]), SURE * math.sqrt(float((errors**2).sum()))
    # Equal scores are ordered by id, so the first may stand above without a difference.
    above = (-scores[0], first) < (-scores[1], second)
    titles = [shop.items.titles[int(row)] for row in scored.table.members[places].tolist()]
    sentence = phrase(
        "over" if above else "under",
        query.language,
        first=titles[0] or first,
        second=titles[1] or second,
        difference=difference,
        margin=margin,
    )
    low, high = difference - margin, difference + margin
    return Comparison(category, first, second, difference, low, high, parts, sentence)


def _parts(
    shop: Shop, scored: ScoredCategory, places: Integers, scores: Reals, errors: Reals, language: str
) -> tuple[Difference, ...]:
    """The summands of a difference, the largest first."""
    words = [{c.name: c.words for c in i.contributions} for i in show(shop, scored, places, scores, language)]
    amounts = scored.contributions(places)
    rows = scored.table.members[places].tolist()
    parts = []
    for name, amount, error in zip(
        scored.names, (amounts[0] - amounts[1]).tolist(), errors.tolist(), strict=True
    ):
        kind, had = "term", [words[0][name], words[1][name]]
        if name in scored.table.attributes:
            kind = "attribute"
            had = [value_words(shop.ontology, shop.items.values_of(row, name), language) for row in rows]
        margin = SURE * error
        said = phrase(
            "alike" if had[0] == had[1] and not amount else "against",
            language,
            name=attribute_name(shop.ontology, name, language),
            first=had[0],
            second=had[1],
            difference=amount,
            margin=margin,
        )
        parts.append(Difference(name, kind, had[0], had[1], amount, amount - margin, amount + margin, said))
    return tuple(sorted(parts, key=lambda p: -abs(p.logits)))
