"""The columns in which tastes are compared across categories, by a rule from the data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from kgrank.arrays import Floats
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


def column_map(names: Sequence[str], columns: Sequence[str]) -> Floats:
    """(names, columns) 1 where a category's column is one of the shared columns."""
    number = {name: k for k, name in enumerate(columns)}
    matrix = np.zeros((len(names), len(columns)))
    for row, name in enumerate(names):
        if name in number:
            matrix[row, number[name]] = 1.0
    return matrix
