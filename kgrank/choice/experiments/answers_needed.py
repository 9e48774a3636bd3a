"""How many people must answer until the intervals of the shares of the decision are as narrow as wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.share_intervals import intervals

MOST = 1 << 16
"""People that are looked for at most."""

DRAWS = 2_000
"""Draws of a posterior that stand for it."""

CLOSE = 50
"""The number is found to one part in so many."""


@dataclass(frozen=True)
class AnswersNeeded:
    """What answers to tasks are expected to bring.

    Attributes:
        width: Mean width of the 95 % intervals now.
        wanted: What it is to be.
        people: Who must answer until then; None where ``MOST`` would not do.
    """

    width: float
    wanted: float
    people: int | None


def mean_width(layout: Layout, mean: Floats, covariance: Floats, seed: int = 0) -> float:
    """Mean over the attributes of the width of the 95 % interval of their share."""
    random = np.random.default_rng(seed)
    lower, upper = intervals(layout, random.multivariate_normal(mean, covariance, DRAWS, method="svd"))
    return float(np.mean(upper - lower))


def person_information(information: Floats, each: int, differences: Floats | None = None) -> Floats:
    """(columns, columns) what one person's answers add to the precision of the mean part-worths.

    People differ, so a person's answers say less of the mean than as many answers of different people: with J the
    information on the person's own part-worths and D the covariance of these, (J^-1 + D)^-1 = J (1 + D J)^-1.

    Args:
        information: (columns, columns) of an answer.
        each: Answers of a person.
        differences: (columns, columns) covariance between people; none without.
    """
    own = each * information
    if differences is None:
        return own
    return np.asarray(own @ np.linalg.inv(np.eye(len(own)) + differences @ own))


def answers_needed(
    layout: Layout, mean: Floats, covariance: Floats, by_person: Floats, wanted: float, seed: int = 0
) -> AnswersNeeded:
    """The least number of people after whose answers the mean width is as wanted.

    Args:
        layout: The category's columns.
        mean: (columns,) of the present posterior.
        covariance: (columns, columns) of the present posterior.
        by_person: (columns, columns) what each of them adds to its precision (``person_information``).
        wanted: Mean width of the intervals.
        seed: Of the draws.
    """
    precision = np.linalg.inv(covariance)

    def width(people: int) -> float:
        return mean_width(
            layout, mean, np.asarray(np.linalg.inv(precision + people * by_person), float), seed
        )

    now = mean_width(layout, mean, covariance, seed)
    if now <= wanted:
        return AnswersNeeded(now, wanted, 0)
    most = 1
    while width(most) > wanted:
        if most >= MOST:
            return AnswersNeeded(now, wanted, None)
        most *= 2
    least = most // 2
    while most - least > max(1, most // CLOSE):
        middle = (least + most) // 2
        least, most = (least, middle) if width(middle) <= wanted else (middle, most)
    return AnswersNeeded(now, wanted, most)
