"""Part-worths of many categories as sums of shared Gaussian terms, and what the others say of each.

    part-worths of a category = A · terms + deviation

Terms and deviations are Gaussian with mean 0 and variances that groups of them share, learned by
expectation-maximisation. The choices of a category enter as the Gaussian around their optimum. What is said of a
category never rests on its own choices: their part is taken out of the posterior in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import expit

from kgrank.arrays import Floats, Ints

START, FLOOR, CEILING = 0.1, 1e-4, 4.0
"""Variances, in squared logits: where learning begins, and their bounds."""

ROUNDS, SETTLED = 40, 0.02


@dataclass(frozen=True)
class LikelihoodApproximation:
    """What its choices alone say of a category's part-worths, as a Gaussian.

    Attributes:
        mean: (columns,) the optimum.
        information: (columns, columns) negative Hessian of the log-likelihood there, nuisance integrated out.
        choices: Their number.
    """

    mean: Floats
    information: Floats
    choices: int


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
    own, across = information[:columns, :columns], information[:columns, columns:]
    if across.shape[1]:
        own = own - across @ np.linalg.pinv(information[columns:, columns:], hermitian=True) @ across.T
    size, basis = np.linalg.eigh((own + own.T) / 2)
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
    """All sums, and what is known of the terms beforehand.

    Attributes:
        by_category: By category.
        group: (terms - weights,) variance group of each term but the last ones.
        groups: Number of variance groups.
        signal_deviation: (weights,) the last terms are weights of readings: their prior standard deviations.
    """

    by_category: Mapping[str, CategoryEffects]
    group: Ints
    groups: int
    signal_deviation: Floats


@dataclass(frozen=True)
class PooledEffects:
    """The posterior of the terms, given the choices of all categories with evidence.

    Attributes:
        model: What adds up.
        likelihoods: Evidence by category.
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
        """(columns,) what the other categories say of a category's part-worths.

        A reading acts as far as the others give it a weight: by the posterior probability that it is not 0, at
        even odds before (the density ratio of Savage and Dickey).
        """
        one, spread = self.model.by_category[category], self.model.signal_deviation
        mean, covariance = self._without(category)
        if len(spread):
            first = len(mean) - len(spread)
            deviation = np.sqrt(np.diag(covariance)[first:])
            likely = expit(np.log(deviation / spread) + 0.5 * (mean[first:] / deviation) ** 2)
            mean = np.concatenate([mean[:first], likely * mean[first:]])
        return np.asarray(one.matrix @ mean[one.effects])

    def variance(self, category: str) -> Floats:
        """(columns,) variance of a category's deviations."""
        return np.asarray(self.variances[self.model.by_category[category].deviation_group])

    @property
    def errors(self) -> Floats:
        """(categories with evidence,) log-likelihood a choice that is lost under what the other categories say."""
        lost = []
        for category, own in self.likelihoods.items():
            gap = self.prior_mean(category) - own.mean
            lost.append(0.5 * float(gap @ own.information @ gap) / own.choices)
        return np.array(lost)

    def _without(self, category: str) -> tuple[Floats, Floats]:
        """Posterior mean and covariance of the terms without a category's own choices."""
        if category not in self.likelihoods:
            return self.mean, self.covariance
        own, one = self.likelihoods[category], self.model.by_category[category]
        message = _message(own, self.variance(category))
        across = self.covariance[:, one.effects] @ one.matrix.T
        # With C the covariance, A the matrix and J the message: (C⁻¹ - A' J A)⁻¹ A' = C A' (I - J A C A')⁻¹.
        left = np.eye(len(message)) - message @ one.matrix @ across[one.effects]
        gain = linalg.solve(left.T, across.T).T @ message
        mean = self.mean - gain @ (own.mean - one.matrix @ self.mean[one.effects])
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
        mean, covariance, messages = _posterior(model, likelihoods, variances)
        squares, count = np.zeros(model.groups), np.zeros(model.groups)
        common = len(model.group)
        np.add.at(squares, model.group, (mean**2 + np.diag(covariance))[:common])
        np.add.at(count, model.group, 1)
        for category, own in likelihoods.items():
            one = model.by_category[category]
            found = _deviations(
                own, one, variances[one.deviation_group], messages[category], mean, covariance
            )
            np.add.at(squares, one.deviation_group, found)
            np.add.at(count, one.deviation_group, 1)
        new = np.where(count > 0, np.clip(squares / np.maximum(count, 1), FLOOR, CEILING), variances)
        settled = np.allclose(new, variances, rtol=SETTLED)
        variances = new
        if settled:
            break
    mean, covariance, _ = _posterior(model, likelihoods, variances)
    return PooledEffects(model, likelihoods, variances, mean, covariance)


def _message(own: LikelihoodApproximation, variance: Floats) -> Floats:
    """(columns, columns) precision with which a category speaks of its prior mean: (Λ⁻¹ + D)⁻¹."""
    found = linalg.solve(np.eye(len(variance)) + own.information * variance, own.information)
    return np.asarray((found + found.T) / 2)


def _posterior(
    terms: EffectModel, told: Mapping[str, LikelihoodApproximation], variances: Floats
) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Mean and covariance of the terms, and the messages that they rest on."""
    prior = np.concatenate([variances[terms.group], terms.signal_deviation**2])
    precision, pull = np.diag(1.0 / prior), np.zeros(len(prior))
    messages = {}
    for category, own in told.items():
        one = terms.by_category[category]
        message = messages[category] = _message(own, variances[one.deviation_group])
        precision[np.ix_(one.effects, one.effects)] += one.matrix.T @ message @ one.matrix
        pull[one.effects] += one.matrix.T @ (message @ own.mean)
    covariance = linalg.cho_solve(linalg.cho_factor(precision), np.eye(len(prior)))
    return covariance @ pull, covariance, messages


def _deviations(
    own: LikelihoodApproximation,
    one: CategoryEffects,
    variance: Floats,
    message: Floats,
    mean: Floats,
    covariance: Floats,
) -> Floats:
    """(columns,) expected squares of a category's deviations."""
    gap = variance * (message @ (own.mean - one.matrix @ mean[one.effects]))
    through = (variance[:, None] * message) @ one.matrix
    doubt = np.einsum("ij,ij->i", through @ covariance[np.ix_(one.effects, one.effects)], through)
    return np.asarray(gap**2 + variance - variance * np.diag(message) * variance + doubt)
