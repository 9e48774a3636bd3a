"""Whether there is anything that a network of people and items could learn from; asked before torch is loaded."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Ints

FEWEST_PERSONS, FEWEST_CATEGORIES = 100, 2
"""Below these the network is not trained: of 100 households of a grocer it brought .002 a choice, of 2,427 .05."""


def too_small(person: Ints, item: Ints, category: Ints, later: tuple[int, int]) -> str | None:
    """Why there is nothing to learn from; None where there is.

    Args:
        person: (purchases,) person numbers of the graph.
        item: (purchases,) item numbers.
        category: (items,) category numbers.
        later: How many choices the weights are learned on, and how many are held out.
    """
    persons, categories = len(np.unique(person)), len(np.unique(category[item]))
    if persons < FEWEST_PERSONS:
        who = "person" if persons == 1 else "people"
        return f"{persons} {who} bought something, of {FEWEST_PERSONS} at least"
    if categories < FEWEST_CATEGORIES:
        return f"all purchases are of {categories} category, and it is learned from purchases in others"
    if not all(later):
        return "no choices came after the purchases of the graph"
    return None
