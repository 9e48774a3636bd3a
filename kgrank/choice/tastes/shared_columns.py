"""The columns in which tastes are compared across categories, by a rule from the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.logit.choice_sets import INSIDE, CategoryChoices

FEW_VALUES = 12
"""Values of an attribute, of those that several categories have, up to which each has a taste of its own that
varies together with all others. Of more (brands) no person's choices determine how they vary together."""


def shared_columns(category_choices: Sequence[CategoryChoices]) -> tuple[str, ...]:
    """AttributeValue ids of the columns that at least two categories have (one, where there is one).

    A number has one. Of an attribute with few shared values, each has one but the commonest, from which the others
    are measured: what is equal for all values changes no choice. The outside option has one.
    """
    layouts, least = [c.design.layout for c in category_choices], min(2, len(category_choices))
    categories = Counter(node for layout in layouts for node in layout.nodes)
    items: Counter[str] = Counter()
    attributes: dict[str, dict[str, None]] = {}
    numbers = set()
    for layout in layouts:
        for block in layout.blocks:
            for node, count in zip(block.nodes, block.item_count.tolist(), strict=True):
                items[node] += count
                if categories[node] >= least:
                    attributes.setdefault(block.attribute, {})[node] = None
            if block.number:
                numbers.add(block.attribute)
    columns: list[str] = []
    for attribute, nodes in attributes.items():
        if attribute in numbers:
            columns += nodes
        elif len(nodes) <= FEW_VALUES:
            commonest = max(nodes, key=items.__getitem__)
            columns += [node for node in nodes if node != commonest]
    if sum(INSIDE in c.nuisance for c in category_choices) >= max(least, 1):
        columns.append(INSIDE)
    return tuple(columns)


def usual_scales(layouts: Sequence[Layout], columns: Sequence[str]) -> tuple[float, ...]:
    """The median over categories of the scale of each number among the columns; 0 for all other columns."""
    scales: dict[str, list[float]] = {}
    for layout in layouts:
        for block in layout.blocks:
            if block.number:
                scales.setdefault(block.nodes[0], []).append(block.scale)
    return tuple(float(np.median(scales[name])) if name in scales else 0.0 for name in columns)


def scale_factors(layout: Layout, columns: Sequence[str], scales: Sequence[float]) -> Floats:
    """(columns,) how much of a deviation counts in a category: less where a number varies less than usual.

    Otherwise a taste for a discount, by the unit of its column, would be worth most where all discounts are tiny.
    """
    factors = np.ones(len(columns))
    scale_here = {block.nodes[0]: block.scale for block in layout.blocks if block.number}
    for k, (name, scale) in enumerate(zip(columns, scales, strict=False)):
        if scale > 0 and name in scale_here:
            factors[k] = min(1.0, scale_here[name] / scale)
    return factors


def column_map(
    layout: Layout, nuisance: Sequence[str], columns: Sequence[str], scales: Sequence[float] = ()
) -> Floats:
    """(category's columns and nuisance, columns) where each goes, and by what it counts (``scale_factors``)."""
    number = {name: k for k, name in enumerate(columns)}
    names = (*layout.nodes, *nuisance)
    matrix = np.zeros((len(names), len(columns)))
    for row, name in enumerate(names):
        if name in number:
            matrix[row, number[name]] = 1.0
    return matrix * scale_factors(layout, columns, scales)
