"""Why a person likes an item: what each thing that they bought adds, through which relation."""

from __future__ import annotations

import numpy as np

from kgrank.ranking.answers import BoughtReason, LikingReason, RelationPart
from kgrank.ranking.catalogue.liking import LIKING
from kgrank.ranking.catalogue.liking_phrases import bought_title, bought_words
from kgrank.ranking.catalogue.phrases import phrase
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.score import ScoredCategory
from kgrank.weights.graph_filter import Contributions

NAMED = 5
"""Bought items with a sentence of their own at most."""


def liking_reason(shop: Shop, scored: ScoredCategory, member: int, language: str) -> LikingReason | None:
    """The term ``liking`` of one item by what was bought; None where it is no summand.

    Args:
        shop: Where.
        scored: The ranking.
        member: Index of the item among the category's.
        language: Of the words.
    """
    if LIKING not in scored.terms or scored.liking is None or shop.liking is None:
        return None
    person, weight = scored.liking, scored.liking_weight
    target = int(shop.liking.number_of_row[scored.table.rows[member]])
    average = 0.0
    reasons: list[BoughtReason] = []
    if target >= 0:
        parts = person.weights.filter.contributions(person.vector, target)
        average = weight * float(parts.average.sum())
        order = np.argsort(-np.abs(parts.logits.sum(axis=1)), kind="stable")
        reasons = [_bought(shop, parts, row, weight, language) for row in order[:NAMED].tolist()]
        others = weight * float(parts.logits[order[NAMED:]].sum())
        count = len(order) - len(reasons)
    else:
        others, count = 0.0, 0
    key = "liking-rest-one" if count == 1 else "liking-rest"
    return LikingReason(
        logits=float(scored.terms[LIKING][member]),
        bought=tuple(reasons),
        other_count=count,
        other_logits=others,
        other_sentence=phrase(key, language, count=count) if count else None,
        average_logits=average,
        average_sentence=phrase("liking-average", language),
    )


def _bought(shop: Shop, parts: Contributions, row: int, weight: float, language: str) -> BoughtReason:
    """What one bought item adds; what rests on few people is one part, and has no name."""
    assert shop.liking is not None
    fewest = shop.weights.privacy.fewest_people
    relation = parts.relation(row, fewest)
    logits = weight * parts.logits[row]
    enough = parts.people[row] >= fewest
    named = [
        RelationPart(name, x)
        for name, x, told in zip(parts.relations, logits.tolist(), enough.tolist(), strict=True)
        if told and x != 0.0
    ]
    if logits[~enough].any():
        named.append(RelationPart(None, float(logits[~enough].sum())))
    item = shop.liking.weights.items[parts.bought[row]] if relation is not None else None
    title = None if item is None else bought_title(shop.items, item)
    total, what = float(logits.sum()), bought_words(shop.ontology, title, relation, language)
    return BoughtReason(
        item=item,
        title=title,
        logits=total,
        parts=tuple(sorted(named, key=lambda part: -abs(part.logits))),
        sentence=phrase("because" if total >= 0 else "although", language, what=what),
    )
