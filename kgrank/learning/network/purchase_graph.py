"""The graph of purchases for torch-geometric: persons, items, and the groups through which an item is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import sparse
from torch_geometric.data import HeteroData

from kgrank.arrays import Floats, Ints, Truths

PERSON, ITEM_NODE = "person", "item"


@dataclass(frozen=True)
class PurchaseGraph:
    """Who bought what how often, and the groups of the items.

    Attributes:
        person: (edges,) person numbers.
        item: (edges,) item numbers; a pair of person and item is there once.
        count: (edges,) how often.
        persons: Number of persons.
        category: (items,) category numbers.
        groups: By relation, (items,) the group of each item, -1 for none; groups lie inside categories.
    """

    person: Ints
    item: Ints
    count: Floats
    persons: int
    category: Ints
    groups: Mapping[str, Ints]

    @staticmethod
    def of(
        person: Ints, item: Ints, persons: int, category: Ints, attributes: Mapping[str, Ints]
    ) -> PurchaseGraph:
        """The graph of single purchases, its groups those items of a category that share an attribute's value.

        Args:
            person: (purchases,) person numbers.
            item: (purchases,) item numbers.
            persons: Number of persons.
            category: (items,) category numbers.
            attributes: By relation, (items,) value numbers; -1 for none. Several attributes also group together.
        """
        pairs, count = np.unique(person * len(category) + item, return_counts=True)
        rows, columns = np.divmod(pairs, len(category))
        groups = {name: _labels(values >= 0, category, values) for name, values in attributes.items()}
        if len(attributes) > 1:
            values_ = list(attributes.values())
            every = np.logical_and.reduce([values >= 0 for values in values_])
            groups[" and ".join(attributes)] = _labels(every, category, *values_)
        return PurchaseGraph(rows, columns, count.astype(float), persons, category, groups)

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self.category)

    @cached_property
    def buyers(self) -> Floats:
        """(items,) how many persons bought each."""
        buyers: Floats = np.bincount(self.item, minlength=self.items).astype(float)
        return buyers

    def people_of(self, group: Ints) -> Ints:
        """(groups,) how many different people bought an item of each group."""
        inside = group[self.item] >= 0
        groups = int(group.max(initial=-1)) + 1
        pairs = np.unique(self.person[inside] * max(groups, 1) + group[self.item][inside])
        return np.bincount(pairs % max(groups, 1), minlength=groups)

    @cached_property
    def strength(self) -> Floats:
        """(items,) 1 / √buyers, 0 for an item that nobody bought."""
        strength = np.zeros(self.items)
        bought = self.buyers > 0
        strength[bought] = 1 / np.sqrt(self.buyers[bought])
        return strength

    @cached_property
    def histories(self) -> sparse.csr_matrix:
        """(persons, items) log(1 + count) / √buyers, not yet of length 1."""
        amount = np.log1p(self.count) * self.strength[self.item]
        return sparse.csr_matrix((amount, (self.person, self.item)), shape=(self.persons, self.items))

    @cached_property
    def lengths(self) -> Floats:
        """(persons,) the length of each history."""
        squares = np.asarray(self.histories.multiply(self.histories).sum(1), float)
        lengths: Floats = np.sqrt(squares.ravel())
        return lengths

    @cached_property
    def without_edges(self) -> tuple[str, ...]:
        """The relations of which no group has an item that was bought: nothing can be read through them."""
        bought = self.buyers > 0
        return tuple(name for name, group in self.groups.items() if not ((group >= 0) & bought).any())

    def hetero(self, device: torch.device | str = "cpu") -> HeteroData:
        """Nodes and edges for torch-geometric, each edge with its weight.

        An edge between a person and an item weighs log(1 + count) / √buyers, divided by the length of the
        person's history; one from an item to its group weighs its share of the group's buyers.
        """
        data = HeteroData()
        data[PERSON].num_nodes, data[ITEM_NODE].num_nodes = self.persons, self.items
        amount = np.log1p(self.count) * self.strength[self.item] / self.lengths[self.person]
        _connect(data, (PERSON, "bought", ITEM_NODE), self.person, self.item, amount)
        _connect(data, (ITEM_NODE, "bought by", PERSON), self.item, self.person, amount)
        for name, group in self.groups.items():
            if name in self.without_edges:
                continue
            data[name].num_nodes = int(group.max(initial=-1)) + 1
            within = np.flatnonzero((group >= 0) & (self.buyers > 0))
            buyers = np.bincount(group[within], self.buyers[within], minlength=data[name].num_nodes)
            share = self.buyers[within] / buyers[group[within]]
            _connect(data, (ITEM_NODE, "in", name), within, group[within], share)
        return data.to(device)


def _labels(valid: Truths, *values: Ints) -> Ints:
    """(items,) numbers of the combinations of values; -1 where there is none."""
    labels = np.full(len(valid), -1)
    if valid.any():
        _, inverse = np.unique(np.stack([v[valid] for v in values]), axis=1, return_inverse=True)
        labels[valid] = inverse.ravel()
    return labels


def _connect(
    data: HeteroData, kind: tuple[str, str, str], source: Ints, target: Ints, weight: Floats
) -> None:
    """Adds edges with their weights."""
    data[kind].edge_index = torch.from_numpy(np.stack([source, target]))
    data[kind].edge_weight = torch.from_numpy(np.asarray(weight, float))
