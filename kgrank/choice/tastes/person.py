"""One person's tastes at request time: the population as prior, their choices as likelihood, no training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Design, Layout
from kgrank.choice.data.responses import ResponseLog
from kgrank.choice.importance import importance
from kgrank.choice.logit.choice_sets import INSIDE, CategoryChoices, category_choices
from kgrank.choice.logit.feedback_scales import weighted
from kgrank.choice.tastes import across_categories as across
from kgrank.choice.tastes.liking import PersonLiking
from kgrank.choice.tastes.mixed_logit import Panel, join_panels, panel_by_person, posteriors
from kgrank.choice.tastes.shared_columns import column_map, scale_factors
from kgrank.ontology.model import Ontology
from kgrank.weights.model import CategoryWeights, LearnedWeights, Population

SAMPLED = 50
"""Items drawn beside the chosen one where the person's events do not say what was shown."""

TOLERANCE = 1e-14
"""Newton decrement at the optimum, in log-posterior."""


@dataclass(frozen=True)
class Posterior:
    """Mode (columns,) and covariance (columns, columns) of a person's deviations, in the population's columns."""

    mean: Floats
    covariance: Floats


@dataclass(frozen=True)
class PersonTastes:
    """How one person differs from the average shopper.

    Attributes:
        deviations: Mode of the posterior by AttributeValue id, in logits for a value or for one unit of a
            number's column; empty for a person without choices who is in no segment with a mean.
        errors: Standard errors by AttributeValue id.
        choices: Number of choices behind them.
        posterior: The whole of it, with which a session begins; None where there are no deviations.
        by_category: Where tastes depart from it in each category, the posterior of each in which they chose.
        columns: The population's columns, of the posteriors.
        liking: Their liking of items by what they bought; None where the weights have no graph of purchases.
        segment: The segment at whose mean tastes they start.
    """

    deviations: Mapping[str, float]
    errors: Mapping[str, float]
    choices: int
    posterior: Posterior | None = field(default=None, repr=False, compare=False)
    by_category: Mapping[str, Posterior] = field(default_factory=dict, repr=False, compare=False)
    columns: tuple[str, ...] = field(default=(), repr=False, compare=False)
    liking: PersonLiking | None = field(default=None, repr=False, compare=False)
    segment: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything tells this person from the average shopper."""
        return self.choices > 0 or (self.liking is not None and self.liking.is_known)

    def posterior_in(self, category: str) -> Posterior | None:
        """What is known of their tastes in a category: those of all where they never chose there."""
        return self.by_category.get(category, self.posterior)

    def deviations_in(self, category: str) -> Mapping[str, float]:
        """Their deviations in a category, by AttributeValue id."""
        if category not in self.by_category:
            return self.deviations
        pairs = zip(self.columns, self.by_category[category].mean.tolist(), strict=True)
        return {name: deviation for name, deviation in pairs if name != INSIDE}


def person_tastes(
    log: ResponseLog,
    weights: LearnedWeights,
    ontology: Ontology,
    design: Callable[[str], Design],
    seed: int = 0,
    segment: str | None = None,
) -> PersonTastes:
    """The posterior of one person under the learned population, or its segment.

    Choices count alike whatever their age, and each kind of feedback by its reliability, as in training.
    Passed over are choices among items whose lowest common category has no weights, and lists of which nothing
    was taken where training saw none such.

    Args:
        log: The choices of this person alone (``kgrank.choice.data.responses.read_log``).
        weights: With a population.
        ontology: The category tree.
        design: The columns of a category.
        seed: Of the items drawn where the log does not say what was shown.
        segment: The person's; one without a mean of its own is as none.
    """
    columns, prior = weights.population.columns, weights.population
    segment = segment if segment in prior.segments else None
    if not columns:
        return PersonTastes({}, {}, 0)
    parts = _panels(log, weights, ontology, design, seed)
    if not parts:
        return PersonTastes({}, {}, 0) if segment is None else segment_tastes(prior, segment)
    start = prior_of(prior, segment)
    if prior.within:
        posterior, departed = _across_categories([panel for _, panel in parts], start, prior)
        by_category = {learned.category: p for (learned, _), p in zip(parts, departed, strict=True)}
    else:
        data, _ = join_panels([panel for _, panel in parts])
        modes, spread, _ = posteriors(data, start.mean, start.covariance, tolerance=TOLERANCE)
        posterior, by_category = Posterior(modes[0], spread[0]), {}
    errors = np.sqrt(np.diagonal(posterior.covariance))
    attribute_columns = [k for k, name in enumerate(columns) if name != INSIDE]
    return PersonTastes(
        {columns[k]: float(posterior.mean[k]) for k in attribute_columns},
        {columns[k]: float(errors[k]) for k in attribute_columns},
        sum(len(panel.choices) for _, (panel, _) in parts),
        posterior,
        by_category,
        columns,
        segment=segment,
    )


def prior_of(population: Population, segment: str | None = None) -> Posterior:
    """Tastes before any choice: the population, or a segment, whose people vary less."""
    mean = np.array(population.mean) if population.mean else np.zeros(len(population.columns))
    covariance = np.array(population.covariance)
    if segment is None:
        return Posterior(mean, covariance)
    mean = mean + np.array(population.segments[segment].mean)
    return Posterior(mean, (1 - population.between_segments) * covariance)


def segment_tastes(population: Population, segment: str) -> PersonTastes:
    """The tastes of somebody of whom nothing but their segment is known.

    They are measured, as all weights that are served, from the part-worths of all shoppers.
    """
    learned = population.segments[segment]
    start = prior_of(population, segment)
    errors = np.sqrt(np.diagonal(start.covariance) + np.diagonal(np.array(learned.covariance)))
    named = [k for k, name in enumerate(population.columns) if name != INSIDE]
    return PersonTastes(
        {population.columns[k]: learned.mean[k] for k in named},
        {population.columns[k]: float(errors[k]) for k in named},
        0,
        start,
        columns=population.columns,
        segment=segment,
    )


def people_tastes(
    log: ResponseLog,
    weights: LearnedWeights,
    ontology: Ontology,
    design: Callable[[str], Design],
    seed: int = 0,
) -> Floats:
    """(people, columns) everyone's tastes in a category new to them, in the population's columns.

    The modes of the posteriors that ``person_tastes`` gives one by one for people of no segment; the arguments are
    the same.

    Args:
        log: The choices of some people; its ``users`` are the rows.
        weights: With a population.
        ontology: The category tree.
        design: The columns of a category.
        seed: Of the items drawn where the log does not say what was shown.
    """
    prior, people = weights.population, len(log.users)
    mean = np.array(prior.mean) if prior.mean else np.zeros(len(prior.columns))
    panels = [panel for _, panel in _panels(log, weights, ontology, design, seed)]
    if not panels:
        return np.tile(mean, (people, 1))
    if prior.within:
        parts = [across.panel_evidence(*panel, k, people) for k, panel in enumerate(panels)]
        variation = across.Variation(np.array(prior.covariance), np.array(prior.within))
        return across.posteriors(across.joined(parts), variation)[0]
    data, _ = join_panels(panels, np.arange(people))
    return posteriors(data, mean, np.array(prior.covariance), tolerance=TOLERANCE)[0]


def _panels(
    log: ResponseLog, weights: LearnedWeights, ontology: Ontology, design: Callable[[str], Design], seed: int
) -> list[tuple[CategoryWeights, tuple[Panel, Ints]]]:
    """The choices of a log as deviations from the weights, category by category; none without a population."""
    columns, scales = weights.population.columns, weights.population.scales
    if not columns:
        return []
    category_ids = pl.concat([log.heads["category"], log.searches["category"]]).drop_nulls().unique().sort()
    parts = []
    for learned in (weights.categories[c] for c in category_ids if c in weights.categories):
        choices = _choices_in(log, learned, ontology, design(learned.category), seed)
        if len(choices.choices):
            panel = person_panel(weighted(choices, weights.reliability), learned, columns, scales)
            parts.append((learned, panel))
    return parts


def _across_categories(
    panels: Sequence[tuple[Panel, Ints]], start: Posterior, prior: Population
) -> tuple[Posterior, list[Posterior]]:
    """A person's posterior in a category new to them, and in each of those of the panels."""
    evidence = across.joined([across.panel_evidence(panel, np.zeros(1, np.int64), k, 1)
                              for k, (panel, _) in enumerate(panels)])  # fmt: skip
    evidence = across.recentred(evidence, start.mean)
    variation = across.Variation(start.covariance, np.array(prior.within))
    means, covariances = across.posteriors(evidence, variation)
    departed = zip(*across.departures(evidence, variation, means, covariances), strict=True)
    return (
        Posterior(start.mean + means[0], covariances[0]),
        [Posterior(start.mean + m, c) for m, c in departed],
    )


def _choices_in(
    log: ResponseLog, learned: CategoryWeights, ontology: Ontology, design: Design, seed: int
) -> CategoryChoices:
    """The choices whose lowest common category this is, in the columns that were fitted."""
    nuisance = tuple(learned.nuisance)
    in_category = pl.col("category") == learned.category
    # Taking nothing says something only where it was learned how often people do.
    selected = in_category & ((pl.col("left") == 0) | (INSIDE in nuisance))
    category_log = replace(log, heads=log.heads.filter(selected), searches=log.searches.filter(in_category))
    return category_choices(category_log, design, ontology, seed, nuisance=nuisance, sampled=SAMPLED)


def person_panel(
    person_choices: CategoryChoices,
    learned: CategoryWeights,
    columns: Sequence[str],
    scales: Sequence[float] = (),
) -> tuple[Panel, Ints]:
    """Choices in a category as deviations from the weights that are served.

    Args:
        person_choices: The choices.
        learned: The category's weights: utilities and nuisance give the offset.
        columns: Names of the panel's columns.
        scales: The usual scale of each (``Population.scales``).

    Returns:
        The panel, and (people,) the persons' numbers in the choices.
    """
    served = [learned.nuisance[name] for name in person_choices.nuisance]
    return panel_by_person(
        person_choices.choices,
        np.concatenate([served_part_worths(person_choices.design.layout, learned), served]),
        column_map(person_choices.design.layout, person_choices.nuisance, columns, scales),
    )


def served_part_worths(layout: Layout, learned: CategoryWeights) -> Floats:
    """(columns,) the served utilities in a category's columns: of a value, or of one unit of a number's column."""
    utilities = {u.node: u for u in learned.utilities}
    values = np.zeros(layout.width)
    for block in layout.blocks:
        for k, node in enumerate(block.nodes, block.start):
            if node not in utilities:
                continue
            utility = utilities[node]
            values[k] = (
                utility.at(block.centre + block.scale) - utility.at(block.centre)
                if block.number
                else utility.at(1.0)
            )
    return values


def deviation_columns(layout: Layout, deviations: Mapping[str, float], population: Population) -> Floats:
    """(columns,) a person's deviations in a category's columns, each by what it counts there."""
    factors = scale_factors(layout, population.columns, population.scales)
    counted = dict(zip(population.columns, factors.tolist(), strict=True))
    return np.array([deviations.get(node, 0.0) * counted.get(node, 1.0) for node in layout.nodes])


def personal_shares(
    learned: CategoryWeights, layout: Layout, deviations: Mapping[str, float], population: Population
) -> dict[str, float]:
    """One person's share of each attribute, over the same reference ranges as the average shopper's."""
    shares = importance(
        layout, served_part_worths(layout, learned) + deviation_columns(layout, deviations, population)
    )
    return dict(zip(layout.block, shares.tolist(), strict=True))
