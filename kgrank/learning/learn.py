"""From a graph to learned weights: the fits, the ranking layer, the result. No files, no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from kgrank import interrupts
from kgrank.arrays import Floats
from kgrank.choice.behaviour.additive import BehaviourModel, behaviour_terms, no_behaviour
from kgrank.choice.behaviour.counts import LINKS_PER_ITEM, link_table
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.choice.behaviour.examples_from_catalogue import learn_from_catalogue
from kgrank.choice.behaviour.examples_from_impressions import learn_from_impressions
from kgrank.choice.behaviour.groupings import groupings, members, titles
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.choice.logit.choice_sets import on_items
from kgrank.choice.logit.diagnostics import concerns
from kgrank.choice.rules.stored import stored_posteriors
from kgrank.choice.steps import Steps
from kgrank.graph.fingerprint import fingerprint
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.configuration.config import RunConfig
from kgrank.learning.configuration.extras import NETWORK, missing
from kgrank.learning.evaluation import evaluate, summary
from kgrank.learning.fit import ShopFit, fit_shop, with_segment_rules, with_tastes
from kgrank.learning.liking.stage import LikingOutcome, learn_liking
from kgrank.learning.prior_means import PriorMeanSource
from kgrank.learning.reporting.interrupt import HeedingProgress, OptionalParts
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress
from kgrank.learning.result import served_part_worths, weights_of
from kgrank.learning.training_data import read_training_data
from kgrank.ontology.model import Ontology
from kgrank.weights.concerns import concern_table, in_full_and_counted
from kgrank.weights.liking import LikingWeights
from kgrank.weights.model import Concern, LearnedWeights, Privacy
from kgrank.weights.posteriors import Posteriors

TASTES, FOLLOWING, LIKING = "how people differ", "which item follows which", "what people like by the network"
"""Stages that Ctrl-C may leave out."""

REPORTED_CONCERNS = 20
"""Concerns up to which all are reported in full; of more, those of one kind are counted."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """The result of learning.

    Attributes:
        weights: What rankings serve.
        posteriors: Posteriors of the choices alone, without rules.
        transitions: Which item follows which: source, target, weight.
        liking: People's liking of items by the network; None where it does not serve.
        interrupted: Whether Ctrl-C ended a training early, or left something out.
        left_out: The parts that it left out, as their stages are called.
    """

    weights: LearnedWeights
    posteriors: Posteriors
    transitions: pl.DataFrame
    liking: LikingWeights | None
    interrupted: bool
    left_out: tuple[str, ...] = ()


def stage_count(config: RunConfig) -> int:
    """The number of stages that ``learn`` reports."""
    return 4 + config.people + trains_network(config)


def trains_network(config: RunConfig) -> bool:
    """Whether a run has a stage for the network of people and items: it is not off, and it is installed."""
    return config.network is not None and not missing(NETWORK)


def learn(
    graph: KnowledgeGraph,
    ontology: Ontology,
    config: RunConfig,
    source: PriorMeanSource,
    progress: Progress = NO_PROGRESS,
) -> Learned:
    """Learns everything that a graph's events and items determine.

    Once every category has its optimum, Ctrl-C leaves out what comes after it.

    Args:
        graph: Items and events.
        ontology: Categories and rules.
        config: The seed, what is held out, whether people are estimated.
        source: Gives the prior means: ``closed_form``, or that of ``kgrank.learning.run.prior_mean_source``.
        progress: Receives each stage.

    Raises:
        InputError: There is no choice to learn from.
        KeyboardInterrupt: Ctrl-C came before every category had its optimum.
    """
    parts = OptionalParts()
    with interrupts.delayed_signals():
        with interrupts.raised_signals():
            fitted, problems = _fit(graph, ontology, config, source, HeedingProgress(progress))
        return _completed(fitted, problems, graph, ontology, config, parts, progress)


def _fit(
    graph: KnowledgeGraph, ontology: Ontology, config: RunConfig, source: PriorMeanSource, progress: Progress
) -> tuple[ShopFit, tuple[Concern, ...]]:
    """Every category at its optimum, and what is wrong with the data."""
    progress.stage("choice sets of all categories")
    examination = config.data.examination or ()
    shop = read_training_data(graph, ontology, config.seed, examination, partial(progress.step, "categories"))
    progress.note(
        f"{len(shop.log.heads):,} choices, {len(shop.sets)} categories, {len(shop.log.users):,} people"
    )
    problems = concerns(shop.own_choices)
    in_full, counted = in_full_and_counted(problems, REPORTED_CONCERNS)
    for concern in in_full:
        progress.warning(concern.sentence)
    if counted:
        progress.warning(concern_table(counted))
    return fit_shop(shop, graph, ontology, config, source, progress), problems


def _completed(
    fitted: ShopFit,
    problems: tuple[Concern, ...],
    graph: KnowledgeGraph,
    ontology: Ontology,
    config: RunConfig,
    parts: OptionalParts,
    progress: Progress,
) -> Learned:
    """The fits with all that rests on them, as far as Ctrl-C lets it be computed."""
    heeding, shop = HeedingProgress(progress), fitted.shop
    privacy = Privacy(config.privacy.fewest_people, config.privacy.few_in_scores)

    def tastes() -> ShopFit:
        heeding.stage(TASTES)
        return with_tastes(fitted, config.seed, heeding, fewest_people=privacy.fewest_people)

    def evaluation() -> dict[str, float]:
        heeding.stage(FOLLOWING)
        start = {c: fit.part_worths for c, fit in fitted.category_fits.fits.items()}
        steps = partial(heeding.step, "fits without the choices held out")
        means = fitted.prior_means
        evaluated = evaluate(
            shop,
            means.with_choices,
            config.validation,
            config.seed,
            variances=means.variances,
            start=start,
            steps=steps,
        )
        return summary(evaluated)

    def behaviour() -> tuple[BehaviourModel, tuple[str, ...]]:
        steps = partial(heeding.step, "examples of what was taken next")
        return _behaviour(fitted, graph, ontology, config.seed, privacy.fewest_in_scores, steps)

    def liking() -> LikingOutcome:
        heeding.stage(LIKING)
        return learn_liking(fitted, graph, ontology, config, model, heeding)

    if config.people:
        fitted = parts.compute(TASTES, tastes, fitted)
    fitted = with_segment_rules(fitted, ontology, config.seed, progress)
    no_metrics: dict[str, float] = {}
    metrics = parts.compute("evaluation", evaluation, no_metrics)
    if fitted.prior_means.validation_loss is not None:
        metrics["network_val_loss"] = fitted.prior_means.validation_loss
    no_items: tuple[str, ...] = ()
    model, items = parts.compute(FOLLOWING, behaviour, (no_behaviour(), no_items))
    if model.curves:
        metrics["next_log_likelihood"] = model.log_likelihood
    transitions = link_table(model.counts, items, LINKS_PER_ITEM)
    terms = behaviour_terms(model, items)
    network = parts.compute(LIKING, liking, LikingOutcome()) if trains_network(config) else LikingOutcome()
    metrics |= network.metrics
    weights = weights_of(fitted, ontology, model, metrics, terms, fingerprint(graph))
    notes = (*weights.notes, network.sentence) if network.sentence else weights.notes
    weights = replace(weights, concerns=problems, privacy=privacy, notes=notes)
    posteriors = Posteriors(
        weights.version, ontology.fingerprint, config.seed, stored_posteriors(fitted.posteriors)
    )
    left_out = tuple(parts.left_out)
    served = None if network.liking is None else replace(network.liking, version=weights.version)
    return Learned(
        weights=weights,
        posteriors=posteriors,
        transitions=transitions,
        liking=served,
        interrupted=fitted.prior_means.interrupted or bool(left_out),
        left_out=left_out,
    )


def _behaviour(
    fitted: ShopFit, graph: KnowledgeGraph, ontology: Ontology, seed: int, fewest: int, steps: Steps
) -> tuple[BehaviourModel, tuple[str, ...]]:
    """The ranking layer and its items; learned from the whole catalogue where the log has no impressions."""
    shop, log = fitted.shop, read_event_log(graph)
    groups = groupings(graph, ontology, log.items)
    vectors = TitleVectors.of(titles(graph, log.items))
    inside = members(graph, ontology, log.items)
    if not shop.log.has_impressions:
        utility = _item_utility(fitted, ontology, log.items)
        people = log.events.once()
        model = learn_from_catalogue(
            people,
            groups,
            vectors,
            utility=utility,
            inside=inside,
            seed=seed,
            fewest=fewest,
            steps=steps,
        )
        return model, log.items
    part_worths = {c: f.part_worths for c, f in fitted.category_fits.fits.items()}
    choices, users = on_items(shop.own_choices), shop.log.users
    model = learn_from_impressions(
        choices,
        part_worths,
        log,
        users,
        groups,
        vectors,
        inside=inside,
        seed=seed,
        fewest=fewest,
        steps=steps,
    )
    return model, log.items


def _item_utility(fitted: ShopFit, ontology: Ontology, items: Sequence[str]) -> Floats:
    """(items,) the attribute score of each item by the weights of its top category."""
    row_of = {item: row for row, item in enumerate(items)}
    utility = np.zeros(len(items))
    for category, design in fitted.shop.designs.items():
        if ontology.categories[category].parent is None:
            part_worths = served_part_worths(design.layout, fitted)
            rows = [row_of[item] for item in design.items]
            utility[rows] = np.asarray(design.raw @ (design.layout.centring @ part_worths))
    return utility
