"""How many answers to chosen choice tasks it takes, against tasks at random, until intervals are narrow enough.

    python benchmarks/ask.py --data choice_camera
    python benchmarks/ask.py --data choice_camera --draws 5

Each draw: the posterior of ten people's choices is what is known, and part-worths drawn from the posterior of all
people's choices answer. After every batch of answers the posterior is computed again, and the next tasks are
chosen by it. Both kinds of tasks show the data set's own profiles, four at a time. Choices are counted until the
mean width of the 95 % intervals of the shares is as wanted, between two batches in a straight line.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.data_sets import data_folder
from benchmarks.importance import read
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats, Ints
from kgrank.choice.experiments.answers_needed import answers_needed, mean_width
from kgrank.choice.experiments.efficient_tasks import Tasks, efficient_tasks, random_tasks
from kgrank.choice.logit.categories import category_posterior, fit_categories
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.newton import newton
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.share_intervals import contrasts_of
from kgrank.learning.run import say
from kgrank.learning.training_data import read_training_data

BATCH, SIZE, KNOWN = 24, 4, 10
"""Answers between two plans, alternatives of a task, and people whose choices are known at the start."""

CANDIDATES = 400
MOST = 4_800
"""Answers after which a draw is given up."""


@dataclass(frozen=True)
class Survey:
    """One draw: what is known at the start, and whose part-worths answer."""

    start: CategoryPosterior
    truth: Floats
    candidates: Floats
    seed: int

    def choices_needed(self, plan: Callable[[Floats, Floats, int], Tasks], wanted: float) -> float:
        """Answers until the mean width is as wanted, planned anew for every batch."""
        random = np.random.default_rng(self.seed)
        prior, precision = self.start.mean, np.asarray(np.linalg.inv(self.start.covariance), float)
        mean, covariance = prior, self.start.covariance
        width = mean_width(self.start.layout, mean, covariance)
        shown, chosen = np.zeros((0, SIZE, len(mean))), np.zeros(0, np.int64)
        while len(shown) < MOST:
            tasks = self.candidates[plan(mean, covariance, len(shown)).alternatives]
            taken = (tasks @ self.truth + random.gumbel(size=tasks.shape[:2])).argmax(1)
            shown, chosen = np.concatenate([shown, tasks]), np.concatenate([chosen, taken])
            mean, covariance = posterior(shown, chosen, prior, precision)
            before, width = width, mean_width(self.start.layout, mean, covariance)
            if width <= wanted:
                return len(shown) - BATCH * (wanted - width) / max(before - width, 1e-9)
        return float(MOST)


def posterior(shown: Floats, chosen: Ints, prior: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Mode and covariance of the part-worths after answers (answers, alternatives, columns)."""

    def evaluate(at: Floats) -> tuple[Floats, Floats]:
        utility = shown @ at[0]
        top = utility.max(1, keepdims=True)
        odds = np.exp(utility - top)
        total = odds.sum(1, keepdims=True)
        taken = utility[np.arange(len(chosen)), chosen] - (np.log(total) + top)[:, 0]
        off = at[0] - prior
        return np.array([taken.sum() - 0.5 * off @ precision @ off]), odds / total

    def direction(at: Floats, probability: Floats) -> tuple[Floats, Floats, Floats]:
        mean = np.einsum("tm,tmk->tk", probability, shown)
        gradient = (shown[np.arange(len(chosen)), chosen] - mean).sum(0) - precision @ (at[0] - prior)
        weighted = (probability[:, :, None] * shown).reshape(-1, len(prior))
        curvature = weighted.T @ shown.reshape(-1, len(prior)) - mean.T @ mean + precision
        step = np.linalg.solve(curvature, gradient)
        return step[None], np.array([gradient @ step]), curvature

    mode, _, curvature = newton(prior[None], evaluate, direction, tolerance=1e-9)
    return mode[0], np.asarray(np.linalg.inv(curvature))


def fitted(choices: CategoryChoices) -> CategoryPosterior:
    """The posterior from some of the choices alone."""
    category = choices.design.layout.category
    fits = fit_categories({category: choices}, {}, {})
    return category_posterior(choices, fits.fits[category], None, fits.variances, own_choices=True)


def draw(choices: CategoryChoices, whole: CategoryPosterior, seed: int) -> Survey:
    """Some people's posterior, part-worths that answer, and what may be shown."""
    random = np.random.default_rng(seed)
    people = random.choice(np.unique(choices.choices.person), KNOWN, replace=False)
    candidates = np.unique(choices.design.centred().round(9), axis=0)
    return Survey(
        start=fitted(choices.take(np.isin(choices.choices.person, people))),
        truth=random.multivariate_normal(whole.mean, whole.covariance),
        candidates=candidates[random.permutation(len(candidates))[:CANDIDATES]],
        seed=seed,
    )


def counted(survey: Survey, wanted: float) -> tuple[float, float, float]:
    """Choices needed of chosen tasks, of tasks at random, and of chosen ones as expected at the start."""
    contrasts, _ = contrasts_of(survey.start.layout)
    numbers = {"tasks": BATCH, "size": SIZE}

    def chosen(mean: Floats, covariance: Floats, answers: int) -> Tasks:
        seed = survey.seed * MOST + answers
        return efficient_tasks(survey.candidates, mean, covariance, contrasts, **numbers, seed=seed)

    def at_random(mean: Floats, covariance: Floats, answers: int) -> Tasks:
        return random_tasks(survey.candidates, mean, covariance, **numbers, seed=survey.seed * MOST + answers)

    start = survey.start
    information = chosen(start.mean, start.covariance, 0).information
    expected = answers_needed(start.layout, start.mean, start.covariance, information, wanted)
    return (
        survey.choices_needed(chosen, wanted),
        survey.choices_needed(at_random, wanted),
        float(MOST if expected.people is None else expected.people),
    )


def main() -> None:
    """Runs all draws and prints the line."""
    parser = script_parser(__doc__, data="choice_camera")
    parser.add_argument("--draws", type=int, default=30, help="draws of people and of part-worths (30)")
    parser.add_argument("--wanted", type=float, default=0.08, help="mean width of the intervals (.08)")
    options = parser.parse_args()
    began = time.process_time()
    graph, ontology = read(data_folder(options.data), None)
    (choices,) = read_training_data(graph, ontology, 0).own_choices.values()
    whole = fitted(choices)
    counts = []
    for seed in range(options.draws):
        counts.append(counted(draw(choices, whole, seed), options.wanted))
        say(f"draw {seed + 1} of {options.draws}: {counts[-1][0]:.0f} chosen, {counts[-1][1]:.0f} at random")
    table = np.array(counts)
    ratio = np.log(table[:, 0] / table[:, 1])
    error = float(ratio.std(ddof=1) / np.sqrt(len(ratio))) if len(ratio) > 1 else 0.0
    line = {
        "chosen_choices": round(float(table[:, 0].mean()), 1),
        "random_choices": round(float(table[:, 1].mean()), 1),
        "ratio": round(float(np.exp(ratio.mean())), 4),
        "ratio_low": round(float(np.exp(ratio.mean() - 1.96 * error)), 4),
        "ratio_high": round(float(np.exp(ratio.mean() + 1.96 * error)), 4),
        "expected_over_needed": round(float(np.median(table[:, 2] / table[:, 0])), 3),
        "draws": options.draws,
        "wanted": options.wanted,
        "seconds": round(time.process_time() - began, 1),
        "peak_mb": peak_mb(),
    }
    show("choices until the intervals are narrow enough", list(line), [list(line.values())])
    finish("ask", line, {"by_draw": table.round(1).tolist(), "environment": environment("scipy")})


if __name__ == "__main__":
    command(main)
