"""Scale per kind of feedback: one likelihood for choices, rankings, searches and ratings.

A purchase and a view follow the same tastes, but not equally closely. The utility behind a choice of kind k is
s_k · x'b with one b for all kinds and a scale s_k of the kind, as in the joint estimation of several sources of
data (Ben-Akiva and Morikawa 1990; Swait and Louviere 1993): the variance of what else decides is π² / (6 s_k²),
so a kind with half the scale says a quarter as much. A rating, in units of its person's spread, is normal
around c + s x'b with a variance to estimate. The scale of the kind that most lists have is 1; the others, and the
noise of ratings, maximise the likelihood together with b, category by category, under a prior of their
logarithms, N(0, 1). What follows each other within a list enters step by step (``kgrank.choice.data.responses``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import linalg, sparse

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.responses import KINDS, RESPONSES
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.newton import newton
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
    """Scales of the kinds of feedback in the choices of categories that do not overlap.

    Args:
        sets: Choices by category.
        entry: The kind of response whose choices have the outside option.
    """
    counts = sum(
        (np.bincount(s.kind, minlength=len(KINDS)) for s in sets.values()), np.zeros(len(KINDS), int)
    )
    kinds = np.flatnonzero(counts)
    # Choices say of themselves in which unit they are; ratings and searches only beside them.
    reference_kind = max(
        kinds, key=lambda k: (KINDS[k] == entry, k not in (RATING, SEARCH), counts[k]), default=RATING
    )
    other_kinds = [int(k) for k in kinds if k != reference_kind]
    if not other_kinds and reference_kind != RATING:
        return Reliability({KINDS[k]: 1.0 for k in kinds}, entry=entry)
    samples = [_thinned(s) for s in sets.values()]

    # One vector: the logarithms of the scales and of the noise, then the part-worths of each category.
    count = len(other_kinds) + 1
    ends = np.cumsum([count, *(s.choices.width for s in samples)])

    def unpacked(point: Floats) -> tuple[Floats, list[Floats]]:
        return point[:count], [point[a:b] for a, b in pairwise(ends.tolist())]

    def reliability(logs: Floats) -> Reliability:
        scales = zip(other_kinds, logs, strict=False)
        scale = {KINDS[reference_kind]: 1.0} | {KINDS[k]: float(np.exp(x)) for k, x in scales}
        return Reliability(scale, float(np.exp(logs[-1])), entry)

    def evaluate(points: Floats) -> tuple[Floats, None]:
        logs, part_worths = unpacked(points[0])
        current = reliability(logs)
        fits = sum(_penalised_likelihood(s, current, b) for s, b in zip(samples, part_worths, strict=True))
        return np.array([fits - 0.5 * float(logs @ logs)]), None

    def direction(points: Floats, _: None) -> tuple[Floats, Floats, None]:
        logs, part_worths = unpacked(points[0])
        step, steps, decrement = _step(samples, reliability(logs), logs, part_worths, other_kinds)
        return np.concatenate([step, *steps])[None], np.array([decrement]), None

    bound = np.where(np.arange(ends[-1]) < count, BOUND, np.inf)
    points, _, _ = newton(
        np.zeros((1, ends[-1])), evaluate, direction, tolerance=TOLERANCE, rounds=ROUNDS, bound=bound
    )
    return reliability(points[0, :count])


def weighted(category_choices: CategoryChoices, reliability: Reliability) -> CategoryChoices:
    """The choices with every kind's utility in its scale, and ratings in units of their noise."""
    if all(s == 1.0 for s in reliability.scale.values()) and reliability.noise == 1.0:
        return category_choices
    choices = category_choices.choices
    scale = np.array([reliability.scale.get(k, 1.0) for k in KINDS])
    unit = np.where(np.arange(len(KINDS)) == RATING, 1.0 / reliability.noise, 1.0)
    kind = category_choices.kind[choices.choice]
    raw, row, kind_of_row = _by_kind(choices, kind)
    entry_kind = np.repeat(kind_of_row, np.diff(raw.indptr))
    # Being looked at, or the outside option, has nothing to do with how well tastes are followed.
    attribute = raw.indices < category_choices.design.raw.shape[1]
    raw.data = raw.data * unit[entry_kind] * np.where(attribute, scale[entry_kind], 1.0)
    scaled = replace(choices, raw=raw, row=row, chosen=choices.chosen * unit[kind])
    return replace(category_choices, choices=scaled)


def _by_kind(choices: Choices, kind: Ints) -> tuple[sparse.csr_matrix, Ints | None, Ints]:
    """A copy of the distinct rows, each of one kind of feedback; the row of each alternative; and their kinds."""
    if choices.row is None:
        return choices.raw.copy(), None, kind
    distinct, row = np.unique(choices.row * len(KINDS) + kind, return_inverse=True)
    return choices.raw[distinct // len(KINDS)], row, distinct % len(KINDS)


def _thinned(category_choices: CategoryChoices) -> CategoryChoices:
    """At most ENOUGH choices of each kind, evenly from the log."""
    selected = np.zeros(len(category_choices.kind), bool)
    for k in np.unique(category_choices.kind):
        of_kind = np.flatnonzero(category_choices.kind == k)
        selected[of_kind[np.linspace(0, len(of_kind) - 1, min(len(of_kind), ENOUGH)).astype(int)]] = True
    return category_choices if selected.all() else category_choices.take(selected)


def _penalised_likelihood(
    category_choices: CategoryChoices, reliability: Reliability, part_worths: Floats
) -> float:
    """The log-likelihood and the part-worths' prior, but for constants."""
    choices = weighted(category_choices, reliability).choices
    rated = int((category_choices.kind == RATING).sum())
    log_likelihood = float(choices.log_likelihood(choices.utility(part_worths)).sum())
    return (
        log_likelihood
        - rated * float(np.log(reliability.noise))
        - 0.5 * RIDGE * float(part_worths @ part_worths)
    )


def _step(
    sets: Sequence[CategoryChoices],
    reliability: Reliability,
    at: Floats,
    part_worths: Sequence[Floats],
    other_kinds: Sequence[int],
) -> tuple[Floats, list[Floats], float]:
    """A step of Fisher scoring in all part-worths, and in the logarithms of scales and noise together.

    Returns:
        The step of the logarithms (kinds + 1,), those of each category's part-worths, and the decrement.
    """
    slope, information_scales = -at, np.eye(len(at))
    solved = []
    for category_choices, x in zip(sets, part_worths, strict=True):
        gradient, information, noise, rated = _derivatives(category_choices, reliability, x, other_kinds)
        width = len(x)
        block, across = information[:width, :width], information[:width, width:]
        cholesky = linalg.cho_factor(block + RIDGE * np.eye(width))
        newton_step = linalg.cho_solve(cholesky, gradient[:width] - RIDGE * x)
        elimination = linalg.cho_solve(cholesky, across)
        slope[:-1] += gradient[width:] - across.T @ newton_step
        slope[-1] += noise
        information_scales[:-1, :-1] += information[width:, width:] - across.T @ elimination
        information_scales[-1, -1] += 2 * rated
        solved.append((newton_step, elimination, float(newton_step @ (gradient[:width] - RIDGE * x))))
    step = np.asarray(np.linalg.solve(information_scales, slope), dtype=np.float64)
    decrement = float(step @ slope) + sum(block for _, _, block in solved)
    return step, [newton_step - elimination @ step[:-1] for newton_step, elimination, _ in solved], decrement


def _derivatives(
    category_choices: CategoryChoices,
    reliability: Reliability,
    part_worths: Floats,
    other_kinds: Sequence[int],
) -> tuple[Floats, Floats, float, int]:
    """Gradient and information by part-worths and logarithms of scales, the noise's slope, number of ratings."""
    choices = weighted(category_choices, reliability).choices
    utility = choices.utility(part_worths)
    probability, _ = choices.probabilities(utility)
    residual = choices.gradient_rows(utility, probability)
    attributes = part_worths.copy()
    attributes[category_choices.design.layout.width :] = 0.0
    attribute_utility = choices.times(choices.centring @ attributes)
    kind = category_choices.kind[choices.choice]
    kind_columns = sparse.csr_matrix(
        np.column_stack([attribute_utility * (kind == k) for k in other_kinds] or [np.empty((len(kind), 0))])
    )
    extended = replace(
        choices,
        raw=sparse.csr_matrix(sparse.hstack([choices.expanded, kind_columns], "csr")),
        row=None,
        centring=linalg.block_diag(choices.centring, np.eye(len(other_kinds))),
    )
    rated = kind == RATING
    noise = float((residual[rated] ** 2).sum() - rated.sum())
    return extended.gradient(residual), extended.information(probability), noise, int(rated.sum())
