"""Signals of a category's part-worths that need no choices: computed from its items and the other categories.

``worth``: a value whose items cost more than others is offered because it is liked more. The signal is the mean of
each number over the value's items less that over all items, times minus the number's slope: with a weight of 1 a
price is compared with what the value usually costs, with 0 it counts in full.

``level``: how a number's slope changes with its level. The signal is the slope elsewhere times the logarithm of
the category's mean over that of the others: with a weight of -.4, where everything costs e times more, the same
step within the category's range moves choices .4 less.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Design

SPREAD = np.array([1.0, 0.5])
"""Prior standard deviations of the weights of worth and level."""

FARTHEST = 1.0
"""A level counts to e times more or less: between units of another kind it means nothing."""


def item_signals(design: Design, elsewhere: Floats, levels: Mapping[str, float]) -> Floats:
    """(columns, signals) of a category.

    Args:
        design: Its items.
        elsewhere: (columns,) part-worths as the other categories know them.
        levels: By number attribute, the average of the logarithm of the categories' means.
    """
    signals = np.zeros((design.layout.width, len(SPREAD)))
    raw = design.raw.tocsc()
    for number in design.layout.blocks:
        if not number.number:
            continue
        slope = elsewhere[number.start]
        numbers = raw[:, [number.start]].toarray().ravel()
        for block in design.layout.blocks:
            if not block.number:
                has = raw[:, block.columns]
                excess = (has.T @ numbers) / np.maximum(np.asarray(has.sum(0)).ravel(), 1e-9) - numbers.mean()
                signals[block.columns, 0] -= slope * excess
        if number.attribute in levels and number.centre > 0:
            log_ratio = np.log(number.centre) - levels[number.attribute]
            signals[number.start, 1] = slope * np.clip(log_ratio, -FARTHEST, FARTHEST)
    return signals


def levels(designs: Mapping[str, Design]) -> dict[str, float]:
    """By number attribute, the average over the categories of the logarithm of its mean."""
    log_means: dict[str, list[float]] = {}
    for design in designs.values():
        for block in design.layout.blocks:
            if block.number and block.centre > 0:
                log_means.setdefault(block.attribute, []).append(float(np.log(block.centre)))
    return {attribute: float(np.mean(values)) for attribute, values in log_means.items()}
