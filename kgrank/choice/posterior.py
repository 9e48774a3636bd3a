"""Draws of a Gaussian posterior, re-weighted by what rules say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kgrank.choice.layout import Floats, Ints
from kgrank.errors import RunError

DRAWS = 8000

ENOUGH = 1000
"""Effective draws below which re-weighted draws are moved by elliptical slice sampling."""

MOVES = 60

FORBIDDEN = -1e6
"""Log-factor of part-worths that break a hard rule."""

LogFactor = Callable[[Floats], Floats]
"""Takes part-worths (draws, columns) to the logarithm of the rules' joint factor (draws,)."""


def gaussian(mean: Floats, covariance: Floats, generator: np.random.Generator) -> Floats:
    """(DRAWS, columns) of N(mean, covariance)."""
    spread = _normal(covariance, DRAWS, generator)
    # Without rules the mean of the draws is the optimum itself, whatever the seed.
    return np.asarray(mean + spread - spread.mean(0))


def _normal(covariance: Floats, count: int, generator: np.random.Generator) -> Floats:
    """Draws of N(0, covariance), also where it has directions of no width."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return np.asarray(generator.standard_normal((count, len(values))) @ root.T)


def reweighted(
    mean: Floats, covariance: Floats, free: Floats, log_factor: LogFactor, generator: np.random.Generator
) -> Floats:
    """Equally weighted draws of N(mean, covariance) times a factor, from draws ``free`` of the Gaussian.

    Raises:
        RunError: The hard rules leave nothing.
    """
    logs = log_factor(free)
    if logs.max() < FORBIDDEN / 2:
        # The data are far from all that the hard rules allow.
        start = _allowed(mean, covariance, log_factor, generator)
        return _slice(mean, covariance, start, log_factor, generator)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    effective = 1 / (weights**2).sum()
    picked: Floats = free[_systematic(weights, generator)]
    if effective >= ENOUGH:
        return picked
    start = picked[generator.permutation(len(picked))[: DRAWS // 4]]
    return _slice(mean, covariance, start, log_factor, generator)


def _allowed(
    mean: Floats, covariance: Floats, log_factor: LogFactor, generator: np.random.Generator
) -> Floats:
    """Starts for the slice sampler within the hard rules: from ever wider draws, the first that keep them."""
    for scale in 2.0 ** np.arange(1, 12):
        wide = mean + scale * _normal(covariance, DRAWS, generator)
        kept = wide[log_factor(wide) > FORBIDDEN / 2]
        if len(kept):
            return np.asarray(kept[np.arange(DRAWS // 4) % len(kept)])
    raise RunError(
        "no part-worths keep all hard rules", todo="Give one of them kg:sure 0.95 instead of kg:must."
    )


def _systematic(weights: Floats, generator: np.random.Generator) -> Ints:
    """Indices drawn in proportion to weights, with the least noise."""
    marks = (np.arange(len(weights)) + generator.random()) / len(weights)
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(weights), marks), len(weights) - 1))


def _slice(
    mean: Floats, covariance: Floats, x: Floats, log_factor: LogFactor, generator: np.random.Generator
) -> Floats:
    """Elliptical slice sampling (Murray, Adams and MacKay 2010), many chains side by side."""
    now = log_factor(x)
    for _ in range(MOVES):
        other = _normal(covariance, len(x), generator)
        level = now + np.log(generator.random(len(x)))
        angle = generator.uniform(0, 2 * np.pi, len(x))
        low, high = angle - 2 * np.pi, angle.copy()
        waiting = np.arange(len(x))
        here = x - mean
        while len(waiting):
            a = angle[waiting, None]
            proposed = mean + here[waiting] * np.cos(a) + other[waiting] * np.sin(a)
            value = log_factor(proposed)
            fine = value >= level[waiting]
            x[waiting[fine]], now[waiting[fine]] = proposed[fine], value[fine]
            waiting = waiting[~fine]
            left = angle[waiting] < 0
            low[waiting[left]] = angle[waiting[left]]
            high[waiting[~left]] = angle[waiting[~left]]
            angle[waiting] = generator.uniform(low[waiting], high[waiting])
    return x
