"""Ragged arrays: runs of rows of different lengths, such as the rows of a choice or the events of a person."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Ints


def gather(first: Ints, size: Ints) -> tuple[Ints, Ints]:
    """The rows of the given runs, one run after the other.

    Args:
        first: (runs,) first row of each run.
        size: (runs,) number of its rows.

    Returns:
        The rows, and (runs + 1,) where each run starts among them.
    """
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    return np.arange(start[-1]) + np.repeat(first - start[:-1], size), start
