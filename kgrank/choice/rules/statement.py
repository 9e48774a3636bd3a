"""What a rule states of part-worths, and the switch that gives it its bounded strength.

A rule with confidence p that holds with probability π under the prior without rules weights the part-worths
for which it holds by p/π and the others by (1 - p)/(1 - π), whatever the data are; where p is not above π it says
nothing. A rule that covers several categories is one statement with one hidden switch: see ``Switch``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.importance import importance, spreads
from kgrank.graph.schema import value_id
from kgrank.ontology.kinds.kind import Measure
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Rule

ALIKE = 0.1
"""Two values count as the same if their utilities differ by at most this share of their attribute's range."""

CHANCE_LOW, CHANCE_HIGH = 0.02, 0.98
"""Bounds of π where a rule acts on part-worths; evidence on a rule uses π as it is."""

EXCEPTION = 0.05
"""Probability that a right rule fails in one of its categories."""

CERTAIN = 1 - 1e-9
"""The confidence of a hard rule, so that its Bayes factors stay finite."""


@dataclass(frozen=True)
class Quantity:
    """A function of a category's part-worths on which rules set bounds.

    Attributes:
        measure: Which function.
        at: Indices into the layout: of attributes for measures of shares, else of columns.
        sign: -1 for a number of which less is better, else 1.
    """

    measure: Measure
    at: tuple[int, ...]
    sign: float = 1.0


@dataclass(frozen=True)
class Statement:
    """What a rule states in one category: its quantity is from ``lower`` to ``upper``, both included."""

    quantity: Quantity
    lower: float
    upper: float


def statement(rule: Rule, layout: Layout) -> Statement | None:
    """What a rule states about a category's part-worths; None where it states nothing."""
    kind = rule_kind(rule.kind)
    if kind.measure is None:
        return None
    located = _LOCATE[kind.measure](rule, layout)
    return None if located is None else Statement(located, *kind.bounds(rule))


def _locate_shares(rule: Rule, layout: Layout) -> Quantity | None:
    measure = rule_kind(rule.kind).measure
    assert measure is not None
    if not rule.attributes or not all(a in layout.block for a in rule.attributes):
        return None
    attributes = list(layout.block)
    return Quantity(measure, tuple(attributes.index(a) for a in rule.attributes))


def _locate_values(rule: Rule, layout: Layout) -> Quantity | None:
    """The columns of the values that a rule lists, those without items left out."""
    nodes = (value_id(str(rule.attribute), v) for v in rule.values)
    return _compared(Measure.FALL, tuple(layout.column[n] for n in nodes if n in layout.column))


def _locate_members(rule: Rule, layout: Layout) -> Quantity | None:
    """The columns of the values that a rule equates, of whichever attribute has them."""
    nodes = (n for b in layout.blocks for v in rule.members if (n := value_id(b.attribute, v)) in b.nodes)
    return _compared(Measure.ALIKE, tuple(layout.column[n] for n in nodes))


def _locate_direction(rule: Rule, layout: Layout) -> Quantity | None:
    """The slope of a number, or all columns of ordered values from the worst to the best."""
    block = layout.block.get(str(rule.attribute))
    if block is None:
        return None
    more = rule.better == "More"
    if block.number:
        return Quantity(Measure.DIRECTION, (block.start,), 1.0 if more else -1.0)
    columns = tuple(range(block.start, block.stop))
    return _compared(Measure.FALL, columns[::-1] if more else columns)


def _compared(measure: Measure, columns: tuple[int, ...]) -> Quantity | None:
    """A quantity that compares columns; None where there are fewer than two."""
    return Quantity(measure, columns) if len(columns) > 1 else None


_LOCATE: Mapping[Measure, Callable[[Rule, Layout], Quantity | None]] = {
    Measure.SHARE: _locate_shares,
    Measure.STEP: _locate_shares,
    Measure.FALL: _locate_values,
    Measure.DIRECTION: _locate_direction,
    Measure.ALIKE: _locate_members,
}
"""By measure, where a layout has what a rule of a kind with this measure compares."""


def quantity_value(
    quantity: Quantity, layout: Layout, part_worths: Any, shares: Any = None, xp: Any = np
) -> Any:
    """The value of a quantity.

    Args:
        quantity: The quantity.
        layout: The category's columns.
        part_worths: (…, columns), numpy or torch.
        shares: (…, attributes) their shares in the decision, where they are known already.
        xp: The array module.

    Returns:
        (…), a share or a difference of shares, or a difference of logits.
    """
    measure, at = quantity.measure, quantity.at
    if measure is Measure.DIRECTION:
        return quantity.sign * part_worths[..., at[0]]
    if measure.of_shares and shares is None:
        shares = importance(layout, part_worths, xp=xp)
    columns = [(shares if measure.of_shares else part_worths)[..., k] for k in at]
    if measure is Measure.SHARE:
        return columns[0]
    if measure is Measure.ALIKE:
        attribute = next(k for k, b in enumerate(layout.blocks) if b.start <= at[0] < b.stop)
        tolerance = ALIKE * spreads(layout, part_worths, full=True, xp=xp)[..., attribute]
        return tolerance - (reduce(xp.maximum, columns) - reduce(xp.minimum, columns))
    return reduce(xp.minimum, [better - worse for better, worse in pairwise(columns)])


def contrast(quantity: Quantity, layout: Layout) -> Floats | None:
    """(columns,) the weights of a quantity that is a weighted sum of part-worths; None for any other."""
    weights = np.zeros(layout.width)
    if quantity.measure is Measure.DIRECTION:
        weights[quantity.at[0]] = quantity.sign
    elif quantity.measure is Measure.FALL and len(quantity.at) == 2:
        weights[list(quantity.at)] = 1.0, -1.0
    else:
        return None
    return weights


@dataclass(frozen=True)
class Switch:
    """A rule's hidden switch "this rule is right".

    On, the rule holds in each category with probability ``on``, independently; off, it states nothing. The prior
    of the switch makes the probability in a single category the rule's confidence, and is 0 for a rule that is no
    surer than chance.
    """

    prior: float
    on: float


def switch(sure: float, chance: float) -> Switch:
    """The switch of a rule with confidence ``sure`` that holds by chance with probability ``chance``.

    A confidence below chance says nothing, not the opposite.
    """
    sure = float(np.clip(sure, 1 - CERTAIN, CERTAIN))
    on = 1 - min(EXCEPTION, (1 - sure) / 2)
    return Switch(max(sure - chance, 0.0) / max(on - chance, 1e-12), on)


def holds_if_right(on: Floats, chance: Floats) -> Floats:
    """Probability that right rules hold in a category where they hold by chance with ``chance``.

    ``on`` of their switches, but at most half the failures of chance: a right rule never holds less often than by
    chance.
    """
    return np.maximum(on, (1 + chance) / 2)
