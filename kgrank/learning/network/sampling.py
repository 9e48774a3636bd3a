"""Neighbour sampling: the part of a large graph that sends messages to given nodes, a few neighbours each.

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
        nodes: By label the numbers of the nodes in the whole graph, the seeds first.
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
    """The nodes that send messages to ``seeds`` over so many hops.

    A node with more than ``fanout`` neighbours over an edge type gets messages from that many draws, with
    replacement: their mean is unbiased for the mean of all (Hamilton, Ying and Leskovec 2017). One with fewer
    gets messages from all, so a fan-out above every degree gives what the whole graph gives.

    Args:
        tensors: The whole graph.
        seeds: Distinct numbers of the nodes to compute, by label.
        fanout: Draws for each node and edge type.
        hops: Rounds of message passing.
        random: Generator of the draws.
    """
    index = {label: np.full(count, -1, np.int64) for label, count in tensors.size.items()}
    nodes: dict[str, list[Ints]] = {label: [] for label in tensors.size}
    reached = dict.fromkeys(tensors.size, 0)
    edges: dict[EdgeKind, list[tuple[Ints, Ints]]] = {kind: [] for kind in tensors.adjacency}

    def enter(label: str, numbers: Ints) -> Ints:
        new = np.unique(numbers[index[label][numbers] < 0])
        index[label][new] = reached[label] + np.arange(len(new))
        reached[label] += len(new)
        nodes[label].append(new)
        return new

    for label, numbers in seeds.items():
        index[label][numbers] = np.arange(len(numbers))
        reached[label] = len(numbers)
        nodes[label].append(numbers)
    frontier = {label: np.asarray(seeds.get(label, ()), np.int64) for label in tensors.size}
    for _ in range(hops):
        new: dict[str, list[Ints]] = {label: [] for label in tensors.size}
        for kind, matrix in tensors.adjacency.items():
            target, source = _drawn(matrix, frontier[kind[2]], fanout, random)
            edges[kind].append((target, source))
            new[kind[0]].append(enter(kind[0], source))
        frontier = {label: np.concatenate([np.empty(0, np.int64), *parts]) for label, parts in new.items()}
    adjacency = {}
    for kind, parts in edges.items():
        target, source = (np.concatenate(ends) for ends in zip(*parts, strict=True))
        shape = reached[kind[2]], reached[kind[0]]
        adjacency[kind] = averaging(index[kind[2]][target], index[kind[0]][source], *shape)
    ids = {label: np.concatenate([np.empty(0, np.int64), *parts]) for label, parts in nodes.items()}
    return Sample(ids, replace(tensors, size=reached, number={}, adjacency=adjacency))


def _drawn(
    matrix: torch.Tensor, targets: Ints, fanout: int, random: np.random.Generator
) -> tuple[Ints, Ints]:
    """Edges (targets, sources) from all neighbours of each target, or from draws where there are many."""
    start, column = matrix.crow_indices().numpy(), matrix.col_indices().numpy()
    first, degree = start[targets], np.diff(start)[targets]
    few = degree <= fanout
    complete, _ = gather(first[few], degree[few])
    many = np.flatnonzero(~few)
    drawn = first[many, None] + random.integers(0, degree[many, None], (len(many), fanout))
    edges = np.concatenate([complete, drawn.ravel()])
    target = np.concatenate([np.repeat(targets[few], degree[few]), np.repeat(targets[many], fanout)])
    return target, column[edges]
