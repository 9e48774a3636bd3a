"""Choice tasks of a category's own items that tell most, and how many people must answer them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Design, Layout
from kgrank.choice.experiments.answers_needed import MOST, AnswersNeeded, answers_needed, person_information
from kgrank.choice.experiments.efficient_tasks import Tasks, efficient_tasks, random_tasks
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.share_intervals import contrasts_of
from kgrank.errors import InputError
from kgrank.weights.model import Population

CANDIDATES = 400
"""Items that tasks are made of at most; of more, that many are drawn."""

ROUNDS = 3
"""Times that tasks are planned at most."""

AT_RANDOM = 100
"""Tasks by which drawing at random is judged, at least."""


@dataclass(frozen=True, kw_only=True)
class TaskPlan:
    """Tasks to be answered, and what they are expected to bring.

    Attributes:
        items: (tasks, size) ids of the items that are shown together.
        each: Tasks that one person answers.
        needed: How many people.
        at_random: How many people, were the items drawn at random.
    """

    items: tuple[tuple[str, ...], ...]
    each: int
    needed: AnswersNeeded
    at_random: AnswersNeeded


def plan_tasks(
    design: Design,
    posterior: CategoryPosterior,
    population: Population,
    *,
    wanted: float,
    tasks: int,
    size: int,
    each: int,
    seed: int,
) -> TaskPlan:
    """Tasks for the present posterior of a category.

    Args:
        design: The category's items.
        posterior: Of its part-worths, from the choices alone.
        population: How people differ.
        wanted: Mean width of the intervals of the shares.
        tasks: Different tasks.
        size: Items of a task.
        each: Tasks that one person answers.
        seed: Of what is drawn.

    Raises:
        InputError: Too few of the items differ.
    """
    layout = posterior.layout
    rows, candidates = _candidates(design, layout, seed)
    if len(rows) < size:
        raise InputError(
            f"{len(rows)} of the items of {layout.category} differ in what their weights are learned for",
            expected=f"{size} for a task",
            todo="Ask with fewer items in a task, or fill in their values first.",
        )
    mean, covariance = posterior.mean, posterior.covariance
    contrasts, _ = contrasts_of(layout)
    differences = differences_of(layout, population)

    def needed(information: Floats) -> AnswersNeeded:
        by_person = person_information(information, each, differences)
        return answers_needed(layout, mean, covariance, by_person, wanted, seed)

    def planned(repeats: float) -> tuple[Tasks, AnswersNeeded]:
        chosen = efficient_tasks(
            candidates, mean, covariance, contrasts, tasks=tasks, size=size, seed=seed, repeats=repeats
        )
        return chosen, needed(chosen.information)

    plans = [planned(1.0)]
    for _ in range(ROUNDS - 1):
        # How often each task is answered decides which tasks are best, and follows from them.
        people = MOST if plans[-1][1].people is None else plans[-1][1].people
        if people * each <= tasks:
            break
        plans.append(planned(people * each / tasks))
    chosen, fewest = min(plans, key=lambda plan: MOST + 1 if plan[1].people is None else plan[1].people)
    random = random_tasks(candidates, mean, covariance, tasks=max(tasks, AT_RANDOM), size=size, seed=seed)
    return TaskPlan(
        items=tuple(tuple(design.items[rows[k]] for k in task) for task in chosen.alternatives.tolist()),
        each=each,
        needed=fewest,
        at_random=needed(random.information),
    )


def differences_of(layout: Layout, population: Population) -> Floats:
    """(columns, columns) covariance between people of a category's part-worths, 0 where none was learned."""
    covariance = np.zeros((layout.width, layout.width))
    if not population.columns:
        return covariance
    learned = np.array(population.covariance)
    if population.within:
        learned = learned + np.array(population.within)
    number = {name: k for k, name in enumerate(population.columns)}
    here = [(column, number[node]) for node, column in layout.column.items() if node in number]
    if here:
        columns, numbers = map(list, zip(*here, strict=True))
        covariance[np.ix_(columns, columns)] = learned[np.ix_(numbers, numbers)]
    return covariance


def _candidates(design: Design, layout: Layout, seed: int) -> tuple[Ints, Floats]:
    """Row numbers of items no two of which are alike, and their values in the posterior's columns."""
    present, centred = design.layout, design.centred()
    values = np.zeros((len(design.items), layout.width))
    for block in layout.blocks:
        now = present.block.get(block.attribute)
        if now is None:
            continue
        if block.number:
            numbers = centred[:, now.start]
            # An unknown number is 0: the mean then and now.
            moved = (numbers * now.scale + now.centre - block.centre) / block.scale
            values[:, block.start] = np.where(numbers == 0.0, 0.0, moved)
            continue
        for node, column in zip(block.nodes, range(block.start, block.stop), strict=True):
            if node in present.column:
                values[:, column] = centred[:, present.column[node]]
    _, first = np.unique(values.round(9), axis=0, return_index=True)
    rows = np.sort(first)
    if len(rows) > CANDIDATES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, CANDIDATES, replace=False))
    return rows.astype(np.int64), values[rows]
