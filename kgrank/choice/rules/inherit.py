"""Inherits rules: a category's part-worths of an attribute drawn towards its parent's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Block, Layout
from kgrank.choice.logit.categories import Variances, fit_categories
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.ontology.kinds.kind import ActsOn
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Ontology, Rule

MOST = 0.999
"""The strength of a hard rule with share 1: its part-worths are the parent's, as well as these are known."""


def strength(rule: Rule) -> float:
    """From 0, on its own, to 1, as the parent: share times confidence."""
    return min(float(rule.share or 0.0) * rule.sure, MOST)


def inheriting_pairs(ontology: Ontology, layouts: Mapping[str, Layout]) -> Iterator[tuple[Rule, str, str]]:
    """Each Inherits rule with a category it holds in and its parent, where both have the attribute."""
    for rule in ontology.rules.values():
        acts = rule_kind(rule.kind).acts_on is ActsOn.PRIOR
        if not acts or rule.segments or strength(rule) == 0.0:
            continue
        for category in ontology.scope(rule):
            parent = ontology.categories[category].parent
            if parent is not None and parent in layouts and category in layouts:
                known = layouts[category].block, layouts[parent].block
                if all(rule.attribute in block for block in known):
                    yield rule, category, parent


def rescaled(block: Block, parent: Block) -> Floats:
    """(columns, parent's columns) takes the parent's part-worths to the category's columns, by node."""
    if block.number:
        return np.array([[block.scale / parent.scale]])
    return np.array([[float(a == b) for b in parent.nodes] for a in block.nodes])


def inherit(
    ontology: Ontology,
    sets: Mapping[str, CategoryChoices],
    posteriors: Mapping[str, CategoryPosterior],
    variances: Variances,
) -> dict[str, CategoryPosterior]:
    """Posteriors with the Inherits rules: a Gaussian factor around the parent's part-worths.

    Its variance is the parent's own uncertainty plus variance · (1 - k) / k, with k the rule's strength and the
    variance that of part-worths around what the graph says. The parent is fitted without the category's own
    choices, so that none is counted twice.
    """
    inherited = dict(posteriors)
    layouts = {c: p.layout for c, p in posteriors.items()}
    for rule, category, parent in inheriting_pairs(ontology, layouts):
        others = sets[parent].take(~np.isin(sets[parent].number, sets[category].number))
        if not len(others.choices):
            continue
        block, above = (
            layouts[category].block[str(rule.attribute)],
            layouts[parent].block[str(rule.attribute)],
        )
        map_ = rescaled(block, above)
        fit = fit_categories({parent: others}, {}).fits[parent]
        k = strength(rule)
        spread = variances.of(layouts[category])[block.columns] * (1 - k) / k
        mean = map_ @ fit.part_worths[above.columns]
        noise = map_ @ fit.covariance[above.columns, above.columns] @ map_.T + np.diag(spread)
        shared = np.flatnonzero(map_.any(1))
        inherited[category] = _pulled(
            inherited[category], block.start + shared, mean[shared], noise[np.ix_(shared, shared)]
        )
    return inherited


def _pulled(posterior: CategoryPosterior, columns: Ints, mean: Floats, noise: Floats) -> CategoryPosterior:
    """The posterior after an observation of some part-worths with Gaussian noise."""
    across = posterior.covariance[:, columns]
    gain = np.linalg.solve(posterior.covariance[np.ix_(columns, columns)] + noise, across.T).T
    covariance = posterior.covariance - gain @ across.T
    return replace(
        posterior,
        mean=posterior.mean + gain @ (mean - posterior.mean[columns]),
        covariance=(covariance + covariance.T) / 2,
    )
