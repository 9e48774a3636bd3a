"""Neighbour sampling: the whole graph's word where all are heard, and bounded memory where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from generated_shop import Generated

from kgrank.learning.network.model import PartWorthNetwork
from kgrank.learning.network.sampling import sample
from kgrank.learning.network.tensors import LABELS, Cells, GraphTensors, averaging, cells, graph_tensors
from kgrank.learning.training_data import read_training_data

HEARD = ("Category", "Attribute", "AttributeValue")


def network(tensors: GraphTensors, where: Cells, fanout: int | None) -> PartWorthNetwork:
    torch.manual_seed(0)
    made = PartWorthNetwork(tensors, where, torch.zeros(where.width), 8, 2, 0.0, fanout)
    torch.nn.init.ones_(made.read[-1].weight)  # the last layer starts at zero, and would say nothing
    return made.train()


def of_shop(generated: Generated) -> tuple[GraphTensors, Cells]:
    graph, known = generated[:2]
    tensors = graph_tensors(graph)
    return tensors, cells([d.layout for d in read_training_data(graph, known, 0).designs.values()], tensors)


def test_with_all_neighbours_the_sample_says_what_the_whole_graph_says(generated: Generated) -> None:
    tensors, where = of_shop(generated)
    whole, sampled = (network(tensors, where, fanout) for fanout in (None, 10_000))
    torch.testing.assert_close(sampled(), whole())
    for made in (whole, sampled):
        made().square().sum().backward()
    for (name, one), other in zip(whole.named_parameters(), sampled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)


def test_a_few_neighbours_say_the_same_on_average(generated: Generated) -> None:
    tensors, _ = of_shop(generated)
    kind = ("Item", "HAS_VALUE", "AttributeValue")
    heard = tensors.adjacency[kind].to_dense().numpy()
    seeds = {"AttributeValue": np.arange(heard.shape[0])}
    total = np.zeros_like(heard)
    for seed in range(400):
        part = sample(tensors, seeds, 2, 1, np.random.default_rng(seed))
        total[:, part.nodes["Item"]] += part.tensors.adjacency[kind].to_dense().numpy()
    assert np.abs(total / 400 - heard).max() < 0.12
    assert part.tensors.adjacency[kind].to_dense().count_nonzero(1).max() <= 2


def test_after_training_the_whole_graph_is_heard(generated: Generated) -> None:
    tensors, where = of_shop(generated)
    whole, sampled = (network(tensors, where, fanout).eval() for fanout in (None, 2))
    torch.testing.assert_close(sampled(), whole())


def large(items: int) -> tuple[GraphTensors, Cells]:
    """A shop of 3 categories, 5 attributes and 50 values, and of any number of items, with 5 values each."""
    size = dict(zip(LABELS, (3, 5, 50, 20, items, items), strict=True))
    random = np.random.default_rng(0)
    adjacency = {}
    for source, name, target, each in (
        ("Item", "IN_CATEGORY", "Category", 1),
        ("Item", "HAS_VALUE", "AttributeValue", 5),
        ("User", "INTERACTED", "Item", 3),
    ):
        one = np.repeat(np.arange(items), each)
        other = random.integers(0, size[target], items * each)
        adjacency[source, name, target] = averaging(other, one, size[target], size[source])
        adjacency[target, f"{name}_BACK", source] = averaging(one, other, size[source], size[target])
    category, attribute, value = (torch.arange(150) % size[label] for label in HEARD)
    return GraphTensors(size, {}, adjacency), Cells((), (), category, attribute, value)


def kept_for_the_way_back(made: PartWorthNetwork) -> int:
    """Bytes that a training step keeps until its gradient."""
    total = 0

    def keep(tensor: torch.Tensor) -> Any:
        nonlocal total
        if tensor.layout is torch.strided:
            total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        made()
    return total


@pytest.mark.parametrize("items", [20_000, 80_000])
def test_the_memory_of_a_sampled_step_does_not_grow_with_the_graph(items: int) -> None:
    small, bound = large(5_000), 8_000_000
    assert kept_for_the_way_back(network(*small, 5)) < bound
    assert kept_for_the_way_back(network(*large(items), 5)) < bound
    assert kept_for_the_way_back(network(*large(items), None)) > 4 * items * 8
    assert items < 80_000 or kept_for_the_way_back(network(*large(items), None)) > 4 * bound
