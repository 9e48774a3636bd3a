"""Metrics against brute force and scikit-learn; ties lose, NaN is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import ndcg_score

from benchmarks.metrics import hit_rate, ndcg, ranks
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.metrics import top1


def of(
    utilities: list[list[float]], chosen: list[list[float]], outside: bool = False
) -> tuple[Choices, np.ndarray]:
    count = [len(u) for u in utilities]
    flat = np.concatenate(chosen)
    left = np.array([0.0 if sum(c) else 1.0 for c in chosen])
    choices = Choices(
        raw=sparse.csr_matrix((len(flat), 1)),
        centring=np.eye(1),
        start=np.concatenate([[0], np.cumsum(count)]),
        chosen=flat,
        outside=np.full(len(count), outside),
        left=left,
        person=np.zeros(len(count), int),
        time=np.zeros(len(count), int),
        offset=np.zeros(len(flat)),
    )
    return choices, np.concatenate(utilities)


def test_a_hit_is_the_highest_utility_alone() -> None:
    choices, utility = of([[2, 1], [1, 2], [1, 1]], [[1, 0], [1, 0], [1, 0]])
    assert top1(choices, utility).tolist() == [1, 0, 0]


def test_the_outside_option_has_utility_zero() -> None:
    choices, utility = of(
        [[-1, -2], [1, -2], [1, -1], [-1, -2]], [[0, 0], [0, 0], [1, 0], [1, 0]], outside=True
    )
    assert top1(choices, utility).tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(bad: float) -> None:
    choices, utility = of([[bad, 1]], [[1, 0]])
    with pytest.raises(ValueError, match="NaN"):
        top1(choices, utility)
    with pytest.raises(ValueError, match="NaN"):
        ranks(np.array([[bad, 1.0]]), np.array([1]))


def test_places_count_ties_against_the_model() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (50, 12)).astype(float)
    target = rng.integers(0, 12, 50)
    brute = [sum(s >= row[t] for s in row) for row, t in zip(scores, target, strict=True)]
    assert ranks(scores, target).tolist() == brute


def test_ndcg_is_scikit_learns_where_one_item_is_right() -> None:
    rng = np.random.default_rng(0)
    scores, target = rng.normal(size=(80, 30)), rng.integers(0, 30, 80)
    rank = ranks(scores, target)
    assert ndcg(rank, 10) == pytest.approx(ndcg_score(np.eye(30)[target], scores, k=10))
    assert hit_rate(rank, 10) == np.mean(
        [t in np.argsort(-s)[:10] for s, t in zip(scores, target, strict=True)]
    )
