"""Rules as evidence of bounded strength: when each kind holds, and how much it then counts.

A rule with confidence p that holds with probability π under the prior without rules weights the part-worths
for which it holds by p/π and the others by (1 - p)/(1 - π). However far the data push, that is all it can say.
A rule that covers several categories is one statement with one hidden switch: see ``Switch``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kgrank.choice.importance import importance, spreads
from kgrank.choice.layout import Floats, Layout
from kgrank.choice.posterior import DRAWS
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


def applies(rule: Rule, layout: Layout) -> bool:
    """Whether a rule says something about a category's part-worths."""
    if rule.kind not in IN_PART_WORTHS or rule.segments:
        return False
    if rule.kind in (RuleKind.PREFERS, RuleKind.SAME_AS):
        return len(_columns(rule, layout)) > 1
    if not all(a in layout.block for a in rule.attributes):
        return False
    return rule.kind is not RuleKind.MONOTONE or _steps(rule, layout) > 0


def _steps(rule: Rule, layout: Layout) -> int:
    block = layout.block[str(rule.attribute)]
    return 1 if block.number else len(block.nodes) - 1


def _columns(rule: Rule, layout: Layout) -> list[int]:
    """Columns of the values that a Prefers or SameAs rule names, those without items left out."""
    if rule.kind is RuleKind.PREFERS:
        nodes = [value_id(str(rule.attribute), v) for v in rule.values]
    else:
        nodes = [n for b in layout.blocks for v in rule.members if (n := value_id(b.attribute, v)) in b.nodes]
    return [layout.column[n] for n in nodes if n in layout.column]


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
    if rule.kind is RuleKind.MONOTONE:
        block = layout.block[str(rule.attribute)]
        own = part_worths[..., block.columns]
        sign = 1.0 if rule.better == "More" else -1.0
        rise = own if block.number else own[..., 1:] - own[..., :-1]
        return xp.amin(sign * rise, -1)
    if rule.kind is RuleKind.PREFERS:
        own = part_worths[..., _columns(rule, layout)]
        return xp.amin(own[..., :-1] - own[..., 1:], -1)
    if rule.kind is RuleKind.SAME_AS:
        own = part_worths[..., _columns(rule, layout)]
        at = next(i for i, b in enumerate(layout.blocks) if b.start <= _columns(rule, layout)[0] < b.stop)
        room = ALIKE * spreads(layout, part_worths, full=True, xp=xp)[..., at]
        return room - (xp.amax(own, -1) - xp.amin(own, -1))
    place = {b.attribute: i for i, b in enumerate(layout.blocks)}
    weight = importance(layout, part_worths, xp=xp)
    if rule.kind is RuleKind.ORDER:
        ordered = weight[..., [place[a] for a in rule.order]]
        return xp.amin(ordered[..., :-1] - ordered[..., 1:], -1)
    own = weight[..., place[str(rule.attribute)]]
    if rule.kind is RuleKind.IRRELEVANT:
        return NEGLIGIBLE - own
    share = float(rule.share or 0.0)
    if rule.kind is RuleKind.AT_LEAST:
        return own - share
    if rule.kind is RuleKind.AT_MOST:
        return share - own
    return (WITHIN if rule.within is None else rule.within) - xp.abs(own - share)


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
    sure = min(sure, CERTAIN)
    if sure >= chance:
        on = 1 - min(EXCEPTION, (1 - sure) / 2)
        return Switch(min((sure - chance) / max(on - chance, 1e-12), 1.0), on)
    on = min(EXCEPTION, sure / 2)
    return Switch(min((chance - sure) / max(chance - on, 1e-12), 1.0), on)


def chance_of(rule: Rule, layout: Layout, mean: Floats, deviation: Floats, seed: int = 0) -> float:
    """Probability that a rule holds under the prior without rules, kept away from 0 and 1."""
    normal = np.random.default_rng(seed).standard_normal((DRAWS, layout.width))
    held = margin(rule, layout, mean + normal * deviation) >= 0
    return float(np.clip(held.mean(), CHANCE_LOW, CHANCE_HIGH))
