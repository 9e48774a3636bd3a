"""Choice tasks that tell most about what is not known yet, by the present posterior of a category's part-worths.

A Bayesian efficient design (Sándor and Wedel 2001; Kessels et al. 2011): the information of a task is averaged
over draws of the posterior, the posterior's precision counts as if it were tasks answered already, and the
alternatives of a task are exchanged one by one as long as that helps (coordinate exchange: Meyer and Nachtsheim
1995). What counts is the determinant of the expected covariance of the wanted contrasts (D_A-optimality).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints, Truths

DRAWS = 40
"""Draws of the posterior over which the information of a task is averaged."""

PASSES = 2
"""Times that each alternative of a task may be exchanged."""

STARTS = 4
"""Tasks at random with which the search for each task begins; the best of what they become is taken."""


@dataclass(frozen=True)
class Tasks:
    """Choice tasks.

    Attributes:
        alternatives: (tasks, size) candidates that are shown together.
        information: (columns, columns) what an answer is expected to add to the precision, mean over the tasks.
    """

    alternatives: Ints
    information: Floats


@dataclass(frozen=True)
class _Known:
    """What is known of the candidates before a task.

    Attributes:
        similar: (candidates, candidates) covariance of their utilities.
        explained: (candidates, candidates) the part of it that the contrasts explain.
        repeats: Answers that a task will have.
    """

    similar: Floats
    explained: Floats
    repeats: float

    @staticmethod
    def of(candidates: Floats, covariance: Floats, contrasts: Floats, repeats: float) -> _Known:
        related = candidates @ covariance
        with_contrasts = related @ contrasts
        inverse = np.linalg.pinv(contrasts.T @ covariance @ contrasts, hermitian=True)
        explained = with_contrasts @ inverse @ with_contrasts.T
        return _Known(related @ candidates.T, explained, repeats)


def efficient_tasks(
    candidates: Floats,
    mean: Floats,
    covariance: Floats,
    contrasts: Floats,
    *,
    tasks: int,
    size: int,
    seed: int,
    repeats: float = 1.0,
) -> Tasks:
    """Tasks for the next answers, each chosen in the light of those before it.

    Args:
        candidates: (candidates, columns) what can be shown, no two alike.
        mean: (columns,) of the posterior.
        covariance: (columns, columns) of the posterior.
        contrasts: (columns, contrasts) the differences of part-worths that are to be known.
        tasks: Number of tasks.
        size: Alternatives of each; at most as many as there are candidates.
        seed: Of the draws, and of where each search begins.
        repeats: Answers to each task: few are best spent on what is least known, many on all that is wanted.
    """
    random = np.random.default_rng(seed)
    utility = _utilities(candidates, mean, covariance, random)
    spread, alternatives = covariance, np.zeros((tasks, size), np.int64)
    for number in range(tasks):
        known = _Known.of(candidates, spread, contrasts, repeats)
        found = [_exchanged(_drawn(random, candidates, size), utility, known) for _ in range(STARTS)]
        task = max(found, key=lambda one: one[1])[0]
        related = candidates[task] @ spread
        spread = spread - related.T @ _shrinkage(task[None], utility, known)[0] @ related
        alternatives[number] = task
    return Tasks(alternatives, _information(candidates, alternatives, utility))


def random_tasks(
    candidates: Floats, mean: Floats, covariance: Floats, *, tasks: int, size: int, seed: int
) -> Tasks:
    """Tasks of alternatives drawn at random; arguments as in ``efficient_tasks``."""
    random = np.random.default_rng(seed)
    utility = _utilities(candidates, mean, covariance, random)
    alternatives = np.array([_drawn(random, candidates, size) for _ in range(tasks)])
    return Tasks(alternatives, _information(candidates, alternatives, utility))


def _utilities(candidates: Floats, mean: Floats, covariance: Floats, random: np.random.Generator) -> Floats:
    """(candidates, draws) by draws of the posterior."""
    return np.asarray(candidates @ random.multivariate_normal(mean, covariance, DRAWS, method="svd").T)


def _drawn(random: np.random.Generator, candidates: Floats, size: int) -> Ints:
    return random.choice(len(candidates), size, replace=False)


def _exchanged(task: Ints, utility: Floats, known: _Known) -> tuple[Ints, float]:
    """A task whose alternatives were exchanged one by one, and what it gains."""
    best = -np.inf
    for _ in range(PASSES):
        before = best
        for place in range(len(task)):
            tried = np.tile(task, (len(utility), 1))
            tried[:, place] = np.arange(len(utility))
            gains = np.where(_repeats(tried), -np.inf, _gains(tried, utility, known))
            task, best = tried[int(np.argmax(gains))], float(gains.max())
        if best <= before:
            break
    return task, best


def _gains(tried: Ints, utility: Floats, known: _Known) -> Floats:
    """(tried,) logarithm of how many times as small the contrasts' covariance determinant becomes by each task."""
    explained = known.explained[tried[:, :, None], tried[:, None, :]]
    left = np.eye(tried.shape[1]) - _shrinkage(tried, utility, known) @ explained
    gains: Floats = -np.linalg.slogdet(left)[1]
    return gains


def _shrinkage(tried: Ints, utility: Floats, known: _Known) -> Floats:
    """(tried, size, size) by which the covariance V of all shrinks to V - V X' S X V (Woodbury)."""
    weight = known.repeats * _weights(utility[tried])
    similar = known.similar[tried[:, :, None], tried[:, None, :]]
    return np.asarray(np.linalg.solve(np.eye(tried.shape[1]) + weight @ similar, weight))


def _weights(utility: Floats) -> Floats:
    """(…, size, size) diag(p) - p p' of the choice probabilities, averaged over the draws (…, size, draws)."""
    odds = np.exp(utility - utility.max(-2, keepdims=True))
    probability = odds / odds.sum(-2, keepdims=True)
    averaged: Floats = -np.matmul(probability, np.swapaxes(probability, -1, -2)) / utility.shape[-1]
    size = utility.shape[-2]
    averaged[..., np.arange(size), np.arange(size)] += probability.mean(-1)
    return averaged


def _information(candidates: Floats, alternatives: Ints, utility: Floats) -> Floats:
    """(columns, columns) of an answer, averaged over the tasks."""
    shown = candidates[alternatives]
    parts = np.swapaxes(shown, 1, 2) @ _weights(utility[alternatives]) @ shown
    return np.asarray(parts.mean(0))


def _repeats(tried: Ints) -> Truths:
    """(tried,) whether a task shows an alternative twice."""
    ordered = np.sort(tried, axis=1)
    return np.asarray((ordered[:, 1:] == ordered[:, :-1]).any(1))
