"""Learned weights from the fits, with their intervals and their provenance."""

from __future__ import annotations

from collections.abc import Mapping
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
from kgrank.choice.rules.findings import stored_conflict, stored_finding
from kgrank.choice.share_intervals import intervals, quantiles
from kgrank.choice.tastes.shared_columns import scale_factors
from kgrank.learning.fit import ShopFit
from kgrank.learning.training_data import TrainingData
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
    shop = fitted.shop
    under_hard_rules = {c for rule in ontology.rules.values() if rule.hard for c in ontology.scope(rule)}
    return LearnedWeights(
        version=f"w-{created:%Y%m%d-%H%M%S}-{ontology.fingerprint[:6]}",
        created=created.isoformat(),
        code=__version__,
        ontology=ontology.fingerprint,
        graph=graph,
        categories={
            c: _category(d.layout, fitted, terms, hard_rules=c in under_hard_rules)
            for c, d in shop.designs.items()
        },
        metrics=metrics,
        terms=behaviour,
        findings=(
            *(
                stored_finding(rule, ontology, fitted.rule_posteriors)
                for rule in fitted.rule_posteriors.rules
            ),
            *fitted.segment_findings,
        ),
        population=fitted.population,
        reliability=shop.reliability,
        conflicts=tuple(
            stored_conflict(rules, ontology, fitted.rule_posteriors)
            for rules in fitted.rule_posteriors.conflicts
        ),
        notes=(*_notes(shop), *fitted.rule_posteriors.notes, *fitted.segment_notes),
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
        scales = ", ".join(f"{kind} {scale[kind]:.2f}" for kind in KINDS if kind in scale)
        notes.append(f"How closely each kind of feedback follows tastes: {scales}.")
    if shop.log.has_impressions and not shop.log.position_groups and not shop.log.examination:
        notes.append("No positions: being seen is not told apart from being liked.")
    return tuple(notes)


def _category(layout: Layout, fitted: ShopFit, terms: BehaviourModel, *, hard_rules: bool) -> CategoryWeights:
    """The weights of a category; intervals keep to the rules where ``hard_rules`` hold."""
    category = layout.category
    shop, rule_posteriors = fitted.shop, fitted.rule_posteriors
    from_choices = category in rule_posteriors.draws
    mean = served_part_worths(layout, fitted)
    draws = (
        rule_posteriors.draws[category]
        if from_choices
        else _prior_draws(layout, mean, fitted.category_fits.variances)
    )
    share, spread = importance(layout, mean), spreads(layout, mean)
    lower, upper = quantiles(layout, draws) if hard_rules else intervals(layout, draws)
    full = importance(layout, mean, full=True)
    unruled = rule_posteriors.mean_without_rules[category] if category in rule_posteriors.ruled else None
    without_rules = None if unruled is None else importance(layout, unruled)
    shoppers = _shoppers(layout, mean, fitted.population) if fitted.population.columns else None
    choices = shop.sets.get(category)
    attributes = tuple(
        AttributeWeight(
            attribute=block.attribute,
            share=float(share[i]),
            lower=float(lower[i]),
            upper=float(upper[i]),
            spread=float(spread[i]),
            reference=reference(block),
            full=float(full[i]),
            shoppers=None if shoppers is None else float(shoppers[i]),
            without_rules=None if without_rules is None else float(without_rules[i]),
        )
        for i, block in enumerate(layout.blocks)
    )
    return CategoryWeights(
        category=category,
        attributes=attributes,
        utilities=_utilities(layout, mean, draws),
        strength=float(spread.sum()),
        choice_count=0 if choices is None else len(choices.choices),
        person_count=0 if choices is None else len(np.unique(choices.choices.person)),
        source="choices" if from_choices else "graph",
        terms=category_terms(terms, category),
        nuisance={}
        if choices is None
        else _nuisance(choices, fitted.category_fits.fits[category].part_worths)
        | given_positions(shop.log.examination),
    )


def served_part_worths(layout: Layout, fitted: ShopFit) -> Floats:
    """(columns,) the part-worths served for a category: from its choices after the rules, or the prior mean."""
    if layout.category in fitted.rule_posteriors.draws:
        return fitted.rule_posteriors.draws.mean(layout.category)
    prior_means = fitted.prior_means.without_choices
    return np.asarray(prior_means.get(layout.category, np.zeros(layout.width)))


def _nuisance(choices: CategoryChoices, part_worths: Floats) -> dict[str, float]:
    """The parameters beside the attributes: the outside option's constant and the positions."""
    parameters = part_worths[choices.design.layout.width :].tolist()
    return dict(zip(choices.nuisance, parameters, strict=True))


def _prior_draws(layout: Layout, mean: Floats, variances: Variances) -> Floats:
    normal = np.random.default_rng(0).standard_normal((TASTE_DRAWS, layout.width))
    return np.asarray(mean + normal * np.sqrt(variances.of(layout)))


def _shoppers(layout: Layout, mean: Floats, population: Population) -> Floats:
    """(attributes,) the average of the shoppers' own importances, over draws of the population."""
    covariance = np.array(population.covariance)
    if population.within:
        covariance = covariance + np.array(population.within)
    index_of = {name: index for index, name in enumerate(population.columns)}
    has_taste = np.array([node in index_of for node in layout.nodes])
    indices = [index_of[node] for node in layout.nodes if node in index_of]
    root = np.linalg.cholesky(covariance[np.ix_(indices, indices)] + 1e-9 * np.eye(len(indices)))
    normal = np.random.default_rng(0).standard_normal((TASTE_DRAWS, len(indices)))
    deviations = normal @ root.T
    if population.mean:
        deviations += np.array(population.mean)[indices]
    draws = np.tile(mean, (TASTE_DRAWS, 1))
    draws[:, has_taste] += deviations * scale_factors(layout, population.columns, population.scales)[indices]
    return np.asarray(importance(layout, draws).mean(0))


def _utilities(layout: Layout, mean: Floats, draws: Floats) -> tuple[Utility, ...]:
    utilities = []
    for block in layout.blocks:
        block_draws = draws[:, block.columns]
        if block.number:
            errors = block_draws.std(0) * ((block.p95 - block.p05) / block.scale)
        else:
            errors = (block_draws - (block_draws @ block.share)[:, None]).std(0)
        for node, segments, error in zip(block.nodes, block.segments(mean), errors, strict=True):
            utilities.append(Utility(node, segments, float(error)))
    return tuple(utilities)
