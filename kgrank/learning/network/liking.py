"""Training of a person's liking of items from the graph of purchases, in three stages.

1. Propagation: the spectrum of the graph, and the vectors of items and groups; nothing is learned from choices.
2. Decoders: a softmax for each category, from the purchases in it.
3. Weights of the layers, of the relations and of the decoders, by the likelihood of later choices, each relation's
   drawn to 0 as far as these ask for it (``term_weights``).

The result is a ``GraphFilter``, which needs no torch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from lightning.fabric import Fabric

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.likelihood import Choices
from kgrank.learning.network.decoders import train_decoders, unit
from kgrank.learning.network.propagation import Propagation
from kgrank.learning.network.purchase_graph import PurchaseGraph
from kgrank.learning.network.term_weights import fit_weights
from kgrank.weights.graph_filter import ITEM, GraphFilter, Relation

DECODED = "category"
"""Name of the relation that is the decoder of the target's category."""

BLOCK = 50_000
"""Rows whose products of coordinates are in memory at once."""


@dataclass(frozen=True)
class LikingSettings:
    """Size of the model.

    Attributes:
        width: Singular vectors.
        layers: Rounds of messages that get a weight, the graph without a round counted.
        decoded: Coordinates of a person that the decoders read; 0 for no decoders.
        ridge: Precision of the decoders' weights, for coordinates of variance 1.
        precision: Of the weights of the terms beside, for terms of variance 1.
        accelerator: Lightning's: auto, cpu, gpu ….
        seed: Of the start of the subspace iteration.
    """

    width: int = 32
    layers: int = 3
    decoded: int = 24
    ridge: float = 100.0
    precision: float = 0.1
    accelerator: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class LaterChoices:
    """Choices after the graph's purchases, by which the weights are learned.

    Attributes:
        choices: Without columns; ``offset`` is the utility without the graph, ``person`` the graph's number of the
            person, -1 for one who is not in it.
        item: (rows,) item numbers.
        beside: (rows, columns) terms whose weights are learned together with those of the graph.
    """

    choices: Choices
    item: Ints
    beside: Floats


@dataclass(frozen=True)
class StageRecord:
    """What one stage of the training took and did."""

    stage: str
    seconds: float
    about: str


@dataclass(frozen=True)
class Liking:
    """A trained model.

    Attributes:
        filter: The vectors with their weights.
        weights: By relation, the weight of each layer; the stationary vector's is the last one of ``item``.
        beside: (columns,) weights of the terms beside.
        log_likelihood: Mean of the choices that the weights are learned on.
        stages: Of the training.
    """

    filter: GraphFilter
    weights: dict[str, tuple[float, ...]]
    beside: Floats
    log_likelihood: float
    stages: tuple[StageRecord, ...]

    def log_likelihoods(self, graph: PurchaseGraph, later: LaterChoices) -> Floats:
        """(choices,) of choices by persons of the graph, as they are served."""
        choices = later.choices
        utility = choices.offset + later.beside @ self.beside
        starts = np.searchsorted(graph.person, np.arange(graph.persons + 1))
        order = np.argsort(choices.person, kind="stable")
        for of_person in np.split(order, np.flatnonzero(np.diff(choices.person[order])) + 1):
            number = choices.person[of_person[0]] if len(of_person) else -1
            if number < 0:
                continue
            edges = slice(starts[number], starts[number + 1])
            person = self.filter.person(graph.item[edges], graph.count[edges])
            rows = choices.rows_of(of_person)
            utility[rows] += self.filter.scores(person, later.item[rows])
        return np.asarray(choices.log_likelihood(utility))


@dataclass(frozen=True)
class _Readable:
    """A relation before its layers are weighted: each band (layers, width) is one term."""

    name: str
    group: Ints
    vectors: Floats
    bands: Floats

    def terms(self, person: Floats, who: Ints, item: Ints) -> Floats:
        """(rows, layers) the terms of pairs of a person and an item."""
        group, width = self.group[item], self.vectors.shape[1]
        terms = np.zeros((len(item), len(self.bands)))
        for first in range(0, len(item), BLOCK):
            rows = slice(first, first + BLOCK)
            known = (who[rows] >= 0) & (group[rows] >= 0)
            product = person[who[rows], :width] * self.vectors[group[rows]]
            terms[rows] = np.where(known[:, None], product @ self.bands.T, 0.0)
        return terms


def without_graph(graph: PurchaseGraph, later: LaterChoices, settings: LikingSettings) -> Liking:
    """The same model without the graph: the weights of the terms beside alone."""
    nothing = np.zeros((graph.items, 0))
    _, beside, log_likelihood = _fit_weights([], np.zeros((graph.persons, 0)), later, settings.precision)
    return Liking(
        GraphFilter(graph.buyers.astype(np.int64), graph.strength, nothing, np.zeros(0), ()),
        {},
        beside,
        log_likelihood,
        stages=(),
    )


def train_liking(graph: PurchaseGraph, later: LaterChoices, settings: LikingSettings) -> Liking:
    """Trains all stages; each runs on the device that Lightning's accelerator names."""
    device = Fabric(accelerator=settings.accelerator, devices=1).device
    records = list[StageRecord]()

    def record(stage: str, began: float, about: str) -> None:
        records.append(StageRecord(stage, round(time.monotonic() - began, 2), f"{about}, on {device}"))

    began = time.monotonic()
    readable, vectors = _propagate(graph, settings, device)
    person, mean = _persons(graph, vectors)
    left_out = "".join(f"; no edges of {name}" for name in graph.without_edges)
    record("propagation", began, f"{len(graph.item):,} edges, {vectors.shape[1]} vectors{left_out}")
    if settings.decoded:
        began = time.monotonic()
        width = min(settings.decoded, vectors.shape[1])
        decoders = train_decoders(graph, vectors, mean, width=width, ridge=settings.ridge, device=device)
        decoded = _Readable(DECODED, np.arange(graph.items), decoders, np.ones((1, width)))
        readable = [*readable, decoded]
        record("decoders", began, f"{decoders.size:,} parameters")
    began = time.monotonic()
    weights, beside, log_likelihood = _fit_weights(readable, person, later, settings.precision)
    record(
        "weights", began, f"{sum(map(len, weights)) + len(beside)} weights, {len(later.choices):,} choices"
    )
    relations = tuple(
        Relation(one.name, one.group, one.vectors * (weight @ one.bands), graph.people_of(one.group))
        for one, weight in zip(readable, weights, strict=True)
    )
    learned = GraphFilter(graph.buyers.astype(np.int64), graph.strength, vectors, mean, relations)
    by_name = {one.name: tuple(weight.tolist()) for one, weight in zip(readable, weights, strict=True)}
    return Liking(learned, by_name, beside, log_likelihood, tuple(records))


def _propagate(
    graph: PurchaseGraph, settings: LikingSettings, device: torch.device
) -> tuple[list[_Readable], Floats]:
    """The relations of the targets, and (items, width) the items' vectors as parts of a history."""
    propagation = Propagation(graph.hetero(device))
    spectrum = propagation.spectrum(settings.width, settings.seed)
    bands = spectrum.bands(settings.layers)
    stationary = torch.zeros_like(bands[:1])
    stationary[0, 0] = 1.0
    by_relation = propagation(spectrum)
    groups = {ITEM: np.arange(graph.items), **graph.groups}
    readable = [
        _Readable(
            name,
            groups[name],
            vectors.cpu().numpy(),
            (torch.cat([bands, stationary]) if name == ITEM else bands).cpu().numpy(),
        )
        for name, vectors in by_relation.items()
    ]
    return readable, spectrum.items.cpu().numpy()


def _persons(graph: PurchaseGraph, vectors: Floats) -> tuple[Floats, Floats]:
    """(persons, width) at length 1 or, without a purchase, zeros; and (width,) the mean taken off before."""
    bought = graph.lengths > 0
    person = np.asarray(graph.histories @ vectors)
    person[bought] /= graph.lengths[bought, None]
    mean = person[bought].mean(0)
    person[bought] = unit(person[bought] - mean)
    return person, mean


def _fit_weights(
    readable: Sequence[_Readable], person: Floats, later: LaterChoices, precision: float
) -> tuple[list[Floats], Floats, float]:
    """The weights of each relation's layers and of the terms beside, and the mean log-likelihood."""
    choices = later.choices
    who = choices.person[choices.choice]
    terms = [one.terms(person, who, later.item) for one in readable]
    learned = fit_weights(choices, later.beside, terms, precision)
    return list(learned.groups), learned.beside, learned.log_likelihood
