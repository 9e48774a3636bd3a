"""Attribute scores of one category: a gather over the rows of its items, and a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kgrank.graph.schema import split_value_id
from kgrank.ranking.items import Integers, Items, Reals
from kgrank.weights.model import CategoryWeights, Utility


@dataclass(frozen=True)
class CategoryScores:
    """What each attribute contributes to each item of a category's subtree.

    Attributes:
        members: Row numbers of the items, in the order of their ids (items,).
        attributes: The attributes that contribute, most important first.
        amounts: Contributions in logits, 0 where the item has no value (items, attributes).
    """

    members: Integers
    attributes: tuple[str, ...]
    amounts: Reals

    @staticmethod
    def of(items: Items, weights: CategoryWeights, categories: Sequence[str]) -> CategoryScores:
        """The scores of the items in ``categories`` by one category's weights."""
        ranked = sorted(weights.attributes, key=lambda a: (-a.weight, a.attribute))
        attributes = tuple(a.attribute for a in ranked)
        members = items.within(categories)
        local = np.full(len(items.ids), -1)
        local[members] = np.arange(len(members))
        rows = np.flatnonzero(local[items.row_item] >= 0)
        node, number = items.row_node[rows], items.row_number[rows]
        column = _columns(items.nodes, attributes)[node]
        counted = column >= 0
        cell = local[items.row_item[rows]] * len(attributes) + column
        added = _added(items.nodes, weights.utilities, node, number)
        size = len(members) * len(attributes)
        amounts: Reals = np.bincount(cell[counted], weights=added[counted], minlength=size).astype(np.float64)
        return CategoryScores(members, attributes, amounts.reshape(len(members), len(attributes)))

    @cached_property
    def total(self) -> Reals:
        """The attribute score of each item (items,)."""
        total: Reals = self.amounts.sum(axis=1)
        return total


def _columns(nodes: Sequence[str], attributes: Sequence[str]) -> Integers:
    """Column of each node's attribute, -1 where it has none."""
    column = {attribute: k for k, attribute in enumerate(attributes)}
    return np.array([column.get(split_value_id(n)[0], -1) for n in nodes], dtype=np.int64)


def _added(nodes: Sequence[str], utilities: Sequence[Utility], node: Integers, number: Reals) -> Reals:
    """What each row adds: intercept + slope · number on the segment that its number lies in."""
    place = {name: k for k, name in enumerate(nodes)}
    rounds = max((len(u.segments) for u in utilities), default=0)
    low, high, intercept, slope = np.zeros((4, rounds, len(nodes)))
    for utility in utilities:
        if utility.node in place:
            for k, s in enumerate(utility.segments):
                at = k, place[utility.node]
                low[at], high[at], intercept[at], slope[at] = s.low, s.high, s.intercept, s.slope
    added = np.zeros(len(node))
    for k in range(rounds):
        inside = (number >= low[k, node]) & (number < high[k, node])
        added += np.where(inside, intercept[k, node] + slope[k, node] * number, 0.0)
    return added
