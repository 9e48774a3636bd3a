"""How much each kind of feedback says: one likelihood for choices, rankings, searches and ratings.

A purchase and a view follow the same tastes, but not equally closely. The utility behind a choice of kind k is
s_k · x'b with one b for all kinds and a scale s_k of the kind, as in the joint estimation of several sources of
data (Ben-Akiva and Morikawa 1990; Swait and Louviere 1993): the variance of what else decides is π² / (6 s_k²),
so a kind with half the scale says a quarter as much. A rating, in units of its person's spread, is normal
around c + s x'b with a variance of its own. The scale of the kind that most lists have is 1; the others, and the
noise of ratings, maximise the profile likelihood (the best b for given scales, category by category) under a
prior of their logarithms, N(0, 1). What follows each other within a list enters step by step
(``kgrank.choice.log``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy import optimize

from kgrank.choice.layout import Floats
from kgrank.choice.log import KINDS, RESPONSES
from kgrank.choice.logit import Choices, optimum
from kgrank.choice.sets import CategoryChoices
from kgrank.weights.model import Reliability

RATING = KINDS.index("rating")
SEARCH = KINDS.index("search")

ENOUGH = 4_000
"""Choices of a kind in a category that are used at most: a handful of numbers is learned."""

RIDGE = 0.02
"""Precision of part-worths and nuisance while scales are sought."""

BOUND = 5.0
"""Bound of the logarithm of a scale or a noise."""


def reliability(sets: Mapping[str, CategoryChoices], entry: str = RESPONSES[0]) -> Reliability:
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
    starts: list[Floats] = [np.zeros(s.choices.width) for s in some]

    def named(at: Floats) -> Reliability:
        scale = {KINDS[main]: 1.0} | {KINDS[k]: float(np.exp(x)) for k, x in zip(others, at, strict=False)}
        return Reliability(scale, float(np.exp(at[-1])) if counts[RATING] else 1.0, entry)

    def loss(at: Floats) -> tuple[float, Floats]:
        value, slope = -0.5 * float(at @ at), -np.array(at)
        for i, one in enumerate(some):
            gain, by_kind, noise = _profile(one, named(at), starts, i)
            value += gain
            slope[: len(others)] += by_kind[others]
            if counts[RATING]:
                slope[-1] += noise
        return -value, -slope

    size = len(others) + bool(counts[RATING])
    found = optimize.minimize(
        loss, np.zeros(size), jac=True, method="L-BFGS-B", bounds=[(-BOUND, BOUND)] * size,
        options={"ftol": 1e-8, "maxiter": 50},
    )  # fmt: skip
    return named(found.x)


def weighed(some: CategoryChoices, how: Reliability) -> CategoryChoices:
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


def _profile(
    some: CategoryChoices, how: Reliability, starts: list[Floats], at: int
) -> tuple[float, Floats, float]:
    """The log-likelihood at the best part-worths, and its slopes by the logarithms of the scales and the noise."""
    choices = weighed(some, how).choices
    width = choices.width
    found, _ = optimum(choices, np.zeros(width), np.full(width, RIDGE), starts[at], tolerance=1e-7)
    starts[at] = found
    utility = choices.utility(found)
    probability, _ = choices.probabilities(utility)
    pull = choices.gradient_rows(utility, probability)
    along = pull * _attributes(some, choices, found)
    by_kind = np.bincount(some.kind[choices.choice], along, len(KINDS)).astype(float)
    rated = (some.kind == RATING)[choices.choice]
    value = float(choices.log_likelihood(utility).sum()) - 0.5 * RIDGE * float(found @ found)
    return (
        value - rated.sum() * float(np.log(how.noise)),
        by_kind,
        float((pull[rated] ** 2).sum() - rated.sum()),
    )


def _attributes(some: CategoryChoices, choices: Choices, part_worths: Floats) -> Floats:
    """(rows,) the part of the utility that is scaled: the attributes'."""
    own = part_worths.copy()
    own[some.design.layout.width :] = 0.0
    return np.asarray(choices.raw @ (choices.centring @ own))
