"""The weeks of the groceries' cuts, and who is left out: one place for all benchmarks of that retailer.

Everything is learned on the weeks up to one, weights of terms (or what is chosen) on the next four, and the weeks
after these are scored. The earlier cut is the one to develop on; the later one is for designs that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Ints, Truths


@dataclass(frozen=True)
class Cut:
    """Weeks of one cut, first and last.

    Attributes:
        name: In the names of figures.
        learned: Of what is learned.
        weights: Of the weights of terms, and of what is chosen.
        scored: Of the choices that are scored.
    """

    name: str
    learned: tuple[int, int]
    weights: tuple[int, int]
    scored: tuple[int, int]


EARLIER = Cut("earlier", (9, 32), (33, 36), (37, 40))
LATER = Cut("later", (9, 40), (41, 44), (45, 53))
CUTS = {cut.name: cut for cut in (EARLIER, LATER)}

SEVENTH = 7
"""Last figure of the numbers of households that no design has seen."""


def seventh(household: Ints) -> Truths:
    """Whether each household is one of those that stay out, or are scored alone."""
    return np.asarray(household % 10 == SEVENTH)


def scored_groups(sevens: bool) -> dict[str, bool]:
    """Of the households that are scored: how a cut's figures are named, and whether they are those left out.

    Args:
        sevens: Whether the households that are left out are scored too, apart.
    """
    return {"": False} | ({", households left out": True} if sevens else {})
