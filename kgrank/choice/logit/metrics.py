"""Measures of choices and rankings. They refuse NaN, and count ties against the model."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.likelihood import Choices


def _finite(scores: Floats) -> Floats:
    if not np.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinity")
    return scores


def top1(choices: Choices, utility: Floats) -> Floats:
    """(choices,) 1 where the alternative taken alone has the highest utility; the outside option has 0."""
    _finite(utility)
    first = choices.start[:-1]
    taken = choices.chosen > 0
    taken_utility = np.maximum.reduceat(np.where(taken, utility, -np.inf), first)
    other_utility = np.maximum.reduceat(np.where(taken, -np.inf, utility), first)
    outside = np.where(choices.outside, 0.0, -np.inf)
    took_outside = choices.left > 0
    taken_utility = np.where(took_outside, np.maximum(taken_utility, 0.0), taken_utility)
    other_utility = np.where(took_outside, other_utility, np.maximum(other_utility, outside))
    return (taken_utility > other_utility).astype(float)


def mean_and_error(gain: Floats, cluster: Ints) -> tuple[float, float]:
    """The mean of a gain over choices, and its standard error with choices clustered."""
    _, inverse = np.unique(cluster, return_inverse=True)
    sums = np.bincount(inverse, gain - gain.mean())
    return float(gain.mean()), float(np.sqrt((sums**2).sum()) / len(gain))
