"""Why one item ranks above another, attribute by attribute, with 95 % intervals."""

from __future__ import annotations

import math

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.ranking.answers import Comparison, Difference
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_words
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.top import DECIMALS
from kgrank.ranking.explain.uncertainty import Z_95, standard_errors
from kgrank.ranking.page.answer import score_query, selection
from kgrank.ranking.page.query import Query
from kgrank.ranking.page.score import ScoredCategory, member_index, show


def compare(shop: Shop, query: Query, first: str, second: str) -> Comparison:
    """Why ``first`` ranks above ``second``, or that it does not.

    Args:
        shop: Where.
        query: The ranking: its category, shopper, session and language.
        first: An item's id.
        second: Another's.

    Raises:
        InputError: An unknown category or item, or an item outside the category.
        WeightsError: The weights say nothing of the category.
    """
    chosen = selection(shop, query)
    members = np.array([member_index(shop, chosen.category, item) for item in (first, second)])
    scored = score_query(shop, chosen.category, query)
    scores = scored.scores[members].round(DECIMALS)
    own = query.person.posterior_in(chosen.category) if query.person else None
    tastes = query.session.posterior if query.session else own
    errors = standard_errors(shop, scored, int(members[0]), int(members[1]), tastes)
    parts = _parts(shop, scored, members, scores, errors, query.language)
    difference, margin = float(scores[0] - scores[1]), Z_95 * math.sqrt(float((errors**2).sum()))
    # Equal scores are ordered by id, so the first may rank above without a difference.
    above = (-scores[0], first) < (-scores[1], second)
    titles = [shop.items.titles[int(row)] for row in scored.table.rows[members].tolist()]
    sentence = phrase(
        "over" if above else "under",
        query.language,
        first=titles[0] or first,
        second=titles[1] or second,
        difference=difference,
        margin=margin,
    )
    return Comparison(
        version=shop.weights.version,
        category=chosen.category,
        first=first,
        second=second,
        difference=difference,
        lower=difference - margin,
        upper=difference + margin,
        parts=parts,
        sentence=sentence,
        notes=chosen.notes,
    )


def _parts(
    shop: Shop, scored: ScoredCategory, members: Ints, scores: Floats, errors: Floats, language: str
) -> tuple[Difference, ...]:
    """The summands of a difference, the largest first."""
    shown = show(shop, scored, members, scores, (1, 2), language)
    words = [{c.name: c.words for c in item.contributions} for item in shown]
    logits = scored.contributions(members)
    rows = scored.table.rows[members].tolist()
    parts = []
    for name, difference, error in zip(
        scored.names, (logits[0] - logits[1]).tolist(), errors.tolist(), strict=True
    ):
        kind, values = "term", [words[0][name], words[1][name]]
        if name in scored.table.attributes:
            kind = "attribute"
            values = [value_words(shop.ontology, shop.items.values_of(row, name), language) for row in rows]
        margin = Z_95 * error
        sentence = phrase(
            "alike" if values[0] == values[1] and not difference else "against",
            language,
            name=attribute_name(shop.ontology, name, language),
            first=values[0],
            second=values[1],
            difference=difference,
            margin=margin,
        )
        parts.append(
            Difference(
                name=name,
                kind=kind,
                first=values[0],
                second=values[1],
                logits=difference,
                lower=difference - margin,
                upper=difference + margin,
                sentence=sentence,
            )
        )
    return tuple(sorted(parts, key=lambda p: -abs(p.logits)))
