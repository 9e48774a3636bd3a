"""Importance: the range of an attribute's utility as a share of all ranges (Green and Srinivasan 1978)."""

from __future__ import annotations

from typing import Any

import numpy as np

from kgrank.choice.data.design import HIGH, LOW, RARE_ITEMS, RARE_SHARE, Block, Layout
from kgrank.ontology.model import AttributeType


def spreads(layout: Layout, part_worths: Any, *, full: bool = False, xp: Any = np) -> Any:
    """Range of each attribute's utility.

    Args:
        layout: The category's columns.
        part_worths: (…, columns), numpy or torch.
        full: Over all values and numbers that occur (the conjoint definition), not the reference range.
        xp: The array module, numpy or torch.

    Returns:
        (…, attributes), in logits.
    """
    if not layout.blocks:
        return part_worths[..., :0]
    ranges = [_range(block, part_worths[..., block.columns], full, xp) for block in layout.blocks]
    return xp.stack(ranges, -1)


def _range(block: Block, block_part_worths: Any, full: bool, xp: Any) -> Any:
    if block.number:
        width = (block.maximum - block.minimum) if full else (block.p95 - block.p05)
        return xp.abs(block_part_worths[..., 0]) * (width / block.scale)
    reference_columns = np.flatnonzero(block.item_count > 0 if full else block.reference)
    if len(reference_columns) < 2:
        return 0.0 * xp.abs(block_part_worths[..., 0])
    block_part_worths = block_part_worths[..., reference_columns]
    return xp.amax(block_part_worths, -1) - xp.amin(block_part_worths, -1)


def shares(spread: Any, xp: Any = np) -> Any:
    """Weights on the simplex: each spread over the sum of the category's spreads; (…, attributes)."""
    total = spread.sum(-1)[..., None]
    return spread / xp.clip(total, 1e-12, None)


def importance(layout: Layout, part_worths: Any, *, full: bool = False, xp: Any = np) -> Any:
    """Each attribute's share of the decision; (…, attributes)."""
    return shares(spreads(layout, part_worths, full=full, xp=xp), xp)


def reference(block: Block) -> str:
    """What the range of an attribute is taken over, in words."""
    if block.number:
        return f"{block.p05:g} to {block.p95:g}, the items' {LOW:g}th to {HIGH:g}th percentile"
    if block.type is AttributeType.ORDERED:
        return f"values from the items' {LOW:g}th to {HIGH:g}th percentile"
    return f"{int(block.reference.sum())} values on at least {RARE_SHARE:.0%} of the items and {RARE_ITEMS} items"
