"""What a rule about one of two sibling categories without choices brings the other one, on the groceries.

A right rule states the direction of a column in which the first category's optimum from all its choices is clear
and the prior is not; the wrong one states its reverse; both with confidence .9. Each moves the prior mean of the
sibling by the category process. Part of ``groceries_cold.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from benchmarks.groceries_choices import GroceryCategory
from kgrank.arrays import Floats
from kgrank.choice.hierarchy.partial_pooling import PooledEffects
from kgrank.choice.hierarchy.prior_means import CategoryPriors, PriorEvidence, PriorModel
from kgrank.choice.hierarchy.process_means import RIDGE, ProcessMeans
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.metrics import mean_and_error
from kgrank.choice.rules.passed_on import under_rules
from kgrank.ontology.model import Ontology, Rule

CONFIDENCE = 0.9

CLEAR = 2.0
"""Standard errors by which an optimum differs from 0 where a rule is stated."""

BARS = {"right": 0.0, "wrong": -0.012}
"""Least gains that are asked for."""


@dataclass(frozen=True)
class PairGain:
    """Gain in the sibling's log-likelihood a choice, by rule."""

    sibling: int
    right: float
    wrong: float


def pair_gains(
    categories: Sequence[GroceryCategory],
    evidence: PriorEvidence,
    ontology: Ontology,
    learned: tuple[PooledEffects, ProcessMeans],
    scored: Mapping[int, Choices],
) -> list[PairGain]:
    """Each category of ``scored``, whose choices the processes have not seen, with its sibling among them.

    The sibling is the one of the same department that is most alike by all kernels.
    """
    assert evidence.kernels is not None
    alike = evidence.kernels.mean(0)
    pooled, process = learned
    model = PriorModel(evidence, pooled, {}, process)
    gains = []
    for i in scored:
        department = categories[i].department
        siblings = [k for k in scored if k != i and categories[k].department == department]
        optimum = evidence.likelihoods.get(categories[i].name)
        if not siblings or optimum is None:
            continue
        sibling = max(siblings, key=lambda k: float(alike[i, k]))
        rules = _rules(model, categories[i], optimum.mean, optimum.information)
        if rules is not None:
            gain = [_gain(model, ontology, rule, categories[sibling], scored[sibling]) for rule in rules]
            gains.append(PairGain(sibling, *gain))
    return gains


def _prior(model: PriorModel, category: str) -> CategoryPriors:
    """A category's prior by the processes."""
    assert model.process is not None
    mean, variance = model.pooled.prior_mean(category), model.pooled.variance(category)
    return CategoryPriors(
        {category: model.process.mean(category, mean, {category})},
        {category: model.process.variance(category, variance, {category})},
    )


def _rules(
    model: PriorModel, category: GroceryCategory, optimum: Floats, information: Floats
) -> tuple[Rule, Rule] | None:
    """The right rule and the wrong one; None where no column's direction is clear."""
    priors, shared = _prior(model, category.name), np.arange(category.attributes)
    error = np.sqrt(np.diag(np.linalg.inv(information + RIDGE * np.eye(len(information))))[shared])
    clear = shared[np.abs(optimum[shared]) > CLEAR * error]
    if not len(clear):
        return None
    mean, variance = priors.means[category.name], priors.variances[category.name]
    chance = ndtr(np.sign(optimum[clear]) * mean[clear] / np.sqrt(variance[clear]))
    column = int(clear[np.argmin(np.abs(chance - 0.5))])
    attribute = category.sets.design.layout.blocks[column].attribute
    right, wrong = ("More", "Less") if optimum[column] > 0 else ("Less", "More")
    rule = Rule("rule", "Monotone", (category.name,), CONFIDENCE, attribute=attribute, better=right)
    return rule, replace(rule, better=wrong)


def _gain(
    model: PriorModel, ontology: Ontology, rule: Rule, sibling: GroceryCategory, scored: Choices
) -> float:
    """What a rule brings the sibling of its category, in the columns that all categories share."""
    assert model.process is not None
    category = rule.categories[0]
    posterior = model.posterior(category, _prior(model, category))
    known = replace(ontology, rules={rule.id: rule})
    ruled = under_rules(known, {category: posterior}, single=True)[category]
    moved = model.process.given({category: ruled.evidence(model.process.columns(category))})
    width = sibling.sets.design.layout.width
    numbers = np.arange(width) < sibling.attributes
    before, after = (
        p.mean(sibling.name, np.zeros(width), {sibling.name}) * numbers for p in (model.process, moved)
    )
    return float(
        (scored.log_likelihood(scored.utility(after)) - scored.log_likelihood(scored.utility(before))).mean()
    )


def rule_rows(gains: Sequence[PairGain]) -> list[dict[str, Any]]:
    """The mean gain of the right and of the wrong rules, with errors clustered by sibling."""
    siblings = np.array([g.sibling for g in gains])
    rows = []
    for name in ("right", "wrong"):
        value, error = mean_and_error(np.array([getattr(g, name) for g in gains]), siblings)
        rows.append(
            {"name": f"a {name} rule about a sibling", "value": value, "error": error, "bar": BARS[name]}
        )
    return rows
