"""Newton's method with step halving, for one problem or for many side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from kgrank.arrays import Floats

HALVINGS = 27
"""Step sizes tried at most, each half of the one before."""

State = TypeVar("State")
Curvature = TypeVar("Curvature")


def newton(
    start: Floats,
    evaluate: Callable[[Floats], tuple[Floats, State]],
    direction: Callable[[Floats, State], tuple[Floats, Floats, Curvature]],
    *,
    tolerance: float,
    rounds: int = 100,
    slack: float = 0.0,
    bound: Floats | float = np.inf,
) -> tuple[Floats, Floats, Curvature]:
    """Maximises functions by Newton's method; a step is halved until the function does not fall.

    It ends when every problem's Newton decrement, gradient · step, is below ``tolerance`` (Boyd and Vandenberghe
    2004, section 9.5): half of it estimates what is left to gain.

    Args:
        start: (problems, columns) where to begin.
        evaluate: Takes (problems, columns) to the values (problems,) and whatever ``direction`` can reuse.
        direction: Takes a point and what ``evaluate`` gave there to the Newton steps (problems, columns), the
            decrements (problems,), and the curvature.
        tolerance: Of the decrement, in units of the function.
        rounds: Steps at most.
        slack: How much a value may fall without a halving: rounding errors.
        bound: (columns,) or a number; no coordinate leaves ±bound.

    Returns:
        The optimum (problems, columns), its values (problems,), and the curvature at the last step's start.
    """
    x = start
    value, state = evaluate(x)
    for _ in range(rounds):
        step, decrement, curvature = direction(x, state)
        if np.max(decrement, initial=0.0) < tolerance:
            break
        size = np.ones(len(x))
        for _ in range(HALVINGS):
            candidate = np.clip(x + size[:, None] * step, -bound, bound)
            candidate_value, state = evaluate(candidate)
            worse = candidate_value < value - slack
            if not worse.any():
                break
            size[worse] /= 2
        x, value = candidate, candidate_value
    return x, value, curvature
