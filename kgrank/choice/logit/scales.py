"""How much each kind of feedback says: one likelihood for choices, rankings, searches and ratings.

A purchase and a view follow the same tastes, but not equally closely. The utility behind a choice of kind k is
s_k · x'b with one b for all kinds and a scale s_k of the kind, as in the joint estimation of several sources of
data (Ben-Akiva and Morikawa 1990; Swait and Louviere 1993): the variance of what else decides is π² / (6 s_k²),
so a kind with half the scale says a quarter as much. A rating, in units of its person's spread, is normal
around c + s x'b with a variance of its own. The scale of the kind that most lists have is 1; the others, and the
noise of ratings, maximise the likelihood together with b, category by category, under a prior of their
logarithms, N(0, 1). What follows each other within a list enters step by step (``kgrank.choice.data.responses``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy import linalg, sparse

from kgrank.arrays import Floats
from kgrank.choice.data.responses import KINDS, RESPONSES
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.weights.model import Reliability

RATING = KINDS.index("rating")
SEARCH = KINDS.index("search")

ENOUGH = 3_000
"""Choices of a kind in a category that are used at most: a handful of numbers is learned."""

RIDGE = 0.02
"""Precision of part-worths and nuisance while scales are sought."""

BOUND = 5.0
"""Bound of the logarithm of a scale or a noise."""

ROUNDS = 50
TOLERANCE = 1e-5
"""Rounds end when the next step promises less than this, in log-posterior."""


def feedback_scales(sets: Mapping[str, CategoryChoices], entry: str = RESPONSES[0]) -> Reliability:
    """Scales of the kinds that occur in the choices of some categories that do not overlap.

    Args:
        sets: Choices by category.
        entry: The kind that stands beside the outside option in the log.
    """
    counts = sum(
        (np.bincount(s.kind, minlength=len(KINDS)) for s in sets.values()), np.zeros(len(KINDS), int)
    )
    present = np.flatnonzero(counts)
    # Choices say of themselves in which unit they are; ratings and searches only beside them.
    main = max(
        present, key=lambda k: (KINDS[k] == entry, k not in (RATING, SEARCH), counts[k]), default=RATING
    )
    others = [int(k) for k in present if k != main]
    if not others and main != RATING:
        return Reliability({KINDS[k]: 1.0 for k in present}, entry=entry)
    some = [_some(s) for s in sets.values()]

    def named(at: Floats) -> Reliability:
        scale = {KINDS[main]: 1.0} | {KINDS[k]: float(np.exp(x)) for k, x in zip(others, at, strict=False)}
        return Reliability(scale, float(np.exp(at[-1])), entry)

    at, b = np.zeros(len(others) + 1), [np.zeros(s.choices.width) for s in some]

    def value(at: Floats, b: Sequence[Floats]) -> float:
        return sum(_value(s, named(at), x) for s, x in zip(some, b, strict=True)) - 0.5 * float(at @ at)

    best = value(at, b)
    for _ in range(ROUNDS):
        step, steps, decrement = _step(some, named(at), at, b, others)
        if decrement < TOLERANCE:
            break
        size = 1.0
        while True:
            there = np.clip(at + size * step, -BOUND, BOUND)
            theirs = [x + size * d for x, d in zip(b, steps, strict=True)]
            now = value(there, theirs)
            if now >= best or size < 1e-6:
                break
            size /= 2
        at, b, best = there, theirs, now
    return named(at)


def weighted(some: CategoryChoices, how: Reliability) -> CategoryChoices:
    """The choices with every kind's utility in its scale, and ratings in units of their noise."""
    if all(s == 1.0 for s in how.scale.values()) and how.noise == 1.0:
        return some
    choices = some.choices
    scale = np.array([how.scale.get(k, 1.0) for k in KINDS])[some.kind]
    rated = some.kind == RATING
    unit = np.where(rated, 1.0 / how.noise, 1.0)[choices.choice]
    raw = choices.raw.copy()
    row = np.repeat(np.arange(raw.shape[0]), np.diff(raw.indptr))
    # Being looked at, or the outside option, has nothing to do with how well tastes are followed.
    attribute = raw.indices < some.design.raw.shape[1]
    raw.data = raw.data * unit[row] * np.where(attribute, scale[choices.choice][row], 1.0)
    return replace(some, choices=replace(choices, raw=raw, chosen=choices.chosen * unit))


def _some(some: CategoryChoices) -> CategoryChoices:
    """At most ENOUGH choices of each kind, evenly from the log."""
    kept = np.zeros(len(some.kind), bool)
    for k in np.unique(some.kind):
        at = np.flatnonzero(some.kind == k)
        kept[at[np.linspace(0, len(at) - 1, min(len(at), ENOUGH)).astype(int)]] = True
    return some if kept.all() else some.take(kept)


def _value(some: CategoryChoices, how: Reliability, b: Floats) -> float:
    """The log-likelihood and the part-worths' prior, but for constants."""
    choices = weighted(some, how).choices
    rated = int((some.kind == RATING).sum())
    found = float(choices.log_likelihood(choices.utility(b)).sum())
    return found - rated * float(np.log(how.noise)) - 0.5 * RIDGE * float(b @ b)


def _step(
    some: Sequence[CategoryChoices], how: Reliability, at: Floats, b: Sequence[Floats], others: Sequence[int]
) -> tuple[Floats, list[Floats], float]:
    """A step of Fisher scoring in all part-worths, and in the logarithms of scales and noise together.

    Returns:
        The step of the logarithms (kinds + 1,), those of each category's part-worths, and the decrement.
    """
    slope, whole = -at, np.eye(len(at))
    solved = []
    for one, x in zip(some, b, strict=True):
        gradient, information, noise, rated = _derivatives(one, how, x, others)
        width = len(x)
        own, across = information[:width, :width], information[:width, width:]
        factor = linalg.cho_factor(own + RIDGE * np.eye(width))
        pull = linalg.cho_solve(factor, gradient[:width] - RIDGE * x)
        share = linalg.cho_solve(factor, across)
        slope[:-1] += gradient[width:] - across.T @ pull
        slope[-1] += noise
        whole[:-1, :-1] += information[width:, width:] - across.T @ share
        whole[-1, -1] += 2 * rated
        solved.append((pull, share, float(pull @ (gradient[:width] - RIDGE * x))))
    step = np.asarray(np.linalg.solve(whole, slope), dtype=np.float64)
    decrement = float(step @ slope) + sum(own for _, _, own in solved)
    return step, [pull - share @ step[:-1] for pull, share, _ in solved], decrement


def _derivatives(
    some: CategoryChoices, how: Reliability, b: Floats, others: Sequence[int]
) -> tuple[Floats, Floats, float, int]:
    """Gradient and information by part-worths and logarithms of scales, the noise's slope, number of ratings."""
    choices = weighted(some, how).choices
    utility = choices.utility(b)
    probability, _ = choices.probabilities(utility)
    pull = choices.gradient_rows(utility, probability)
    attributes = b.copy()
    attributes[some.design.layout.width :] = 0.0
    along = np.asarray(choices.raw @ (choices.centring @ attributes))
    kind = some.kind[choices.choice]
    own = sparse.csr_matrix(
        np.column_stack([along * (kind == k) for k in others] or [np.empty((len(kind), 0))])
    )
    both = replace(
        choices,
        raw=sparse.csr_matrix(sparse.hstack([choices.raw, own], "csr")),
        centring=linalg.block_diag(choices.centring, np.eye(len(others))),
    )
    rated = kind == RATING
    noise = float((pull[rated] ** 2).sum() - rated.sum())
    return both.gradient(pull), both.information(probability), noise, int(rated.sum())
