"""From a graph to learned weights: the fits, the ranking layer, the result. No files, no store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from lightning.pytorch.loggers import Logger

from kgrank.arrays import Floats
from kgrank.choice.behaviour.additive import BehaviourModel, behaviour_terms
from kgrank.choice.behaviour.counts import LINKS_PER_ITEM, link_table
from kgrank.choice.behaviour.event_log import EventLog, read_event_log
from kgrank.choice.behaviour.examples_from_catalogue import learn_from_catalogue
from kgrank.choice.behaviour.examples_from_impressions import learn_from_impressions
from kgrank.choice.behaviour.groupings import groupings, members, titles
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.choice.logit.choice_sets import on_items
from kgrank.choice.logit.diagnostics import concerns
from kgrank.choice.rules.stored import stored_posteriors
from kgrank.graph.fingerprint import fingerprint
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.fit import ShopFit, fit_shop
from kgrank.learning.held_out import evaluate, summary
from kgrank.learning.result import served_part_worths, weights_of
from kgrank.learning.shop import read_training_data
from kgrank.ontology.model import Ontology
from kgrank.weights.model import LearnedWeights
from kgrank.weights.posteriors import Posteriors

SAID = 20
"""Concerns that are reported at most; all are kept with the weights."""


@dataclass(frozen=True)
class Learned:
    """The weights, the posteriors of the choices alone, and the transitions (source, target, weight)."""

    weights: LearnedWeights
    posteriors: Posteriors
    transitions: pl.DataFrame
    interrupted: bool


def learn(
    graph: KnowledgeGraph,
    ontology: Ontology,
    config: RunConfig,
    *,
    logger: Logger | bool = False,
    checkpoints: Path | None = None,
    resume: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Learned:
    """Learns everything there is to learn from a graph."""
    shop = read_training_data(graph, ontology, config.seed, config.data.examination or ())
    report(f"{len(shop.log.heads):,} choices, {len(shop.sets)} categories, {len(shop.log.users):,} people")
    doubts = concerns(shop.own_choices)
    for concern in doubts[:SAID]:
        report(f"warning: {concern.sentence}")
    if len(doubts) > SAID:
        report(f"warning: {len(doubts) - SAID:,} more of the kind; `kgrank importance CATEGORY` shows them")
    fitted = fit_shop(
        shop, graph, ontology, config, logger=logger, checkpoints=checkpoints, resume=resume, report=report
    )
    report("what goes after what")
    metrics = summary(evaluate(shop, fitted.priors, config))
    network = fitted.network
    if network is not None and network.loss is not None:
        metrics["network_val_loss"] = network.loss
    learned, log = _behaviour(fitted, graph, ontology, config.seed)
    if learned.curves:
        metrics["next_log_likelihood"] = learned.log_likelihood
    links = link_table(learned.counts, log.items, LINKS_PER_ITEM)
    behaviour = behaviour_terms(learned, log.items)
    weights = replace(
        weights_of(fitted, ontology, learned, metrics, behaviour, fingerprint(graph)), concerns=doubts
    )
    posteriors = Posteriors(
        weights.version, ontology.fingerprint, config.seed, stored_posteriors(fitted.posteriors)
    )
    return Learned(weights, posteriors, links, network is not None and network.interrupted)


def _behaviour(
    fitted: ShopFit, graph: KnowledgeGraph, ontology: Ontology, seed: int
) -> tuple[BehaviourModel, EventLog]:
    """The ranking layer: where the log does not say what was shown, a whole shop is ranked."""
    shop, log = fitted.shop, read_event_log(graph)
    groups = groupings(graph, ontology, log.items)
    words = TitleVectors.of(titles(graph, log.items))
    inside = members(graph, ontology, log.items)
    if not shop.log.has_impressions:
        utility = _item_utility(fitted, ontology, log.items)
        people = log.events.once()
        return learn_from_catalogue(people, groups, words, utility=utility, inside=inside, seed=seed), log
    part_worths = {c: f.part_worths for c, f in fitted.category_fits.fits.items()}
    home, users = on_items(shop.own_choices), shop.log.users
    return learn_from_impressions(home, part_worths, log, users, groups, words, inside=inside, seed=seed), log


def _item_utility(fitted: ShopFit, ontology: Ontology, items: Sequence[str]) -> Floats:
    """(items,) the attribute score of each item by the weights of the top category that it stands in."""
    place_of = {item: k for k, item in enumerate(items)}
    found = np.zeros(len(items))
    for category, design in fitted.shop.designs.items():
        if ontology.categories[category].parent is None:
            part_worths = served_part_worths(design.layout, fitted)
            rows = [place_of[item] for item in design.items]
            found[rows] = np.asarray(design.raw @ (design.layout.centring @ part_worths))
    return found
