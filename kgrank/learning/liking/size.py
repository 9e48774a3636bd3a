"""Whether a graph of purchases fits into memory, from counts that are known before it is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.learning.liking.purchases import Purchases
from kgrank.learning.liking.settings import LikingSettings

NUMBER = 8
"""Bytes of a number."""

KRYLOV = 8
"""Blocks of the basis in which the spectrum is found, and vectors of a block beyond the width."""

BASES = 4
"""Bases that are in memory at once while they are made orthogonal."""

EDGE = 240
"""Bytes of an edge: both directions, as pairs and as rows of a sparse matrix, while they are made."""

CELL = 16
"""Bytes of a pair of a buyer and an item in the softmax of a category: logits, odds, and their derivatives."""


@dataclass(frozen=True)
class GraphSize:
    """What the memory of the network depends on.

    Attributes:
        persons: With a purchase.
        items: Of the catalogue.
        pairs: Of a person and an item that was bought.
        cells: Buyers times items that were bought, in the category where that is largest.
    """

    persons: int
    items: int
    pairs: int
    cells: int

    def fixed(self, settings: LikingSettings) -> int:
        """Bytes that no smaller number of persons saves."""
        return NUMBER * BASES * self.items * (settings.width + KRYLOV) * KRYLOV

    def peak(self, settings: LikingSettings) -> int:
        """Bytes at the peak, beside the rest of the run."""
        basis = NUMBER * 2 * self.persons * (settings.width + KRYLOV) * KRYLOV
        decoders = CELL * self.cells if settings.decoded else 0
        return self.fixed(settings) + EDGE * self.pairs + max(basis, decoders)


def graph_size(purchases: Purchases) -> GraphSize:
    """The size of the graph of some purchases."""
    person, item = purchases.pairs
    category = purchases.category[item]
    buyers = np.bincount(
        np.unique(person * (purchases.category.max(initial=0) + 1) + category)
        % (purchases.category.max(initial=0) + 1)
    )
    sold = np.bincount(purchases.category[np.unique(item)])
    return GraphSize(
        persons=len(np.unique(person)),
        items=len(purchases.items),
        pairs=len(person),
        cells=int((buyers.astype(float) * sold).max(initial=0.0)),
    )


def pairs_that_fit(size: GraphSize, settings: LikingSettings, available: int | None, most: int) -> int:
    """How many pairs can be learned from: all, ``most``, or as many as fit; 0 where not even the items do."""
    if available is None or size.peak(settings) <= available:
        return min(size.pairs, most)
    rest = available - size.fixed(settings)
    return max(int(size.pairs * rest / (size.peak(settings) - size.fixed(settings))), 0) if rest > 0 else 0
