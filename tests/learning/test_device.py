"""Tensors follow the model to its device. Without an accelerator here, torch's meta device stands for one: an
operation that mixes it with the processor is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from generated_shop import Generated

from kgrank.learning.network.penalties import inheritances, penalties
from kgrank.learning.network.tensors import batch, cells, choice_rows, graph_tensors
from kgrank.learning.training_data import read_training_data
from kgrank.ontology.model import Rule

TOP = ("clothing", "shoes")
RULES = (
    Rule("monotone", "Monotone", TOP, 0.9, attribute="price", better="Less"),
    Rule("order", "Order", TOP, 0.9, order=("price", "size")),
    Rule("about", "About", TOP, 0.9, attribute="size", share=0.3, within=0.1),
    Rule("prefers", "Prefers", TOP, 0.9, attribute="color", values=("red", "blue")),
    Rule("irrelevant", "Irrelevant", TOP, 0.9, attribute="features"),
    Rule("inherits", "Inherits", ("dresses", "shirts"), 0.9, attribute="size"),
)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_rules_act_on_the_device_of_the_part_worths(generated: Generated, device: str) -> None:
    graph, known = generated[:2]
    known = replace(known, rules={r.id: r for r in RULES})
    shop = read_training_data(graph, known, 0)
    where = cells([d.layout for d in shop.designs.values()], graph_tensors(graph))
    acting = [
        *penalties(known, where, list(shop.own_choices)),
        *inheritances(known, where, list(shop.own_choices)),
    ]
    assert acting
    part_worths = torch.zeros(where.width, device=device, requires_grad=True)
    torch.stack([rule(part_worths) for rule in acting]).sum().backward()
    assert part_worths.grad is not None
    assert part_worths.grad.device.type == device


def test_choices_move_to_a_device_whole(generated: Generated) -> None:
    graph, known = generated[:2]
    shop = read_training_data(graph, known, 0)
    where = cells([d.layout for d in shop.designs.values()], graph_tensors(graph))
    some = batch(choice_rows(list(shop.own_choices.values()), where), np.arange(10)).to(torch.device("meta"))
    assert {getattr(some, name).device.type for name in some.__dataclass_fields__} == {"meta"}
