"""Rules as differentiable regularisers: minus the logarithm of their expected factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from kgrank.choice.importance import importance
from kgrank.choice.rules.author_reliability import applicable_statements
from kgrank.choice.rules.bounds import Statements, prior_probabilities
from kgrank.choice.rules.inherit import inheriting_pairs, rescaled, strength
from kgrank.choice.rules.statement import quantity_value, switch
from kgrank.learning.network.tensors import Cells
from kgrank.ontology.model import Ontology

SAMPLES = 16
NOISE = 0.15
"""Deviation of the part-worths around their present value, in logits, over which a rule's factor is averaged."""

STEP_SHARE, STEP_LOGIT = 0.02, 0.1
"""Width of the smooth step that replaces "holds", for distances in shares and in logits."""

LEAST = 1e-6
"""Factor of a broken hard rule, so that its gradient stays finite."""


@dataclass(frozen=True)
class Penalty:
    """The rules of one category: each one's factor is ``up`` where it holds, ``down`` where not.

    Attributes:
        statements: What they state.
        cell: The category's part-worths among all.
        up: (rules,) factor of the switch on against off, and ``down``.
    """

    statements: Statements
    cell: slice
    up: torch.Tensor
    down: torch.Tensor

    def __call__(self, part_worths: torch.Tensor) -> torch.Tensor:
        """Minus the logarithm of the expected factors at part-worths (cells,), added up; a scalar."""
        present = part_worths[self.cell]
        device = present.device
        samples = present + NOISE * torch.randn((SAMPLES, len(present)), device=device)
        layout, quantities = self.statements.layout, self.statements.quantities
        of_shares = [q.measure.of_shares for q in quantities]
        shares = importance(layout, samples, xp=torch) if any(of_shares) else None
        values = torch.stack([quantity_value(q, layout, samples, shares, torch) for q in quantities])
        width = torch.tensor([STEP_SHARE if of else STEP_LOGIT for of in of_shares], device=device)
        which, *bounds = (torch.from_numpy(x).to(device) for x in self.statements.bounds)
        lower, upper = (bound.float() for bound in bounds)
        bounded = values[which]
        inside = torch.minimum(bounded - lower[:, None], upper[:, None] - bounded)
        holds = torch.sigmoid(inside / width[which, None]).mean(1)
        up, down = self.up.to(device), self.down.to(device)
        return -torch.log(up * holds + down * (1 - holds)).sum()


@dataclass(frozen=True)
class Inheritance:
    """An Inherits rule in one category: squared distance from the parent's part-worths of the attribute.

    ``weight`` is k / (1 - k) for a rule of strength k, and ``map`` takes the parent's columns to the category's.
    """

    columns: slice
    parent: slice
    map: torch.Tensor
    weight: float

    def __call__(self, part_worths: torch.Tensor) -> torch.Tensor:
        """Half the weighted squared distance; a scalar."""
        map_ = self.map.to(part_worths.device)
        gap = (part_worths[self.columns] - map_ @ part_worths[self.parent])[map_.any(1)]
        return 0.5 * self.weight * gap.square().sum()


def inheritances(ontology: Ontology, where: Cells, categories: Sequence[str]) -> list[Inheritance]:
    """The Inherits rules of some categories."""
    layouts = {layout.category: layout for layout in where.layouts}
    pairs = []
    for rule, category, parent in inheriting_pairs(ontology, layouts):
        if category not in categories:
            continue
        block, above = (layouts[c].block[str(rule.attribute)] for c in (category, parent))
        at, up = where.of(category).start, where.of(parent).start
        k = strength(rule)
        pairs.append(
            Inheritance(
                slice(at + block.start, at + block.stop),
                slice(up + above.start, up + above.stop),
                torch.from_numpy(rescaled(block, above)).float(),
                k / (1 - k),
            )
        )
    return pairs


def penalties(ontology: Ontology, where: Cells, categories: Sequence[str]) -> list[Penalty]:
    """The rules about the part-worths of some categories, category by category."""
    rules = tuple(ontology.rules.values())
    wanted = set(categories)
    layouts = {layout.category: layout for layout in where.layouts if layout.category in wanted}
    by_category = []
    for category, numbered in applicable_statements(ontology, layouts).items():
        layout = layouts[category]
        statements = Statements(layout, tuple(stated for _, stated in numbered))
        chance = prior_probabilities(statements, np.zeros(layout.width), np.ones(layout.width))
        switches = [switch(rules[r].sure, c) for (r, _), c in zip(numbered, chance.tolist(), strict=True)]
        prior, on = (np.array([getattr(s, name) for s in switches]) for name in ("prior", "on"))
        up = prior * on / chance + 1 - prior
        down = np.maximum(prior * (1 - on) / (1 - chance) + 1 - prior, LEAST)
        by_category.append(
            Penalty(
                statements,
                where.of(category),
                torch.from_numpy(up).float(),
                torch.from_numpy(down).float(),
            )
        )
    return by_category
