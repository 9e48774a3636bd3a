"""The posterior of a category's part-worths before its rules."""

from __future__ import annotations

from dataclasses import dataclass

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout


@dataclass(frozen=True)
class CategoryPosterior:
    """One category's posterior from its data alone, Gaussian, and the prior it came from.

    Attributes:
        layout: The category's columns.
        mean: (columns,) part-worths; ``covariance`` (columns, columns), clustered by person.
        prior_mean: (columns,) and ``prior_deviation`` (columns,) of the prior without rules.
        choice_count: Number of choices behind it, and ``person_count`` behind them.
        own_choices: Whether these choices count in this category and in no other, so that none counts twice.
    """

    layout: Layout
    mean: Floats
    covariance: Floats
    prior_mean: Floats
    prior_deviation: Floats
    choice_count: int
    person_count: int
    own_choices: bool
