"""What was learned of the groceries, as values: all categories, their neighbours, how households differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kgrank.arrays import Floats
from kgrank.demo.groceries.household_groups import HouseholdGroups, household_groups
from kgrank.ontology.model import Ontology
from kgrank.ranking.answers import Importance
from kgrank.ranking.catalogue.phrases import attribute_name
from kgrank.ranking.explain.importance import read_importance
from kgrank.weights.model import LearnedWeights, Population

_NEIGHBOURS = 4


@dataclass(frozen=True)
class Taste:
    """How much shoppers differ in an attribute: standard deviation of its part-worths, in logits."""

    attribute: str
    name: str
    deviation: float


@dataclass(frozen=True, kw_only=True)
class GroceryResults:
    """What the page shows.

    Attributes:
        departments: The categories of each department, by name.
        neighbours: Of each category, by id, those of its department whose shares are most alike, the nearest
            first; of all where it is alone.
        tastes: By attribute, the largest first; empty where no tastes of people were estimated.
        groups: Of households whose tastes are alike.
        metrics: Of the training.
        notes: What a reader must know, and what the network brought where one was trained.
    """

    departments: Mapping[str, tuple[Importance, ...]]
    neighbours: Mapping[str, tuple[str, ...]]
    tastes: tuple[Taste, ...]
    groups: HouseholdGroups = field(default_factory=HouseholdGroups)
    metrics: Mapping[str, float]
    notes: tuple[str, ...]

    @property
    def categories(self) -> tuple[Importance, ...]:
        """All categories, department by department."""
        return tuple(c for department in self.departments.values() for c in department)

    def beside(self, department: str) -> tuple[Importance, ...]:
        """The category of a department with most choices, then its neighbours."""
        category = max(self.departments[department], key=lambda c: (c.choice_count, c.category))
        by_id = {c.category: c for c in self.categories}
        return (category, *(by_id[n] for n in self.neighbours[category.category]))

    @property
    def attributes(self) -> dict[str, str]:
        """Names by id, those with the largest mean share first."""
        shares: dict[str, list[float]] = {}
        names: dict[str, str] = {}
        for category in self.categories:
            for a in category.attributes:
                shares.setdefault(a.attribute, []).append(a.share)
                names[a.attribute] = a.name
        return {a: names[a] for a in sorted(shares, key=lambda a: (-sum(shares[a]), a))}


def grocery_results(
    weights: LearnedWeights, ontology: Ontology, tastes: Floats | None = None
) -> GroceryResults:
    """The results of a run on the groceries.

    Args:
        weights: What was learned.
        ontology: Of the groceries.
        tastes: (households, columns of the population) each household's own, without ids.

    Raises:
        WeightsError: The weights are not of this ontology.
    """
    departments: dict[str, list[Importance]] = {}
    for term in ontology.categories.values():
        if term.parent is not None and term.id in weights.categories:
            name = ontology.categories[term.parent].name()
            departments.setdefault(name, []).append(read_importance(weights, ontology, term.id))
    by_name = {name: tuple(sorted(c, key=lambda c: c.name)) for name, c in sorted(departments.items())}
    everything = [c for below in by_name.values() for c in below]
    neighbours = {
        c.category: tuple(n.category for n in most_alike(c, siblings if len(siblings) > 1 else everything))
        for siblings in by_name.values()
        for c in siblings
    }
    population = weights.population
    return GroceryResults(
        departments=by_name,
        neighbours=neighbours,
        tastes=tuple(_tastes(population, ontology)),
        groups=HouseholdGroups()
        if tastes is None
        else household_groups(tastes, population.columns, ontology),
        metrics=weights.metrics,
        notes=weights.notes,
    )


def most_alike(category: Importance, others: Sequence[Importance]) -> tuple[Importance, ...]:
    """The categories whose shares differ least from a category's, by the sum of absolute differences."""
    shares = {a.attribute: a.share for a in category.attributes}

    def distance(other: Importance) -> float:
        theirs = {a.attribute: a.share for a in other.attributes}
        return sum(abs(shares.get(a, 0.0) - theirs.get(a, 0.0)) for a in shares | theirs)

    ranked = sorted(
        (o for o in others if o.category != category.category), key=lambda o: (distance(o), o.name)
    )
    return tuple(ranked[:_NEIGHBOURS])


def _tastes(population: Population, ontology: Ontology) -> list[Taste]:
    """The root mean square of the deviations of each attribute's columns."""
    variances: dict[str, list[float]] = {}
    for number, column in enumerate(population.columns):
        attribute = column.partition("=")[0]
        if attribute in ontology.attributes:
            variances.setdefault(attribute, []).append(population.covariance[number][number])
    tastes = (
        Taste(a, attribute_name(ontology, a, "en"), float(np.sqrt(np.mean(v)))) for a, v in variances.items()
    )
    return sorted(tastes, key=lambda t: (-t.deviation, t.attribute))
