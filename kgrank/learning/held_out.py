"""The exam of a run: its held-out choices, by heads that saw only the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.responses import RESPONSES
from kgrank.choice.logit.categories import fit_categories
from kgrank.choice.logit.metrics import top1
from kgrank.learning.config import RunConfig
from kgrank.learning.shop import TrainingData
from kgrank.learning.validation import split


@dataclass(frozen=True)
class Evaluation:
    """Held-out choices, one by one.

    Attributes:
        person: (choices,) number of the person in the log.
        log_likelihood: (choices,) of the choice; of a rating minus half its squared error, in units of the
            person's own spread.
        top1: (choices,) 1 where the item taken has the highest utility; nothing for ratings.
    """

    person: Ints
    log_likelihood: Floats
    top1: Floats

    def __len__(self) -> int:
        return len(self.person)


def evaluate(
    shop: TrainingData,
    priors: Mapping[str, Floats],
    config: RunConfig,
    categories: Iterable[str] | None = None,
) -> Evaluation:
    """Log-likelihood of the held-out choices of some categories (all by default), in the shop's order.

    Searches are no part of it, and ratings only where there is nothing else.
    """
    asked = ("rating",) if shop.log.is_ratings else (*RESPONSES, "rank")
    training, test = {}, {}
    for category in shop.own_choices if categories is None else categories:
        some = shop.own_choices[category]
        which = split(some.choices, config.validation, config.seed)
        last = which & some.of_kinds(asked)
        if last.any() and not which.all():
            training[category] = some.take(~which)
            test[category] = some.take(last).choices
    if not training:
        return Evaluation(np.empty(0, np.int64), np.empty(0), np.empty(0))
    head = fit_categories(training, {c: m for c, m in priors.items() if c in training})
    scores, hits = [], []
    for category, choices in test.items():
        utility = choices.utility(head.fits[category].part_worths)
        if shop.log.is_ratings:
            scores.append(-0.5 * (shop.reliability.noise * (utility - choices.chosen)) ** 2)
        else:
            scores.append(choices.log_likelihood(utility))
            hits.append(top1(choices, utility))
    person = np.concatenate([choices.person for choices in test.values()])
    return Evaluation(person, np.concatenate(scores), np.concatenate(hits) if hits else np.empty(0))


def summary(exam: Evaluation) -> dict[str, float]:
    """Means over the held-out choices; for ratings the root of the mean squared error."""
    if not len(exam):
        return {}
    if not len(exam.top1):
        return {
            "held_out_ratings": len(exam),
            "held_out_rmse": float((-2 * exam.log_likelihood.mean()) ** 0.5),
        }
    return {
        "held_out_choices": len(exam),
        "held_out_log_likelihood": float(exam.log_likelihood.mean()),
        "held_out_top1": float(exam.top1.mean()),
    }
