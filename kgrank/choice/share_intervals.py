"""95 % intervals of shares that cover the truth in 95 % of cases, also where it is 0 or levels are many.

A range of estimates is biased upwards, the more so the more levels it runs over: an attribute that nobody looks at
seems to matter, and takes its share from the others. So intervals come from a posterior in which the levels of an
attribute are pooled: their contrasts are nothing, or Gaussian with a variance for each attribute.

    contrasts_a = 0 with probability 1 - q, else N(0, v_a² I),   v_a half-normal with scale s

q and s are learned from all attributes of the category (spike and slab: Ishwaran and Rao 2005, on groups: Xu and
Ghosh 2015; half-normal scales: Gelman 2006). The draws come from a Gibbs sampler that sums each v_a over a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.importance import importance

CHAINS, SWEEPS, KEPT = 200, 30, 10
"""Chains side by side, and the sweeps of each, of which the last ones are kept."""

DEVIATIONS = np.geomspace(0.02, 10.0, 25)
SCALES = np.geomspace(0.05, 5.0, 15)
"""Grids of v_a and of s, in logits."""

MATTERS = (4.0, 1.0)
"""Beta prior of q: an attribute that a category has is likely to matter."""


@dataclass(frozen=True)
class _Group:
    """The contrasts of one attribute, rotated so that its likelihood is diagonal."""

    columns: slice
    information: Floats
    turn: Floats


def intervals(layout: Layout, draws: Floats) -> tuple[Floats, Floats]:
    """95 % intervals of the weights of a category.

    Args:
        layout: The category's columns.
        draws: (draws, columns) part-worths, whose mean and covariance describe their posterior.

    Returns:
        (attributes,) lower and (attributes,) upper ends, with the weight of the mean of the draws between them; a
        lower end of 0 says that the attribute may not matter.
    """
    weight = importance(layout, draws.mean(0))
    contrasts, sizes = contrasts_of(layout)
    if not contrasts.shape[1]:
        return weight, weight
    used = np.flatnonzero(contrasts.any(1))
    measured = draws[:, used] @ np.linalg.pinv(contrasts[used]).T
    posterior_draws = shrunken_levels(measured.mean(0), np.atleast_2d(np.cov(measured, rowvar=False)), sizes)
    return _interval(importance(layout, posterior_draws @ contrasts.T), weight)


def quantiles(layout: Layout, draws: Floats) -> tuple[Floats, Floats]:
    """Intervals from the quantiles of the draws, without pooling: they keep to hard rules, as the draws do."""
    return _interval(importance(layout, draws), importance(layout, draws.mean(0)))


def _interval(share: Floats, mean_share: Floats) -> tuple[Floats, Floats]:
    lower, upper = np.quantile(share, [0.025, 0.975], axis=0)
    return np.minimum(lower, mean_share), np.maximum(upper, mean_share)


def contrasts_of(layout: Layout) -> tuple[Floats, list[int]]:
    """(columns, contrasts) orthogonal differences between the values that count, and their number by attribute.

    A number's is scaled so that its rise over the reference range compares with a difference of two values.
    """
    parts, sizes = [], []
    for block in layout.blocks:
        reference_columns = np.flatnonzero(block.reference)
        if block.number:
            block_contrasts = np.array(
                [[np.sqrt(2.0) * block.scale / (block.p95 - block.p05 or block.scale)]]
            )
        else:
            block_contrasts = (
                linalg.null_space(np.ones((1, len(reference_columns))))
                if len(reference_columns) > 1
                else np.zeros((len(reference_columns), 0))
            )
        all_columns = np.zeros((layout.width, block_contrasts.shape[1]))
        all_columns[block.start + reference_columns] = block_contrasts
        parts.append(all_columns)
        sizes.append(block_contrasts.shape[1])
    return np.hstack(parts) if parts else np.zeros((0, 0)), sizes


def shrunken_levels(mean: Floats, covariance: Floats, sizes: Sequence[int]) -> Floats:
    """Draws of contrasts that were measured with noise, pooled.

    Args:
        mean: (contrasts,) what was measured.
        covariance: (contrasts, contrasts) of the noise.
        sizes: Number of contrasts of each attribute.

    Returns:
        (CHAINS · KEPT, contrasts); exactly 0 for the attributes that do not matter in a draw.
    """
    jitter = 1e-9 * max(float(np.trace(covariance)), 1e-9)
    precision = np.linalg.inv(covariance + jitter * np.eye(len(mean)))
    groups = []
    for stop, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True):
        if size:
            columns = slice(stop - size, stop)
            values, vectors = np.linalg.eigh(precision[columns, columns])
            groups.append(_Group(columns, np.clip(values, 0.0, None), vectors))
    generator = np.random.default_rng(0)
    state = np.tile(mean, (CHAINS, 1))
    prob_matters, scale = np.full(CHAINS, 0.8), np.full(CHAINS, 1.0)
    draws = []
    for sweep in range(SWEEPS):
        deviations = np.zeros((CHAINS, len(groups)))
        for k, group in enumerate(groups):
            columns = group.columns
            pull = precision[columns] @ mean - (
                state @ precision[:, columns] - state[:, columns] @ precision[columns, columns]
            )
            state[:, columns], deviations[:, k] = _draw_contrasts(group, pull, prob_matters, scale, generator)
        mattering = (deviations > 0).sum(1)
        prob_matters = generator.beta(MATTERS[0] + mattering, MATTERS[1] + len(groups) - mattering).clip(
            0.01, 0.99
        )
        scale = _scales(deviations, generator)
        if sweep >= SWEEPS - KEPT:
            draws.append(state.copy())
    return np.concatenate(draws)


def _draw_contrasts(
    group: _Group, pull: Floats, prob_matters: Floats, scale: Floats, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """An attribute's contrasts and their deviation (0 where it does not matter), given all else."""
    rotated = pull @ group.turn
    total = group.information + DEVIATIONS[:, None] ** -2.0
    log_marginal = 0.5 * (rotated**2 @ (1 / total).T - np.log(total * DEVIATIONS[:, None] ** 2).sum(1))
    prior = _half_normal(DEVIATIONS / scale[:, None])
    prior -= np.log(np.exp(prior).sum(1, keepdims=True))
    logs = np.column_stack([np.log1p(-prob_matters), log_marginal + prior + np.log(prob_matters)[:, None]])
    grid_number = _categorical(logs, generator)
    precision = total[np.maximum(grid_number - 1, 0)]
    contrasts = rotated / precision + generator.standard_normal(rotated.shape) / np.sqrt(precision)
    nonzero = (grid_number > 0)[:, None]
    return np.where(nonzero, contrasts @ group.turn.T, 0.0), np.concatenate([[0.0], DEVIATIONS])[grid_number]


def _half_normal(ratio: Floats) -> Floats:
    """Log-density of a half-normal on a geometric grid, but for a constant."""
    return np.asarray(np.log(ratio) - ratio**2 / 2)


def _scales(deviations: Floats, generator: np.random.Generator) -> Floats:
    """(chains,) the scale of the deviations, given those of the attributes that matter."""
    nonzero = deviations[:, :, None] > 0
    ratio = np.where(nonzero, deviations[:, :, None], 1.0) / SCALES
    return np.asarray(SCALES[_categorical(np.where(nonzero, _half_normal(ratio), 0.0).sum(1), generator)])


def _categorical(log_weights: Floats, generator: np.random.Generator) -> Floats:
    """(rows,) a column for each row, in proportion to the exponentials."""
    gumbel = -np.log(-np.log(generator.random(log_weights.shape)))
    return np.asarray((log_weights + gumbel).argmax(1))
