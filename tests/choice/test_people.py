"""People's own tastes against quadrature, and a population that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.tastes.mixed_logit import (
    Panel,
    draws,
    estimate,
    join_panels,
    panel_by_person,
    posteriors,
)


def drawn(
    people: int, each: int, deviation: float, seed: int = 0, width: int = 1
) -> tuple[Panel, np.ndarray]:
    """Choices of 3 alternatives by people whose tastes are N(0, deviation²), and those tastes."""
    rng = np.random.default_rng(seed)
    count = people * each
    x = rng.normal(size=(count * 3, width))
    taste = deviation * rng.normal(size=(people, width))
    person = np.repeat(np.arange(people), each)
    utility = (x * taste[np.repeat(person, 3)]).sum(1).reshape(-1, 3)
    noisy = utility + rng.gumbel(size=utility.shape)
    chosen = np.eye(3)[noisy.argmax(1)].ravel()
    order = rng.permutation(count)
    rows = (order[:, None] * 3 + np.arange(3)).ravel()
    choices = Choices(
        raw=sparse.csr_matrix(x[rows]),
        centring=np.eye(width),
        start=np.arange(0, count * 3 + 1, 3),
        chosen=chosen[rows],
        outside=np.zeros(count, bool),
        left=np.zeros(count),
        person=person[order],
        time=np.arange(count),
        offset=np.zeros(count * 3),
    )
    return panel_by_person(choices, np.zeros(width), np.eye(width))[0], taste


def quadrature(data: Panel, person: int, mean: float, variance: float) -> tuple[float, float, float]:
    """Mean, variance and log-evidence of one person's taste, by summing over a fine grid."""
    grid = np.linspace(mean - 8 * variance**0.5, mean + 8 * variance**0.5, 4001)
    mine = data.choices.person == person
    rows = mine[data.choices.choice]
    x, chosen = data.x[rows, 0].reshape(-1, 3), data.choices.chosen[rows].reshape(-1, 3)
    utility = x[..., None] * grid
    fit = (chosen[..., None] * utility).sum(1) - np.log(np.exp(utility).sum(1))
    log = fit.sum(0) - 0.5 * (grid - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)
    weight = np.exp(log - log.max())
    total = weight.sum() * (grid[1] - grid[0])
    centre = float(weight @ grid / weight.sum())
    spread = float(weight @ (grid - centre) ** 2 / weight.sum())
    return centre, spread, float(np.log(total) + log.max())


@pytest.fixture(scope="module")
def few() -> Panel:
    return drawn(12, 6, 1.0)[0]


def test_a_persons_weighted_draws_have_the_moments_of_the_exact_posterior(few: Panel) -> None:
    """Posteriors have heavier tails than their Laplace proposals, so single draws carry weight: hence so many."""
    spreads = []
    for person, posterior in enumerate(draws(few, np.array([0.2]), np.array([[1.5]]), count=50_000)):
        centre, spread, evidence = quadrature(few, person, 0.2, 1.5)
        mean = float(posterior.weights @ posterior.deviations[:, 0])
        assert mean == pytest.approx(centre, abs=0.03)
        assert posterior.log_marginal == pytest.approx(evidence, abs=0.02)
        spreads.append(posterior.weights @ (posterior.deviations[:, 0] - mean) ** 2 / spread)
    assert np.mean(spreads) == pytest.approx(1.0, abs=0.03)
    assert spreads == pytest.approx([1.0] * few.people, abs=0.2)


def test_the_laplace_mode_is_the_top_of_the_posterior(few: Panel) -> None:
    modes, _, evidence = posteriors(few, np.zeros(1), np.eye(1))
    for person in range(few.people):
        centre, _, exact = quadrature(few, person, 0.0, 1.0)
        assert modes[person, 0] == pytest.approx(centre, abs=0.15)
        assert evidence[person] == pytest.approx(exact, abs=0.1)


def test_the_population_that_generated_the_choices_is_found() -> None:
    data, taste = drawn(250, 12, 1.2, seed=4)
    tastes = estimate(data, np.ones(1))
    assert tastes.covariance[0, 0] ** 0.5 == pytest.approx(1.2, abs=0.2)
    assert tastes.mean[0] == pytest.approx(0.0, abs=0.2)
    assert np.corrcoef(tastes.people[:, 0], taste[:, 0])[0, 1] > 0.8


def test_people_who_do_not_differ_are_not_told_apart() -> None:
    data, _ = drawn(250, 12, 0.0, seed=4)
    assert estimate(data, np.ones(1)).covariance[0, 0] ** 0.5 < 0.25


def test_a_persons_own_taste_predicts_better_than_the_populations() -> None:
    data, _ = drawn(150, 12, 1.5, seed=8)
    turn = np.arange(len(data.choices)) % 12
    train, test = data.take(turn < 9), data.take(turn >= 9)
    tastes = estimate(train, np.ones(1))
    nobody = test.choices.log_likelihood(np.zeros(len(test.x))).mean()
    predicted = [
        np.log(np.exp(test.log_likelihood(person, posterior.deviations)) @ posterior.weights)
        for person, posterior in enumerate(draws(train, tastes.mean, tastes.covariance))
    ]
    assert np.concatenate(predicted).mean() > nobody + 0.05


def test_choices_of_a_person_in_two_categories_come_together() -> None:
    first, _ = drawn(5, 4, 1.0, width=2)
    second, _ = drawn(3, 2, 1.0, seed=1, width=2)
    joined, persons = join_panels([(first, np.arange(5)), (second, np.array([1, 4, 7]))])
    assert persons.tolist() == [0, 1, 2, 3, 4, 7]
    assert np.bincount(joined.choices.person).tolist() == [4, 6, 4, 4, 6, 2]
    assert (np.diff(joined.choices.person) >= 0).all()
    alone, _, _ = posteriors(first, np.zeros(2), np.eye(2))
    together, _, _ = posteriors(joined, np.zeros(2), np.eye(2))
    assert together[0] == pytest.approx(alone[0], abs=1e-5)
    assert together[1] != pytest.approx(alone[1], abs=1e-3)


def test_the_outside_option_counts_in_a_persons_posterior(few: Panel) -> None:
    closed_choices = few.choices
    open_choices = replace(
        closed_choices, outside=np.ones_like(closed_choices.outside), offset=closed_choices.offset - 2.0
    )
    open_ = replace(few, choices=open_choices)
    modes, _, _ = posteriors(open_, np.zeros(1), np.eye(1))
    closed, _, _ = posteriors(few, np.zeros(1), np.eye(1))
    assert np.abs(modes - closed).max() > 0.01
