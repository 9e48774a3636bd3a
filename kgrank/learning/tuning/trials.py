"""One trial: a configuration trained and scored on the held-out choices, fold by fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.hierarchy.prior_means import prior_evidence
from kgrank.choice.logit.categories import unpooled_fits
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.configuration.config import RunConfig
from kgrank.learning.evaluation import Evaluation, evaluate
from kgrank.learning.folds import means_by_fold
from kgrank.learning.prior_means import PriorMeanData, PriorMeans, closed_form
from kgrank.learning.reporting.progress import Progress
from kgrank.learning.training_data import TrainingData
from kgrank.ontology.model import Ontology

GROUPS = 100
"""Groups of people that a score is stored by: enough for a standard error, few enough to store."""


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


def score(evaluation: Evaluation) -> Score:
    """Held-out log-likelihood by group of people."""
    group = evaluation.person % GROUPS
    return Score(
        np.asarray(np.bincount(group, evaluation.log_likelihood, GROUPS), dtype=np.float64),
        np.asarray(np.bincount(group, minlength=GROUPS), dtype=np.float64),
    )


def gain(ours: Score, theirs: Score) -> tuple[float, float]:
    """The mean difference of two scores on the same choices, per choice, and its standard error.

    The error is that of a ratio of sums over groups of people, so that choices of one person may be correlated.
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
    folds: int,
    progress: Progress,
) -> Iterator[Score]:
    """Trains under a configuration and scores it; a score after each fold, on all categories so far, then on all.

    Args:
        graph: The graph that the shop is from.
        ontology: Categories and rules.
        shop: Designs and choices of all categories.
        config: The configuration that is tried.
        folds: Folds of categories, for a configuration without a network.
        progress: Receives each training.

    Raises:
        DivergedError: A part-worth is not finite.
        KeyboardInterrupt: The user stopped it.
    """
    evidence = prior_evidence(ontology, shop.designs, shop.own_choices, unpooled_fits(shop.own_choices))
    data = PriorMeanData(graph, ontology, evidence, shop.own_choices)
    closed = closed_form(data, progress) if config.prior_means is None else None
    variances = {} if closed is None else closed.variances
    priors: dict[str, Floats] = {}
    so_far = Score(np.zeros(GROUPS), np.zeros(GROUPS))
    for means in _means_by_fold(data, config, closed, folds, progress):
        priors |= means
        categories = [c for c in shop.own_choices if c in means]
        so_far += score(
            evaluate(shop, priors, config.validation, config.seed, categories, variances=variances)
        )
        yield so_far
    yield score(evaluate(shop, priors, config.validation, config.seed, variances=variances))


def _means_by_fold(
    data: PriorMeanData, config: RunConfig, closed: PriorMeans | None, folds: int, progress: Progress
) -> Iterator[dict[str, Floats]]:
    """Prior means fold by fold: the ``closed`` form's, or those of the configuration's network."""
    if closed is not None:
        means = closed.with_choices
        return means_by_fold(data, folds, lambda hidden: means, progress)
    from kgrank.learning.network.prior_means import network_settings, train, train_by_fold

    settings = network_settings(config)
    progress.note("network on all categories")
    network = train(data, settings, progress=progress)
    if network.interrupted:
        raise KeyboardInterrupt
    return train_by_fold(data, settings, max(network.epochs, 1), progress)
