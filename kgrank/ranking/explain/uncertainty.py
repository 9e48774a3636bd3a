"""Standard errors of contributions: those of the served weights, and those of a shopper's own tastes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kgrank.arrays import Floats
from kgrank.graph.schema import NUMBER, split_value_id, value_id
from kgrank.ranking.catalogue.scores import CategoryScores
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.score import ScoredCategory
from kgrank.weights.model import Utility

if TYPE_CHECKING:
    from kgrank.choice.tastes.online import Online
    from kgrank.choice.tastes.person import Posterior

LOW, HIGH = 5.0, 95.0
"""Percentiles of the items between which the range of a number is taken, as for its importance."""

Z_95 = 1.96
"""Standard errors on either side of a 95 % interval."""


def standard_errors(
    shop: Shop,
    scored: ScoredCategory,
    first: int,
    second: int | None = None,
    tastes: Online | Posterior | None = None,
) -> Floats:
    """(names,) standard error of what each summand adds to the difference of two items; 0 for terms.

    The errors of values are taken to be independent. A value that both items have, and a number in which they
    agree, say nothing of their difference.

    Args:
        shop: Where.
        scored: The ranking.
        first: Index of an item among the category's members.
        second: That of another; None for the average item.
        tastes: The shopper's own tastes, whose uncertainty is added; None for the average shopper.
    """
    utilities = {u.node: u for u in shop.weights_of(scored.category).utilities}
    members = [first] if second is None else [first, second]
    values = [dict(shop.items.values(int(scored.table.rows[m]))) for m in members]
    values = [*values, {}][:2]
    errors = np.zeros(len(scored.names))
    for k in range(len(scored.table.attributes)):
        errors[k] = _error_of_weights(scored.table, k, utilities, values)
    covariance = None if tastes is None else tastes.covariance
    if covariance is not None and scored.deviations is not None:
        rows = shop.deviation_effects(scored.category).rows(scored.table, np.array(members))
        gap = rows[0] - (rows[1] if second is not None else 0.0)
        for k, attribute in enumerate(scored.table.attributes):
            part = np.where([split_value_id(n)[0] == attribute for n in shop.column], gap, 0.0)
            errors[k] = math.sqrt(errors[k] ** 2 + float(part @ covariance @ part))
    return errors * scored.strength


def _error_of_weights(
    table: CategoryScores, k: int, utilities: Mapping[str, Utility], values: Sequence[Mapping[str, float]]
) -> float:
    """Standard error of the difference of two items in the k-th attribute, by those of the served utilities."""
    attribute = table.attributes[k]
    number = value_id(attribute, NUMBER)
    if number in utilities and k in table.numbers:
        # A missing number counts as the average one; the error is that of the rise over the range.
        numbers = table.number[:, table.numbers.index(k)]
        low, high = np.nanpercentile(numbers, [LOW, HIGH])
        first, second = (v.get(number, float(np.nanmean(numbers))) for v in values)
        return utilities[number].error * abs(first - second) / (float(high - low) or 1.0)
    parts = [
        {n: x or 1.0 for n, x in v.items() if split_value_id(n)[0] == attribute and n in utilities}
        for v in values
    ]
    gaps = {n: parts[0].get(n, 0.0) - parts[1].get(n, 0.0) for n in {*parts[0], *parts[1]}}
    return math.sqrt(sum((utilities[n].error * gap) ** 2 for n, gap in gaps.items()))
