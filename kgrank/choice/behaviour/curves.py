"""Piecewise-linear curves in the hat basis: linear in their values, so that a logit can learn them."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.weights.model import Curve


def knots(chosen: Floats, most: int) -> tuple[float, ...]:
    """Up to ``most`` knots at quantiles of the chosen items' values, and one at 0 where 0 means "none".

    Args:
        chosen: Term values of the items that were chosen.
        most: Knots at most, without the one at 0.

    Returns:
        Ascending knots, at least two; the curve is 0 at the first.
    """
    distinct = np.unique(chosen)
    starts_at_zero = bool(distinct.size) and distinct[0] == 0.0
    positive = chosen[chosen > 0] if starts_at_zero else chosen
    if len(distinct) <= most:
        positions = distinct
    else:
        # Closer together at the top, where the ranking is decided.
        share = np.linspace(0.0, 1.0, most) ** 0.8
        positions = np.unique(np.quantile(positive, share))
        positions = np.concatenate([[0.0], positions]) if starts_at_zero else positions
    if len(positions) < 2:
        low = float(positions[0]) if len(positions) else 0.0
        positions = np.array([low, low + 1.0])
    return tuple(positions.tolist())


def line(term_values: Floats) -> tuple[float, ...]:
    """Two knots, for a term that counts in proportion."""
    low, high = float(term_values.min(initial=0.0)), float(term_values.max(initial=0.0))
    return (low, max(high, low + 1.0))


def locate_segment(term_values: Floats, knot_positions: tuple[float, ...]) -> tuple[Ints, Floats]:
    """The segment that holds each value, and the position in it: 0 at its left knot, 1 at its right."""
    ends = np.asarray(knot_positions)
    clipped = np.clip(term_values, ends[0], ends[-1])
    left = np.clip(np.searchsorted(ends, clipped, side="right") - 1, 0, len(ends) - 2)
    return left, (clipped - ends[left]) / np.diff(ends)[left]


def hats(term_values: Floats, knot_positions: tuple[float, ...]) -> Floats:
    """(values, knots - 1) the hat functions of all knots but the first, whose value is fixed at 0."""
    left, along = locate_segment(term_values, knot_positions)
    values = np.zeros((len(term_values), len(knot_positions)))
    rows = np.arange(len(term_values))
    values[rows, left] = 1.0 - along
    values[rows, left + 1] = along
    return values[:, 1:]


def pair_hats(first: Floats, second: Floats) -> Floats:
    """(values, columns · columns) products of two terms' hat functions."""
    return np.asarray((first[:, :, None] * second[:, None, :]).reshape(len(first), -1))


def curve(knot_positions: tuple[float, ...], values: Floats) -> Curve:
    """The curve with 0 at its first knot and the learned values at the others."""
    return Curve((knot_positions,), (0.0, *np.asarray(values).tolist()))


def surface(first: tuple[float, ...], second: tuple[float, ...], values: Floats) -> Curve:
    """The surface of a pair: 0 along the first knots of both."""
    grid = np.zeros((len(first), len(second)))
    grid[1:, 1:] = values.reshape(len(first) - 1, len(second) - 1)
    return Curve((first, second), tuple(grid.ravel().tolist()))


def outer(learned: Curve, first: Floats, second: Floats) -> Floats:
    """(second, first) the values of a surface at every pair of two lists of term values."""
    a, b = learned.knots
    grid = np.asarray(learned.values).reshape(len(a), len(b))
    return np.asarray(hats(second, b) @ grid[1:, 1:].T @ hats(first, a).T)


def evaluate_curve(learned: Curve, *term_values: Floats) -> Floats:
    """The logits of a curve at term values, or of a surface at pairs of them, elementwise."""
    if len(learned.knots) == 1:
        return np.asarray(np.interp(term_values[0], learned.knots[0], learned.values))
    grid = np.asarray(learned.values).reshape([len(k) for k in learned.knots])
    (i, s), (j, t) = (locate_segment(a, k) for a, k in zip(term_values, learned.knots, strict=True))
    low = (1 - t) * grid[i, j] + t * grid[i, j + 1]
    high = (1 - t) * grid[i + 1, j] + t * grid[i + 1, j + 1]
    return np.asarray((1 - s) * low + s * high)
