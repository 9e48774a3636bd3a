"""Prior means of part-worths from the graph: from the same values elsewhere, the category tree and the items.

    prior mean(category, value) = Σ effects of the value in what stands above the category + Σ weight · reading

No choice of a category stands behind its own prior mean. The tree below the top acts where leaving out categories
shows that it foretells them better; readings (see ``readings``) as far as other categories give them a weight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Design
from kgrank.choice.hierarchy.item_signals import SPREAD, item_signals, levels
from kgrank.choice.hierarchy.partial_pooling import (
    CategoryEffects,
    EffectModel,
    LikelihoodApproximation,
    PooledEffects,
    likelihood_approximation,
    pool,
)
from kgrank.choice.logit.categories import precision
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import Fit
from kgrank.ontology.model import Ontology

EVERYTHING = ""
"""What stands above every category."""

MOST = 1000
"""Effects at most, those first that most categories share: their posterior is a dense matrix."""

TOP, BELOW, OWN, GROUPS = 0, 2, 4, 6
"""Variance groups: of effects at the top, of effects below it, and of deviations; of numbers one further."""


@dataclass(frozen=True)
class PriorEvidence:
    """What prior means rest on.

    Attributes:
        lineages: Each category with those above it, lowest first.
        designs: Items and columns by category.
        likelihoods: What the choices of each category alone say.
    """

    lineages: Mapping[str, tuple[str, ...]]
    designs: Mapping[str, Design]
    likelihoods: Mapping[str, LikelihoodApproximation]


def prior_evidence(
    ontology: Ontology,
    designs: Mapping[str, Design],
    own_choices: Mapping[str, CategoryChoices],
    unpooled_fits: Mapping[str, Fit],
) -> PriorEvidence:
    """The category tree, the items and the choices of a shop; ``unpooled_fits`` are those of ``own_choices``."""
    told = {}
    for category, fit in unpooled_fits.items():
        layout, nuisance = own_choices[category].design.layout, len(own_choices[category].nuisance)
        flat, choices = precision(layout, nuisance, None), len(own_choices[category].choices)
        told[category] = likelihood_approximation(layout.width, fit.part_worths, fit.precision, flat, choices)
    return PriorEvidence({c: _line(ontology, c) for c in designs}, designs, told)


def prior_means(evidence: PriorEvidence, hidden: Collection[str] = ()) -> dict[str, Floats]:
    """(columns,) by category, resting neither on the choices of its own subtree nor on those of ``hidden``.

    A category that holds all choices has none.
    """
    if len(evidence.designs) < 2:
        return {}
    return leave_one_out_means(evidence, with_item_signals(evidence, hierarchy_mean(evidence, hidden)))


def leave_one_out_means(evidence: PriorEvidence, pooled: PooledEffects) -> dict[str, Floats]:
    """(columns,) prior means of the categories for which others have choices."""
    found = {}
    for category in evidence.designs:
        below = {c for c in pooled.likelihoods if category in evidence.lineages[c]} - {category}
        told = {c: e for c, e in pooled.likelihoods.items() if c not in below}
        if told.keys() - {category}:
            others = pooled if not below else pool(pooled.model, told, pooled.variances)
            found[category] = others.prior_mean(category)
    return found


def hierarchy_mean(evidence: PriorEvidence, hidden: Collection[str] = ()) -> PooledEffects:
    """The hierarchy mean: part-worths pooled over all categories, or also over the tree.

    The tree has to foretell left out categories better by more than a standard error over the categories.
    """
    shown = {c: e for c, e in evidence.likelihoods.items() if c not in hidden}
    flat, tree = (pool(effect_model(evidence, shown, tree=tree), shown) for tree in (False, True))
    better = flat.errors - tree.errors
    if len(better) < 3:
        return flat
    return tree if better.mean() > better.std(ddof=1) / np.sqrt(len(better)) else flat


def with_item_signals(evidence: PriorEvidence, base: PooledEffects) -> PooledEffects:
    """The same with what the items say, given the part-worths that each category's others have."""
    level = levels({c: evidence.designs[c] for c in base.likelihoods})
    elsewhere = leave_one_out_means(evidence, base)
    read = {
        c: item_signals(d, elsewhere[c], level) if c in elsewhere else np.zeros((d.layout.width, len(SPREAD)))
        for c, d in evidence.designs.items()
    }
    if not any(x.any() for x in read.values()):
        return base
    last = len(base.model.group) + np.arange(len(SPREAD))
    sums = {
        c: CategoryEffects(
            np.concatenate([one.effects, last]), np.hstack([one.matrix, read[c]]), one.deviation_group
        )
        for c, one in base.model.by_category.items()
    }
    return pool(
        EffectModel(sums, base.model.group, base.model.groups, SPREAD), base.likelihoods, base.variances
    )


def effect_model(evidence: PriorEvidence, shown: Collection[str], *, tree: bool) -> EffectModel:
    """An effect for each value that two categories share: at the top and, with ``tree``, below it too."""
    shared = _shared(evidence, shown, tree=tree)
    place = {key: i for i, key in enumerate(shared)}
    number = {n: b.number for d in evidence.designs.values() for b in d.layout.blocks for n in b.nodes}
    sums = {}
    for category, design in evidence.designs.items():
        nodes = design.layout.nodes
        here = [
            (i, place[above, n])
            for above in (*evidence.lineages[category], EVERYTHING)
            for i, n in enumerate(nodes)
            if (above, n) in place
        ]
        at = np.array([effect for _, effect in here], dtype=np.int64)
        matrix = np.zeros((len(nodes), len(at)))
        matrix[[i for i, _ in here], np.arange(len(at))] = 1.0
        sums[category] = CategoryEffects(
            at, matrix, OWN + np.array([number[n] for n in nodes], dtype=np.int64)
        )
    group = [(TOP if above == EVERYTHING else BELOW) + number[n] for above, n in shared]
    return EffectModel(sums, np.array(group, dtype=np.int64), GROUPS, np.zeros(0))


def _shared(what: PriorEvidence, shown: Collection[str], *, tree: bool) -> list[tuple[str, str]]:
    """The (category above, node) with an effect; of those over the same categories the highest.

    A category that only holds others shares nothing with them: its items are theirs.
    """
    holds = {above for line in what.lineages.values() for above in line[1:]} - set(what.likelihoods)
    below: dict[tuple[str, str], set[str]] = {}
    for category in what.designs.keys() - holds:
        for above in (*(what.lineages[category] if tree else ()), EVERYTHING):
            for n in what.designs[category].layout.nodes:
                below.setdefault((above, n), set()).add(category)
    height = {c: i for line in what.lineages.values() for i, c in enumerate((EVERYTHING, *reversed(line)))}
    found: dict[tuple[str, frozenset[str]], tuple[str, str]] = {}
    for (above, n), categories in sorted(below.items(), key=lambda item: (height[item[0][0]], item[0])):
        if len(categories) > 1 and not categories.isdisjoint(shown):
            found.setdefault((n, frozenset(categories)), (above, n))
    return [key for _, key in sorted(found.items(), key=lambda item: -len(item[0][1]))[:MOST]]


def _line(ontology: Ontology, category: str) -> tuple[str, ...]:
    found = [category]
    while (above := ontology.categories[found[-1]].parent) is not None:
        found.append(above)
    return tuple(found)
