"""Training of a person's liking of items from the graph of purchases, in three stages.

1. Propagation: the spectrum of the graph, and the vectors of items and groups; nothing is learned from choices.
2. Decoders: a softmax for each category, from the purchases in it.
3. Weights of the layers, of the relations and of the decoders, by the likelihood of later choices, each relation's
   drawn to 0 as far as these ask for it (``term_weights``).

The result is a ``GraphFilter``, which needs no torch.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from kgrank.arrays import Floats, Ints
from kgrank.learning.liking.later_choices import LaterChoices
from kgrank.learning.liking.settings import LikingSettings
from kgrank.learning.network.decoders import train_decoders, unit
from kgrank.learning.network.device import device_of
from kgrank.learning.network.propagation import Propagation
from kgrank.learning.network.purchase_graph import PurchaseGraph
from kgrank.learning.network.term_weights import fit_weights
from kgrank.weights.graph_filter import ITEM, GraphFilter, Relation

DECODED = "category"
"""Name of the relation that is the decoder of the target's category."""

BLOCK = 50_000
"""Rows whose products of coordinates are in memory at once."""


@dataclass(frozen=True)
class StageRecord:
    """What one stage of the training took and did.

    Attributes:
        stage: Its name.
        seconds: That it took.
        about: What it did, and where.
        edges: Edges of the graph that it went through; 0 where it did not read the graph.
    """

    stage: str
    seconds: float
    about: str
    edges: int = 0

    @property
    def throughput(self) -> float:
        """Edges a second."""
        return self.edges / max(self.seconds, 0.01)

    @property
    def sentence(self) -> str:
        """In one line."""
        rate = f", {self.throughput:,.0f} edges/s" if self.edges else ""
        return f"network, {self.stage}: {self.about}, {self.seconds:.1f} s{rate}"


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
        utility += self.scores(graph, choices.person[choices.choice], later.item)
        return np.asarray(choices.log_likelihood(utility))

    def scores(self, graph: PurchaseGraph, person: Ints, item: Ints) -> Floats:
        """(rows,) of pairs of a person of the graph (-1 for another one) and an item, as they are served."""
        scores = np.zeros(len(item))
        starts = np.searchsorted(graph.person, np.arange(graph.persons + 1))
        order = np.argsort(person, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(person[order])) + 1):
            number = person[rows[0]] if len(rows) else -1
            if number >= 0:
                edges = slice(starts[number], starts[number + 1])
                vector = self.filter.person(graph.item[edges], graph.count[edges])
                scores[rows] = self.filter.scores(vector, item[rows])
        return scores


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


@dataclass(frozen=True)
class _Read:
    """A graph before its relations are weighted.

    Attributes:
        relations: Of the targets.
        vectors: (items, width) of the items as parts of a history.
        person: (persons, width) everyone's vector.
        mean: (width,) of all persons before they are centred.
        stages: What it took.
    """

    relations: tuple[_Readable, ...]
    vectors: Floats
    person: Floats
    mean: Floats
    stages: tuple[StageRecord, ...]


def train_liking(
    graph: PurchaseGraph,
    later: LaterChoices,
    settings: LikingSettings,
    device: torch.device | None = None,
) -> Liking:
    """Trains all stages.

    Args:
        graph: Purchases.
        later: Choices after them, by which the weights are learned.
        settings: Size of the model.
        device: Of every stage; by default the one that Lightning's accelerator names.
    """
    read = _read(graph, settings, device or device_of(settings.accelerator))
    began = time.monotonic()
    weights, beside, log_likelihood = _fit_weights(read.relations, read.person, later, settings.precision)
    about = f"{sum(map(len, weights)) + len(beside)} weights, {len(later.choices):,} choices, on cpu"
    record = StageRecord("weights", round(time.monotonic() - began, 2), about)
    by_name = {one.name: tuple(weight.tolist()) for one, weight in zip(read.relations, weights, strict=True)}
    return Liking(_weighted(graph, read, by_name), by_name, beside, log_likelihood, (*read.stages, record))


def with_graph(
    liking: Liking, graph: PurchaseGraph, settings: LikingSettings, device: torch.device | None = None
) -> Liking:
    """The model with the weights that it has, and the vectors and decoders of another graph.

    Relations that the weights were not learned with are left out.
    """
    read = _read(graph, settings, device or device_of(settings.accelerator))
    return replace(liking, filter=_weighted(graph, read, liking.weights), stages=read.stages)


def _read(graph: PurchaseGraph, settings: LikingSettings, device: torch.device) -> _Read:
    """Propagation and decoders."""
    began = time.monotonic()
    relations, vectors = _propagate(graph, settings, device)
    person, mean = _persons(graph, vectors)
    edges = len(graph.item)
    left_out = "".join(f"; no edges of {name}" for name in graph.without_edges)
    about = f"{edges:,} edges, {vectors.shape[1]} vectors{left_out}, on {device}"
    records = [StageRecord("propagation", round(time.monotonic() - began, 2), about, edges)]
    if settings.decoded:
        began = time.monotonic()
        width = min(settings.decoded, vectors.shape[1])
        decoders = train_decoders(graph, vectors, mean, width=width, ridge=settings.ridge, device=device)
        relations = [*relations, _Readable(DECODED, np.arange(graph.items), decoders, np.ones((1, width)))]
        about = f"{decoders.size:,} parameters, on {device}"
        records.append(StageRecord("decoders", round(time.monotonic() - began, 2), about, edges))
    return _Read(tuple(relations), vectors, person, mean, tuple(records))


def _weighted(graph: PurchaseGraph, read: _Read, weights: Mapping[str, Sequence[float]]) -> GraphFilter:
    """The filter with the weights of each relation's layers, by name."""
    relations = tuple(
        Relation(
            one.name,
            one.group,
            one.vectors * (np.array(weights[one.name]) @ one.bands),
            graph.people_of(one.group),
        )
        for one in read.relations
        if one.name in weights
    )
    people = graph.buyers.astype(np.int64)
    return GraphFilter(people, graph.strength, read.vectors, read.mean, relations)


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
