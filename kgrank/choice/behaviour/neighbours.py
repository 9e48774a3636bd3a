"""People who share items with a history, and what they took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.ragged import gather


@dataclass(frozen=True)
class Neighbours:
    """People and their items both ways, for what people like someone took.

    Attributes:
        item, start: Each person's items: those of person p are ``item[start[p]:start[p + 1]]``.
        person, first: Each item's people: those of item i are ``person[first[i]:first[i + 1]]``.
    """

    item: Ints
    start: Ints
    person: Ints
    first: Ints

    @staticmethod
    def of(item: Ints, start: Ints, items: int) -> Neighbours:
        """From each person's items in order, each once."""
        owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
        order = np.argsort(item, kind="stable")
        first = np.searchsorted(item[order], np.arange(items + 1)).astype(np.int64)
        return Neighbours(item, start, owner[order], first)

    def similar_people(self, items: Ints, rarity: Floats) -> tuple[Ints, Floats]:
        """The people who share items with one history, and how alike they are.

        Args:
            items: Of the history, each once.
            rarity: (items of the shop,) what it says to share an item.

        Returns:
            Persons, and (Σ over shared items of rarity)² / (1 + items of the person).
        """
        entries, start = gather(self.first[items], np.diff(self.first)[items])
        shared = np.repeat(rarity[items], np.diff(start))
        person, person_number = np.unique(self.person[entries], return_inverse=True)
        size = np.diff(self.start)[person]
        return person, np.bincount(person_number, shared, minlength=len(person)) ** 2 / (1.0 + size)

    def taken(self, person: Ints, weight: Floats) -> Floats:
        """(items,) Σ of the persons' weights over the items that each has."""
        entries, start = gather(self.start[person], np.diff(self.start)[person])
        weights = np.repeat(weight, np.diff(start))
        return np.bincount(self.item[entries], weights, minlength=len(self.first) - 1).astype(float)
