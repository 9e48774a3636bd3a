"""Rules as regularisers in torch: each kind pulls the part-worths towards where it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from generated_shop import Generated

from kgrank.choice.data.design import category_design
from kgrank.learning.network.penalties import Penalty, penalties
from kgrank.learning.network.tensors import cells, graph_tensors
from kgrank.ontology.model import Rule

RULES = {
    "cheaper": Rule("cheaper", "Monotone", ("dresses",), 0.9, attribute="price", better="Less"),
    "larger": Rule("larger", "Monotone", ("dresses",), 0.9, attribute="size", better="More"),
    "color": Rule("color", "AtLeast", ("dresses",), 0.9, attribute="color", share=0.7),
    "size": Rule("size", "AtMost", ("dresses",), 0.9, attribute="size", share=0.05),
    "price": Rule("price", "About", ("dresses",), 0.9, attribute="price", share=0.6, within=0.05),
    "features": Rule("features", "Irrelevant", ("dresses",), 0.9, attribute="features"),
    "order": Rule("order", "Order", ("dresses",), 0.9, order=("size", "price", "color")),
    "red": Rule("red", "Prefers", ("dresses",), 0.9, attribute="color", values=("green", "red")),
    "alike": Rule("alike", "SameAs", ("dresses",), 0.9, members=("red", "blue")),
}


def penalty(generated: Generated, rule: Rule) -> Penalty:
    graph, known, _ = generated
    design = category_design(graph, known, "dresses")
    known = replace(known, rules={rule.id: rule})
    (found,) = penalties(known, cells([design.layout], graph_tensors(graph)), ["dresses"])
    return found


@pytest.fixture
def start(generated: Generated) -> torch.Tensor:
    """Part-worths for which every rule fails, but not by far."""
    layout = category_design(generated[0], generated[1], "dresses").layout
    said = {"color=red": 0.3, "color=blue": 0.0, "color=green": -0.2, "size=s": 0.2, "size=m": 0.0, "size=l": -0.1,
            "price=*": 0.05, "features=pockets": 0.1, "features=belt": -0.1}  # fmt: skip
    return torch.tensor([said.get(n, 0.0) for n in layout.nodes], dtype=torch.float32)


@pytest.mark.parametrize("name", list(RULES))
def test_descent_on_the_penalty_leads_to_where_the_rule_holds(
    generated: Generated, start: torch.Tensor, name: str
) -> None:
    torch.manual_seed(0)
    one = penalty(generated, RULES[name])
    at = start.clone().requires_grad_(True)
    assert shortfall(one, start) > 0, "the start must break the rule"
    optimizer = torch.optim.Adam([at], lr=0.02)
    before = float(torch.stack([one(start) for _ in range(20)]).mean())
    for _ in range(200):
        optimizer.zero_grad()
        one(at).backward()
        optimizer.step()
    end = at.detach()
    assert float(torch.stack([one(end) for _ in range(20)]).mean()) < before
    assert shortfall(one, end) < shortfall(one, start)
    assert torch.isfinite(end).all()


def shortfall(one: Penalty, part_worths: torch.Tensor) -> float:
    """By how much the one rule of a penalty fails."""
    statements = one.statements
    (failing,) = statements.shortfall(statements.values(part_worths.numpy()[None]), np.array([0]))
    return float(failing)


@pytest.mark.parametrize("name", list(RULES))
def test_a_penalty_is_bounded_however_far_the_rule_fails(
    generated: Generated, start: torch.Tensor, name: str
) -> None:
    torch.manual_seed(0)
    one = penalty(generated, RULES[name])
    far = start + 50.0 * torch.from_numpy(np.sign(np.random.default_rng(1).normal(size=len(start)))).float()
    least, most = (float(-x.log()) for x in (one.up, one.down))
    assert least - 1e-6 <= float(one(far)) <= most + 1e-6


def test_no_penalty_for_a_category_whose_choices_are_hidden(generated: Generated) -> None:
    graph, known, _ = generated
    where = cells([category_design(graph, known, "dresses").layout], graph_tensors(graph))
    assert penalties(replace(known, rules=RULES), where, []) == []
