"""Partial pooling of part-worths over categories: sums of shared Gaussian effects, with learned variances.

    part-worths of a category = A · terms + deviation

Terms and deviations are Gaussian with mean 0 and variances that groups of them share, learned by
expectation-maximisation (empirical Bayes: Efron and Morris 1973; Gelman and Hill 2007). The choices of a category
enter as the Gaussian around their optimum. The prior mean of a category never uses its choices: they are removed
from the posterior in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg
from scipy.special import expit

from kgrank.arrays import Floats, Ints

START, FLOOR, CEILING = 0.1, 1e-4, 4.0
"""Variances, in squared logits: where learning begins, and their bounds."""

ROUNDS, SETTLED = 40, 0.02


@dataclass(frozen=True)
class LikelihoodApproximation:
    """The likelihood of a category's part-worths, approximated by a Gaussian (Laplace).

    Attributes:
        mean: (columns,) the optimum.
        information: (columns, columns) negative Hessian of the log-likelihood there, nuisance integrated out.
        choices: Their number, divided by their design effect where persons' choices clump.
    """

    mean: Floats
    information: Floats
    choices: float

    def lost(self, part_worths: Floats) -> float:
        """Log-likelihood a choice that other part-worths lose against the optimum."""
        error = part_worths - self.mean
        return 0.5 * float(error @ self.information @ error) / self.choices

    def divided(self, design_effect: float) -> LikelihoodApproximation:
        """What as many choices of independent persons would say."""
        return replace(
            self, information=self.information / design_effect, choices=self.choices / design_effect
        )


def likelihood_approximation(
    columns: int, part_worths: Floats, hessian: Floats, prior: Floats, choices: int
) -> LikelihoodApproximation:
    """The likelihood around the optimum of a fit under a prior too flat to move it.

    Args:
        columns: How many of the parameters are part-worths; the others are nuisance.
        part_worths: (parameters,) the optimum.
        hessian: (parameters, parameters) negative Hessian of the log-posterior there.
        prior: (parameters,) precision of the prior.
        choices: Their number.
    """
    information = hessian - np.diag(prior)
    block, across = information[:columns, :columns], information[:columns, columns:]
    if across.shape[1]:
        block = block - across @ np.linalg.pinv(information[columns:, columns:], hermitian=True) @ across.T
    size, basis = np.linalg.eigh((block + block.T) / 2)
    return LikelihoodApproximation(part_worths[:columns], (basis * np.maximum(size, 0.0)) @ basis.T, choices)


@dataclass(frozen=True)
class CategoryEffects:
    """The terms whose sum a category's part-worths are.

    Attributes:
        effects: (terms here,) their numbers.
        matrix: (columns, terms here).
        deviation_group: (columns,) the variance group of each deviation.
    """

    effects: Ints
    matrix: Floats
    deviation_group: Ints


@dataclass(frozen=True)
class EffectModel:
    """All sums, and the prior of the terms.

    Attributes:
        by_category: By category.
        group: (terms - weights,) variance group of each term but the last ones.
        groups: Number of variance groups.
        signal_deviation: (weights,) the last terms are weights of signals: their prior standard deviations.
    """

    by_category: Mapping[str, CategoryEffects]
    group: Ints
    groups: int
    signal_deviation: Floats


@dataclass(frozen=True)
class PooledEffects:
    """The posterior of the terms, given the choices of all categories.

    Attributes:
        model: The sums.
        likelihoods: By category with choices.
        variances: (groups,).
        mean: (terms,).
        covariance: (terms, terms).
    """

    model: EffectModel
    likelihoods: Mapping[str, LikelihoodApproximation]
    variances: Floats
    mean: Floats
    covariance: Floats

    def prior_mean(self, category: str) -> Floats:
        """(columns,) the prior mean of a category's part-worths, from the other categories.

        The weight of a signal is multiplied by the posterior probability that it is not 0, at even prior odds
        (the density ratio of Savage and Dickey: Dickey 1971; Verdinelli and Wasserman 1995).
        """
        category_effects, spread = self.model.by_category[category], self.model.signal_deviation
        mean, covariance = self._without(category)
        if len(spread):
            first = len(mean) - len(spread)
            deviation = np.sqrt(np.diag(covariance)[first:])
            prob_nonzero = expit(np.log(deviation / spread) + 0.5 * (mean[first:] / deviation) ** 2)
            mean = np.concatenate([mean[:first], prob_nonzero * mean[first:]])
        return np.asarray(category_effects.matrix @ mean[category_effects.effects])

    def variance(self, category: str) -> Floats:
        """(columns,) variance of a category's deviations."""
        return np.asarray(self.variances[self.model.by_category[category].deviation_group])

    @property
    def errors(self) -> Floats:
        """(categories with choices,) log-likelihood a choice that the prior mean loses against the optimum."""
        return np.array([likelihood.lost(self.prior_mean(c)) for c, likelihood in self.likelihoods.items()])

    def _without(self, category: str) -> tuple[Floats, Floats]:
        """Posterior mean and covariance of the terms without the choices of a category."""
        if category not in self.likelihoods:
            return self.mean, self.covariance
        likelihood, category_effects = self.likelihoods[category], self.model.by_category[category]
        precision = _message(likelihood, self.variance(category))
        across = self.covariance[:, category_effects.effects] @ category_effects.matrix.T
        # With C the covariance, A the matrix and J the message: (C⁻¹ - A' J A)⁻¹ A' = C A' (I - J A C A')⁻¹.
        left = np.eye(len(precision)) - precision @ category_effects.matrix @ across[category_effects.effects]
        gain = linalg.solve(left.T, across.T).T @ precision
        mean = self.mean - gain @ (
            likelihood.mean - category_effects.matrix @ self.mean[category_effects.effects]
        )
        return mean, self.covariance + gain @ across.T


def pool(
    model: EffectModel, likelihoods: Mapping[str, LikelihoodApproximation], variances: Floats | None = None
) -> PooledEffects:
    """The posterior of the terms under learned variances, or given ones."""
    if variances is not None:
        mean, covariance, _ = _posterior(model, likelihoods, variances)
        return PooledEffects(model, likelihoods, variances, mean, covariance)
    variances = np.full(model.groups, START)
    for _ in range(ROUNDS):
        mean, covariance, precisions = _posterior(model, likelihoods, variances)
        squares, count = np.zeros(model.groups), np.zeros(model.groups)
        common = len(model.group)
        np.add.at(squares, model.group, (mean**2 + np.diag(covariance))[:common])
        np.add.at(count, model.group, 1)
        for category, likelihood in likelihoods.items():
            category_effects = model.by_category[category]
            expected_squares = _deviations(
                likelihood,
                category_effects,
                variances[category_effects.deviation_group],
                precisions[category],
                mean,
                covariance,
            )
            np.add.at(squares, category_effects.deviation_group, expected_squares)
            np.add.at(count, category_effects.deviation_group, 1)
        new = np.where(count > 0, np.clip(squares / np.maximum(count, 1), FLOOR, CEILING), variances)
        converged = np.allclose(new, variances, rtol=SETTLED)
        variances = new
        if converged:
            break
    mean, covariance, _ = _posterior(model, likelihoods, variances)
    return PooledEffects(model, likelihoods, variances, mean, covariance)


def _message(likelihood: LikelihoodApproximation, variance: Floats) -> Floats:
    """(columns, columns) precision of a category's prior mean given its choices: (Λ⁻¹ + D)⁻¹."""
    precision = linalg.solve(
        np.eye(len(variance)) + likelihood.information * variance, likelihood.information
    )
    return np.asarray((precision + precision.T) / 2)


def _posterior(
    terms: EffectModel, likelihoods: Mapping[str, LikelihoodApproximation], variances: Floats
) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Mean and covariance of the terms, and the precision that each category adds."""
    prior = np.concatenate([variances[terms.group], terms.signal_deviation**2])
    precision, precision_mean = np.diag(1.0 / prior), np.zeros(len(prior))
    message_precisions = {}
    for category, likelihood in likelihoods.items():
        category_effects = terms.by_category[category]
        message_precision = message_precisions[category] = _message(
            likelihood, variances[category_effects.deviation_group]
        )
        precision[np.ix_(category_effects.effects, category_effects.effects)] += (
            category_effects.matrix.T @ message_precision @ category_effects.matrix
        )
        precision_mean[category_effects.effects] += category_effects.matrix.T @ (
            message_precision @ likelihood.mean
        )
    covariance = linalg.cho_solve(linalg.cho_factor(precision), np.eye(len(prior)))
    return covariance @ precision_mean, covariance, message_precisions


def _deviations(
    likelihood: LikelihoodApproximation,
    category_effects: CategoryEffects,
    variance: Floats,
    precision: Floats,
    mean: Floats,
    covariance: Floats,
) -> Floats:
    """(columns,) expected squares of a category's deviations."""
    posterior_mean = variance * (
        precision @ (likelihood.mean - category_effects.matrix @ mean[category_effects.effects])
    )
    through = (variance[:, None] * precision) @ category_effects.matrix
    uncertainty = np.einsum(
        "ij,ij->i", through @ covariance[np.ix_(category_effects.effects, category_effects.effects)], through
    )
    return np.asarray(posterior_mean**2 + variance - variance * np.diag(precision) * variance + uncertainty)
