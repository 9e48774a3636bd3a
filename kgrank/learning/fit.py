"""Fits of a shop: prior means, every category at its optimum, the rules, the people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.memberships import Memberships, choice_counts
from kgrank.choice.hierarchy.prior_means import prior_evidence
from kgrank.choice.logit.categories import CategoryFits, category_posterior, fit_categories, unpooled_fits
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.findings import stored_segment_finding
from kgrank.choice.rules.inherit import inherit
from kgrank.choice.rules.segment_rules import weigh_segments
from kgrank.choice.rules.weigh import RulePosteriors, weigh
from kgrank.choice.steps import Steps, untold
from kgrank.choice.tastes.across_categories import estimate as estimate_variation
from kgrank.choice.tastes.across_categories import people_messages, present_people
from kgrank.choice.tastes.mixed_logit import Panel, Tastes, estimate, messages, sample_people
from kgrank.choice.tastes.segment_means import segment_means
from kgrank.choice.tastes.shared_evidence import shared_evidence
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.configuration.config import RunConfig
from kgrank.learning.prior_means import PriorMeanData, PriorMeans, PriorMeanSource
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress
from kgrank.learning.training_data import TrainingData, people_panel, taste_count, taste_scale
from kgrank.ontology.model import Ontology
from kgrank.weights.model import Population, RuleFinding, SegmentTastes

MOST_JOINT = 150
"""Columns up to which the mixed logit is estimated: its covariance has columns² / 2 numbers, more than the choices
of a few thousand people determine, and each of its rounds costs people · columns². With more, people differ in
the columns that categories share."""

RATED_COLUMNS = 100
"""Columns up to which people's tastes are estimated from ratings alone."""


@dataclass(frozen=True, kw_only=True)
class ShopFit:
    """Everything that was fitted, before it is written as weights.

    Attributes:
        shop: The data it was fitted to.
        prior_means: Prior means of every category.
        category_fits: Part-worths of every category at their optimum.
        posteriors: Posteriors of the choices alone, without rules.
        rule_posteriors: Posteriors under the rules, and the findings on the rules.
        population: How people differ; without columns where it is not estimated (``with_tastes``).
        segment_findings: What the choices say of the rules for segments (``with_segment_rules``), and
            ``segment_notes``, what a reader must know of these.
    """

    shop: TrainingData
    prior_means: PriorMeans
    category_fits: CategoryFits
    posteriors: Mapping[str, CategoryPosterior]
    rule_posteriors: RulePosteriors
    population: Population = field(default_factory=Population)
    segment_findings: tuple[RuleFinding, ...] = ()
    segment_notes: tuple[str, ...] = ()


def fit_shop(
    shop: TrainingData,
    graph: KnowledgeGraph,
    ontology: Ontology,
    config: RunConfig,
    source: PriorMeanSource,
    progress: Progress = NO_PROGRESS,
) -> ShopFit:
    """Prior means, every category's optimum under them, and the rules.

    Args:
        shop: Designs and choices of all categories.
        graph: The graph that they are from.
        ontology: Categories and rules.
        config: The seed.
        source: Gives the prior means.
        progress: Receives each stage.
    """
    progress.stage("prior means of the categories")
    unpooled = unpooled_fits(shop.own_choices, steps=partial(progress.step, "categories"))
    evidence = prior_evidence(ontology, shop.designs, shop.own_choices, unpooled)
    means = source(PriorMeanData(graph, ontology, evidence, shop.own_choices), progress)
    progress.stage("optimum of every category, and the rules")
    # A category with none below it was fitted on its own choices already.
    reusable = {c: fit for c, fit in unpooled.items() if shop.sets.get(c) is shop.own_choices[c]}
    category_fits = fit_categories(
        shop.sets,
        means.with_choices,
        reusable,
        prior_variances=means.variances,
        steps=partial(progress.step, "fits"),
    )
    posteriors = {
        category: category_posterior(
            choices,
            category_fits.fits[category],
            means.with_choices.get(category),
            category_fits.variances,
            own_choices=category in shop.own_choices,
        )
        for category, choices in shop.sets.items()
    }
    posteriors = inherit(ontology, shop.sets, posteriors, category_fits.variances)
    rule_posteriors = weigh(ontology, posteriors, config.seed)
    for note in rule_posteriors.notes:
        progress.warning(note)
    return ShopFit(
        shop=shop,
        prior_means=means,
        category_fits=category_fits,
        posteriors=posteriors,
        rule_posteriors=rule_posteriors,
    )


def with_tastes(
    fitted: ShopFit, seed: int, progress: Progress = NO_PROGRESS, *, fewest_people: int = 1
) -> ShopFit:
    """The same fits with the population of tastes, where choices show how people differ.

    Segments with fewer than ``fewest_people`` of those who chose have no mean of their own.
    """
    choices, groups = choices_for_tastes(fitted.shop), fitted.shop.memberships
    if not choices:
        progress.note("no choices tell people apart: their tastes are not estimated")
        return fitted
    if taste_count(choices) > MOST_JOINT:
        population = fit_across_categories(choices, fitted.category_fits, groups, fewest_people)
        progress.note(f"tastes in {len(population.columns)} columns that categories share")
    else:
        steps = partial(progress.step, "rounds at most")
        population = fit_jointly(choices, fitted.category_fits, groups, seed, fewest_people, steps)
    if population.segments:
        progress.note(
            f"{len(population.segments)} segments of people, between which lie "
            f"{population.between_segments:.1%} of how tastes vary"
        )
    return replace(fitted, population=population)


def with_segment_rules(
    fitted: ShopFit, ontology: Ontology, seed: int, progress: Progress = NO_PROGRESS
) -> ShopFit:
    """The same fits with the means of segments under their rules, and the findings on these."""
    if not any(rule.segments for rule in ontology.rules.values()):
        return fitted
    counts = {
        (segment, category): count
        for category, choices in fitted.shop.sets.items()
        for segment, count in choice_counts(choices.choices.person, fitted.shop.memberships).items()
    }
    posteriors, ruled = fitted.posteriors, fitted.rule_posteriors
    weighed = weigh_segments(ontology, posteriors, ruled, fitted.population, counts, seed)
    for note in weighed.notes:
        progress.warning(note)
    return replace(
        fitted,
        population=weighed.population,
        segment_findings=tuple(
            stored_segment_finding(evidence, ontology, ruled, fitted.population) for evidence in weighed.rules
        ),
        segment_notes=weighed.notes,
    )


def choices_for_tastes(shop: TrainingData) -> dict[str, CategoryChoices]:
    """The choices that show how people differ: not those whose other alternatives were drawn.

    Of ratings alone only where there are few columns: catalogues with ratings have very many brands.
    """
    # A copy of all choices would take as much memory again.
    choices = {
        c: s.take(~s.sampled) if s.sampled.any() else s
        for c, s in shop.own_choices.items()
        if not s.sampled.all()
    }
    columns = sum(s.design.layout.width for s in choices.values())
    return {} if shop.log.is_ratings and columns > RATED_COLUMNS else choices


def fit_across_categories(
    own_choices: Mapping[str, CategoryChoices],
    category_fits: CategoryFits,
    groups: Memberships,
    fewest_people: int = 1,
) -> Population:
    """How people differ in the columns that categories share, and from category to category."""
    shared = shared_evidence(own_choices, category_fits.fits, len(groups.of_person))
    if shared is None:
        return Population()
    variation = estimate_variation(shared.evidence)
    population = Population(
        shared.columns, _rows(variation.between), within=_rows(variation.within), scales=shared.scales
    )
    evidence, present = present_people(shared.evidence)
    groups = groups.with_at_least(fewest_people, present)
    if not groups.segments:
        return population
    return _with_segments(population, groups, present, *people_messages(evidence, variation.within))


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())


@dataclass(frozen=True)
class PeopleFit:
    """A mixed logit: the names of its columns, the tastes, and whose choices these were estimated from.

    Attributes:
        columns: AttributeValue ids, and the outside option.
        tastes: The population, and the people.
        panel: The people's choices.
        persons: (people,) their numbers in the log.
    """

    columns: tuple[str, ...]
    tastes: Tastes
    panel: Panel
    persons: Ints


def fit_people(
    own_choices: Mapping[str, CategoryChoices],
    category_fits: CategoryFits,
    seed: int,
    steps: Steps = untold,
) -> PeopleFit:
    """The population of tastes, in columns named by AttributeValue id."""
    columns, panel, persons = people_panel(own_choices, category_fits)
    sample, drawn = sample_people(panel, seed)
    scale = taste_scale(own_choices, category_fits, columns)
    tastes = estimate(sample, scale, free_mean=sample is panel, steps=steps)
    return PeopleFit(columns, tastes, sample, persons[drawn])


def fit_jointly(
    own_choices: Mapping[str, CategoryChoices],
    category_fits: CategoryFits,
    groups: Memberships,
    seed: int,
    fewest_people: int = 1,
    steps: Steps = untold,
) -> Population:
    """How people differ in all columns of few categories."""
    fitted = fit_people(own_choices, category_fits, seed, steps)
    mean, covariance = fitted.tastes.mean, fitted.tastes.covariance
    population = Population(fitted.columns, _rows(covariance), tuple(mean.tolist()))
    groups = groups.with_at_least(fewest_people, fitted.persons)
    if not groups.segments:
        return population
    return _with_segments(population, groups, fitted.persons, *messages(fitted.panel, mean, covariance))


def _with_segments(
    population: Population, groups: Memberships, persons: Ints, precision: Floats, vector: Floats
) -> Population:
    """The population with its segments' means, from what the choices say of the people of some numbers."""
    segment, names = groups.of_person[persons], groups.segments
    means = segment_means(precision, vector, segment, len(names), np.array(population.covariance))
    people = np.bincount(segment[segment >= 0], minlength=len(names))
    return replace(
        population,
        segments={
            name: SegmentTastes(tuple(means.mean[k].tolist()), _rows(means.covariance[k]), int(people[k]))
            for k, name in enumerate(names)
        },
        between_segments=means.between,
    )
