"""Evaluation of a run on its held-out choices, by fits that saw only the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.responses import RESPONSES
from kgrank.choice.logit.categories import fit_categories
from kgrank.choice.logit.metrics import top1
from kgrank.choice.steps import Steps, untold
from kgrank.learning.configuration.config import ValidationConfig
from kgrank.learning.training_data import TrainingData
from kgrank.learning.validation import split


@dataclass(frozen=True)
class Evaluation:
    """Held-out choices, one by one.

    Attributes:
        person: (choices,) number of the person in the log.
        log_likelihood: (choices,) of the choice; of a rating minus half its squared error, in units of the
            person's own spread.
        top1: (choices,) 1 where the item taken has the highest utility; empty for ratings.
    """

    person: Ints
    log_likelihood: Floats
    top1: Floats

    def __len__(self) -> int:
        return len(self.person)


def evaluate(
    shop: TrainingData,
    priors: Mapping[str, Floats],
    validation: ValidationConfig,
    seed: int,
    categories: Iterable[str] | None = None,
    *,
    start: Mapping[str, Floats] | None = None,
    steps: Steps = untold,
) -> Evaluation:
    """Log-likelihood of the held-out choices of some categories (all by default), in the shop's order.

    Searches are left out, and ratings are used only where there is nothing else.

    Args:
        shop: The choices.
        priors: Prior means by category.
        validation: What is held out.
        seed: Of it.
        categories: All by default.
        start: By category, where the search for its fit starts; what was held out says nothing through it, since
            the optimum is the same from everywhere.
        steps: Told of each category.
    """
    kinds = ("rating",) if shop.log.is_ratings else (*RESPONSES, "rank")
    training, test = {}, {}
    for category in shop.own_choices if categories is None else categories:
        choices = shop.own_choices[category]
        held_out = split(choices.choices, validation, seed)
        evaluated = held_out & choices.of_kinds(kinds)
        if evaluated.any() and not held_out.all():
            training[category] = choices.take(~held_out)
            test[category] = choices.take(evaluated).choices
    if not training:
        return Evaluation(np.empty(0, np.int64), np.empty(0), np.empty(0))
    prior_means = {c: m for c, m in priors.items() if c in training}
    category_fits = fit_categories(training, prior_means, start=start, steps=steps)
    log_likelihoods, hits = [], []
    for category, tested in test.items():
        utility = tested.utility(category_fits.fits[category].part_worths)
        if shop.log.is_ratings:
            log_likelihoods.append(-0.5 * (shop.reliability.noise * (utility - tested.chosen)) ** 2)
        else:
            log_likelihoods.append(tested.log_likelihood(utility))
            hits.append(top1(tested, utility))
    person = np.concatenate([tested.person for tested in test.values()])
    return Evaluation(
        person, np.concatenate(log_likelihoods), np.concatenate(hits) if hits else np.empty(0)
    )  # fmt: skip


def summary(evaluation: Evaluation) -> dict[str, float]:
    """Means over the held-out choices; for ratings the root of the mean squared error."""
    if not len(evaluation):
        return {}
    if not len(evaluation.top1):
        return {
            "held_out_ratings": len(evaluation),
            "held_out_rmse": float((-2 * evaluation.log_likelihood.mean()) ** 0.5),
        }
    return {
        "held_out_choices": len(evaluation),
        "held_out_log_likelihood": float(evaluation.log_likelihood.mean()),
        "held_out_top1": float(evaluation.top1.mean()),
    }
