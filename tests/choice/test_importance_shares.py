"""Importance on cases that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kgrank.choice.data.design import Block, Layout
from kgrank.choice.importance import importance, shares, spreads
from kgrank.ontology.model import AttributeType


def block(name: str, start: int, items: list[int], *, kind: AttributeType = AttributeType.CHOICE,
          reference: list[bool] | None = None) -> Block:  # fmt: skip
    count = np.array(items)
    counted = np.array(reference) if reference is not None else np.ones(len(items), bool)
    nodes = tuple(f"{name}={i}" for i in range(len(items)))
    return Block(
        attribute=name,
        type=kind,
        start=start,
        nodes=nodes,
        share=count / count.sum(),
        item_count=count,
        reference=counted,
    )


PRICE = Block(
    attribute="price",
    type=AttributeType.NUMBER,
    start=3,
    nodes=("price=*",),
    share=np.zeros(1),
    item_count=np.array([50]),
    reference=np.ones(1, bool),
    centre=50.0,
    scale=10.0,
    p05=20.0,
    p95=80.0,
    minimum=0.0,
    maximum=100.0,
)
LAYOUT = Layout("dresses", (block("color", 0, [30, 19, 1], reference=[True, True, False]), PRICE))


def test_the_range_of_values_is_the_best_less_the_worst_of_those_that_count() -> None:
    spread = spreads(LAYOUT, np.array([1.0, -0.5, -9.0, 0.0]))
    assert spread.tolist() == [1.5, 0.0]


def test_the_full_range_counts_rare_values_too() -> None:
    assert spreads(LAYOUT, np.array([1.0, -0.5, -9.0, 0.0]), full=True).tolist() == [10.0, 0.0]


def test_the_range_of_a_number_is_its_slope_times_what_most_items_span() -> None:
    part_worths = np.array([0.0, 0.0, 0.0, -0.25])
    assert spreads(LAYOUT, part_worths)[1] == pytest.approx(0.25 * 60 / 10)
    assert spreads(LAYOUT, part_worths, full=True)[1] == pytest.approx(0.25 * 100 / 10)


def test_shares_are_ranges_over_their_sum() -> None:
    assert importance(LAYOUT, np.array([1.0, -0.5, 0.0, -0.25])).tolist() == pytest.approx([0.5, 0.5])


def test_where_nothing_matters_the_shares_are_zero_not_nan() -> None:
    assert importance(LAYOUT, np.zeros(4)).tolist() == [0.0, 0.0]


@given(arrays(float, 4, elements=st.floats(-20, 20)), st.floats(-5, 5), st.floats(0.1, 50))
def test_shares_do_not_change_with_origin_or_scale(
    part_worths: np.ndarray, shift: float, scale: float
) -> None:
    before = importance(LAYOUT, part_worths)
    if spreads(LAYOUT, part_worths).sum() < 1e-6:
        return
    moved = part_worths * scale + np.array([shift, shift, shift, 0.0])
    assert importance(LAYOUT, moved) == pytest.approx(before, abs=1e-6)
    assert before.sum() == pytest.approx(1.0)
    assert (before >= 0).all()


def test_torch_gives_what_numpy_gives_also_for_many_draws() -> None:
    draws = np.random.default_rng(0).normal(size=(7, 4))
    shares_ = importance(LAYOUT, torch.from_numpy(draws), xp=torch)
    assert shares_.numpy() == pytest.approx(importance(LAYOUT, draws))
    assert importance(LAYOUT, draws)[3] == pytest.approx(importance(LAYOUT, draws[3]))


def test_shares_of_many_draws_are_taken_draw_by_draw() -> None:
    assert shares(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist() == [[0.25, 0.75], [0.5, 0.5]]
