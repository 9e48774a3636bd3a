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
from kgrank.choice.tastes.mixed_logit import Panel, join_panels, panel_by_person, posteriors
from kgrank.ontology.model import Ontology
from kgrank.weights.model import CategoryWeights, LearnedWeights

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
            number's column; empty for a person without choices.
        errors: Standard errors by AttributeValue id.
        choices: Number of choices behind them.
        posterior: The whole of it, with which a session begins; None for a person without choices.
    """

    deviations: Mapping[str, float]
    errors: Mapping[str, float]
    choices: int
    posterior: Posterior | None = field(default=None, repr=False, compare=False)


def person_tastes(
    log: ResponseLog,
    weights: LearnedWeights,
    ontology: Ontology,
    design: Callable[[str], Design],
    seed: int = 0,
) -> PersonTastes:
    """The posterior of one person under the learned population.

    Choices count alike whatever their age, and each kind of feedback by its reliability, as in training.
    Passed over are choices among items whose lowest common category has no weights, and lists of which nothing
    was taken where training saw none such.

    Args:
        log: The choices of this person alone (``kgrank.choice.data.responses.read_log``).
        weights: With a population.
        ontology: The category tree.
        design: The columns of a category.
        seed: Of the items drawn where the log does not say what was shown.
    """
    columns, prior = weights.population.columns, weights.population
    if not columns:
        return PersonTastes({}, {}, 0)
    category_ids = pl.concat([log.heads["category"], log.searches["category"]]).drop_nulls().unique().sort()
    weighted_categories = [
        (category, weights.categories[category])
        for category in category_ids
        if category in weights.categories
    ]
    choices_by_category = [
        (learned, _choices_in(log, learned, ontology, design(category), seed))
        for category, learned in weighted_categories
    ]
    parts = [
        person_panel(weighted(person_choices, weights.reliability), learned, columns)
        for learned, person_choices in choices_by_category
        if len(person_choices.choices)
    ]
    if not parts:
        return PersonTastes({}, {}, 0)
    data, _ = join_panels(parts)
    mean = np.array(prior.mean) if prior.mean else np.zeros(len(columns))
    modes, spread, _ = posteriors(data, mean, np.array(prior.covariance), tolerance=TOLERANCE)
    errors = np.sqrt(np.diagonal(spread[0]))
    attribute_columns = [k for k, name in enumerate(columns) if name != INSIDE]
    return PersonTastes(
        {columns[k]: float(modes[0, k]) for k in attribute_columns},
        {columns[k]: float(errors[k]) for k in attribute_columns},
        len(data.choices),
        Posterior(modes[0], spread[0]),
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
    person_choices: CategoryChoices, learned: CategoryWeights, columns: Sequence[str]
) -> tuple[Panel, Ints]:
    """Choices in a category as deviations from the weights that are served.

    Args:
        person_choices: The choices.
        learned: The category's weights: utilities and nuisance give the offset.
        columns: Names of the panel's columns.

    Returns:
        The panel, and (people,) the persons' numbers in the choices.
    """
    column_of = {name: k for k, name in enumerate(columns)}
    column_map = np.zeros((person_choices.choices.width, len(columns)))
    for k, name in enumerate((*person_choices.design.layout.nodes, *person_choices.nuisance)):
        if name in column_of:
            column_map[k, column_of[name]] = 1.0
    served = [learned.nuisance[name] for name in person_choices.nuisance]
    return panel_by_person(
        person_choices.choices,
        np.concatenate([served_part_worths(person_choices.design.layout, learned), served]),
        column_map,
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


def _columns(layout: Layout, deviations: Mapping[str, float]) -> Floats:
    """(columns,) a person's deviations in a category's columns."""
    return np.array([deviations.get(node, 0.0) for node in layout.nodes])


def personal_shares(
    learned: CategoryWeights, layout: Layout, deviations: Mapping[str, float]
) -> dict[str, float]:
    """One person's share of each attribute, over the same reference ranges as the average shopper's."""
    shares = importance(layout, served_part_worths(layout, learned) + _columns(layout, deviations))
    return dict(zip(layout.block, shares.tolist(), strict=True))
