"""The conditional logit against likelihoods written out the plain way, and general optimisers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.linear_model import LogisticRegression

from kgrank.choice.logit import likelihood as likelihood_module
from kgrank.choice.logit.fit import fit, optimum
from kgrank.choice.logit.likelihood import Choices, concatenated

WIDTH = 4


def drawn(choices: int = 120, seed: int = 1) -> Choices:
    """Choices of 2 to 5 alternatives; some with an outside option, some of several units."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, 6, choices)
    start = np.concatenate([[0], np.cumsum(counts)])
    rows = int(start[-1])
    outside = rng.random(choices) < 0.4
    left = np.where(outside & (rng.random(choices) < 0.5), 1.0, 0.0)
    chosen = np.zeros(rows)
    for t in range(choices):
        if not left[t]:
            chosen[start[t] + rng.integers(counts[t])] = rng.integers(1, 4)
    return Choices(
        raw=sparse.csr_matrix(rng.normal(size=(rows, WIDTH)) * (rng.random((rows, WIDTH)) < 0.7)),
        centring=np.eye(WIDTH) + 0.1 * rng.normal(size=(WIDTH, WIDTH)),
        start=start,
        chosen=chosen,
        outside=outside,
        left=left,
        person=rng.integers(0, 20, choices),
        time=np.arange(choices),
        offset=0.3 * rng.normal(size=rows),
    )


def plain(choices: Choices, part_worths: np.ndarray) -> np.ndarray:
    """(choices,) log-likelihoods, choice by choice."""
    x = choices.raw.toarray() @ choices.centring
    log_likelihoods = []
    for t in range(len(choices)):
        rows = slice(choices.start[t], choices.start[t + 1])
        utility = x[rows] @ part_worths + choices.offset[rows]
        odds = np.exp(utility).sum() + (1.0 if choices.outside[t] else 0.0)
        taken = choices.chosen[rows]
        log_likelihoods.append(taken @ utility - (taken.sum() + choices.left[t]) * np.log(odds))
    return np.array(log_likelihoods)


def test_the_likelihood_is_the_one_written_out_choice_by_choice() -> None:
    choices = drawn()
    at = np.array([0.5, -1.0, 0.2, 0.0])
    assert choices.log_likelihood(choices.utility(at)) == pytest.approx(plain(choices, at))


def test_probabilities_stay_finite_at_utilities_of_a_thousand() -> None:
    choices = drawn()
    probability, _ = choices.probabilities(1000 * choices.utility(np.ones(WIDTH)))
    assert np.isfinite(probability).all()
    assert np.isfinite(choices.log_likelihood(1000 * choices.utility(np.ones(WIDTH)))).all()


def test_the_optimum_is_the_one_that_a_general_optimiser_finds() -> None:
    choices = drawn()
    mean, precision = np.array([0.5, 0.0, -0.5, 0.0]), np.array([0.1, 1.0, 2.0, 0.01])

    def loss(x: np.ndarray) -> float:
        return float(-plain(choices, x).sum() + 0.5 * precision @ (x - mean) ** 2)

    reference = optimize.minimize(loss, np.zeros(WIDTH), method="BFGS", options={"gtol": 1e-6})
    fitted, hessian = optimum(choices, mean, precision)
    assert fitted == pytest.approx(reference.x, abs=1e-4)
    assert loss(fitted) <= reference.fun + 1e-9
    second = optimize.approx_fprime(fitted, lambda x: optimize.approx_fprime(x, loss, 1e-5), 1e-4)
    assert hessian == pytest.approx(second, rel=0.02, abs=0.05)


def test_the_wide_and_the_dense_hessian_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = drawn()
    probability, _ = choices.probabilities(choices.utility(np.ones(WIDTH)))
    dense = choices.information(probability)
    monkeypatch.setattr(likelihood_module, "BLOCK", 40)
    in_blocks = choices.information(probability)
    monkeypatch.setattr(likelihood_module, "SPARSE_COST", 0.0)
    assert in_blocks == pytest.approx(dense)
    assert choices.information(probability) == pytest.approx(dense)


def test_an_item_that_is_stored_once_counts_in_each_choice_that_offers_it() -> None:
    choices = drawn()
    generator = np.random.default_rng(1)
    offered = generator.integers(0, 12, len(choices.chosen))
    once = replace(choices, raw=choices.raw[:12], row=offered)
    each = replace(choices, raw=choices.raw[:12][offered])
    part = np.arange(0, len(once), 3)
    pairs = [(once, each), (once.take(part), each.take(part))]
    pairs.append((concatenated([once, each]), concatenated([each, each])))
    for some, other in pairs:
        utility = some.utility(np.ones(WIDTH))
        np.testing.assert_allclose(utility, other.utility(np.ones(WIDTH)))
        probability, _ = some.probabilities(utility)
        residual = some.gradient_rows(utility, probability)
        np.testing.assert_allclose(some.gradient(residual), other.gradient(residual), atol=1e-9)
        np.testing.assert_allclose(some.information(probability), other.information(probability), atol=1e-9)
        by_person = np.array(
            [other.gradient(residual * (other.person[other.choice] == p)) for p in range(20)]
        )
        gap = by_person - by_person.mean(0)
        np.testing.assert_allclose(some.spread(residual, some.person, 20), gap.T @ gap, atol=1e-9)


def test_two_alternatives_give_the_binary_logit_of_scikit_learn() -> None:
    """A pair is a yes or no on the difference of its columns; C = 1 / precision."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 2, 3))
    first = rng.random(400) < 1 / (1 + np.exp(-(x[:, 0] - x[:, 1]) @ np.array([1.0, -0.5, 0.0])))
    chosen = np.stack([first, ~first], 1).astype(float)
    choices = Choices(
        raw=sparse.csr_matrix(x.reshape(-1, 3)),
        centring=np.eye(3),
        start=np.arange(0, 801, 2),
        chosen=chosen.ravel(),
        outside=np.zeros(400, bool),
        left=np.zeros(400),
        person=np.arange(400),
        time=np.arange(400),
        offset=np.zeros(800),
    )
    reference = LogisticRegression(C=1 / 0.7, fit_intercept=False, tol=1e-10).fit(x[:, 0] - x[:, 1], first)
    fitted, _ = optimum(choices, np.zeros(3), np.full(3, 0.7))
    assert fitted == pytest.approx(reference.coef_[0], abs=1e-5)


def test_a_choice_of_three_units_counts_as_three_choices() -> None:
    choices = drawn(40)
    units = replace(choices, chosen=choices.chosen * 3, left=choices.left * 3)
    many = choices.take(np.repeat(np.arange(40), 3))
    prior = np.zeros(WIDTH), np.ones(WIDTH)
    assert optimum(units, *prior)[0] == pytest.approx(optimum(many, *prior)[0], abs=1e-6)


def test_an_alternative_that_is_the_same_everywhere_says_nothing() -> None:
    choices = drawn()
    constant = replace(
        choices, raw=sparse.csr_matrix(np.ones((len(choices.chosen), 1))), centring=np.eye(1),
        outside=np.zeros(len(choices), bool), left=np.zeros(len(choices)),
    )  # fmt: skip
    fitted, _ = optimum(constant, np.array([0.7]), np.array([1.0]))
    assert fitted == pytest.approx([0.7])


def test_standard_errors_are_clustered_by_person() -> None:
    """Everyone's choices ten times over: the information grows tenfold, the errors stay."""
    choices = drawn(200)
    none = np.full(WIDTH, 1e-9)
    once = fit(choices, np.zeros(WIDTH), none)
    often = fit(choices.take(np.tile(np.arange(200), 10)), np.zeros(WIDTH), none)
    assert often.part_worths == pytest.approx(once.part_worths, abs=1e-5)
    assert often.precision == pytest.approx(10 * once.precision, rel=1e-3)
    assert often.covariance == pytest.approx(once.covariance, rel=1e-3)


def test_where_everyone_chooses_once_the_sandwich_is_near_the_inverse_information() -> None:
    rng = np.random.default_rng(5)
    truth = np.array([1.0, -1.0, 0.5, 0.0])
    choices = replace(drawn(4000, 5), outside=np.zeros(4000, bool), left=np.zeros(4000))
    choices = replace(choices, chosen=np.zeros_like(choices.chosen), person=np.arange(4000))
    probability, _ = choices.probabilities(choices.utility(truth))
    chosen = np.zeros_like(probability)
    for t in range(4000):
        rows = np.arange(choices.start[t], choices.start[t + 1])
        chosen[rng.choice(rows, p=probability[rows])] = 1.0
    fitted = fit(replace(choices, chosen=chosen), np.zeros(WIDTH), np.full(WIDTH, 1e-9))
    errors = np.sqrt(np.diag(fitted.covariance))
    assert errors == pytest.approx(np.sqrt(np.diag(np.linalg.inv(fitted.precision))), rel=0.1)
    assert np.abs(fitted.part_worths - truth).max() < 4 * errors.max()


def test_a_direction_without_data_keeps_the_prior() -> None:
    choices = drawn()
    raw = choices.raw.toarray()
    raw[:, 3] = 0.0
    blind = replace(choices, raw=sparse.csr_matrix(raw), centring=np.eye(WIDTH))
    fitted = fit(blind, np.array([0.0, 0.0, 0.0, 0.4]), np.array([1.0, 1.0, 1.0, 4.0]))
    assert fitted.part_worths[3] == pytest.approx(0.4)
    assert fitted.covariance[3, 3] == pytest.approx(1 / 4)
