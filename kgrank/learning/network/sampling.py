"""Neighbour sampling: the part of a large graph that some nodes hear from, a few neighbours a node and edge type.

Torch-geometric's own loader needs pyg-lib, which is not on the package index; this one needs numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from kgrank.arrays import Ints
from kgrank.choice.data.ragged import gather
from kgrank.learning.network.tensors import EdgeKind, GraphTensors, averaging


@dataclass(frozen=True)
class Sample:
    """A part of a graph.

    Attributes:
        nodes: By label the numbers of the nodes in the whole graph, those asked for first.
        tensors: Their edges, rows adding up to 1.
    """

    nodes: Mapping[str, Ints]
    tensors: GraphTensors


def edge_count(tensors: GraphTensors) -> int:
    """Edges that carry messages, each way counted."""
    return sum(int(matrix.values().numel()) for matrix in tensors.adjacency.values())


def sample(
    tensors: GraphTensors,
    seeds: Mapping[str, Ints],
    fanout: int,
    hops: int,
    random: np.random.Generator,
) -> Sample:
    """The nodes that ``seeds`` hear from over so many hops.

    A node with more than ``fanout`` neighbours over an edge type hears from that many draws of them, with
    replacement: their mean is unbiased for the mean of all (Hamilton, Ying and Leskovec 2017). One with fewer
    hears from all, so a fan-out above every degree gives what the whole graph gives.

    Args:
        tensors: The whole graph.
        seeds: Distinct numbers of the nodes asked for, by label.
        fanout: Draws a node and edge type.
        hops: Rounds of message passing.
        random: Of the draws.
    """
    place = {label: np.full(count, -1, np.int64) for label, count in tensors.size.items()}
    nodes: dict[str, list[Ints]] = {label: [] for label in tensors.size}
    reached = dict.fromkeys(tensors.size, 0)
    edges: dict[EdgeKind, list[tuple[Ints, Ints]]] = {kind: [] for kind in tensors.adjacency}

    def enter(label: str, found: Ints) -> Ints:
        new = np.unique(found[place[label][found] < 0])
        place[label][new] = reached[label] + np.arange(len(new))
        reached[label] += len(new)
        nodes[label].append(new)
        return new

    for label, asked in seeds.items():
        place[label][asked] = np.arange(len(asked))
        reached[label] = len(asked)
        nodes[label].append(asked)
    frontier = {label: np.asarray(seeds.get(label, ()), np.int64) for label in tensors.size}
    for _ in range(hops):
        new: dict[str, list[Ints]] = {label: [] for label in tensors.size}
        for kind, matrix in tensors.adjacency.items():
            target, source = _drawn(matrix, frontier[kind[2]], fanout, random)
            edges[kind].append((target, source))
            new[kind[0]].append(enter(kind[0], source))
        frontier = {label: np.concatenate([np.empty(0, np.int64), *found]) for label, found in new.items()}
    adjacency = {}
    for kind, parts in edges.items():
        target, source = (np.concatenate(ends) for ends in zip(*parts, strict=True))
        shape = reached[kind[2]], reached[kind[0]]
        adjacency[kind] = averaging(place[kind[2]][target], place[kind[0]][source], *shape)
    ids = {label: np.concatenate([np.empty(0, np.int64), *found]) for label, found in nodes.items()}
    return Sample(ids, replace(tensors, size=reached, number={}, adjacency=adjacency))


def _drawn(
    matrix: torch.Tensor, targets: Ints, fanout: int, random: np.random.Generator
) -> tuple[Ints, Ints]:
    """Edges (targets, sources) from all neighbours of each target, or from draws of them where they are many."""
    start, column = matrix.crow_indices().numpy(), matrix.col_indices().numpy()
    first, degree = start[targets], np.diff(start)[targets]
    few = degree <= fanout
    all_, _ = gather(first[few], degree[few])
    many = np.flatnonzero(~few)
    drawn = first[many, None] + random.integers(0, degree[many, None], (len(many), fanout))
    at = np.concatenate([all_, drawn.ravel()])
    target = np.concatenate([np.repeat(targets[few], degree[few]), np.repeat(targets[many], fanout)])
    return target, column[at]
