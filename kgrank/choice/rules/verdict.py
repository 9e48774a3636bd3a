"""The data's evidence on a rule, and their verdict."""

from __future__ import annotations

import numpy as np
from scipy import special

from kgrank.arrays import Floats, Truths
from kgrank.choice.rules.sampling import DRAWS

UNLIKELY = 0.025
"""Probability below which the data contradict a rule, or several rules together."""

SILENT = float(np.log(3))
"""Log Bayes factor below which the data say nothing of a rule."""

CERTAIN = 1e-15
"""What a probability of a normal distribution is kept from 0 and 1 by, so that its odds are numbers."""

FEWEST_DRAWS = 10
"""Draws on one side of a statement from which its share is a measure of its probability."""

APART = 2.0
"""Standard errors of simulation by which two shares of draws must differ to count as different."""


def within_draws(probability: Floats) -> Floats:
    """Shares of draws kept half a draw away from 0 and 1, the most extreme that so many draws can show."""
    return np.asarray(np.clip(probability, 0.5 / DRAWS, 1 - 0.5 / DRAWS))


def told_apart(prob_data: Floats, prob_prior: Floats) -> Truths:
    """Whether the draws are enough to say that two probabilities differ.

    Of a rule that neither one of the prior's draws nor one of the data's shows, say, they can not say it: its
    Bayes factor may be anything. By the standard error of the difference of two empirical logits.

    Args:
        prob_data: Shares of ``DRAWS`` from the data's posterior, strictly between 0 and 1.
        prob_prior: Shares of as many draws from the prior.
    """
    variance = sum(1 / (DRAWS * p * (1 - p)) for p in (prob_data, prob_prior))
    difference = special.logit(prob_data) - special.logit(prob_prior)
    return np.asarray(np.abs(difference) > APART * np.sqrt(variance))


def log_bayes_factor(prob_data: float, prob_prior: float) -> float:
    """Log Bayes factor of "it holds in this category", from probabilities strictly between 0 and 1."""
    return float(special.logit(prob_data) - special.logit(prob_prior))


def evidence_of_several(prob_data: float, prob_prior: float, as_a_whole: float) -> tuple[float, float]:
    """The evidence on a rule about several categories: its probability by the data, and its log Bayes factor.

    It is the stronger of two that point the same way: that the rule holds in a category of its own, drawn at
    random, and that it is right as a whole. Where they point in different ways, as for a rule that holds in most
    of its categories and fails in more than exceptions allow, the second decides.

    Args:
        prob_data: Probability that it holds in a category, from the data alone, the mean over its categories.
        prob_prior: The same under the prior without rules.
        as_a_whole: Log Bayes factor of its switch, on against off.
    """
    in_one = log_bayes_factor(prob_data, prob_prior)
    if in_one * as_a_whole > 0 and abs(in_one) > abs(as_a_whole):
        return prob_data, in_one
    return float(special.expit(special.logit(prob_prior) + as_a_whole)), as_a_whole


def verdict(prob_data: float, prob_prior: float) -> str:
    """The data's verdict on a rule, in one or two words.

    Args:
        prob_data: Probability that it holds, from the data alone.
        prob_prior: The same under the prior without rules.
    """
    bayes_factor = log_bayes_factor(prob_data, prob_prior)
    if abs(bayes_factor) < SILENT:
        return "silent"
    if bayes_factor > 0:
        return "supported" if prob_data > 1 - UNLIKELY else "leans for"
    return "contradicted" if prob_data < UNLIKELY else "leans against"
