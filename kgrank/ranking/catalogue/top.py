"""The first items of a ranking without sorting the whole: exact, ties by item id."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats, Ints

DECIMALS = 9
"""Scores are compared after rounding, in Python and in Cypher alike."""

_SLACK = 2 * 10.0**-DECIMALS


def top_indices(scores: Floats, count: int) -> tuple[Ints, Floats]:
    """Indices of the highest scores, and the scores rounded as they are compared.

    Args:
        scores: In the order of the item ids (items,).
        count: At most so many.

    Returns:
        Indices (count,) from the highest rounded score down, equal ones in ascending order, and their rounded
        scores.
    """
    size = len(scores)
    if count <= 0 or size == 0:
        return np.empty(0, dtype=np.int64), np.empty(0)
    if count >= size:
        candidates = np.arange(size)
    else:
        # Rounding keeps the order, so what rounds to the last shown score or above lies within the slack.
        last = np.partition(scores, size - count)[size - count]
        candidates = np.flatnonzero(scores >= last - _SLACK)
    rounded = scores[candidates].round(DECIMALS)
    if len(candidates) > 2 * count:
        # Many equal scores: those above the last shown one, and the first ids of those equal to it.
        bound = np.partition(rounded, len(candidates) - count)[len(candidates) - count]
        above = np.flatnonzero(rounded > bound)
        equal = np.flatnonzero(rounded == bound)[: count - len(above)]
        chosen = np.sort(np.concatenate([above, equal]))
        candidates, rounded = candidates[chosen], rounded[chosen]
    order = np.argsort(-rounded, kind="stable")[:count]
    return candidates[order], rounded[order]


def position(scores: Floats, index: int) -> int:
    """Position of one item in the ranking, from 1."""
    rounded = scores.round(DECIMALS)
    score = rounded[index]
    return 1 + int((rounded > score).sum()) + int((rounded[:index] == score).sum())
