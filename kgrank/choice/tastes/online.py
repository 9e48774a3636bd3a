"""A person's posterior one choice at a time: Newton's step from a factored, rank-updated information.

The log-posterior is -½ (δ - m)'P(δ - m) + Σ_e w_e log P_e(taken | δ), with the weights of earlier choices decayed.
A choice costs one Newton step: its information (rank: its alternatives, less one) is added to the decayed
information of the others, which is factored, not fitted again. What is left of the exact gradient of all choices
is taken by the same factor, corrected by the curvature seen along the earlier steps (L-BFGS, Nocedal 1980), until
the decrement is below ``TOLERANCE``; the step from there is the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from scipy.linalg import lapack

from kgrank.arrays import Floats

TOLERANCE = 1e-6
"""Newton decrement, in log-posterior, from which the next step is the last: it leaves much less than that."""

STEPS, PAIRS = 30, 2
FIRST_ROOM, SPARE = 2, 8
"""Choices that fit into the first window, and beyond the horizon into the last one, before it is copied."""


class Window:
    """Room for the alternatives of choices, one after another; what is written is never written again.

    Versions of a posterior that follow from each other share a window, so that a choice costs no copy.
    """

    def __init__(self, room: int, alternatives: int, width: int) -> None:
        self.x = np.empty((room, alternatives, width))
        self.offset = np.empty((room, alternatives))
        self.used = 0
        self._lock = Lock()

    def put(self, position: int, x: Floats, offset: Floats) -> bool:
        """Writes the choice at ``position``; False where another version did, or where no room is left."""
        with self._lock:
            if self.used != position or position == len(self.x):
                return False
            self.used += 1
        self.x[position], self.offset[position] = x, offset
        return True


@dataclass(frozen=True)
class Online:
    """A person's posterior after a number of choices.

    Attributes:
        mean: Prior mean (columns,).
        precision: Of the prior (columns, columns).
        mode: Of the posterior (columns,).
        information: Of the decayed choices, each at the mode of its time (columns, columns).
        weight: Of the choices that count, decayed (choices,).
        window: Their alternatives, the taken one first.
        start: First choice that counts in the window.
        horizon: Number of choices that count.
    """

    mean: Floats
    precision: Floats
    mode: Floats
    information: Floats
    weight: Floats
    window: Window
    start: int
    horizon: int

    @staticmethod
    def of(mean: Floats, precision: Floats, horizon: int, alternatives: int) -> Online:
        """The prior; ``alternatives`` is the largest number of them in a choice."""
        width = len(mean)
        window = Window(FIRST_ROOM, alternatives, width)
        return Online(
            mean=mean,
            precision=precision,
            mode=mean,
            information=np.zeros((width, width)),
            weight=np.zeros(0),
            window=window,
            start=0,
            horizon=horizon,
        )

    @property
    def stop(self) -> int:
        """One past the last choice in the window."""
        return self.start + len(self.weight)

    @property
    def x(self) -> Floats:
        """(choices, alternatives, columns) of those that count, the taken one first."""
        return self.window.x[self.start : self.stop]

    @property
    def offset(self) -> Floats:
        """(choices, alternatives) utility before any deviation, minus infinity where there is no alternative."""
        return self.window.offset[self.start : self.stop]

    @property
    def covariance(self) -> Floats:
        """(columns, columns) of the posterior, by the exact information at its mode."""
        probability, _ = _gradient(self, self.x.reshape(-1, len(self.mean)), self.offset, self.mode)
        precision = self.precision.copy()
        for weight, x, p in zip(self.weight.tolist(), self.x, probability, strict=True):
            precision += weight * _information(x, p)
        return np.asarray(np.linalg.inv(precision), dtype=np.float64)

    def after(self, x: Floats, offset: Floats, decay: float, superseded: int | None = None) -> Online:
        """The posterior after one more choice, of weight 1.

        Args:
            x: Columns of the alternatives, the taken one first (alternatives, columns).
            offset: Their utility before any deviation (alternatives,), minus infinity for none. Measured here from
                the largest, so that exp cannot overflow for deviations that a prior lets happen.
            decay: What is left of the weight of the others.
            superseded: The choice, of those that count, that counts no more from now on.
        """
        window, stop, offset = self.window, self.stop, offset - offset.max()
        start = max(stop + 1 - self.horizon, self.start)
        if not window.put(stop, x, offset):
            # Most sessions are short, so a window grows with what it holds.
            room = min(max(2 * (stop - start), FIRST_ROOM), self.horizon + SPARE)
            fresh = Window(room, *window.x.shape[1:])
            fresh.used = stop - start
            fresh.x[: fresh.used] = window.x[start:stop]
            fresh.offset[: fresh.used] = window.offset[start:stop]
            fresh.put(fresh.used, x, offset)
            window, start, stop = fresh, 0, stop - start
        weights = np.ones(stop + 1 - start)
        weights[:-1] = self.weight[len(self.weight) - (stop - start) :]
        weights[:-1] *= decay
        superseded_row = None if superseded is None else superseded - (len(self.weight) - (stop - start))
        if superseded_row is not None and superseded_row >= 0:
            # Its information stays in the sum: that of the steps may be too large, never too small.
            weights[superseded_row] = 0.0
        extended = replace(
            self, window=window, start=start, weight=weights, information=decay * self.information
        )
        return _updated(extended)


def _updated(now: Online) -> Online:
    """The mode after the last choice, from the mode before it."""
    flat, mode = now.x.reshape(-1, len(now.mean)), now.mode
    offset = now.offset
    probability, gradient = _gradient(now, flat, offset, mode)
    information = now.information + now.weight[-1] * _information(now.x[-1], probability[-1])
    factor, _ = lapack.dpotrf((now.precision + information).T, clean=0)
    pairs: list[tuple[Floats, Floats, float]] = []
    for _ in range(STEPS):
        step = _direction(factor, gradient, pairs[-PAIRS:])
        slope = float(gradient @ step)
        if slope < TOLERANCE:
            mode = mode + step
            break
        target = mode + step
        target_gradient = _gradient(now, flat, offset, target)[1]
        target_slope = float(target_gradient @ step)
        if target_slope < -slope / 2:
            # Beyond the top along the step: to where the slope would be 0, were it straight.
            part = slope / (slope - target_slope)
            step, target, slope = part * step, mode + part * step, part * slope
            target_gradient = _gradient(now, flat, offset, target)[1]
            target_slope = float(target_gradient @ step)
        pairs.append((step, gradient - target_gradient, 1.0 / (slope - target_slope)))
        mode, gradient = target, target_gradient
    return replace(now, mode=mode, information=information)


def _direction(factor: Floats, gradient: Floats, pairs: list[tuple[Floats, Floats, float]]) -> Floats:
    """The two-loop recursion of L-BFGS, from the factored information."""
    residual, coefficients = gradient.copy(), []
    for step, change, scale in reversed(pairs):
        coefficient = scale * float(step @ residual)
        residual -= coefficient * change
        coefficients.append(coefficient)
    direction, _ = lapack.dpotrs(factor, residual)
    for (step, change, scale), coefficient in zip(pairs, reversed(coefficients), strict=True):
        direction += step * (coefficient - scale * float(change @ direction))
    result: Floats = direction
    return result


def _information(x: Floats, probability: Floats) -> Floats:
    """(columns, columns) of one choice."""
    mean = probability @ x
    information: Floats = x.T @ (x * probability[:, None])
    information -= np.outer(mean, mean)
    return information


def _gradient(now: Online, flat: Floats, offset: Floats, deviations: Floats) -> tuple[Floats, Floats]:
    """Probabilities of the alternatives (choices, alternatives), and the log-posterior's gradient (columns,)."""
    odds = (flat @ deviations).reshape(offset.shape)
    odds += offset
    probability: Floats = np.exp(odds, out=odds)
    probability /= np.add.reduce(probability, axis=1, keepdims=True)
    residual = probability * -now.weight[:, None]
    residual[:, 0] += now.weight
    gradient: Floats = residual.ravel() @ flat
    gradient -= now.precision @ (deviations - now.mean)
    return probability, gradient
