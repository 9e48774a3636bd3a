"""How sure contributions are: standard errors of the served weights, and of a shopper's own tastes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ranking.catalogue.items import Reals
from kgrank.ranking.catalogue.scores import CategoryScores
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.score import ScoredCategory
from kgrank.weights.model import Utility

if TYPE_CHECKING:
    from kgrank.choice.tastes.online import Online
    from kgrank.choice.tastes.person import Posterior

LOW, HIGH = 5.0, 95.0
"""Percentiles of the items between which the range of a number is taken, as for its importance."""

SURE = 1.96
"""Standard errors on either side of a 95 % interval."""


def standard_errors(
    shop: Shop,
    scored: ScoredCategory,
    first: int,
    second: int | None = None,
    own: Online | Posterior | None = None,
) -> Reals:
    """(names,) standard error of what each summand adds to the difference of two items; 0 for terms.

    The errors of values are taken to be independent. A value that both items have, and a number in which they
    agree, say nothing of their difference.

    Args:
        shop: Where.
        scored: The ranking.
        first: Place of an item.
        second: Place of another; None for the average item.
        own: The shopper's own tastes, whose uncertainty is added; None for the average shopper.
    """
    known = {u.node: u for u in shop.weights_of(scored.category).utilities}
    places = [first] if second is None else [first, second]
    has = [dict(shop.items.values(int(scored.table.members[p]))) for p in places]
    has = [*has, {}][:2]
    errors = np.zeros(len(scored.names))
    for k in range(len(scored.table.attributes)):
        errors[k] = _served(scored.table, k, known, has)
    covariance = None if own is None else own.covariance
    if covariance is not None and scored.deviations is not None:
        rows = shop.deviation_effects(scored.category).rows(scored.table, np.array(places))
        gap = rows[0] - (rows[1] if second is not None else 0.0)
        for k, attribute in enumerate(scored.table.attributes):
            part = np.where([split_value_id(n)[0] == attribute for n in shop.column], gap, 0.0)
            errors[k] = math.sqrt(errors[k] ** 2 + float(part @ covariance @ part))
    return errors * scored.strength


def _served(
    table: CategoryScores, place: int, known: Mapping[str, Utility], has: Sequence[Mapping[str, float]]
) -> float:
    """Of the difference of two items in one attribute, by the errors of the served utilities."""
    attribute = table.attributes[place]
    number = value_id(attribute, NUMBER)
    if number in known and place in table.numbers:
        # A missing number counts as the average one; the error is that of the rise over the range.
        numbers = table.number[:, table.numbers.index(place)]
        low, high = np.nanpercentile(numbers, [LOW, HIGH])
        one, other = (v.get(number, float(np.nanmean(numbers))) for v in has)
        return known[number].error * abs(one - other) / (float(high - low) or 1.0)
    own = [
        {n: x or 1.0 for n, x in v.items() if split_value_id(n)[0] == attribute and n in known} for v in has
    ]
    gaps = {n: own[0].get(n, 0.0) - own[1].get(n, 0.0) for n in {*own[0], *own[1]}}
    return math.sqrt(sum((known[n].error * gap) ** 2 for n, gap in gaps.items()))
