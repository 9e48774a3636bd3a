"""Fits of all categories: a conditional logit each, with prior means from the graph and shared variances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import Fit, fit
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.steps import Steps, told, untold

FLAT = 0.02
"""Precision of a part-worth where no prior mean is known: a small ridge, standard deviation 7 logits."""

NUISANCE = 1e-3
"""Precision of the outside option's constant and of the positions."""

ROUNDS = 50
WIDE = 60
"""Columns from which a fit starts at the odds of the values (``_odds``), not at 0: a value that is never taken is
logits away from there, which Newton's method goes one by one. With fewer columns that costs nothing."""

RARE = 0.1
"""Added to how often a value was taken, and would be by chance, before the logarithm of their ratio."""

FLOOR, CEILING = 1e-3, 4.0
"""Bounds of the estimated prior variances, in squared logits."""


@dataclass(frozen=True)
class Variances:
    """Prior variances of part-worths around their prior means: one for values, one for numbers."""

    value: float = 1.0
    number: float = 1.0

    def of(self, layout: Layout) -> Floats:
        """(columns,) prior variances."""
        out = np.empty(layout.width)
        for block in layout.blocks:
            out[block.columns] = self.number if block.number else self.value
        return out


@dataclass(frozen=True)
class CategoryFits:
    """Fits of all categories with choices, and the variances they share."""

    fits: Mapping[str, Fit]
    variances: Variances


def unpooled_fits(
    sets: Mapping[str, CategoryChoices], start: Mapping[str, Floats] | None = None, steps: Steps = untold
) -> dict[str, Fit]:
    """Every category's optimum without a prior mean.

    Args:
        sets: Choices by category.
        start: By category, where its search starts; the optimum is the same from everywhere.
        steps: Told of each category.
    """
    start = start or {}
    return {c: _fit(s, None, Variances(), start.get(c, _odds(s))) for c, s in told(sets.items(), steps)}


def fit_categories(
    sets: Mapping[str, CategoryChoices],
    prior_means: Mapping[str, Floats],
    known_fits: Mapping[str, Fit] | None = None,
    *,
    start: Mapping[str, Floats] | None = None,
    steps: Steps = untold,
) -> CategoryFits:
    """Fits every category, with prior variances by Laplace EM over the categories with a prior mean.

    The EM needs no further fits: each likelihood enters as the Gaussian around its optimum.

    Args:
        sets: Choices by category.
        prior_means: (columns,) by category; a category without one gets the flat prior.
        known_fits: Fits without a prior mean that have been made already.
        start: By category, where the search for its fit without a prior mean starts.
        steps: Told of each category, of those without a known fit first.
    """
    known_fits = known_fits or {}
    unknown = {c: s for c, s in sets.items() if c not in known_fits}
    unpooled = {**unpooled_fits(unknown, start, steps), **known_fits}
    pooled = [c for c in sets if c in prior_means]
    variances = Variances()
    for _ in range(ROUNDS if pooled else 0):
        new = _expected(sets, prior_means, {c: unpooled[c] for c in pooled}, variances)
        converged = np.isclose(new.value, variances.value, rtol=0.01) and np.isclose(
            new.number, variances.number, rtol=0.01
        )
        variances = new
        if converged:
            break
    pooled_fits = {
        c: _fit(sets[c], prior_means[c], variances, unpooled[c].part_worths) for c in told(pooled, steps)
    }
    return CategoryFits({**unpooled, **pooled_fits}, variances)


def prior_precision(layout: Layout, nuisance: int, variances: Variances | None) -> Floats:
    """(columns + nuisance,) prior precision; ``variances`` None is the flat prior."""
    part_worths = np.full(layout.width, FLAT) if variances is None else 1.0 / variances.of(layout)
    return np.concatenate([part_worths, np.full(nuisance, NUISANCE)])


def _odds(choices: CategoryChoices) -> Floats | None:
    """(columns,) log of how often each value was taken against how often by chance, 0 for numbers.

    None, for all at 0, of ratings and where there are few columns.
    """
    layout, data = choices.design.layout, choices.choices
    if layout.width < WIDE or data.rated is not None or not len(data):
        return None
    probability, _ = data.probabilities(np.zeros(len(data.chosen)))
    taken, by_chance = (
        data.column_sums(rows) for rows in (data.chosen, data.total[data.choice] * probability)
    )
    odds = np.zeros(data.width)
    for block in layout.blocks:
        if not block.number:
            # The first raw columns are the values themselves, before they are centred.
            odds[block.columns] = np.log((taken[block.columns] + RARE) / (by_chance[block.columns] + RARE))
    return odds


def _fit(choices: CategoryChoices, prior: Floats | None, variances: Variances, start: Floats | None) -> Fit:
    layout, nuisance = choices.design.layout, len(choices.nuisance)
    mean = np.concatenate([np.zeros(layout.width) if prior is None else prior, np.zeros(nuisance)])
    diagonal = prior_precision(layout, nuisance, None if prior is None else variances)
    return fit(choices.choices, mean, diagonal, start)


def _expected(
    sets: Mapping[str, CategoryChoices],
    prior_means: Mapping[str, Floats],
    unpooled: Mapping[str, Fit],
    variances: Variances,
) -> Variances:
    """The E- and M-step: expected squared distance from the prior mean, by kind of column."""
    gaps: dict[bool, list[Floats]] = {True: [], False: []}
    for category, unpooled_fit in unpooled.items():
        category_choices = sets[category]
        layout, nuisance = category_choices.design.layout, len(category_choices.nuisance)
        flat = np.diag(prior_precision(layout, nuisance, None))
        prior = np.diag(prior_precision(layout, nuisance, variances))
        mean = np.concatenate([prior_means[category], np.zeros(nuisance)])
        likelihood = unpooled_fit.precision - flat
        spread = np.linalg.inv(likelihood + prior)
        # The gradient of the likelihood at the flat optimum is what the flat prior holds against it.
        weighted_mean = likelihood @ unpooled_fit.part_worths + flat @ unpooled_fit.part_worths
        gap = (spread @ (weighted_mean + prior @ mean) - mean)[: layout.width]
        square = gap**2 + np.diag(spread)[: layout.width]
        for block in layout.blocks:
            gaps[block.number].append(square[block.columns])
    mean_square = {
        number: float(np.clip(np.concatenate(g).mean(), FLOOR, CEILING)) if g else 1.0
        for number, g in gaps.items()
    }
    return Variances(value=mean_square[False], number=mean_square[True])


def category_posterior(
    choices: CategoryChoices, fit: Fit, prior: Floats | None, variances: Variances, *, own_choices: bool
) -> CategoryPosterior:
    """A category's posterior before its rules: attributes only, nuisance integrated out."""
    layout = choices.design.layout
    n = layout.width
    deviation = np.full(n, FLAT**-0.5) if prior is None else np.sqrt(variances.of(layout))
    return CategoryPosterior(
        layout=layout,
        mean=fit.part_worths[:n],
        covariance=fit.covariance[:n, :n],
        prior_mean=np.zeros(n) if prior is None else prior,
        prior_deviation=deviation,
        choice_count=len(choices.choices),
        person_count=len(np.unique(choices.choices.person)),
        own_choices=own_choices,
    )
