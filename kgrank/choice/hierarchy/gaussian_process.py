"""Gaussian processes of part-worths over categories: a column each, conditioned on all columns' estimates at once.

    part-worth(category, column) = mean(column) + Σ processes of given kernels + the category's own deviation

Each column has its own variances, found by marginal likelihood (Rasmussen and Williams 2006, chapter 5). What a
category's choices say of its columns has correlated errors, so all columns are conditioned on together
(cokriging); estimates are left out of the posterior in closed form (the same, section 5.4.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, optimize

from kgrank.arrays import Floats, Ints, Truths

CONSTANT = 10.0
"""Prior variance of a column's mean over all categories, in squared logits: it is learned freely."""

START, BOUNDS = 0.1, (1e-4, 20.0)
"""Variances of the kernels, in squared logits: where learning begins, and their bounds."""

TYPICAL, PULL = 0.05, 0.01
"""Variances are drawn to the typical one: precision of the prior of their logarithms."""

STEPS = 40


@dataclass(frozen=True)
class Estimates:
    """Part-worths as the choices of single categories say, in pairs of a category and a column.

    Attributes:
        category: (pairs,) row of the kernels.
        column: (pairs,) number of the column.
        value: (pairs,) the estimate.
        covariance: (pairs, pairs) of the errors.
    """

    category: Ints
    column: Ints
    value: Floats
    covariance: Floats

    def joined(self, other: Estimates) -> Estimates:
        """With others after these, whose errors are independent of them."""
        return Estimates(
            np.concatenate([self.category, other.category]),
            np.concatenate([self.column, other.column]),
            np.concatenate([self.value, other.value]),
            np.asarray(linalg.block_diag(self.covariance, other.covariance)),
        )


@dataclass(frozen=True)
class CategoryProcess:
    """The posterior of all columns, given the estimates.

    Attributes:
        kernels: (kernels, categories, categories).
        estimates: What it was conditioned on.
        variances: (columns, kernels + 1) of each kernel, and of a category's own deviation.
        inverse: (pairs, pairs) of the covariance of the estimates.
        weights: (pairs,) inverse times the estimates.
    """

    kernels: Floats
    estimates: Estimates
    variances: Floats
    inverse: Floats
    weights: Floats

    def mean(self, category: int, hidden: Truths) -> Floats:
        """(columns,) the mean of a category's part-worths.

        Args:
            category: Its row of the kernels.
            hidden: (pairs,) the estimates that must not count.
        """
        weights = self.weights
        if hidden.any():
            correction = linalg.solve(self.inverse[np.ix_(hidden, hidden)], weights[hidden], assume_a="pos")
            weights = np.where(hidden, 0.0, weights - self.inverse[:, hidden] @ correction)
        return np.asarray(
            np.bincount(
                self.estimates.column, self._across(category) * weights, minlength=len(self.variances)
            ),
            float,
        )

    def variance(self, category: int, hidden: Truths) -> Floats:
        """(columns,) predictive variances of a category's part-worths around ``mean``.

        Those of the column's mean over all categories, of the kernels and of the category's own deviation, less
        what the estimates say.

        Args:
            category: Its row of the kernels.
            hidden: (pairs,) the estimates that must not count.
        """
        of_kernels = self.variances[:, :-1] @ self.kernels[:, category, category]
        variance = CONSTANT + of_kernels + self.variances[:, -1]
        across = np.where(hidden, 0.0, self._across(category))
        for column in range(len(variance)):
            pairs = np.flatnonzero(self.estimates.column == column)
            variance[column] -= across[pairs] @ self.inverse[np.ix_(pairs, pairs)] @ across[pairs]
            if hidden.any():
                inner = self.inverse[np.ix_(hidden, pairs)] @ across[pairs]
                variance[column] += inner @ linalg.solve(
                    self.inverse[np.ix_(hidden, hidden)], inner, assume_a="pos"
                )
        return np.asarray(np.maximum(variance, BOUNDS[0]))

    def given(self, more: Estimates) -> CategoryProcess:
        """The posterior given more estimates too, under the same variances.

        The inverse grows by a block (Schur complement), so that few estimates cost little.
        """
        joined = self.estimates.joined(more)
        across = self._prior(self.estimates, more)
        gain = self.inverse @ across
        left = self._prior(more, more) + more.covariance - across.T @ gain
        corner = linalg.inv((left + left.T) / 2)
        side = -gain @ corner
        inverse = np.block([[self.inverse - side @ gain.T, side], [side.T, corner]])
        return replace(self, estimates=joined, inverse=inverse, weights=inverse @ joined.value)

    def _prior(self, some: Estimates, others: Estimates) -> Floats:
        """(pairs, other pairs) prior covariances of the part-worths that two sets of estimates are of."""
        rows, columns = some.category[:, None], others.category
        shared = np.zeros((len(some.value), len(others.value)))
        for variance, kernel in zip(self.variances[some.column, :-1].T, self.kernels, strict=True):
            shared += variance[:, None] * kernel[rows, columns]
        own = self.variances[some.column, -1][:, None] * (rows == columns)
        return np.where(some.column[:, None] == others.column, CONSTANT + shared + own, 0.0)

    def _across(self, category: int) -> Floats:
        """(pairs,) prior covariances of a category's part-worths with those of each estimate's category."""
        kernel = self.kernels[:, category, self.estimates.category]
        return np.asarray(
            CONSTANT + np.einsum("pk,kp->p", self.variances[self.estimates.column, :-1], kernel)
        )


def fit_process(kernels: Floats, estimates: Estimates) -> CategoryProcess:
    """The posterior under variances learned from the estimates, column by column."""
    columns = int(estimates.column.max()) + 1
    error = np.diag(estimates.covariance)
    variances = []
    for column in range(columns):
        pairs = np.flatnonzero(estimates.column == column)
        rows = estimates.category[pairs]
        variances.append(
            learned_variances(kernels[:, rows[:, None], rows], estimates.value[pairs], error[pairs])
        )
    return condition(kernels, estimates, np.array(variances))


def condition(kernels: Floats, estimates: Estimates, variances: Floats) -> CategoryProcess:
    """The posterior under given variances, (columns, kernels + 1)."""
    covariance = estimates.covariance.copy()
    for column, of_column in enumerate(variances):
        pairs = np.flatnonzero(estimates.column == column)
        rows = estimates.category[pairs]
        prior = CONSTANT + np.tensordot(of_column[:-1], kernels[:, rows[:, None], rows], 1)
        covariance[np.ix_(pairs, pairs)] += prior + of_column[-1] * (rows[:, None] == rows)
    inverse = linalg.cho_solve(linalg.cho_factor(covariance), np.eye(len(covariance)))
    return CategoryProcess(kernels, estimates, variances, inverse, inverse @ estimates.value)


def learned_variances(kernels: Floats, value: Floats, error: Floats) -> Floats:
    """(kernels + 1,) variances of one column by marginal likelihood, the last of a category's own deviation.

    Args:
        kernels: (kernels, categories, categories).
        value: (categories,) estimates.
        error: (categories,) their variances.
    """
    parts = np.concatenate([kernels, np.eye(len(value))[None]])
    flat = parts.reshape(len(parts), -1)

    def loss(log_variances: Floats) -> tuple[float, Floats]:
        variances, excess = np.exp(log_variances), log_variances - np.log(TYPICAL)
        covariance = CONSTANT + (variances @ flat).reshape(parts.shape[1:]) + np.diag(error)
        factor = linalg.cholesky(covariance, lower=True)
        inverse = linalg.cho_solve((factor, True), np.eye(len(value)))
        weights = inverse @ value
        slope = 0.5 * variances * (flat @ (inverse - np.outer(weights, weights)).ravel())
        fit = np.log(np.diag(factor)).sum() + 0.5 * value @ weights
        return float(fit + 0.5 * PULL * excess @ excess), slope + PULL * excess

    result = optimize.minimize(
        loss,
        np.full(len(parts), np.log(START)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(np.log(BOUNDS[0]), np.log(BOUNDS[1]))] * len(parts),
        options={"maxiter": STEPS},
    )
    return np.asarray(np.exp(result.x))
