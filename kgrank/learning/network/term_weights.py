"""Weights of terms in groups, each group drawn to 0 as far as the choices ask for it (empirical Bayes).

A group's columns are turned into directions of variance 1, whose weights are N(0, v) (the g-prior: Zellner
1986), v one number a group: how a group is parametrised does not matter, and one that says nothing gets weights
of 0 instead of as much noise as it has columns. v is found by the marginal likelihood (Laplace), as in MacKay
(1992): v is the sum of squared weights over how many of them the choices determine. The choices are divided by
their design effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.fit import design_effect, optimum
from kgrank.choice.logit.likelihood import Choices

SMALLEST, LARGEST = 1e-6, 10.0
"""Bounds of the variances, in squared logits."""

ROUNDS, SETTLED = 50, 0.02
"""Rounds at most, and the relative change of a variance that ends them."""

FLAT = 1e-10
"""Directions of a group with less variance than this share of its largest say nothing."""


@dataclass(frozen=True)
class TermWeights:
    """Learned weights.

    Attributes:
        beside: (columns,) of the terms that are in no group.
        groups: (columns,) of each group's terms.
        variances: (groups,) of the prior of their directions.
        log_likelihood: Mean of the choices.
    """

    beside: Floats
    groups: tuple[Floats, ...]
    variances: Floats
    log_likelihood: float


def fit_weights(choices: Choices, beside: Floats, groups: Sequence[Floats], precision: float) -> TermWeights:
    """Weights by the likelihood of choices.

    Args:
        choices: Their offset is what is added without a weight.
        beside: (rows, columns) terms that are not drawn to 0 but by ``precision``, for variance 1.
        groups: (rows, columns) terms of each group.
        precision: Of the weights of the terms beside.
    """
    scale = beside.std(0)
    scale[scale == 0.0] = 1.0
    maps = [np.diag(1 / scale), *(directions(columns) for columns in groups)]
    rows = [columns @ to for columns, to in zip([beside, *groups], maps, strict=True)]
    group = np.repeat(np.arange(len(rows)), [r.shape[1] for r in rows])
    columns = np.hstack(rows)
    whole = replace(choices, raw=sparse.csr_matrix(columns), row=None, centring=np.eye(columns.shape[1]))
    values, variances = _estimated(whole, group, precision)
    parts = [to @ values[group == number] for number, to in enumerate(maps)]
    log_likelihood = float(whole.log_likelihood(whole.utility(values)).mean())
    return TermWeights(parts[0], tuple(parts[1:]), variances[1:], log_likelihood)


def directions(columns: Floats) -> Floats:
    """(columns, directions) takes columns to uncorrelated directions of variance 1."""
    centred = columns - columns.mean(0)
    size, axes = np.linalg.eigh(centred.T @ centred / max(len(columns), 1))
    kept = size > FLAT * max(float(size.max(initial=0.0)), FLAT)
    return np.asarray(axes[:, kept] / np.sqrt(size[kept]))


def _estimated(choices: Choices, group: Ints, precision: float) -> tuple[Floats, Floats]:
    """The weights and the variance of each group; the first group has its precision."""
    count = np.bincount(group)
    variances = np.full(len(count), LARGEST)
    variances[0] = 1 / precision
    start = np.zeros(len(group))
    values, _ = optimum(choices, start, 1 / variances[group])
    effect = design_effect(choices, values)
    for _ in range(ROUNDS):
        # Dividing the likelihood by its design effect is the same as multiplying the prior's precision.
        prior = np.where(group == 0, precision, effect / variances[group])
        values, hessian = optimum(choices, start, prior, values)
        covariance = np.diag(np.linalg.inv(hessian / effect))
        determined = count - np.bincount(group, covariance / variances[group])
        squares = np.bincount(group, values**2)
        new = np.clip(squares / np.maximum(determined, FLAT), SMALLEST, LARGEST)
        new[0] = variances[0]
        converged = np.allclose(np.log(new), np.log(variances), rtol=0.0, atol=SETTLED)
        variances = new
        if converged:
            break
    return values, variances
