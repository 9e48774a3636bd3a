"""Rules as differentiable regularisers: minus the logarithm of their expected factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from kgrank.choice.inherit import pairs, rescaled, strength
from kgrank.choice.layout import Layout
from kgrank.choice.rules import applies, chance_of, margin, switch
from kgrank.learning.tensors import Cells
from kgrank.ontology.model import Ontology, Rule, RuleKind

SAMPLES = 16
NOISE = 0.15
"""Deviation of the part-worths around their present value, in logits, over which a rule's factor is averaged."""

STEP_SHARE, STEP_LOGIT = 0.02, 0.1
"""Width of the smooth step that stands for "holds", for margins in shares and in logits."""

IN_LOGITS = frozenset({RuleKind.MONOTONE, RuleKind.PREFERS, RuleKind.SAME_AS})


@dataclass(frozen=True)
class Penalty:
    """One rule in one category: its factor is ratio on / off in ``up`` where it holds, ``down`` where not."""

    rule: Rule
    layout: Layout
    cell: slice
    up: float
    down: float

    def __call__(self, part_worths: torch.Tensor) -> torch.Tensor:
        """Minus the logarithm of the expected factor at part-worths (cells,); a scalar."""
        own = part_worths[self.cell]
        near = own + NOISE * torch.randn((SAMPLES, len(own)), device=own.device)
        width = STEP_LOGIT if self.rule.kind in IN_LOGITS else STEP_SHARE
        holds = torch.sigmoid(margin(self.rule, self.layout, near, xp=torch) / width).mean()
        return -torch.log(self.up * holds + self.down * (1 - holds))


@dataclass(frozen=True)
class Inheritance:
    """An Inherits rule in one category: squared distance from the parent's part-worths of the attribute.

    ``weight`` is k / (1 - k) for a rule of strength k, and ``map`` takes the parent's columns to the category's.
    """

    own: slice
    parent: slice
    map: torch.Tensor
    weight: float

    def __call__(self, part_worths: torch.Tensor) -> torch.Tensor:
        """Half the weighted squared distance; a scalar."""
        map_ = self.map.to(part_worths.device)
        gap = (part_worths[self.own] - map_ @ part_worths[self.parent])[map_.any(1)]
        return 0.5 * self.weight * gap.square().sum()


def inheritances(ontology: Ontology, where: Cells, categories: Sequence[str]) -> list[Inheritance]:
    """The Inherits rules of some categories."""
    layouts = {one.category: one for one in where.layouts}
    found = []
    for rule, category, parent in pairs(ontology, layouts):
        if category not in categories:
            continue
        own, above = (layouts[c].block[str(rule.attribute)] for c in (category, parent))
        at, up = where.of(category).start, where.of(parent).start
        k = strength(rule)
        found.append(
            Inheritance(
                slice(at + own.start, at + own.stop),
                slice(up + above.start, up + above.stop),
                torch.from_numpy(rescaled(own, above)).float(),
                k / (1 - k),
            )
        )
    return found


def penalties(ontology: Ontology, where: Cells, categories: Sequence[str]) -> list[Penalty]:
    """The rules that speak about the part-worths of some categories."""
    found = []
    for rule in ontology.rules.values():
        for category in ontology.scope(rule):
            layout = next((one for one in where.layouts if one.category == category), None)
            if layout is None or category not in categories or not applies(rule, layout):
                continue
            chance = chance_of(rule, layout, np.zeros(layout.width), np.ones(layout.width))
            how = switch(rule.sure, chance)
            up = how.prior * how.on / chance + 1 - how.prior
            down = how.prior * (1 - how.on) / (1 - chance) + 1 - how.prior
            found.append(Penalty(rule, layout, where.of(category), up, max(down, 1e-6)))
    return found
