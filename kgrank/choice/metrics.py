"""Measures of choices and rankings. They refuse NaN, and count ties against the model."""

from __future__ import annotations

import numpy as np

from kgrank.choice.layout import Floats, Ints
from kgrank.choice.logit import Choices


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


def ranks(scores: Floats, target: Ints) -> Ints:
    """(rows,) place of the target in each row of scores (rows, items), from 1, ties lost."""
    _finite(scores)
    own = scores[np.arange(len(target)), target]
    return np.asarray((scores >= own[:, None]).sum(1), dtype=np.int64)


def hit_rate(rank: Ints, first: int) -> float:
    """Share of the targets among the first places."""
    return float((rank <= first).mean())


def ndcg(rank: Ints, first: int) -> float:
    """Mean of 1 / log2(rank + 1) over targets among the first places, 0 for the others."""
    return float(np.where(rank <= first, 1 / np.log2(rank + 1.0), 0.0).mean())
