"""Rules as evidence of bounded strength: when each kind holds, and how much it then counts.

A rule with confidence p that holds with probability π under the prior without rules weights the part-worths
for which it holds by p/π and the others by (1 - p)/(1 - π). However far the data push, that is all it can say.
A rule that covers several categories is one statement with one hidden switch: see ``Switch``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from kgrank.choice.data.design import Layout
from kgrank.choice.importance import importance, spreads
from kgrank.graph.schema import value_id
from kgrank.ontology.model import NEGLIGIBLE, Rule, RuleKind

WITHIN = 0.05
"""Half-width of an About rule that names none."""

ALIKE = 0.1
"""Two values count as the same if their utilities differ by at most this share of their attribute's range."""

CHANCE_LOW, CHANCE_HIGH = 0.02, 0.98
EXCEPTION = 0.05
"""Probability that a right rule fails in one of its places."""

CERTAIN = 1 - 1e-9
"""The confidence of a hard rule, so that what it says elsewhere stays finite."""

IN_PART_WORTHS = frozenset(
    {
        RuleKind.ORDER,
        RuleKind.AT_LEAST,
        RuleKind.AT_MOST,
        RuleKind.ABOUT,
        RuleKind.IRRELEVANT,
        RuleKind.MONOTONE,
        RuleKind.PREFERS,
        RuleKind.SAME_AS,
    }
)
"""Kinds that are statements about part-worths. Inherits acts on the prior, Implies and Excludes on items,
Exposure on ranked lists."""


@dataclass(frozen=True)
class Quantity:
    """A function of a category's part-worths on which rules set bounds.

    Attributes:
        kind: ``share`` of one attribute; least ``step`` between neighbouring shares; least ``fall`` between
            neighbouring part-worths; ``slope`` of a number; how ``alike`` values are, as room left.
        at: The attributes' places in the layout for shares, else columns.
        sign: Of a slope.
    """

    kind: str
    at: tuple[int, ...]
    sign: float = 1.0

    @property
    def shared(self) -> bool:
        """Whether it is made of shares, not of part-worths."""
        return self.kind in ("share", "step")


@dataclass(frozen=True)
class Statement:
    """What a rule says in one category: its quantity is from ``lower`` to ``upper``, both included."""

    quantity: Quantity
    lower: float = 0.0
    upper: float = float("inf")


def statement(rule: Rule, layout: Layout) -> Statement | None:
    """What a rule says of a category's part-worths; None where it says nothing."""
    if rule.kind not in IN_PART_WORTHS or rule.segments:
        return None
    if rule.kind in (RuleKind.PREFERS, RuleKind.SAME_AS):
        columns = tuple(_columns(rule, layout))
        kind = "fall" if rule.kind is RuleKind.PREFERS else "alike"
        return Statement(Quantity(kind, columns)) if len(columns) > 1 else None
    if not all(a in layout.block for a in rule.attributes):
        return None
    if rule.kind is RuleKind.MONOTONE:
        return _direction(rule, layout)
    order = list(layout.block)
    places = tuple(order.index(a) for a in rule.attributes)
    if rule.kind is RuleKind.ORDER:
        return Statement(Quantity("step", places))
    share = float(rule.share or 0.0)
    within = WITHIN if rule.within is None else rule.within
    low, high = {
        RuleKind.AT_LEAST: (share, float("inf")),
        RuleKind.AT_MOST: (float("-inf"), share),
        RuleKind.ABOUT: (share - within, share + within),
        RuleKind.IRRELEVANT: (float("-inf"), NEGLIGIBLE),
    }[rule.kind]
    return Statement(Quantity("share", places), low, high)


def _direction(rule: Rule, layout: Layout) -> Statement | None:
    """A Monotone rule: the sign of a number's slope, or of every step between ordered values."""
    block = layout.block[str(rule.attribute)]
    more = rule.better == "More"
    if block.number:
        return Statement(Quantity("slope", (block.start,), 1.0 if more else -1.0))
    columns = tuple(range(block.start, block.stop))
    return Statement(Quantity("fall", columns[::-1] if more else columns)) if len(columns) > 1 else None


def applies(rule: Rule, layout: Layout) -> bool:
    """Whether a rule says something about a category's part-worths."""
    return statement(rule, layout) is not None


def _columns(rule: Rule, layout: Layout) -> list[int]:
    """Columns of the values that a Prefers or SameAs rule names, those without items left out."""
    if rule.kind is RuleKind.PREFERS:
        nodes = [value_id(str(rule.attribute), v) for v in rule.values]
    else:
        nodes = [n for b in layout.blocks for v in rule.members if (n := value_id(b.attribute, v)) in b.nodes]
    return [layout.column[n] for n in nodes if n in layout.column]


def quantity(found: Quantity, layout: Layout, part_worths: Any, weight: Any = None, xp: Any = np) -> Any:
    """The value of a quantity.

    Args:
        found: The quantity.
        layout: The category's columns.
        part_worths: (…, columns), numpy or torch.
        weight: (…, attributes) their importance, where it is known already.
        xp: The array module.

    Returns:
        (…), a share or a difference of shares, or a difference of logits.
    """
    if found.kind == "slope":
        return found.sign * part_worths[..., found.at[0]]
    if found.shared and weight is None:
        weight = importance(layout, part_worths, xp=xp)
    if found.kind == "share":
        return weight[..., found.at[0]]
    own = [(weight if found.shared else part_worths)[..., i] for i in found.at]
    if found.kind == "alike":
        at = next(i for i, b in enumerate(layout.blocks) if b.start <= found.at[0] < b.stop)
        room = ALIKE * spreads(layout, part_worths, full=True, xp=xp)[..., at]
        return room - (reduce(xp.maximum, own) - reduce(xp.minimum, own))
    return reduce(xp.minimum, [more - less for more, less in pairwise(own)])


def margin(rule: Rule, layout: Layout, part_worths: Any, xp: Any = np) -> Any:
    """How far a rule is from failing: it holds where this is at least 0.

    Args:
        rule: One that ``applies``.
        layout: The category's columns.
        part_worths: (…, columns), numpy or torch.
        xp: The array module.

    Returns:
        (…), a difference of shares, or of logits for Monotone, Prefers and SameAs.
    """
    said = statement(rule, layout)
    assert said is not None
    value = quantity(said.quantity, layout, part_worths, xp=xp)
    above = value - said.lower
    if said.upper == float("inf"):
        return above
    below = said.upper - value
    return below if said.lower == float("-inf") else xp.minimum(above, below)


@dataclass(frozen=True)
class Switch:
    """A rule's hidden switch "this rule is right".

    On, the rule holds in each place with probability ``on``, independently; off, it says nothing. The prior of
    the switch makes the probability in a single place the rule's confidence, whatever the place's chance is.
    """

    prior: float
    on: float

    def ratio(self, holds: Any, chance: float) -> Any:
        """Weight of part-worths under the switch on, against off."""
        return holds * (self.on / chance) + (1 - holds) * ((1 - self.on) / (1 - chance))


def switch(sure: float, chance: float) -> Switch:
    """The switch of a rule with confidence ``sure`` that holds by chance with probability ``chance``.

    A rule less likely than chance is a statement against itself: on, it holds rarely.
    """
    sure = float(np.clip(sure, 1 - CERTAIN, CERTAIN))
    if sure >= chance:
        on = 1 - min(EXCEPTION, (1 - sure) / 2)
        return Switch(min((sure - chance) / max(on - chance, 1e-12), 1.0), on)
    on = min(EXCEPTION, sure / 2)
    return Switch(min((chance - sure) / max(chance - on, 1e-12), 1.0), on)
