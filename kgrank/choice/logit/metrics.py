"""Measures of choices and rankings. They refuse NaN, and count ties against the model."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.logit.choices import Choices


def _finite(scores: Floats) -> Floats:
    if not np.isfinite(scores).all():
        raise ValueError("scores hold NaN or infinity")
    return scores


def top1(choices: Choices, utility: Floats) -> Floats:
    """(choices,) 1 where the alternative taken alone has the highest utility; the outside option has 0."""
    _finite(utility)
    first = choices.start[:-1]
    taken = choices.chosen > 0
    own = np.maximum.reduceat(np.where(taken, utility, -np.inf), first)
    other = np.maximum.reduceat(np.where(taken, -np.inf, utility), first)
    outside = np.where(choices.outside, 0.0, -np.inf)
    left = choices.left > 0
    own = np.where(left, np.maximum(own, 0.0), own)
    other = np.where(left, other, np.maximum(other, outside))
    return (own > other).astype(float)
