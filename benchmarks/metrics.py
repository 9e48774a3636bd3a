"""Hit rate and NDCG of ranked lists, with ties broken at random."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.metrics import _finite


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
