"""The stage of a run that learns people's liking of items from the graph of purchases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.additive import BehaviourModel
from kgrank.choice.behaviour.event_log import read_event_log
from kgrank.errors import WeightsError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.configuration.config import NetworkConfig, RunConfig
from kgrank.learning.fit import ShopFit
from kgrank.learning.liking.beside_history import weight_beside_history
from kgrank.learning.liking.earlier_tastes import earlier_tastes
from kgrank.learning.liking.enough import too_small
from kgrank.learning.liking.later_choices import (
    LaterChoices,
    choices_of_items,
    cuts,
    later_choices,
    people_in,
)
from kgrank.learning.liking.purchases import Purchases, drawn_persons, read_purchases
from kgrank.learning.liking.settings import LikingSettings
from kgrank.learning.liking.size import graph_size, pairs_that_fit
from kgrank.learning.memory import available_memory
from kgrank.learning.reporting.progress import NO_PROGRESS, Progress
from kgrank.ontology.model import Ontology
from kgrank.weights.liking import LikingWeights
from kgrank.weights.liking_file import liking_document, liking_of
from kgrank.weights.model import Privacy

if TYPE_CHECKING:
    from kgrank.learning.network.liking import Liking, StageRecord
    from kgrank.learning.network.purchase_graph import PurchaseGraph

STAYS_OUT = "the network stays out: "


@dataclass(frozen=True)
class LikingOutcome:
    """What became of the network of people and items in a run.

    Attributes:
        liking: What is served; None where it does not win, or was not trained.
        sentence: What it brought, or why it stays out, in one line; empty where nobody asked.
        metrics: Of the comparison, where there was one.
    """

    liking: LikingWeights | None = None
    sentence: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Data:
    """Purchases before a time, and the choices after it.

    Attributes:
        purchases: All, of everybody.
        persons: Who are in the graph; None for everybody.
        after: The time up to which the graph has purchases.
        weights: Choices that the weights are learned on.
        held_out: Choices after these.
        sampled: How many persons were drawn of how many; empty where all count.
    """

    purchases: Purchases
    persons: Ints | None
    after: float
    weights: LaterChoices
    held_out: LaterChoices
    sampled: str


def liking_settings(network: NetworkConfig, seed: int) -> LikingSettings:
    """The size of a run's network."""
    return LikingSettings(
        width=network.width,
        layers=network.layers,
        decoded=network.decoded,
        ridge=network.ridge,
        precision=network.precision,
        accelerator=network.accelerator,
        seed=seed,
    )


def learn_liking(
    fitted: ShopFit,
    graph: KnowledgeGraph,
    ontology: Ontology,
    config: RunConfig,
    model: BehaviourModel,
    progress: Progress = NO_PROGRESS,
) -> LikingOutcome:
    """Trains the network on earlier purchases, compares it on later choices, and serves it if it wins.

    Torch is loaded where there are enough people, and not before.

    Args:
        fitted: The fits, with the population of tastes.
        graph: Items and events.
        ontology: Categories and attributes.
        config: With a network.
        model: The terms of a history, beside which the liking has a weight of its own.
        progress: Receives a note of what the network brought, and of each of its stages.
    """
    network = config.network
    if network is None:
        return LikingOutcome()
    settings = liking_settings(network, config.seed)
    data = _data(fitted, graph, ontology, config, settings)
    if isinstance(data, str):
        progress.note(STAYS_OUT + data)
        return LikingOutcome(sentence=STAYS_OUT + data)
    from kgrank.learning.network.comparison import compare
    from kgrank.learning.network.device import device_of
    from kgrank.learning.network.liking import with_graph

    device = device_of(settings.accelerator, progress)
    early = _purchase_graph(data, config, until=data.after)
    comparison = compare(early, data.weights, data.held_out, settings, device)
    sentence, trained = comparison.sentence + data.sampled, comparison.liking
    if trained is None:
        progress.note(sentence)
        return LikingOutcome(sentence=sentence)
    records, liking = trained.stages, None
    if comparison.serves:
        final = with_graph(trained, _purchase_graph(data, config), settings, device)
        records += final.stages
        weight = _beside_history(fitted, graph, model, data, trained, early)
        try:
            liking = _served(final, data.purchases, weight, (sentence, *(r.sentence for r in records)))
        except WeightsError as error:
            sentence = f"{STAYS_OUT}{error.problem}"
    for record in records:
        progress.note(record.sentence)
    progress.note(sentence)
    _log(records, network, Path(config.out))
    metrics = {
        "network_gain": comparison.gain,
        "network_gain_error": comparison.error,
        "network_gain_shuffled": comparison.shuffled,
    }
    return LikingOutcome(liking, sentence, metrics)


def _beside_history(
    fitted: ShopFit,
    graph: KnowledgeGraph,
    model: BehaviourModel,
    data: _Data,
    trained: Liking,
    early: PurchaseGraph,
) -> float:
    """The weight beside the terms of a history, by the graph of the purchases before the choices."""
    log = read_event_log(graph)
    # Both number the items of the catalogue in the order of their ids.
    assert log.items == data.purchases.items

    def scores(person: Ints, item: Ints) -> Floats:
        return trained.scores(early, person, item)

    return weight_beside_history(fitted, log, model, data.after, scores)


def _data(
    fitted: ShopFit, graph: KnowledgeGraph, ontology: Ontology, config: RunConfig, settings: LikingSettings
) -> _Data | str:
    """Purchases and later choices, or why there is nothing to learn from."""
    assert config.network is not None
    purchases = read_purchases(graph, ontology, fitted.shop.log.users)
    sets = choices_of_items(fitted)
    cut = cuts(sets)
    before = purchases if cut is None else purchases.take(purchases.time <= cut.graph)
    spans = () if cut is None else ((cut.graph, cut.weights), (cut.weights, float("inf")))
    later = [people_in(sets, span) for span in spans] or [0, 0]
    reason = too_small(before.person, before.item, before.category, later)
    if cut is None or reason is not None:
        return reason or ""
    size = graph_size(purchases)
    fitting = pairs_that_fit(size, settings, available_memory(), config.network.sample_above)
    if not fitting:
        return f"the vectors of {size.items:,} items do not fit into memory"
    persons = drawn_persons(purchases, fitting, config.seed)
    sampled = (
        "" if persons is None else f", from {len(persons):,} of {size.persons:,} people, drawn at random"
    )
    tastes = earlier_tastes(fitted, cut.graph)
    weights, held_out = (
        later_choices(fitted, before, sets, tastes, span, config.seed + k) for k, span in enumerate(spans)
    )
    return _Data(purchases, persons, cut.graph, weights, held_out, sampled)


def _purchase_graph(data: _Data, config: RunConfig, until: float = float("inf")) -> PurchaseGraph:
    """The graph of the purchases up to a time; where few people must not count, without what only they bought."""
    purchases = data.purchases.take(data.purchases.time <= until)
    privacy = Privacy(config.privacy.fewest_people, config.privacy.few_in_scores)
    purchases = purchases.of_enough_people(privacy.fewest_in_scores)
    if data.persons is not None:
        purchases = purchases.take(np.isin(purchases.person, data.persons))
    return graph_of(purchases)


def graph_of(purchases: Purchases) -> PurchaseGraph:
    """The purchases as a graph for torch-geometric."""
    from kgrank.learning.network.purchase_graph import PurchaseGraph

    return PurchaseGraph.of(
        purchases.person, purchases.item, purchases.persons, purchases.category, purchases.attributes
    )


def _served(final: Liking, purchases: Purchases, weight: float, notes: tuple[str, ...]) -> LikingWeights:
    """What is served of a model, by everybody's purchases.

    Raises:
        WeightsError: A number is NaN or infinite.
    """
    counted = graph_of(purchases)
    liking = LikingWeights(
        version="",
        items=purchases.items,
        filter=final.filter,
        popularity=float(final.beside[0]),
        few_buyers=float(final.beside[1]),
        beside_history=weight,
        kinds=purchases.kinds,
        notes=notes,
    )
    # Who was not drawn, and what few people bought, counts in how many people bought something.
    groups = {r.name: counted.people_of(r.group) for r in final.filter.relations}
    liking = liking.with_people(counted.buyers.astype(np.int64), groups).of_known_items()
    # Numbers are kept in 32 bits: what is handed on is what will be read.
    return liking_of(liking_document(liking))


def _log(records: Sequence[StageRecord], network: NetworkConfig, out: Path) -> None:
    """Writes the records of the stages for TensorBoard or Weights & Biases, where that is asked for."""
    from kgrank.learning.network.trainer import training_logger

    logger = training_logger(network.logger, out)
    if isinstance(logger, bool):
        return
    for step, record in enumerate(records):
        values = {f"{record.stage}/seconds": record.seconds}
        if record.edges:
            values[f"{record.stage}/edges_per_second"] = record.throughput
        logger.log_metrics(values, step)
    logger.finalize("success")
