"""Prior means of part-worths from the graph: from the same values elsewhere, the category tree and the items.

    prior mean(category, value) = Σ effects of the value in the category's ancestors + Σ weight · signal

The prior mean of a category uses none of its choices. Effects below the top of the tree are used where they
predict left-out categories better; signals (``item_signals``) by the weight they have in the other categories.
From about a hundred categories on, Gaussian processes (``gaussian_process``) give the columns that many share,
where they in turn predict left-out categories better.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from kgrank.arrays import Floats
from kgrank.choice.data.design import Design
from kgrank.choice.hierarchy.category_kernels import category_kernels
from kgrank.choice.hierarchy.item_signals import SPREAD, item_signals, levels
from kgrank.choice.hierarchy.partial_pooling import (
    CategoryEffects,
    EffectModel,
    LikelihoodApproximation,
    PooledEffects,
    likelihood_approximation,
    pool,
)
from kgrank.choice.hierarchy.process_means import ENOUGH, ProcessMeans, process_means
from kgrank.choice.logit.categories import prior_precision
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import Fit, design_effect
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.ontology.model import Ontology

EVERYTHING = ""
"""The root above every category."""

MOST = 1000
"""Effects at most, those first that most categories share: their posterior is a dense matrix."""

TOP, BELOW, OWN, GROUPS = 0, 2, 4, 6
"""Variance groups: of effects at the top, of effects below it, and of deviations; of numbers one further."""


@dataclass(frozen=True)
class PriorEvidence:
    """The data behind prior means.

    Attributes:
        lineages: Each category with its ancestors, lowest first.
        designs: Items and columns by category.
        likelihoods: Of each category's choices.
        kernels: (kernels, categories, categories) how alike the categories are, in the order of ``designs``; None
            where too few have choices to learn from it.
    """

    lineages: Mapping[str, tuple[str, ...]]
    designs: Mapping[str, Design]
    likelihoods: Mapping[str, LikelihoodApproximation]
    kernels: Floats | None = None


def prior_evidence(
    ontology: Ontology,
    designs: Mapping[str, Design],
    own_choices: Mapping[str, CategoryChoices],
    unpooled_fits: Mapping[str, Fit],
) -> PriorEvidence:
    """The category tree, the items and the choices of a shop; ``unpooled_fits`` are those of ``own_choices``.

    Of many categories each one's evidence is divided by its design effect: variances that many learn together
    must not take the same persons' repeated choices for differences between categories.
    """
    likelihoods, lineages = {}, {c: ontology.lineage(c) for c in designs}
    for category, fit in unpooled_fits.items():
        layout, nuisance = own_choices[category].design.layout, len(own_choices[category].nuisance)
        flat, choices = prior_precision(layout, nuisance, None), len(own_choices[category].choices)
        likelihoods[category] = likelihood_approximation(
            layout.width, fit.part_worths, fit.precision, flat, choices
        )
    if len(likelihoods) < ENOUGH:
        return PriorEvidence(lineages, designs, likelihoods)
    divided = {
        c: likelihood.divided(design_effect(own_choices[c].choices, unpooled_fits[c].part_worths))
        for c, likelihood in likelihoods.items()
    }
    names = {c: ontology.categories[c].name() for c in designs}
    return PriorEvidence(lineages, designs, divided, category_kernels(lineages, designs, names, own_choices))


@dataclass(frozen=True)
class CategoryPriors:
    """Gaussian priors of categories, from the choices of neither their subtrees nor hidden categories.

    A category that holds all choices has none.

    Attributes:
        means: (columns,) by category.
        variances: (columns,) around them, where processes predict them; else all categories share variances, which
            their fits learn.
    """

    means: Mapping[str, Floats]
    variances: Mapping[str, Floats]


@dataclass(frozen=True)
class PriorModel:
    """What priors of categories come from.

    Attributes:
        evidence: The categories.
        pooled: Effects that categories share.
        means: (columns,) of the pooled effects, by category.
        process: Of the columns that many categories share, where it predicts better.
    """

    evidence: PriorEvidence
    pooled: PooledEffects
    means: Mapping[str, Floats]
    process: ProcessMeans | None

    @property
    def priors(self) -> CategoryPriors:
        """The priors of all categories."""
        process = self.process
        if process is None:
            return CategoryPriors(self.means, {})
        lineages = self.evidence.lineages
        below = {c: {other for other in lineages if c in lineages[other]} for c in self.means}
        return CategoryPriors(
            {c: process.mean(c, mean, below[c]) for c, mean in self.means.items()},
            {c: process.variance(c, self.pooled.variance(c), below[c]) for c in self.means},
        )

    def posterior(self, category: str, priors: CategoryPriors) -> CategoryPosterior:
        """A category's posterior from its choices, as a Gaussian, before its rules; without choices its prior.

        Its prior must be among ``priors``, with variances.
        """
        mean, variance = priors.means[category], priors.variances[category]
        likelihood = self.pooled.likelihoods.get(category)
        precision, weighted = np.diag(1 / variance), mean / variance
        if likelihood is not None:
            precision = precision + likelihood.information
            weighted = weighted + likelihood.information @ likelihood.mean
        covariance = linalg.inv(precision)
        choices = 0 if likelihood is None else max(round(likelihood.choices), 1)
        return CategoryPosterior(
            layout=self.evidence.designs[category].layout,
            mean=covariance @ weighted,
            covariance=(covariance + covariance.T) / 2,
            prior_mean=mean,
            prior_deviation=np.sqrt(variance),
            choice_count=choices,
            person_count=choices,
            own_choices=likelihood is not None,
        )

    @property
    def lowest(self) -> list[str]:
        """The categories with a prior and with no category below them."""
        above = {c for lineage in self.evidence.lineages.values() for c in lineage[1:]}
        return [c for c in self.means if c not in above]


def prior_model(evidence: PriorEvidence, hidden: Collection[str] = ()) -> PriorModel | None:
    """Learned from all choices but those of ``hidden``; None of a single category."""
    if len(evidence.designs) < 2:
        return None
    pooled = with_item_signals(evidence, hierarchy_mean(evidence, hidden))
    return PriorModel(
        evidence, pooled, leave_one_out_means(evidence, pooled), better_process(evidence, pooled)
    )


def category_priors(evidence: PriorEvidence, hidden: Collection[str] = ()) -> CategoryPriors:
    """The priors of all categories, without the choices of ``hidden``."""
    model = prior_model(evidence, hidden)
    return CategoryPriors({}, {}) if model is None else model.priors


def prior_means(evidence: PriorEvidence, hidden: Collection[str] = ()) -> Mapping[str, Floats]:
    """(columns,) the means of ``category_priors``."""
    return category_priors(evidence, hidden).means


def better_process(evidence: PriorEvidence, pooled: PooledEffects) -> ProcessMeans | None:
    """Processes over enough categories, where they predict left-out ones better than the pooled effects.

    By more than a standard error over the categories.
    """
    if evidence.kernels is None or len(pooled.likelihoods) < ENOUGH:
        return None
    process = process_means(evidence.designs, evidence.kernels, pooled)
    return process if process and _clearly(pooled.errors - process.errors(pooled)) else None


def leave_one_out_means(evidence: PriorEvidence, pooled: PooledEffects) -> dict[str, Floats]:
    """(columns,) prior means of the categories for which others have choices."""
    means = {}
    for category in evidence.designs:
        below = _subtree(evidence, category) & pooled.likelihoods.keys() - {category}
        remaining = {c: e for c, e in pooled.likelihoods.items() if c not in below}
        if remaining.keys() - {category}:
            others = pooled if not below else pool(pooled.model, remaining, pooled.variances)
            means[category] = others.prior_mean(category)
    return means


def _subtree(evidence: PriorEvidence, category: str) -> set[str]:
    """The categories with choices in a category and below it."""
    return {c for c in evidence.likelihoods if category in evidence.lineages[c]}


def hierarchy_mean(evidence: PriorEvidence, hidden: Collection[str] = ()) -> PooledEffects:
    """Part-worths pooled over all categories, or over the category tree where that predicts better.

    The tree has to predict left-out categories better by more than a standard error over the categories.
    """
    likelihoods = {c: e for c, e in evidence.likelihoods.items() if c not in hidden}
    flat, tree = (pool(effect_model(evidence, likelihoods, tree=tree), likelihoods) for tree in (False, True))
    return tree if _clearly(flat.errors - tree.errors) else flat


def _clearly(gain: Floats) -> bool:
    """Whether a gain is above a standard error over the categories."""
    return len(gain) > 2 and bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def with_item_signals(evidence: PriorEvidence, base: PooledEffects) -> PooledEffects:
    """The same model with the items' signals, computed from the part-worths of the other categories."""
    level = levels({c: evidence.designs[c] for c in base.likelihoods})
    elsewhere = leave_one_out_means(evidence, base)
    signals = {
        c: item_signals(d, elsewhere[c], level) if c in elsewhere else np.zeros((d.layout.width, len(SPREAD)))
        for c, d in evidence.designs.items()
    }
    if not any(x.any() for x in signals.values()):
        return base
    last = len(base.model.group) + np.arange(len(SPREAD))
    by_category = {
        c: CategoryEffects(
            np.concatenate([effects.effects, last]),
            np.hstack([effects.matrix, signals[c]]),
            effects.deviation_group,
        )
        for c, effects in base.model.by_category.items()
    }
    return pool(
        EffectModel(by_category, base.model.group, base.model.groups, SPREAD),
        base.likelihoods,
        base.variances,
    )


def effect_model(evidence: PriorEvidence, observed: Collection[str], *, tree: bool) -> EffectModel:
    """An effect for each value that two categories share: at the top and, with ``tree``, below it too."""
    shared = _shared(evidence, observed, tree=tree)
    effect_number = {key: i for i, key in enumerate(shared)}
    number = {n: b.number for d in evidence.designs.values() for b in d.layout.blocks for n in b.nodes}
    by_category = {}
    for category, design in evidence.designs.items():
        nodes = design.layout.nodes
        entries = [
            (i, effect_number[above, n])
            for above in (*evidence.lineages[category], EVERYTHING)
            for i, n in enumerate(nodes)
            if (above, n) in effect_number
        ]
        effects = np.array([effect for _, effect in entries], dtype=np.int64)
        matrix = np.zeros((len(nodes), len(effects)))
        matrix[[i for i, _ in entries], np.arange(len(effects))] = 1.0
        by_category[category] = CategoryEffects(
            effects, matrix, OWN + np.array([number[n] for n in nodes], dtype=np.int64)
        )
    group = [(TOP if above == EVERYTHING else BELOW) + number[n] for above, n in shared]
    return EffectModel(by_category, np.array(group, dtype=np.int64), GROUPS, np.zeros(0))


def _shared(evidence: PriorEvidence, observed: Collection[str], *, tree: bool) -> list[tuple[str, str]]:
    """The (category above, node) with an effect; of those over the same categories the highest.

    A category that only holds others shares nothing with them: its items are theirs.
    """
    containers = {above for line in evidence.lineages.values() for above in line[1:]} - set(
        evidence.likelihoods
    )
    below: dict[tuple[str, str], set[str]] = {}
    for category in evidence.designs.keys() - containers:
        for above in (*(evidence.lineages[category] if tree else ()), EVERYTHING):
            for n in evidence.designs[category].layout.nodes:
                below.setdefault((above, n), set()).add(category)
    height = {
        c: i for line in evidence.lineages.values() for i, c in enumerate((EVERYTHING, *reversed(line)))
    }
    highest: dict[tuple[str, frozenset[str]], tuple[str, str]] = {}
    for (above, n), categories in sorted(below.items(), key=lambda item: (height[item[0][0]], item[0])):
        if len(categories) > 1 and not categories.isdisjoint(observed):
            highest.setdefault((n, frozenset(categories)), (above, n))
    return [key for _, key in sorted(highest.items(), key=lambda item: -len(item[0][1]))[:MOST]]
