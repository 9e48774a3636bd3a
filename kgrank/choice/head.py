"""The head: every category's part-worths at their optimum, under the prior means that the graph gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kgrank.choice.layout import Floats, Layout
from kgrank.choice.logit import Fit, fit
from kgrank.choice.rules import Place
from kgrank.choice.sets import CategoryChoices

FLAT = 0.25
"""Precision of a part-worth where no prior mean is known: a small ridge, standard deviation 2 logits."""

NUISANCE = 1e-3
"""Precision of the outside option's constant and of the positions."""

ROUNDS = 8
FLOOR, CEILING = 1e-3, 4.0
"""Bounds of the estimated prior variances, in squared logits."""


@dataclass(frozen=True)
class Variances:
    """How far part-worths stray from what the graph says: one variance for values, one for numbers."""

    value: float = 1.0
    number: float = 1.0

    def of(self, layout: Layout) -> Floats:
        """(columns,) prior variances."""
        out = np.empty(layout.width)
        for block in layout.blocks:
            out[block.columns] = self.number if block.number else self.value
        return out


@dataclass(frozen=True)
class Head:
    """Fits of all categories with choices, and the variances they share."""

    fits: Mapping[str, Fit]
    variances: Variances


def fit_head(sets: Mapping[str, CategoryChoices], prior_means: Mapping[str, Floats]) -> Head:
    """Newton per category, variances by Laplace EM over the categories with a prior mean.

    Args:
        sets: Choices by category.
        prior_means: (columns,) by category; a category without one gets the flat prior.
    """
    variances = Variances()
    starts: dict[str, Floats] = {}
    with_prior = [c for c in sets if c in prior_means]
    for _ in range(ROUNDS if with_prior else 0):
        fits = {c: _fit(sets[c], prior_means[c], variances, starts.get(c)) for c in with_prior}
        starts = {c: f.part_worths for c, f in fits.items()}
        new = _expected(sets, prior_means, fits)
        settled = np.isclose(new.value, variances.value, rtol=0.02) and np.isclose(
            new.number, variances.number, rtol=0.02
        )
        variances = new
        if settled:
            break
    fits = {c: _fit(s, prior_means.get(c), variances, starts.get(c)) for c, s in sets.items()}
    return Head(fits, variances)


def precision(layout: Layout, nuisance: int, variances: Variances | None) -> Floats:
    """(columns + nuisance,) prior precision; ``variances`` None is the flat prior."""
    own = np.full(layout.width, FLAT) if variances is None else 1.0 / variances.of(layout)
    return np.concatenate([own, np.full(nuisance, NUISANCE)])


def _fit(some: CategoryChoices, prior: Floats | None, variances: Variances, start: Floats | None) -> Fit:
    layout, nuisance = some.design.layout, len(some.nuisance)
    mean = np.concatenate([np.zeros(layout.width) if prior is None else prior, np.zeros(nuisance)])
    return fit(some.choices, mean, precision(layout, nuisance, None if prior is None else variances), start)


def _expected(
    sets: Mapping[str, CategoryChoices], prior_means: Mapping[str, Floats], fits: Mapping[str, Fit]
) -> Variances:
    """The M-step: expected squared distance from the prior mean, by kind of column."""
    gaps: dict[bool, list[Floats]] = {True: [], False: []}
    for category, found in fits.items():
        layout = sets[category].design.layout
        spread = np.diag(np.linalg.inv(found.precision))[: layout.width]
        square = (found.part_worths[: layout.width] - prior_means[category]) ** 2 + spread
        for block in layout.blocks:
            gaps[block.number].append(square[block.columns])
    mean = {
        number: float(np.clip(np.concatenate(g).mean(), FLOOR, CEILING)) if g else 1.0
        for number, g in gaps.items()
    }
    return Variances(value=mean[False], number=mean[True])


def place(
    some: CategoryChoices, found: Fit, prior: Floats | None, variances: Variances, *, home: bool
) -> Place:
    """A category's posterior as the rules meet it: attributes only, nuisance integrated out."""
    layout = some.design.layout
    n = layout.width
    deviation = np.full(n, FLAT**-0.5) if prior is None else np.sqrt(variances.of(layout))
    return Place(
        layout,
        found.part_worths[:n],
        found.covariance[:n, :n],
        np.zeros(n) if prior is None else prior,
        deviation,
        len(some.choices),
        len(np.unique(some.choices.person)),
        home,
    )
