"""Choices made after the purchases of a graph, with the utility that is served without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.ragged import gather
from kgrank.choice.data.responses import RESPONSES
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.likelihood import Choices, concatenated
from kgrank.learning.fit import ShopFit
from kgrank.learning.liking.earlier_tastes import EarlierTastes, served_with_nuisance
from kgrank.learning.liking.purchases import Purchases
from kgrank.weights.liking import FEW_BUYERS

MOST = 30_000
"""Choices that weights are learned on, or that are scored, at most: drawn at random where there are more."""

GRAPH, WEIGHTS = 0.8, 0.9
"""Shares of the choices, by time, up to which purchases make the graph, and choices learn the weights."""


@dataclass(frozen=True)
class LaterChoices:
    """Choices after the graph's purchases, by which the weights are learned.

    Attributes:
        choices: Without columns; ``offset`` is the utility without the graph, ``person`` the graph's number of the
            person, -1 for one who is not in it.
        item: (rows,) item numbers.
        beside: (rows, columns) terms whose weights are learned together with those of the graph.
    """

    choices: Choices
    item: Ints
    beside: Floats


@dataclass(frozen=True)
class Cuts:
    """Times between the parts of a log: the graph up to the first, the weights up to the second."""

    graph: float
    weights: float


def cuts(sets: Mapping[str, CategoryChoices]) -> Cuts | None:
    """Where a log is cut, by the times of its choices of items; None where no time tells them apart."""
    times = np.concatenate([np.empty(0), *(s.choices.time for s in sets.values())])
    if not len(times):
        return None
    first, second = np.quantile(times, [GRAPH, WEIGHTS])
    return Cuts(float(first), float(second)) if first < second < times.max() else None


def choices_of_items(fitted: ShopFit) -> dict[str, CategoryChoices]:
    """The choices among items, each once: what was viewed, put into the cart, bought or ranked first."""
    of_items = {c: s.of_kinds((*RESPONSES, "rank")) for c, s in fitted.shop.own_choices.items()}
    # Most categories have no others, and a copy of all choices would take as much memory again.
    return {
        c: s if of_items[c].all() else s.take(of_items[c])
        for c, s in fitted.shop.own_choices.items()
        if of_items[c].any()
    }


def people_in(sets: Mapping[str, CategoryChoices], span: tuple[float, float]) -> int:
    """How many people chose one of several items after one time up to another."""
    persons = [s.choices.person[_within(s, span)] for s in sets.values()]
    return len(np.unique(np.concatenate(persons))) if persons else 0


def later_choices(
    fitted: ShopFit,
    purchases: Purchases,
    sets: Mapping[str, CategoryChoices],
    tastes: EarlierTastes,
    span: tuple[float, float],
    seed: int,
) -> LaterChoices:
    """The choices after one time up to another.

    The offset is the utility that is served without the graph: the category's part-worths and the person's own
    taste. Beside it are log(1 + people who bought the item) and whether these are few. Among what was taken, the
    outside option says nothing of which item it was, and is left out.

    Args:
        fitted: The fits.
        purchases: Those of the graph.
        sets: Choices among items.
        tastes: Of everyone, from choices before all of these.
        span: After the first time, up to the second; it has choices.
        seed: Of the choices that are drawn where there are more than are needed.
    """
    number = {item: k for k, item in enumerate(purchases.items)}
    after = {c: np.flatnonzero(_within(s, span)) for c, s in sets.items()}
    share = min(MOST / max(sum(map(len, after.values())), 1), 1.0)
    random = np.random.default_rng(seed)
    parts, items = list[Choices](), list[Ints]()
    for category, which in after.items():
        drawn = np.sort(random.permutation(which)[: int(np.ceil(share * len(which)))])
        if not len(drawn):
            continue
        one = sets[category]
        choices = one.choices.take(drawn)
        rows, _ = gather(one.choices.start[:-1][drawn], np.diff(one.choices.start)[drawn])
        offset = choices.utility(served_with_nuisance(one, fitted)) + tastes.utility(category, choices)
        given = choices.without_columns(offset)
        parts.append(replace(given, outside=np.zeros(len(drawn), bool), left=np.zeros(len(drawn))))
        items.append(np.array([number[i] for i in one.design.items])[one.item_row[rows]])
    item, people = np.concatenate(items), purchases.people
    beside = np.column_stack([np.log1p(people[item]), people[item] < FEW_BUYERS]).astype(float)
    return LaterChoices(concatenated(parts), item, beside)


def _within(one: CategoryChoices, span: tuple[float, float]) -> Truths:
    """(choices,) those of a span of time in which one of several items was taken."""
    choices = one.choices
    taken = np.add.reduceat(choices.chosen, choices.start[:-1]) > 0
    later = (choices.time > span[0]) & (choices.time <= span[1])
    return np.asarray(later & taken & (np.diff(choices.start) > 1))
