"""Folds of categories, and prior means fold by fold: each from categories outside the fold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np

from kgrank.arrays import Floats
from kgrank.learning.prior_means import PriorMeanData
from kgrank.learning.reporting.progress import Progress
from kgrank.ontology.model import Ontology

NAMED = 5
"""Categories of a fold that a note names at most."""


def folds(ontology: Ontology, categories: Sequence[str], count: int) -> list[frozenset[str]]:
    """Categories in folds, siblings together; where all are siblings, each is a family of its own."""
    families: dict[str, list[str]] = {}
    for category in categories:
        families.setdefault(ontology.categories[category].parent or category, []).append(category)
    groups = list(families.values()) if len(families) > 1 else [[c] for c in categories]
    parts: list[list[str]] = [[] for _ in range(min(count, len(groups)))]
    for group in sorted(groups, key=len, reverse=True):
        min(parts, key=len).extend(group)
    return [frozenset(p) for p in parts]


def means_by_fold(
    data: PriorMeanData,
    count: int,
    fit: Callable[[frozenset[str]], Mapping[str, Floats]],
    progress: Progress,
) -> Iterator[dict[str, Floats]]:
    """Prior means of each fold's categories.

    A category whose choices come from more than one fold (a high one) has no prior mean; with a single fold
    there is none at all.

    Args:
        data: The categories and their choices.
        count: Folds at most.
        fit: Prior means of all categories, given the hidden ones, whose choices and rules it must not use.
        progress: Receives each fold.

    Raises:
        KeyboardInterrupt: The user stopped a fold: half a fold is no prior.
    """
    parts = folds(data.ontology, list(data.own_choices), count)
    if len(parts) < 2:
        return
    for number, hidden in enumerate(parts, 1):
        names = sorted(hidden)
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        progress.note(f"fold {number} of {len(parts)}: without {', '.join(names[:NAMED])}{more}")
        progress.step("folds", number - 1, len(parts))
        means = fit(hidden)
        progress.step("folds", number, len(parts))
        yield {
            category: np.asarray(means[category])
            for category in data.evidence.designs
            if _all_hidden(data, category, hidden)
        }


def _all_hidden(data: PriorMeanData, category: str, hidden: Collection[str]) -> bool:
    """Whether all choices of a category come from the hidden categories."""
    below = {c for c in data.ontology.subtree(category) if c in data.own_choices}
    return bool(below) and below <= set(hidden)
