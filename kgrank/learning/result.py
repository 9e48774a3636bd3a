"""Learned weights from the fits: what is served, with its intervals and its provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from kgrank import __version__
from kgrank.arrays import Floats
from kgrank.choice.behaviour.additive import BehaviourModel, category_terms
from kgrank.choice.data.design import Layout
from kgrank.choice.data.responses import KINDS
from kgrank.choice.importance import importance, reference, spreads
from kgrank.choice.logit.categories import Variances
from kgrank.choice.logit.choice_sets import CategoryChoices, given_positions
from kgrank.choice.rules.findings import conflict, finding
from kgrank.choice.share_intervals import intervals, quantiles
from kgrank.choice.tastes.mixed_logit import Tastes
from kgrank.learning.fit import ShopFit
from kgrank.learning.shop import TrainingData
from kgrank.ontology.model import Ontology
from kgrank.weights.model import (
    AttributeWeight,
    BehaviourTerm,
    CategoryWeights,
    LearnedWeights,
    Population,
    Utility,
)

TASTE_DRAWS = 2000


def weights_of(
    fitted: ShopFit,
    ontology: Ontology,
    terms: BehaviourModel,
    metrics: Mapping[str, float],
    behaviour: tuple[BehaviourTerm, ...],
    graph: str,
) -> LearnedWeights:
    """One version of the weights, named by its time and its ontology; ``graph`` is the graph's fingerprint."""
    created = datetime.now(UTC).replace(microsecond=0)
    shop, tastes = fitted.shop, fitted.tastes
    bound = {c for rule in ontology.rules.values() if rule.hard for c in ontology.scope(rule)}
    return LearnedWeights(
        version=f"w-{created:%Y%m%d-%H%M%S}-{ontology.fingerprint[:6]}",
        created=created.isoformat(),
        code=__version__,
        ontology=ontology.fingerprint,
        graph=graph,
        categories={c: _category(d.layout, fitted, terms, bound=c in bound) for c, d in shop.designs.items()},
        metrics=metrics,
        terms=behaviour,
        findings=tuple(
            finding(found, ontology, fitted.rule_posteriors) for found in fitted.rule_posteriors.rules
        ),
        population=Population()
        if tastes is None
        else Population(
            fitted.columns,
            tuple(tuple(row) for row in tastes.covariance.tolist()),
            tuple(tastes.mean.tolist()),
        ),
        reliability=shop.reliability,
        conflicts=tuple(
            conflict(found, ontology, fitted.rule_posteriors) for found in fitted.rule_posteriors.conflicts
        ),
        notes=(*_notes(shop), *fitted.rule_posteriors.notes),
    )


def _notes(shop: TrainingData) -> tuple[str, ...]:
    notes = []
    if shop.log.is_ratings:
        notes.append("Learned from ratings, each taken against the person's own mean and spread.")
    elif shop.log.heads["sampled"].any():
        notes.append(
            "The log does not say what was shown: choices are set against items drawn at random, "
            "and people's own tastes are left to the behaviour terms."
        )
    scale = shop.reliability.scale
    if len(scale) > 1:
        said = ", ".join(f"{kind} {scale[kind]:.2f}" for kind in KINDS if kind in scale)
        notes.append(f"How closely each kind of feedback follows tastes: {said}.")
    if shop.log.has_impressions and not shop.log.position_groups and not shop.log.examination:
        notes.append("No positions: being seen is not told apart from being liked.")
    return tuple(notes)


def _category(layout: Layout, fitted: ShopFit, terms: BehaviourModel, *, bound: bool) -> CategoryWeights:
    """What is learned of a category; ``bound`` where hard rules hold, which intervals must keep to."""
    category = layout.category
    shop, verdicts = fitted.shop, fitted.rule_posteriors
    learned = category in verdicts.draws
    mean = served_part_worths(layout, fitted)
    draws = (
        verdicts.draws[category] if learned else _prior_draws(layout, mean, fitted.category_fits.variances)
    )
    weight, spread = importance(layout, mean), spreads(layout, mean)
    low, high = quantiles(layout, draws) if bound else intervals(layout, draws)
    full = importance(layout, mean, full=True)
    without = (
        importance(layout, verdicts.mean_without_rules[category]) if category in verdicts.ruled else None
    )
    shoppers = None if fitted.tastes is None else _shoppers(layout, mean, fitted.columns, fitted.tastes)
    own = shop.sets.get(category)
    attributes = tuple(
        AttributeWeight(
            block.attribute,
            float(weight[i]),
            float(low[i]),
            float(high[i]),
            float(spread[i]),
            reference(block),
            float(full[i]),
            None if shoppers is None else float(shoppers[i]),
            None if without is None else float(without[i]),
        )
        for i, block in enumerate(layout.blocks)
    )
    return CategoryWeights(
        category,
        attributes,
        _utilities(layout, mean, draws),
        float(spread.sum()),
        0 if own is None else len(own.choices),
        0 if own is None else len(np.unique(own.choices.person)),
        "choices" if learned else "graph",
        category_terms(terms, category),
        {}
        if own is None
        else _nuisance(own, fitted.category_fits.fits[category].part_worths)
        | given_positions(shop.log.examination),
    )


def served_part_worths(layout: Layout, fitted: ShopFit) -> Floats:
    """(columns,) what is served for a category: its own after the rules, or the graph's word."""
    draws = fitted.rule_posteriors.draws.get(layout.category)
    if draws is not None:
        return np.asarray(draws.mean(0))
    return np.asarray(fitted.means.get(layout.category, np.zeros(layout.width)))


def _nuisance(own: CategoryChoices, part_worths: Floats) -> dict[str, float]:
    """What is served beside the attributes: the outside option's constant and the positions."""
    found = part_worths[own.design.layout.width :].tolist()
    return dict(zip(own.nuisance, found, strict=True))


def _prior_draws(layout: Layout, mean: Floats, variances: Variances) -> Floats:
    normal = np.random.default_rng(0).standard_normal((TASTE_DRAWS, layout.width))
    return np.asarray(mean + normal * np.sqrt(variances.of(layout)))


def _shoppers(layout: Layout, mean: Floats, columns: Sequence[str], tastes: Tastes) -> Floats:
    """(attributes,) the average of the shoppers' own importances, over draws of the population."""
    at = {n: i for i, n in enumerate(columns)}
    known = np.array([n in at for n in layout.nodes])
    pick = [at[n] for n in layout.nodes if n in at]
    root = np.linalg.cholesky(tastes.covariance[np.ix_(pick, pick)] + 1e-9 * np.eye(len(pick)))
    normal = np.random.default_rng(0).standard_normal((TASTE_DRAWS, len(pick)))
    draws = np.tile(mean, (TASTE_DRAWS, 1))
    draws[:, known] += tastes.mean[pick] + normal @ root.T
    return np.asarray(importance(layout, draws).mean(0))


def _utilities(layout: Layout, mean: Floats, draws: Floats) -> tuple[Utility, ...]:
    found = []
    for block in layout.blocks:
        own = draws[:, block.columns]
        if block.number:
            errors = own.std(0) * ((block.p95 - block.p05) / block.scale)
        else:
            errors = (own - (own @ block.share)[:, None]).std(0)
        for node, segments, error in zip(block.nodes, block.segments(mean), errors, strict=True):
            found.append(Utility(node, segments, float(error)))
    return tuple(found)
