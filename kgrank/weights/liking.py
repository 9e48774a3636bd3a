"""What is served of people's liking of items by the graph of purchases: vectors and weights, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.weights.graph_filter import GraphFilter, Relation

FEW_BUYERS = 5
"""People who bought an item below which its popularity says little: it has a weight of its own."""


@dataclass(frozen=True, kw_only=True)
class LikingWeights:
    """A person's liking of items from what they bought, as terms beside the attributes.

    Attributes:
        version: Of the weights that they belong to.
        items: Ids, by the filter's item numbers.
        filter: Vectors and weights.
        popularity: Logits for one unit of log(1 + people who bought the item).
        few_buyers: Logits of an item that fewer than ``FEW_BUYERS`` people bought.
        beside_history: Weight of the filter's scores where the terms of a history count beside them.
        kinds: The kinds of events of which the graph was made, and of which a person's history consists.
        notes: What the training says of it: gains on held-out choices, with their errors, and its stages.
    """

    version: str
    items: tuple[str, ...]
    filter: GraphFilter
    popularity: float = 0.0
    few_buyers: float = 0.0
    beside_history: float = 1.0
    kinds: tuple[str, ...] = ("purchase",)
    notes: tuple[str, ...] = field(default=())

    def popularity_of(self, items: Ints) -> Floats:
        """(items,) logits of some items' popularity, by the filter's numbers."""
        people = self.filter.people[items]
        logits: Floats = self.popularity * np.log1p(people) + self.few_buyers * (people < FEW_BUYERS)
        return logits

    def of_known_items(self) -> LikingWeights:
        """Without the items of which nothing is known, vectors of zeros, and relations that have no others."""
        learned = self.filter
        read = np.zeros(len(self.items), bool)
        relations = list[Relation]()
        for relation in learned.relations:
            says = (relation.of(np.arange(len(self.items))) != 0).any(1)
            if not says.any():
                continue
            used, group = np.unique(relation.group[says], return_inverse=True)
            renumbered = np.full(len(self.items), -1)
            renumbered[says] = group
            relations.append(
                replace(
                    relation, group=renumbered, vectors=relation.vectors[used], people=relation.people[used]
                )
            )
            read |= says
        known = read | (learned.people > 0)
        return replace(
            self,
            items=tuple(item for item, is_known in zip(self.items, known.tolist(), strict=True) if is_known),
            filter=GraphFilter(
                learned.people[known],
                learned.strength[known],
                learned.vectors[known],
                learned.mean,
                tuple(replace(r, group=r.group[known]) for r in relations),
            ),
        )

    def with_people(self, items: Ints, groups: Mapping[str, Ints]) -> LikingWeights:
        """The same with other numbers of people; the vectors stay as they were learned.

        Args:
            items: (items,) how many different people bought each.
            groups: By relation, (groups,) how many different people bought an item of it.
        """
        before = self.filter
        # What one purchase weighs is 1 / √people; an item that the graph left out stays out.
        strength = before.strength * np.sqrt(np.maximum(before.people, 1) / np.maximum(items, 1))
        relations = tuple(replace(r, people=groups[r.name]) for r in before.relations)
        return replace(self, filter=replace(before, people=items, strength=strength, relations=relations))
