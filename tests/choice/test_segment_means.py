"""Mean tastes of segments against one dense Gaussian, and a truth that is known."""

from __future__ import annotations

import numpy as np
import pytest

from kgrank.arrays import Floats, Ints
from kgrank.choice.tastes.segment_means import OWN, ROOTS, VAGUE, segment_means

OMEGA = np.array([[0.5, 0.2], [0.2, 0.8]])
Drawn = tuple[Floats, Floats, Ints, Floats]


def drawn(
    sizes: tuple[int, ...], between: float, informed: float, *, nobody: int = 0, seed: int = 0
) -> Drawn:
    """Precisions, vectors and segments of people, and the truth; the last ``nobody`` are in no segment."""
    rng = np.random.default_rng(seed)
    truth = rng.multivariate_normal(np.zeros(2), between * OMEGA, len(sizes))
    segment = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), np.full(nobody, -1)])
    own = rng.multivariate_normal(np.zeros(2), (1 - between) * OMEGA, len(segment))
    taste = own + np.where(segment[:, None] >= 0, truth[segment], 0.0)
    root = rng.normal(size=(len(segment), 2, 2))
    precision = informed * root @ root.transpose(0, 2, 1)
    noise = np.sqrt(informed) * (root @ rng.normal(size=(len(segment), 2, 1)))[..., 0]
    return precision, (precision @ taste[..., None])[..., 0] + noise, segment, truth


def dense(
    precision: Floats, vector: Floats, segment: Ints, count: int, ratio: float
) -> tuple[float, Floats, Floats]:
    """Log-density of everyone's estimate under one joint Gaussian; the segments' means and covariances by it."""
    people = len(segment)
    estimate = np.linalg.solve(precision, vector[..., None]).ravel()
    takes = np.zeros((2 * people, 2 * count))
    noise = np.zeros((2 * people, 2 * people))
    for h in range(people):
        here = slice(2 * h, 2 * h + 2)
        inside = segment[h] >= 0
        noise[here, here] = np.linalg.inv(precision[h]) + (max(1 - ratio, OWN) if inside else 1.0) * OMEGA
        if inside:
            takes[here, 2 * segment[h] : 2 * segment[h] + 2] = np.eye(2)
    prior = np.kron(np.eye(count), ratio * OMEGA)
    vague = np.tile(np.eye(2), (people, 1)) @ (OMEGA / VAGUE) @ np.tile(np.eye(2), (people, 1)).T
    total = noise + vague + takes @ prior @ takes.T
    gain = prior @ takes.T @ np.linalg.inv(total)
    log = -0.5 * (np.linalg.slogdet(total)[1] + estimate @ np.linalg.solve(total, estimate))
    return log, (gain @ estimate).reshape(count, 2), prior - gain @ takes @ prior


def test_means_are_those_of_one_dense_gaussian_summed_over_the_grid() -> None:
    precision, vector, segment, _ = drawn((3, 5, 2), 0.4, 2.0, nobody=4)
    found = segment_means(precision, vector, segment, 3, OMEGA)
    every = [dense(precision, vector, segment, 3, ratio) for ratio in ROOTS**2]
    logs = np.array([log for log, _, _ in every])
    weight = np.gradient(ROOTS) * np.exp(logs - logs.max())
    weight /= weight.sum()
    mean = sum(w * m for w, (_, m, _) in zip(weight, every, strict=True))
    assert found.mean == pytest.approx(mean, abs=1e-4)
    share = ROOTS**2 / (ROOTS**2 + np.maximum(1 - ROOTS**2, OWN))
    assert found.between == pytest.approx(float(weight @ share), abs=1e-4)


def test_means_of_many_people_are_the_truth_within_their_errors() -> None:
    precision, vector, segment, truth = drawn((400, 300, 500, 200, 350), 0.2, 3.0, nobody=100)
    found = segment_means(precision, vector, segment, 5, OMEGA)
    # Between segments alone: their common part is the population's.
    gap = (found.mean - found.mean.mean(0)) - (truth - truth.mean(0))
    errors = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))
    assert np.abs(gap).max() < 0.15
    assert np.mean((gap / errors) ** 2) < 2
    # A plain mean of everybody's own estimate, person by person, says the same.
    for s in range(5):
        inside = segment == s
        plain = np.linalg.solve(precision[inside].sum(0), vector[inside].sum(0))
        others = np.linalg.solve(precision.sum(0), vector.sum(0))
        assert found.mean[s] == pytest.approx(plain - others, abs=0.2)


def test_a_segment_of_few_people_hardly_departs() -> None:
    precision, vector, segment, _ = drawn((2, 300, 300), 0.1, 1.0)
    few = segment == 0
    vector[few] = (precision[few] @ np.array([2.0, -2.0])[:, None])[..., 0]
    found = segment_means(precision, vector, segment, 3, OMEGA)
    assert np.abs(found.mean[0]).max() < 0.5
    errors = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))
    assert (errors[0] > errors[1:]).all()


def test_segments_that_do_not_differ_stay_with_the_population() -> None:
    precision, vector, segment, _ = drawn((300, 300, 300, 300), 0.0, 3.0)
    # All people as far off as each other: that is the population's, and no segment's.
    vector += (precision @ np.array([0.7, 0.3])[:, None])[..., 0]
    found = segment_means(precision, vector, segment, 4, OMEGA)
    assert found.between < 0.02
    assert np.abs(found.mean).max() < 0.15
