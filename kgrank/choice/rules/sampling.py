"""Draws of a Gaussian posterior, re-weighted by the rules' joint factor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints

DRAWS = 8000

ENOUGH = 1000
"""Effective draws below which re-weighted draws are moved by elliptical slice sampling."""

MOVES = 60
"""Moves of each draw."""

CHAINS = DRAWS // 4

SHRINKS = 80
"""A draw stays where it is if nothing so near is allowed: it is on the edge, but for rounding."""

SEARCH_ROUNDS, SEARCH_MOVES, BEST = 60, 3, 0.25
"""The search for part-worths that keep hard rules: the best quarter of the draws is moved, so many times."""

NOWHERE = 1e-6
"""Rules that are kept only this nearly hold on a line or in a point, not in a region."""

LogFactor = Callable[[Floats], Floats]
"""Takes part-worths (draws, columns) to the logarithm of the rules' joint factor (draws,): -inf where a hard
rule is broken."""

Violation = Callable[[Floats], Floats]
"""Takes part-worths (draws, columns) to how far they are from keeping all hard rules: (draws,), 0 inside."""


@dataclass(frozen=True)
class Reweighted:
    """Equally weighted draws (draws, columns), and how many of the draws before they are worth."""

    draws: Floats
    effective: float


def gaussian(mean: Floats, covariance: Floats, generator: np.random.Generator) -> Floats:
    """(DRAWS, columns) of N(mean, covariance)."""
    spread = _normal(covariance, DRAWS, generator)
    # Without rules the mean of the draws is the optimum itself, whatever the seed.
    return np.asarray(mean + spread - spread.mean(0))


def _root(covariance: Floats) -> Floats:
    """A square root, also where there are directions of no width."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0, None)))


def _normal(covariance: Floats, count: int, generator: np.random.Generator) -> Floats:
    """Draws of N(0, covariance)."""
    return np.asarray(generator.standard_normal((count, len(covariance))) @ _root(covariance).T)


def reweighted(
    mean: Floats,
    covariance: Floats,
    draws: Floats,
    log_factor: LogFactor,
    violation: Violation,
    generator: np.random.Generator,
) -> Reweighted | None:
    """Draws of N(mean, covariance) times a factor, from draws of the Gaussian alone.

    Returns:
        None where no part-worths were found that keep all hard rules.
    """
    logs = log_factor(draws)
    if np.isneginf(logs).all():
        # The data are far from all that the hard rules allow.
        start = allowed(mean, covariance, violation, generator)
        if start is None:
            return None
        return Reweighted(_slice(mean, covariance, start, log_factor, generator), 0.0)
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    effective = float(1 / (weights**2).sum())
    picked: Floats = draws[_systematic(weights, generator)]
    if effective >= ENOUGH:
        return Reweighted(picked, effective)
    start = picked[generator.permutation(len(picked))[:CHAINS]]
    return Reweighted(_slice(mean, covariance, start, log_factor, generator), effective)


def allowed(
    mean: Floats, covariance: Floats, violation: Violation, generator: np.random.Generator
) -> Floats | None:
    """(CHAINS, columns) part-worths that keep all hard rules, or None where none were found.

    First ever wider draws; where none of them keep the rules, the best ones are moved among those that are no
    worse (subset simulation, Au and Beck 2001), until some do or none get better.
    """
    best, least = np.empty(0), np.inf
    for scale in 2.0 ** np.arange(12):
        wide = mean + scale * _normal(covariance, DRAWS, generator)
        distance = violation(wide)
        if (distance == 0).any():
            kept = wide[distance == 0]
            return np.asarray(kept[np.arange(CHAINS) % len(kept)])
        if np.quantile(distance, BEST) < least:
            best, least = wide, float(np.quantile(distance, BEST))
    return _search(best, mean, covariance, violation, generator)


def _search(
    x: Floats, mean: Floats, covariance: Floats, violation: Violation, generator: np.random.Generator
) -> Floats | None:
    distance = violation(x)
    for _ in range(SEARCH_ROUNDS):
        level = float(np.quantile(distance, BEST))
        kept = x[distance <= level]
        before = float(distance.min())
        x = kept[np.arange(CHAINS) % len(kept)]

        def within(y: Floats, level: float = level) -> Floats:
            return np.where(violation(y) <= level, 0.0, -np.inf)

        x = _slice(mean, covariance, x, within, generator, SEARCH_MOVES)
        distance = violation(x)
        if (distance == 0).any():
            kept = x[distance == 0]
            return np.asarray(kept[np.arange(CHAINS) % len(kept)])
        stuck = float(distance.min()) >= before and level <= before * (1 + 1e-3)
        if stuck or level < NOWHERE:
            break
    return None


def _systematic(weights: Floats, generator: np.random.Generator) -> Ints:
    """Indices drawn in proportion to weights, with the least noise (systematic resampling)."""
    points = (np.arange(len(weights)) + generator.random()) / len(weights)
    return np.asarray(np.minimum(np.searchsorted(np.cumsum(weights), points), len(weights) - 1))


def _slice(
    mean: Floats,
    covariance: Floats,
    x: Floats,
    log_factor: LogFactor,
    generator: np.random.Generator,
    moves: int = MOVES,
) -> Floats:
    """Elliptical slice sampling (Murray, Adams and MacKay 2010), many chains side by side.

    Each chain begins its next move as soon as a proposal is accepted, so that none waits for the slowest.
    """
    x, root = x.copy(), _root(covariance)
    centred, current = x - mean, log_factor(x)
    other, level, angle, low, high = (np.empty(x.shape), *(np.empty(len(x)) for _ in range(4)))
    left, shrinks = np.full(len(x), moves), np.zeros(len(x), np.int64)
    new = np.arange(len(x))
    while True:
        other[new] = generator.standard_normal((len(new), x.shape[1])) @ root.T
        level[new] = current[new] + np.log(generator.random(len(new)))
        angle[new] = generator.uniform(0, 2 * np.pi, len(new))
        low[new], high[new], shrinks[new] = angle[new] - 2 * np.pi, angle[new], 0
        waiting = np.flatnonzero(left)
        if not len(waiting):
            return x
        turn = angle[waiting, None]
        proposed = centred[waiting] * np.cos(turn) + other[waiting] * np.sin(turn)
        value = log_factor(mean + proposed)
        accepted = value >= level[waiting]
        moved, stays = waiting[accepted], waiting[~accepted]
        centred[moved], current[moved] = proposed[accepted], value[accepted]
        x[moved] = mean + centred[moved]
        shrinks[stays] += 1
        back = angle[stays] < 0
        low[stays[back]], high[stays[~back]] = angle[stays[back]], angle[stays[~back]]
        angle[stays] = generator.uniform(low[stays], high[stays])
        new = np.concatenate([moved, stays[shrinks[stays] >= SHRINKS]])
        left[new] -= 1
