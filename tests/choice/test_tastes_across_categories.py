"""Tastes across categories against a dense solve, and variances that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from kgrank.choice.data.design import Block, Design, Layout
from kgrank.choice.logit.choice_sets import INSIDE, CategoryChoices
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.tastes.across_categories import (
    Evidence,
    Variation,
    category_evidence,
    departures,
    elsewhere,
    estimate,
    posteriors,
)
from kgrank.choice.tastes.shared_columns import scale_factors, shared_columns, usual_scales
from kgrank.ontology.model import AttributeType

BETWEEN = np.array([[0.5, 0.2], [0.2, 0.8]])
WITHIN = np.array([[0.3, -0.1], [-0.1, 0.2]])
VARIATION = Variation(BETWEEN, WITHIN)


def drawn(people: int, categories: int, informed: float, seed: int = 0) -> Evidence:
    """People with tastes by ``VARIATION``, and what Gaussian data of random precisions say of each category."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), categories)
    category = np.tile(np.arange(categories), people)
    root = rng.normal(size=(len(person), 2, 2))
    information = informed * root @ root.transpose(0, 2, 1)
    taste = rng.multivariate_normal(np.zeros(2), BETWEEN, people)[person]
    taste = taste + rng.multivariate_normal(np.zeros(2), WITHIN, len(person))
    noise = np.sqrt(informed) * (root @ rng.normal(size=(len(person), 2, 1)))[..., 0]
    return Evidence(person, category, (information @ taste[..., None])[..., 0] + noise, information, people)


def dense(evidence: Evidence, person: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of one person's taste and all departures from it, by one solve in all of them."""
    pairs = np.flatnonzero(evidence.person == person)
    blocks = [np.linalg.inv(BETWEEN), *[np.linalg.inv(WITHIN)] * len(pairs)]
    precision = np.asarray(sparse.block_diag(blocks).todense())
    vector = np.zeros(len(precision))
    for k, pair in enumerate(pairs, 1):
        takes = np.zeros((2, len(precision)))
        takes[:, :2] = takes[:, 2 * k : 2 * k + 2] = np.eye(2)
        precision += takes.T @ evidence.information[pair] @ takes
        vector += takes.T @ evidence.gradient[pair]
    covariance = np.linalg.inv(precision)
    return covariance @ vector, covariance


def test_a_persons_taste_is_that_of_one_dense_solve() -> None:
    evidence = drawn(4, 5, 2.0)
    mean, covariance = posteriors(evidence, VARIATION)
    for person in range(4):
        exact, spread = dense(evidence, person)
        assert mean[person] == pytest.approx(exact[:2], abs=1e-10)
        assert covariance[person] == pytest.approx(spread[:2, :2], abs=1e-10)


def test_a_persons_taste_in_a_category_they_know_is_that_of_one_dense_solve() -> None:
    evidence = drawn(3, 4, 2.0)
    mean, covariance = departures(evidence, VARIATION, *posteriors(evidence, VARIATION))
    for person in range(3):
        exact, spread = dense(evidence, person)
        for k in range(4):
            takes = np.zeros((2, len(exact)))
            takes[:, :2] = takes[:, 2 * k + 2 : 2 * k + 4] = np.eye(2)
            assert mean[4 * person + k] == pytest.approx(takes @ exact, abs=1e-10)
            assert covariance[4 * person + k] == pytest.approx(takes @ spread @ takes.T, abs=1e-10)


def test_a_category_is_left_out_as_if_its_choices_had_never_been() -> None:
    evidence = drawn(3, 3, 1.0)
    without = elsewhere(evidence, VARIATION)
    for category in range(3):
        others, _ = posteriors(evidence.take(evidence.category != category), VARIATION)
        assert without[evidence.category == category] == pytest.approx(others, abs=1e-10)


def test_somebody_without_choices_is_the_average_shopper() -> None:
    evidence = drawn(3, 2, 1.0)
    nobody = evidence.take(evidence.person != 1)
    mean, covariance = posteriors(nobody, VARIATION)
    assert mean[1].tolist() == [0.0, 0.0]
    assert covariance[1] == pytest.approx(BETWEEN)


def test_how_people_and_their_categories_differ_is_found() -> None:
    variation = estimate(drawn(600, 6, 3.0))
    assert variation.between == pytest.approx(BETWEEN, abs=0.12)
    assert variation.within == pytest.approx(WITHIN, abs=0.06)


def test_people_who_do_not_differ_are_not_told_apart_in_any_category() -> None:
    evidence = drawn(500, 6, 3.0)
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(evidence.information + 1e-9 * np.eye(2))
    noise = (root @ rng.normal(size=(len(root), 2, 1)))[..., 0]
    variation = estimate(Evidence(evidence.person, evidence.category, noise, evidence.information, 500))
    assert np.diag(variation.between).max() < 0.02
    assert np.diag(variation.within).max() < 0.02


def choices_of(x: np.ndarray, person: np.ndarray) -> Choices:
    """Choices among three, the first taken."""
    count = len(x) // 3
    return Choices(
        raw=sparse.csr_matrix(x),
        centring=np.eye(x.shape[1]),
        start=np.arange(0, len(x) + 1, 3),
        chosen=np.tile([1.0, 0.0, 0.0], count),
        outside=np.zeros(count, bool),
        left=np.zeros(count),
        person=person,
        time=np.arange(count),
        offset=np.zeros(len(x)),
    )


def test_the_evidence_of_choices_is_the_derivative_of_their_likelihood() -> None:
    rng = np.random.default_rng(2)
    person = np.array([7, 3, 7, 7])
    choices, part_worths = choices_of(rng.normal(size=(12, 2)), person), np.array([0.4, -0.3])
    evidence = category_evidence(choices, part_worths, np.eye(2), 5, people=9)
    assert evidence.person.tolist() == [3, 7]
    assert evidence.category.tolist() == [5, 5]

    def log_likelihood(who: int, deviation: np.ndarray) -> float:
        utility = choices.utility(part_worths + deviation)
        return float(choices.log_likelihood(utility)[person == who].sum())

    step = 1e-4
    for k, who in enumerate((3, 7)):
        for c in range(2):
            up, down = step * np.eye(2)[c], -step * np.eye(2)[c]
            slope = (log_likelihood(who, up) - log_likelihood(who, down)) / (2 * step)
            bend = log_likelihood(who, up) - 2 * log_likelihood(who, np.zeros(2)) + log_likelihood(who, down)
            assert evidence.gradient[k, c] == pytest.approx(slope, abs=1e-6)
            assert evidence.information[k, c, c] == pytest.approx(-bend / step**2, abs=1e-5)


def category(name: str, values: dict[str, list[str]], nuisance: tuple[str, ...] = ()) -> CategoryChoices:
    """A category with a price and attributes of these values, the first on most items; without choices."""
    blocks = [
        Block("price", AttributeType.NUMBER, 0, ("price=*",), np.zeros(1), np.array([9]), np.ones(1, bool))
    ]
    for attribute, names in values.items():
        count = np.arange(len(names), 0, -1)
        nodes = tuple(f"{attribute}={v}" for v in names)
        blocks.append(
            Block(attribute, AttributeType.CHOICE, blocks[-1].stop, nodes, count / count.sum(), count,
                  np.ones(len(names), bool))
        )  # fmt: skip
    layout = Layout(name, tuple(blocks))
    empty = np.zeros(0, np.int64)
    none = Choices(
        sparse.csr_matrix((0, layout.width)), np.eye(layout.width), np.zeros(1, np.int64), np.zeros(0),
        np.zeros(0, bool), np.zeros(0), empty, empty, np.zeros(0),
    )  # fmt: skip
    design = Design(layout, (), none.raw)
    return CategoryChoices(design, none, nuisance, empty, empty, empty, np.zeros(0, bool))


def test_tastes_are_compared_in_what_several_categories_have() -> None:
    brands = [f"b{k}" for k in range(30)]
    tea = category("tea", {"private": ["no", "yes"], "leaf": ["black", "green"], "brand": brands}, (INSIDE,))
    jam = category("jam", {"private": ["no", "yes"], "fruit": ["plum"], "brand": brands}, (INSIDE,))
    assert shared_columns([tea, jam]) == ("price=*", "private=yes", INSIDE)
    assert "leaf=green" in shared_columns([tea])
    assert shared_columns([]) == ()


def test_a_numbers_usual_scale_is_that_of_the_median_category() -> None:
    layouts = [category(name, {}).design.layout for name in ("tea", "jam", "oil")]
    wide = [
        replace(layout, blocks=(replace(layout.blocks[0], scale=scale),))
        for layout, scale in zip(layouts, (1.0, 2.0, 8.0), strict=True)
    ]
    scales = usual_scales(wide, ("price=*", "private=yes"))
    assert scales == (2.0, 0.0)
    factors = [scale_factors(layout, ("price=*", "private=yes"), scales).tolist() for layout in wide]
    assert factors == [[0.5, 1.0], [1.0, 1.0], [1.0, 1.0]]
