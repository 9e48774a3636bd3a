"""What to find out next of a category: the answer to ``kgrank ask``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.choice.experiments.answers_needed import mean_width
from kgrank.choice.rules.stored import category_posteriors
from kgrank.errors import WeightsError
from kgrank.ranking.catalogue.shop import Shop
from kgrank.survey.missing_values import MissingValue, missing_values
from kgrank.survey.tasks import plan_tasks
from kgrank.weights.posteriors import Posteriors

HALF = 0.5
"""Of the present width: what is wanted where nothing is said."""


@dataclass(frozen=True)
class MissingAttribute:
    """An attribute that some items of a category lack.

    Attributes:
        attribute: Its id, and its ``name``.
        item_count: Items that lack it.
        deviation: Standard deviation of what it may add to the score of one of them, in logits (root mean square).
    """

    attribute: str
    name: str
    item_count: int
    deviation: float


@dataclass(frozen=True)
class Task:
    """Items that are shown together: which would you take?"""

    items: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NextQuestions:
    """What to find out next.

    Attributes:
        version: Of the weights.
        category: Its id, and its ``name``.
        missing_by_attribute: Attributes to fill in, those first that move scores most, over all their items.
        missing: Each missing value.
        width: Mean width of the 95 % intervals of the shares of the decision now.
        wanted: What it is to be.
        people: How many must answer; None where no number is expected to do.
        people_at_random: How many, were the items of the tasks drawn at random.
        each: Tasks of each person.
        tasks: What is shown.
        notes: What a reader must know.
    """

    version: str
    category: str
    name: str
    missing_by_attribute: tuple[MissingAttribute, ...]
    missing: tuple[MissingValue, ...]
    width: float
    wanted: float
    people: int | None
    people_at_random: int | None
    each: int
    tasks: tuple[Task, ...]
    notes: tuple[str, ...] = ()


def next_questions(
    shop: Shop,
    posteriors: Posteriors,
    category: str,
    *,
    width: float | None,
    tasks: int,
    items: int,
    each: int,
    seed: int,
    language: str = "en",
) -> NextQuestions:
    """What to find out next of a category.

    Args:
        shop: Items and weights.
        posteriors: Of the part-worths, as they are stored with the weights.
        category: Its id.
        width: Wanted mean width of the intervals; half of what it is by default.
        tasks: Number of different choice tasks.
        items: Of a task.
        each: Tasks of each person.
        seed: Of what is drawn.
        language: Of names.

    Raises:
        InputError: An unknown category, or too few of its items differ.
        WeightsError: No choice was made in it, so that nothing says what is not known.
    """
    missing = missing_values(shop, category, language)
    if category not in posteriors.categories:
        raise WeightsError(
            f"no choice was made in {category!r}: its weights are those of other categories",
            where=f"weights {shop.weights.version}",
            expected="a category with choices",
            todo="Ask of the category above it, or load choices of it and train again.",
        )
    posterior = category_posteriors({category: posteriors.categories[category]})[category]
    wanted = width or HALF * mean_width(posterior.layout, posterior.mean, posterior.covariance, seed)
    plan = plan_tasks(
        shop.design(category),
        posterior,
        shop.weights.population,
        wanted=wanted,
        tasks=tasks,
        size=items,
        each=each,
        seed=seed,
    )
    return NextQuestions(
        version=shop.weights.version,
        category=category,
        name=shop.ontology.categories[category].name(language),
        missing_by_attribute=_by_attribute(missing),
        missing=tuple(missing),
        width=plan.needed.width,
        wanted=wanted,
        people=plan.needed.people,
        people_at_random=plan.at_random.people,
        each=each,
        tasks=tuple(Task(task) for task in plan.items),
    )


def _by_attribute(missing: list[MissingValue]) -> tuple[MissingAttribute, ...]:
    by_attribute: dict[tuple[str, str], list[float]] = {}
    for one in missing:
        by_attribute.setdefault((one.attribute, one.name), []).append(one.deviation)
    groups = [
        MissingAttribute(attribute, name, len(all_), float(np.sqrt(np.mean(np.square(all_)))))
        for (attribute, name), all_ in by_attribute.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-g.item_count * g.deviation**2, g.attribute)))
