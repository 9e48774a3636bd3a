"""Behaviour terms of a score: what shoppers choose soon after what was just looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import polars as pl

from kgrank.ranking.items import Integers, Items, Reals, positions

ATTRIBUTES = "attributes"
GOES_AFTER = "goes-after"

DECAY, UNIT = "decay", "unit"
"""Settings of ``goes-after``: what is left of an item's word one step back, and the unit of the amount."""


@dataclass(frozen=True)
class Transitions:
    """A sparse matrix from item to item, row by row: row i is ``start[i]:start[i + 1]``."""

    start: Integers
    target: Integers
    weight: Reals

    @staticmethod
    def of(table: pl.DataFrame | None, items: Items) -> Transitions:
        """The matrix of a table (source, target, weight); empty without one."""
        if table is None:
            none = np.empty(0, dtype=np.int64)
            return Transitions(np.zeros(len(items.ids) + 1, dtype=np.int64), none, np.empty(0))
        source = positions(table["source"], items.ids, "item")
        order = np.argsort(source, kind="stable")
        return Transitions(
            start=np.searchsorted(source[order], np.arange(len(items.ids) + 1)),
            target=positions(table["target"], items.ids, "item")[order],
            weight=table["weight"].to_numpy()[order],
        )

    def after(self, recency: Mapping[int, float], items: int) -> Reals:
        """Σ over the history of recency · F[item of the history, ·] (items,)."""
        total = np.zeros(items)
        for item, share in recency.items():
            row = slice(self.start[item], self.start[item + 1])
            np.add.at(total, self.target[row], share * self.weight[row])
        return total

    def strongest(self, recency: Mapping[int, float], target: int) -> int | None:
        """The item of the history that speaks loudest for ``target``; None where none does."""
        best, found = 0.0, None
        for item, share in recency.items():
            row = slice(self.start[item], self.start[item + 1])
            amount = share * float(self.weight[row][self.target[row] == target].sum())
            if amount > best:
                best, found = amount, item
        return found


def recency(history: Sequence[int], decay: float) -> dict[int, float]:
    """How much each item of a history still counts: Σ decay^k over its places, k steps from the end.

    An item that was viewed, put into the cart and bought in a row counts once, as in training.
    """
    counts: dict[int, float] = {}
    for k, (item, _) in enumerate(groupby(reversed(history))):
        counts[item] = counts.get(item, 0.0) + decay**k
    return counts
