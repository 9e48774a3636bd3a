"""Groups of households with similar tastes, by k-means over their tastes.

Starts are drawn far apart (k-means++: Arthur and Vassilvitskii 2007). A group is shown as its size and its mean
tastes; one of fewer than ten households is never formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import ClusterError, kmeans2

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.choice_sets import INSIDE
from kgrank.graph.schema import NUMBER, split_value_id
from kgrank.ontology.model import Ontology
from kgrank.ranking.catalogue.phrases import attribute_name, value_name

FEWEST = 10
"""Households of a group."""

MOST_GROUPS, TRIES = 6, 10
"""Groups at most, and the random starts of which the best is taken."""

NAMED = 3
"""Tastes that a group's sentence names."""

CLEAR = 0.25
"""In standard deviations over the households: a group's mean that is nearer to that of all is not named."""


@dataclass(frozen=True)
class GroupTaste:
    """What a group has of one taste.

    Attributes:
        taste: In words: ``higher Shelf price``, ``Private label: yes``.
        mean: Of the group's households, against the average shopper's part-worth, in logits: of a number for one
            unit of its spread.
        deviations: The mean in standard deviations over all households, from the mean of all.
    """

    taste: str
    mean: float
    deviations: float


@dataclass(frozen=True)
class HouseholdGroup:
    """Households that are alike.

    Attributes:
        households: Their number.
        sentence: What they care for more and less than the average household.
        tastes: In the order of the population's columns.
    """

    households: int
    sentence: str
    tastes: tuple[GroupTaste, ...]


@dataclass(frozen=True)
class HouseholdGroups:
    """All groups, the largest first.

    Attributes:
        groups: Empty where there are too few households.
        explained: Share of the households' differences in taste that lies between the groups.
    """

    groups: tuple[HouseholdGroup, ...] = ()
    explained: float = 0.0


def household_groups(tastes: Floats, columns: Sequence[str], ontology: Ontology) -> HouseholdGroups:
    """Groups of at least ten households.

    Args:
        tastes: (households, columns) each household's deviations from the average shopper, in logits.
        columns: AttributeValue ids, and ``inside``, which is left out.
        ontology: What they are called.
    """
    kept = [k for k, name in enumerate(columns) if name != INSIDE]
    tastes, names = tastes[:, kept], [taste_name(columns[k], ontology) for k in kept]
    number = _numbers(tastes)
    if number is None:
        return HouseholdGroups()
    mean, spread = tastes.mean(0), np.maximum(tastes.std(0), 1e-12)
    sizes = np.bincount(number)
    centres = np.array([tastes[number == g].mean(0) for g in range(len(sizes))])
    groups = [
        _group(int(sizes[g]), names, centres[g], (centres[g] - mean) / spread)
        for g in np.argsort(-sizes, kind="stable").tolist()
    ]
    between = float((sizes[:, None] * (centres - mean) ** 2).sum())
    return HouseholdGroups(tuple(groups), between / float(((tastes - mean) ** 2).sum()))


def taste_name(column: str, ontology: Ontology) -> str:
    """What a column of the population is called."""
    attribute, value = split_value_id(column)
    name = attribute_name(ontology, attribute, "en")
    if value == NUMBER:
        return f"higher {name}"
    value = value_name(ontology, attribute, value, "en")
    # Values that begin with the attribute's name need it once: "manufacturer 12".
    return value if value.lower().startswith(name.lower()) else f"{name}: {value}"


def _numbers(tastes: Floats) -> Ints | None:
    """(households,) the group of each: as many groups as each have ten households; None where two have not."""
    most = min(MOST_GROUPS, len(tastes) // FEWEST)
    if most < 2:
        return None
    varying = tastes[:, np.ptp(tastes, axis=0) > 0]
    most = min(most, len(np.unique(varying, axis=0)) if varying.size else 0)
    for count in range(most, 1, -1):
        runs = [_k_means(varying, count, seed) for seed in range(TRIES)]
        _, number = min(runs, key=lambda run: run[0])
        if np.bincount(number, minlength=count).min() >= FEWEST:
            return number
    return None


def _k_means(tastes: Floats, count: int, seed: int) -> tuple[float, Ints]:
    """The sum of squared distances to the groups' centres, and the group of each household."""
    try:
        centres, number = kmeans2(tastes, count, minit="++", missing="raise", seed=seed, iter=50)
    except ClusterError:
        # A group has lost all of its households: another start will do.
        return np.inf, np.zeros(len(tastes), np.int64)
    return float(((tastes - centres[number]) ** 2).sum()), np.asarray(number, np.int64)


def _group(households: int, names: Sequence[str], mean: Floats, deviations: Floats) -> HouseholdGroup:
    strongest = [
        int(k) for k in np.argsort(-np.abs(deviations), kind="stable") if abs(deviations[k]) >= CLEAR
    ]
    more = [names[k] for k in strongest[:NAMED] if deviations[k] > 0]
    less = [names[k] for k in strongest[:NAMED] if deviations[k] < 0]
    parts = [f"like {_listed(more)} more"] * bool(more) + [f"like {_listed(less)} less"] * bool(less)
    sentence = " and ".join(parts) + " than the average household" if parts else "like the average household"
    tastes = zip(names, mean.tolist(), deviations.tolist(), strict=True)
    return HouseholdGroup(households, sentence, tuple(GroupTaste(*taste) for taste in tastes))


def _listed(names: Sequence[str]) -> str:
    return "; ".join(f"“{name}”" for name in names)
