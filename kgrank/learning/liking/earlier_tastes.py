"""Everyone's own tastes from the choices before a time, as they are served for later ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.tastes import across_categories as across
from kgrank.choice.tastes.mixed_logit import Panel, join_panels, panel_by_person, posteriors
from kgrank.choice.tastes.shared_columns import column_map
from kgrank.learning.fit import ShopFit, choices_for_tastes
from kgrank.learning.result import served_part_worths

PEOPLE = 500
"""People whose posteriors are computed at once."""


@dataclass(frozen=True)
class EarlierTastes:
    """Deviations from the part-worths that are served.

    Attributes:
        maps: By category, (category's columns and nuisance, columns) where each column goes.
        mean: (people, columns) everyone's deviations in a category in which they never chose.
        within: By category, the persons who chose in it and (persons, columns) their deviations there.
    """

    maps: Mapping[str, Floats]
    mean: Floats
    within: Mapping[str, tuple[Ints, Floats]]

    def utility(self, category: str, choices: Choices) -> Floats:
        """(rows,) what the tastes add in the choices of a category."""
        if category not in self.maps:
            return np.zeros(len(choices.chosen))
        persons, deviations = self.within.get(category, (np.empty(0, np.int64), np.empty((0, 0))))
        person = choices.person[choices.choice]
        deviation = self.mean[person]
        if len(persons):
            index = np.minimum(np.searchsorted(persons, person), len(persons) - 1)
            deviation = np.where((persons[index] == person)[:, None], deviations[index], deviation)
        columns = choices.times(choices.centring @ self.maps[category])
        return np.asarray(np.einsum("rc,rc->r", columns, deviation))


def earlier_tastes(fitted: ShopFit, until: float) -> EarlierTastes:
    """The posterior means of everyone's deviations, from choices up to a time; none without a population."""
    population, people = fitted.population, len(fitted.shop.log.users)
    sets = choices_for_tastes(fitted.shop) if population.columns else {}
    maps = {
        category: column_map(one.design.layout, one.nuisance, population.columns, population.scales)
        for category, one in sets.items()
    }
    early = {c: early for c, s in sets.items() if (early := s.choices.time <= until).any()}

    def panel(category: str) -> tuple[Panel, Ints]:
        one = sets[category]
        choices = one.choices.take(early[category])
        return panel_by_person(choices, served_with_nuisance(one, fitted), maps[category])

    if early and population.within:
        return _across_categories(fitted, {c: partial(panel, c) for c in early}, maps, people)
    mean = np.array(population.mean) if population.mean else np.zeros(len(population.columns))
    everyone = np.tile(mean, (people, 1))
    if early:
        joined, persons = join_panels([panel(category) for category in early])
        everyone[persons] = _modes(joined, mean, np.array(population.covariance))
    return EarlierTastes(maps, everyone, {})


def served_with_nuisance(one: CategoryChoices, fitted: ShopFit) -> Floats:
    """(columns and nuisance,) the part-worths that are served."""
    layout = one.design.layout
    nuisance = fitted.category_fits.fits[layout.category].part_worths[layout.width :]
    return np.concatenate([served_part_worths(layout, fitted), nuisance])


def _across_categories(
    fitted: ShopFit,
    panels: Mapping[str, Callable[[], tuple[Panel, Ints]]],
    maps: Mapping[str, Floats],
    people: int,
) -> EarlierTastes:
    """With departures; each category's choices are let go of as soon as it is known what they say."""
    population = fitted.population
    parts = [across.panel_evidence(*panel(), number, people) for number, panel in enumerate(panels.values())]
    evidence = across.joined(parts)
    variation = across.Variation(np.array(population.covariance), np.array(population.within))
    mean, covariance = across.posteriors(evidence, variation)
    departed, _ = across.departures(evidence, variation, mean, covariance)
    within = {
        category: (part.person, departed[evidence.category == number])
        for number, (category, part) in enumerate(zip(panels, parts, strict=True))
    }
    return EarlierTastes(maps, mean, within)


def _modes(panel: Panel, mean: Floats, covariance: Floats) -> Floats:
    """(people, columns) everyone's posterior mode, some people at a time: each has a matrix of the columns."""
    modes = []
    for first in range(0, panel.people, PEOPLE):
        last = min(first + PEOPLE, panel.people)
        part = panel.take((panel.choices.person >= first) & (panel.choices.person < last))
        numbered = replace(part.choices, person=part.choices.person - first)
        modes.append(posteriors(Panel(numbered, part.x, last - first), mean, covariance)[0])
    return np.concatenate(modes)
