"""Fit of the conditional logit (McFadden 1974): the optimum under a Gaussian prior, and clustered errors.

Ratings enter the same likelihood: a rating is a choice of one row whose ``chosen`` is normal around the
utility with variance 1 (``kgrank.choice.logit.feedback_scales`` brings it to that unit).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from kgrank.arrays import Floats
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.newton import newton


@dataclass(frozen=True)
class Fit:
    """The optimum of a logit under a Gaussian prior.

    Attributes:
        part_worths: (columns,) the optimum.
        precision: (columns, columns) negative Hessian of the log-posterior there.
        covariance: (columns, columns) of the part-worths, clustered by person.
        log_likelihood: Sum over the choices.
    """

    part_worths: Floats
    precision: Floats
    covariance: Floats
    log_likelihood: float


def optimum(
    choices: Choices, mean: Floats, precision: Floats, start: Floats | None = None, tolerance: float = 1e-9
) -> tuple[Floats, Floats]:
    """The mode of the log-posterior, by Newton's method.

    Args:
        choices: The data.
        mean: (columns,) prior mean.
        precision: (columns,) prior precision of each column.
        start: (columns,) where to start; the prior mean by default.
        tolerance: Ends when the Newton decrement, in log-posterior, is below it.

    Returns:
        The optimum and the negative Hessian there.
    """
    first = np.array(mean if start is None else start, float)

    def evaluate(points: Floats) -> tuple[Floats, Floats]:
        utility = choices.utility(points[0])
        log_prior = -0.5 * precision @ (points[0] - mean) ** 2
        return np.array([choices.log_likelihood(utility).sum() + log_prior]), utility

    def direction(points: Floats, utility: Floats) -> tuple[Floats, Floats, Floats]:
        probability, _ = choices.probabilities(utility)
        residual = choices.gradient_rows(utility, probability)
        gradient = choices.gradient(residual) - precision * (points[0] - mean)
        hessian = choices.information(probability) + np.diag(precision)
        step = linalg.cho_solve(linalg.cho_factor(hessian), gradient)
        return step[None], np.array([gradient @ step]), hessian

    points, _, hessian = newton(first[None], evaluate, direction, tolerance=tolerance)
    return points[0], hessian


def fit(
    choices: Choices,
    mean: Floats,
    precision: Floats,
    start: Floats | None = None,
) -> Fit:
    """The optimum with a covariance clustered by person (the sandwich of White and of Liang and Zeger).

    The middle of the sandwich holds the spread of the persons' gradients, with the usual correction for few
    persons, and the prior's information, so that a direction without data keeps the prior's variance.
    """
    part_worths, hessian = optimum(choices, mean, precision, start)
    utility = choices.utility(part_worths)
    probability, _ = choices.probabilities(utility)
    residual = choices.gradient_rows(utility, probability)
    covariance = _clustered(choices, residual, precision, hessian)
    return Fit(part_worths, hessian, covariance, float(choices.log_likelihood(utility).sum()))


def design_effect(choices: Choices, part_worths: Floats) -> float:
    """By how much persons who choose again and again overstate the information: 1 or more (Kish 1965).

    The spread of the persons' gradients over that of single choices.
    """
    utility = choices.utility(part_worths)
    residual = choices.gradient_rows(utility, choices.probabilities(utility)[0])
    persons, person = np.unique(choices.person, return_inverse=True)
    by_person = choices.spread(residual, person, len(persons))
    by_choice = choices.spread(residual, np.arange(len(choices)), len(choices))
    return max(float(np.trace(by_person) / max(np.trace(by_choice), 1e-12)), 1.0)


def _clustered(choices: Choices, residual: Floats, precision: Floats, hessian: Floats) -> Floats:
    """The sandwich, its middle with few persons drawn towards the information times the average design effect.

    The spread of P persons' gradients has rank P: with fewer persons than columns it would call some directions
    certain.
    """
    persons, person = np.unique(choices.person, return_inverse=True)
    few = len(persons) / max(len(persons) - 1, 1)
    spread = few * choices.spread(residual, person, len(persons))
    inverse = linalg.cho_solve(linalg.cho_factor(hessian), np.eye(len(hessian)))
    information = hessian - np.diag(precision)
    expected = float(np.einsum("ij,ji->", inverse, information))
    effect = max(float(np.einsum("ij,ji->", inverse, spread)) / max(expected, 1e-12), 1.0)
    pull = len(hessian) / (len(hessian) + len(persons))
    middle = (1 - pull) * spread + pull * effect * information + np.diag(precision)
    covariance = inverse @ middle @ inverse
    return np.asarray((covariance + covariance.T) / 2)
