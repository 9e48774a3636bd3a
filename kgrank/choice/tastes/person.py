"""One person's own tastes at request time: the population as prior, their choices as evidence, no training run."""

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
from kgrank.choice.logit.scales import weighted
from kgrank.choice.tastes.population import Panel, join_panels, panel, posteriors
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
    homes = pl.concat([log.heads["category"], log.searches["category"]]).drop_nulls().unique().sort()
    known = [(category, weights.categories[category]) for category in homes if category in weights.categories]
    own = [(learned, _home(log, learned, ontology, design(category), seed)) for category, learned in known]
    parts = [
        person_panel(weighted(some, weights.reliability), learned, columns)
        for learned, some in own
        if len(some.choices)
    ]
    if not parts:
        return PersonTastes({}, {}, 0)
    data, _ = join_panels(parts)
    mean = np.array(prior.mean) if prior.mean else np.zeros(len(columns))
    modes, spread, _ = posteriors(data, mean, np.array(prior.covariance), tolerance=TOLERANCE)
    errors = np.sqrt(np.diagonal(spread[0]))
    at = [k for k, name in enumerate(columns) if name != INSIDE]
    return PersonTastes(
        {columns[k]: float(modes[0, k]) for k in at},
        {columns[k]: float(errors[k]) for k in at},
        len(data.person),
        Posterior(modes[0], spread[0]),
    )


def _home(
    log: ResponseLog, learned: CategoryWeights, ontology: Ontology, design: Design, seed: int
) -> CategoryChoices:
    """The choices whose lowest common category this is, in the columns that were fitted."""
    nuisance = tuple(learned.nuisance)
    here = pl.col("category") == learned.category
    # Taking nothing says something only where it was learned how often people do.
    kept = here & ((pl.col("left") == 0) | (INSIDE in nuisance))
    own = replace(log, heads=log.heads.filter(kept), searches=log.searches.filter(here))
    return category_choices(own, design, ontology, seed, nuisance=nuisance, sampled=SAMPLED)


def person_panel(
    some: CategoryChoices, learned: CategoryWeights, columns: Sequence[str]
) -> tuple[Panel, Ints]:
    """Choices in a category as deviations from the weights that are served.

    Args:
        some: The choices.
        learned: The category's weights: utilities and nuisance give the offset.
        columns: Names of the panel's columns.

    Returns:
        The panel, and (people,) the persons' numbers in the choices.
    """
    place = {name: k for k, name in enumerate(columns)}
    goes = np.zeros((some.choices.width, len(columns)))
    for k, name in enumerate((*some.design.layout.nodes, *some.nuisance)):
        if name in place:
            goes[k, place[name]] = 1.0
    served = [learned.nuisance[name] for name in some.nuisance]
    return panel(some.choices, np.concatenate([part_worths(some.design.layout, learned), served]), goes)


def part_worths(layout: Layout, learned: CategoryWeights) -> Floats:
    """(columns,) the served utilities in a category's columns: of a value, or of one unit of a number's column."""
    known = {u.node: u for u in learned.utilities}
    found = np.zeros(layout.width)
    for block in layout.blocks:
        for k, node in enumerate(block.nodes, block.start):
            if node not in known:
                continue
            utility = known[node]
            found[k] = (
                utility.at(block.centre + block.scale) - utility.at(block.centre)
                if block.number
                else utility.at(1.0)
            )
    return found


def _columns(layout: Layout, deviations: Mapping[str, float]) -> Floats:
    """(columns,) a person's deviations in a category's columns."""
    return np.array([deviations.get(node, 0.0) for node in layout.nodes])


def personal_shares(
    learned: CategoryWeights, layout: Layout, deviations: Mapping[str, float]
) -> dict[str, float]:
    """One person's share of each attribute, over the same reference ranges as the average shopper's."""
    own = importance(layout, part_worths(layout, learned) + _columns(layout, deviations))
    return dict(zip(layout.block, own.tolist(), strict=True))
