"""Behaviour terms of a score: what shoppers choose soon after what was just looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.ranking.items import Integers, Items, Reals, positions

ATTRIBUTES = "attributes"
GOES_AFTER = "goes-after"

RECENCY = 0.6
"""Each step back in the history counts this much of the step after it."""


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

    def after(self, history: Sequence[int], items: int) -> Reals:
        """Σ over k of RECENCY^k · F[k-th last item of the history, ·] (items,)."""
        total = np.zeros(items)
        for k, item in enumerate(reversed(history)):
            row = slice(self.start[item], self.start[item + 1])
            np.add.at(total, self.target[row], RECENCY**k * self.weight[row])
        return total

    def strongest(self, history: Sequence[int], target: int) -> int | None:
        """The item of the history that speaks loudest for ``target``; None where none does."""
        best, found = 0.0, None
        for k, item in enumerate(reversed(history)):
            row = slice(self.start[item], self.start[item + 1])
            amount = RECENCY**k * float(self.weight[row][self.target[row] == target].sum())
            if amount > best:
                best, found = amount, item
        return found
