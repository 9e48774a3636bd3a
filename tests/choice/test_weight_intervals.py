"""Intervals of weights hold the truth: where it is 0, where levels are many, where data are few."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Layout
from kgrank.choice.importance import importance
from kgrank.choice.share_intervals import DEVIATIONS, MATTERS, SCALES, intervals, quantiles, shrunken_levels
from kgrank.ontology.model import AttributeType

LEVELS = (1, 2, 4, 10)


def layout() -> Layout:
    """A number and choices of 2, 4 and 10 values."""
    blocks, start = [], 0
    for size in LEVELS:
        number = size == 1
        items = np.full(size, 20)
        nodes = tuple(f"a{size}={k}" for k in range(size))
        blocks.append(
            Block(
                attribute=f"a{size}",
                type=AttributeType.NUMBER if number else AttributeType.CHOICE,
                start=start,
                nodes=nodes,
                share=np.zeros(1) if number else items / items.sum(),
                item_count=items,
                reference=np.ones(size, bool),
                scale=1.0,
                p05=-1.0,
                p95=1.0,
            )
        )
        start += size
    return Layout("things", tuple(blocks))


def draws(part_worths: Floats, error: float, seed: int) -> Floats:
    """Estimates off by an error, and draws around them, as a fit gives them."""
    rng = np.random.default_rng(seed)
    estimate = part_worths + error * rng.normal(size=len(part_worths))
    spread = error * rng.normal(size=(1000, len(part_worths)))
    return np.asarray(estimate + spread - spread.mean(0))


def truth(seed: int, ignored: str | None = None) -> Floats:
    rng = np.random.default_rng([seed, 1])
    part_worths = rng.normal(scale=0.7, size=sum(LEVELS))
    for block in layout().blocks:
        if block.attribute == ignored:
            part_worths[block.columns] = 0.0
    return part_worths


def held(error: float, ignored: str | None, shops: int = 40) -> tuple[Floats, Floats]:
    """(attributes,) how often intervals hold the truth, pooled and plain."""
    covered = []
    for seed in range(shops):
        part_worths = truth(seed, ignored)
        share, part_worth_draws = importance(layout(), part_worths), draws(part_worths, error, seed)
        ends = [way(layout(), part_worth_draws) for way in (intervals, quantiles)]
        covered.append([(low <= share) & (share <= high) for low, high in ends])
    pooled_, plain = np.mean(covered, axis=0)
    return pooled_, plain


@pytest.mark.parametrize("error", [0.1, 0.4])
def test_intervals_hold_the_truth_as_often_as_they_say(error: float) -> None:
    """400 weights: two standard errors of the share are about .025."""
    coverage, _ = held(error, None, 100)
    assert 0.92 <= coverage.mean() <= 0.985


@pytest.mark.parametrize("ignored", ["a1", "a2", "a10"])
def test_a_weight_of_nothing_is_held_by_an_interval_from_zero(ignored: str) -> None:
    coverage, plain = held(0.3, ignored)
    at = [b.attribute for b in layout().blocks].index(ignored)
    assert coverage[at] >= 0.9
    assert plain[at] < 0.1
    assert coverage.mean() >= 0.92


def test_where_data_are_many_the_intervals_are_the_plain_ones() -> None:
    part_worth_draws = draws(truth(0), 0.02, 0)
    for pooled_, plain in zip(
        intervals(layout(), part_worth_draws), quantiles(layout(), part_worth_draws), strict=True
    ):
        assert pooled_ == pytest.approx(plain, abs=0.003)


@pytest.mark.parametrize("error", [0.02, 0.3, 3.0])
def test_every_weight_lies_within_its_interval_and_every_interval_within_0_and_1(error: float) -> None:
    part_worth_draws = draws(truth(3), error, 3)
    low, high = intervals(layout(), part_worth_draws)
    weight = importance(layout(), part_worth_draws.mean(0))
    assert ((low >= 0) & (low <= weight) & (weight <= high) & (high <= 1)).all()


def test_the_chance_that_an_attribute_matters_is_that_of_an_integral() -> None:
    """One contrast: over grids of its deviation and scale, with the mean of the Beta prior for q."""
    mean, variance = 0.6, 0.2**2
    ratio = DEVIATIONS[:, None] / SCALES
    prior = ratio * np.exp(-(ratio**2) / 2)
    prior /= prior.sum(0)
    slab = (prior.mean(1) * stats.norm.pdf(mean, scale=np.sqrt(DEVIATIONS**2 + variance))).sum()
    q = MATTERS[0] / sum(MATTERS)
    matters = q * slab / (q * slab + (1 - q) * stats.norm.pdf(mean, scale=np.sqrt(variance)))
    posterior_draws = shrunken_levels(np.array([mean]), np.array([[variance]]), [1])
    assert np.mean(posterior_draws != 0) == pytest.approx(matters, abs=0.04)
