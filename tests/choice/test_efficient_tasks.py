"""Efficient choice tasks, against determinants and inverses computed in full."""

from __future__ import annotations

import numpy as np
import pytest

from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Layout
from kgrank.choice.experiments.answers_needed import answers_needed, mean_width, person_information
from kgrank.choice.experiments.efficient_tasks import Tasks, efficient_tasks, random_tasks
from kgrank.choice.share_intervals import contrasts_of
from kgrank.ontology.model import AttributeType


def layout(sizes: tuple[int, ...] = (3, 4, 2)) -> Layout:
    blocks: list[Block] = []
    for number, size in enumerate(sizes):
        blocks.append(
            Block(
                attribute=f"a{number}",
                type=AttributeType.CHOICE,
                start=blocks[-1].stop if blocks else 0,
                nodes=tuple(f"a{number}=v{value}" for value in range(size)),
                share=np.full(size, 1 / size),
                item_count=np.full(size, 10),
                reference=np.ones(size, bool),
            )
        )
    return Layout("category", tuple(blocks))


def profiles(known: Layout) -> Floats:
    """All combinations of values, centred."""
    marks = [np.eye(len(block.nodes)) - block.share for block in known.blocks]
    grids = np.meshgrid(*(np.arange(len(m)) for m in marks), indexing="ij")
    return np.hstack([mark[grid.ravel()] for mark, grid in zip(marks, grids, strict=True)])


def posterior(width: int, seed: int = 0) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    root = random.normal(size=(width, width)) / np.sqrt(width)
    return random.normal(size=width), root @ root.T + 0.2 * np.eye(width)


def log_determinant(tasks: Tasks, covariance: Floats, contrasts: Floats, answers: int) -> float:
    """Of the contrasts' covariance after the answers, by inverting the precision."""
    after = np.linalg.inv(np.linalg.inv(covariance) + answers * tasks.information)
    return float(np.linalg.slogdet(contrasts.T @ after @ contrasts)[1])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [2, 4])
def test_chosen_tasks_leave_less_unknown_than_tasks_at_random(seed: int, size: int) -> None:
    known = layout()
    mean, covariance = posterior(known.width, seed)
    contrasts, _ = contrasts_of(known)
    candidates = profiles(known)
    chosen = efficient_tasks(candidates, mean, covariance, contrasts, tasks=12, size=size, seed=seed)
    drawn = random_tasks(candidates, mean, covariance, tasks=12, size=size, seed=seed)
    assert log_determinant(chosen, covariance, contrasts, 12) < log_determinant(
        drawn, covariance, contrasts, 12
    )


def test_the_first_task_is_the_best_of_all_pairs() -> None:
    known = layout((2, 3))
    mean, covariance = posterior(known.width)
    contrasts, _ = contrasts_of(known)
    candidates = profiles(known)
    chosen = efficient_tasks(candidates, mean, covariance, contrasts, tasks=1, size=2, seed=0)
    utility = candidates @ np.random.default_rng(0).multivariate_normal(mean, covariance, 40, method="svd").T

    def left(first: int, second: int) -> float:
        p = 1 / (1 + np.exp(utility[second] - utility[first]))
        difference = candidates[first] - candidates[second]
        information = float((p * (1 - p)).mean()) * np.outer(difference, difference)
        return log_determinant(Tasks(np.zeros((1, 2), np.int64), information), covariance, contrasts, 1)

    pairs = {(i, j): left(i, j) for i in range(len(candidates)) for j in range(i)}
    first, second = sorted(chosen.alternatives[0].tolist(), reverse=True)
    assert pairs[first, second] == pytest.approx(min(pairs.values()))


def test_no_task_shows_an_alternative_twice() -> None:
    known = layout((2, 2))
    mean, covariance = posterior(known.width)
    chosen = efficient_tasks(
        profiles(known), mean, covariance, contrasts_of(known)[0], tasks=20, size=3, seed=1, repeats=50.0
    )
    assert all(len(set(task)) == 3 for task in chosen.alternatives.tolist())


def test_tasks_for_many_answers_beat_those_for_one_when_many_answer() -> None:
    known = layout()
    mean, covariance = posterior(known.width)
    contrasts, _ = contrasts_of(known)
    few, many = (
        efficient_tasks(
            profiles(known), mean, 1e-3 * covariance, contrasts, tasks=12, size=3, seed=2, repeats=repeats
        )
        for repeats in (1.0, 1_000.0)
    )
    left = [log_determinant(tasks, 1e-3 * covariance, contrasts, 12_000) for tasks in (few, many)]
    assert left[1] < left[0]


def test_people_who_differ_tell_less_of_the_mean_by_the_closed_form() -> None:
    _, covariance = posterior(6)
    _, differences = posterior(6, 1)
    information = np.linalg.inv(covariance)
    expected = np.linalg.inv(np.linalg.inv(12 * information) + differences)
    np.testing.assert_allclose(person_information(information, 12, differences), expected, rtol=1e-9)
    np.testing.assert_allclose(person_information(information, 12), 12 * information)


def test_the_number_of_people_is_the_least_that_makes_the_intervals_narrow_enough() -> None:
    known = layout()
    mean, covariance = posterior(known.width)
    tasks = efficient_tasks(
        profiles(known), mean, covariance, contrasts_of(known)[0], tasks=12, size=4, seed=0
    )
    needed = answers_needed(known, mean, covariance, tasks.information, 0.1)
    assert needed.people is not None

    def width(people: float) -> float:
        after = np.linalg.inv(np.linalg.inv(covariance) + people * tasks.information)
        return mean_width(known, mean, after)

    assert width(needed.people) <= 0.1 < width(0.95 * needed.people)
    assert needed.width == mean_width(known, mean, covariance)


def test_nobody_is_needed_where_the_intervals_are_narrow_enough_and_none_are_enough_without_information() -> (
    None
):
    known = layout()
    mean, covariance = posterior(known.width)
    nothing = np.zeros_like(covariance)
    assert answers_needed(known, mean, covariance, nothing, 1.0).people == 0
    assert answers_needed(known, mean, covariance, nothing, 1e-3).people is None
