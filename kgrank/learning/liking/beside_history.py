"""The weight of the liking of items beside the terms of a history, which know some of the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import sparse

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.additive import BehaviourModel, Examples, served_utility
from kgrank.choice.behaviour.event_log import EventLog
from kgrank.choice.logit.fit import optimum
from kgrank.learning.fit import ShopFit

FEWEST = 100
"""Choices with a history from which the weight is learned; with fewer it is 1."""

PRECISION = 1.0
"""Of the weight around 1, its value where the history's terms know nothing of the liking."""

Scores = Callable[[Ints, Ints], Floats]
"""(rows,) the liking of pairs of a person, by the numbers of the choices, and an item, by those of the log."""


def weight_beside_history(
    fitted: ShopFit, log: EventLog, model: BehaviourModel, after: float, scores: Scores
) -> float:
    """The weight by the likelihood of later choices, given what the terms of the history say of them.

    The counts of the terms are those of earlier events or of other people, and the liking is that of a graph
    of purchases before, so that nothing explains itself.

    Args:
        fitted: The fits.
        log: Everyone's events.
        model: The terms of a history.
        after: The time up to which the graph has purchases.
        scores: The liking, by that graph.
    """
    examples = _dated(fitted, log, model)
    if examples is None or not model.curves:
        return 1.0
    later = np.flatnonzero(examples.choices.time > after)
    if len(later) < FEWEST:
        return 1.0
    rows, choices = examples.choices.rows_of(later), examples.choices.take(later)
    offset = choices.offset + served_utility(model, examples)[rows]
    liking = scores(choices.person[choices.choice], examples.item[rows])
    whole = replace(
        choices, raw=sparse.csr_matrix(liking[:, None]), row=None, centring=np.eye(1), offset=offset
    )
    weight, _ = optimum(whole, np.ones(1), np.full(1, PRECISION))
    return max(float(weight[0]), 0.0)


def _dated(fitted: ShopFit, log: EventLog, model: BehaviourModel) -> Examples | None:
    """The choices that the history's terms are learned on, with their persons and times."""
    examples = model.examples
    if examples is None or fitted.shop.log.has_impressions:
        return examples
    people = log.events.once()
    if people.time is None:
        return None
    number = {user: k for k, user in enumerate(fitted.shop.log.users)}
    person = np.array([number[user] for user in log.users])
    of_example = examples.choices.person
    time = people.time[people.start[of_example + 1] - 1]
    return replace(examples, choices=replace(examples.choices, person=person[of_example], time=time))
