"""One configuration tried: trained, and marked on the held-out choices, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.hierarchy.prior_means import prior_evidence
from kgrank.choice.logit.categories import unpooled_fits
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.held_out import Evaluation, evaluate
from kgrank.learning.network.prior_means import NetworkData, fold_by_fold, train
from kgrank.learning.shop import TrainingData
from kgrank.ontology.model import Ontology

GROUPS = 100
"""Groups of people in which a score is kept: enough for a standard error, few enough to store."""


@dataclass(frozen=True)
class Score:
    """Held-out log-likelihood by group of people.

    Attributes:
        total: (groups,) sum over the choices of a group's people.
        choices: (groups,) their number.
    """

    total: Floats
    choices: Floats

    @property
    def mean(self) -> float:
        """Log-likelihood a choice."""
        return float(self.total.sum() / self.choices.sum())

    def __add__(self, other: Score) -> Score:
        return Score(self.total + other.total, self.choices + other.choices)


def score(exam: Evaluation) -> Score:
    """An exam by group of people."""
    group = exam.person % GROUPS
    return Score(
        np.asarray(np.bincount(group, exam.log_likelihood, GROUPS), dtype=np.float64),
        np.asarray(np.bincount(group, minlength=GROUPS), dtype=np.float64),
    )


def gain(ours: Score, theirs: Score) -> tuple[float, float]:
    """What one score is above another on the same choices, a choice, and the standard error of that.

    The error is that of a ratio of sums over groups of people, so that choices of one person may go together.
    It is infinite where there is one group.
    """
    size = ours.choices
    difference = ours.total - theirs.total
    mean = float(difference.sum() / size.sum())
    groups = int((size > 0).sum())
    if groups < 2:
        return mean, float("inf")
    spread = float(((difference - mean * size) ** 2).sum() * groups / (groups - 1))
    return mean, spread**0.5 / float(size.sum())


def run_trial(
    graph: KnowledgeGraph,
    ontology: Ontology,
    shop: TrainingData,
    config: RunConfig,
    report: Callable[[str], None],
) -> Iterator[Score]:
    """Trains under a configuration; after each fold the score on all categories so far, last that of all together.

    Raises:
        DivergedError: A part-worth is not finite.
        KeyboardInterrupt: The user stopped it.
    """
    shown = prior_evidence(ontology, shop.designs, shop.own_choices, unpooled_fits(shop.own_choices))
    what = NetworkData(graph, ontology, shown, shop.own_choices, config)
    epochs = 1
    if config.model.network:
        report("network on all categories")
        network = train(what)
        if network.interrupted:
            raise KeyboardInterrupt
        epochs = max(network.epochs, 1)
    priors: dict[str, Floats] = {}
    so_far = Score(np.zeros(GROUPS), np.zeros(GROUPS))
    for found in fold_by_fold(what, epochs, report):
        priors |= found
        so_far += score(evaluate(shop, priors, config, [c for c in shop.own_choices if c in found]))
        yield so_far
    yield score(evaluate(shop, priors, config))
