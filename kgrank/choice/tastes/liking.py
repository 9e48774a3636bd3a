"""A person's liking of items, from what they bought so far: counts that move with each purchase, and a vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from sys import getsizeof

from kgrank.weights.graph_filter import PersonVector
from kgrank.weights.liking import LikingWeights

PURCHASE = 48
"""Bytes of an item's number and count, and of its place and weight in the vector."""


@dataclass(frozen=True, eq=False)
class PersonLiking:
    """What a person bought, and their vector by it.

    Attributes:
        weights: By which the vector is computed.
        bought: How often they bought each item, by the filter's item numbers.
    """

    weights: LikingWeights
    bought: Mapping[int, int]

    @cached_property
    def vector(self) -> PersonVector:
        """By the counts alone, in whatever order they came; computed when first asked for."""
        items = sorted(self.bought)
        return self.weights.filter.person(items, [float(self.bought[item]) for item in items])

    @property
    def size(self) -> int:
        """Bytes of the counts and of the vector, which need not have been computed."""
        return getsizeof(self.bought) + PURCHASE * len(self.bought) + 16 * len(self.weights.filter.mean)

    @property
    def is_known(self) -> bool:
        """Whether the graph knows anything that they bought."""
        return len(self.vector.bought) > 0

    def after(self, item: int) -> PersonLiking:
        """After one more purchase of an item."""
        return PersonLiking(self.weights, {**self.bought, item: self.bought.get(item, 0) + 1})
