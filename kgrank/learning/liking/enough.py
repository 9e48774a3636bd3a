"""Whether there is anything that a network of people and items could learn from; asked before torch is loaded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kgrank.arrays import Ints

FEWEST_PERSONS, FEWEST_CATEGORIES = 100, 2
"""Below these the network is not trained: of 100 households of a grocer it brought .002 a choice, of 2,427 .05."""

FEWEST_LATER = 30
"""People with later choices below which an error that is clustered by person says too little."""


def too_small(person: Ints, item: Ints, category: Ints, later: Sequence[int]) -> str | None:
    """Why there is nothing to learn from; None where there is.

    Args:
        person: (purchases,) person numbers of the graph.
        item: (purchases,) item numbers.
        category: (items,) category numbers.
        later: How many people made the choices that the weights are learned on, and those that are held out.
    """
    persons, categories = len(np.unique(person)), len(np.unique(category[item]))
    if persons < FEWEST_PERSONS:
        who = "person" if persons == 1 else "people"
        return f"{persons} {who} bought something, of {FEWEST_PERSONS} at least"
    if categories < FEWEST_CATEGORIES:
        return f"all purchases are of {categories} category, and it is learned from purchases in others"
    if not all(later):
        return "no choices came after the purchases of the graph"
    if min(later) < FEWEST_LATER:
        chose = "person chose" if min(later) == 1 else "people chose"
        return f"{min(later)} {chose} something after the purchases of the graph, of {FEWEST_LATER} at least"
    return None
