"""People differ: a Gaussian population of tastes by empirical Bayes, and each person's own posterior.

Taste of a person = part-worths of the category + a deviation for each AttributeValue, shared by all categories.
Deviations are N(mean, covariance) over the population, with an inverse Wishart prior on the covariance of
K + 3 degrees of freedom (Rossi, Allenby and McCulloch 2005), weak against many people.
Both are estimated by expectation-maximisation. A Laplace approximation of each person's posterior is the
proposal, and importance weights make it exact but for the number of draws: the plain Laplace E-step understates
how much people differ (on camera by a factor of two, and held-out log-likelihood by .05 a task).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.ragged import gather
from kgrank.choice.logit.choices import Choices

DRAWS = 200
"""Draws of each person's posterior, in antithetic pairs."""

WARM_ROUNDS, ROUNDS = 8, 20
PATIENCE = 2e-3
"""Rounds end when the evidence per person gains less than this."""

RELATIVE_SIZES = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0)

ENOUGH_ROWS = 80_000
"""The population is estimated from people, drawn at random, with about so many alternatives."""


@dataclass(frozen=True)
class Panel:
    """Choices of many people in shared columns.

    Attributes:
        x: (rows, columns) dense columns of the deviations.
        offset: (rows,) utility before any deviation.
        start: (choices + 1,) first row of each choice; choices of a person stand together.
        chosen: (rows,) how often taken.
        outside: (choices,) whether there was an outside option.
        left: (choices,) how often it was taken.
        person: (choices,) from 0, ascending.
        people: Number of people.
        rated: (choices,) which are ratings, as in ``Choices``; None where there are none.
    """

    x: Floats
    offset: Floats
    start: Ints
    chosen: Floats
    outside: Truths
    left: Floats
    person: Ints
    people: int
    rated: Truths | None = None

    @property
    def choice(self) -> Ints:
        """(rows,) the choice of each row."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def probabilities(self, utility: Floats) -> tuple[Floats, Floats]:
        """Probability of each row, and the log-likelihood of each choice."""
        first = self.start[:-1]
        top = np.maximum.reduceat(utility, first)
        top = np.where(self.outside, np.maximum(top, 0.0), top)
        choice = self.choice
        odds = np.exp(utility - top[choice])
        total = np.add.reduceat(odds, first) + np.where(self.outside, np.exp(-top), 0.0)
        units = np.add.reduceat(self.chosen, first) + self.left
        fit = np.add.reduceat(self.chosen * utility, first) - units * (np.log(total) + top)
        if self.rated is not None:
            fit = np.where(self.rated, -0.5 * np.add.reduceat((self.chosen - utility) ** 2, first), fit)
        return odds / total[choice], fit


@dataclass(frozen=True)
class Tastes:
    """A population and the posterior means of the people it was estimated from.

    Attributes:
        mean: (columns,) of the deviations.
        covariance: (columns, columns).
        people: (people, columns) posterior mean of each person's deviation.
        log_marginal: Log-evidence of the choices.
    """

    mean: Floats
    covariance: Floats
    people: Floats
    log_marginal: float


def panel(choices: Choices, part_worths: Floats, columns: Floats) -> tuple[Panel, Ints]:
    """Choices regrouped by person.

    Args:
        choices: The choices of one category.
        part_worths: The category's part-worths, nuisance included: they give the offset.
        columns: (choices.width, panel columns) where each column goes in the panel.

    Returns:
        The panel, and (people,) the persons' numbers in ``choices``.
    """
    persons, person = np.unique(choices.person, return_inverse=True)
    order = np.argsort(person, kind="stable")
    sorted_ = choices.take(order)
    x = np.asarray(sorted_.raw @ (choices.centring @ columns))
    return (
        Panel(
            x,
            sorted_.utility(part_worths),
            sorted_.start,
            sorted_.chosen,
            sorted_.outside,
            sorted_.left,
            person[order].astype(np.int64),
            len(persons),
            sorted_.rated,
        ),
        persons.astype(np.int64),
    )


def join_panels(panels: list[tuple[Panel, Ints]], persons: Ints | None = None) -> tuple[Panel, Ints]:
    """One panel of several categories' panels; choices of a person come together.

    ``persons`` are the people to number, by default those who chose something.
    """
    if persons is None:
        persons = np.unique(np.concatenate([p for _, p in panels]))
    owner = np.concatenate([np.searchsorted(persons, p)[one.person] for one, p in panels])
    order = np.argsort(owner, kind="stable")
    counts = np.concatenate([np.diff(one.start) for one, _ in panels])
    first = np.concatenate([[0], np.cumsum(counts)])[:-1]
    rows, start = gather(first[order], counts[order])

    def rowwise(name: str) -> Floats:
        return np.asarray(np.concatenate([getattr(one, name) for one, _ in panels])[rows])

    def choicewise(name: str) -> Floats:
        return np.concatenate([getattr(one, name) for one, _ in panels])[order]

    rated = [np.zeros(len(one.left), bool) if one.rated is None else one.rated for one, _ in panels]
    joined = Panel(
        rowwise("x"),
        rowwise("offset"),
        start,
        rowwise("chosen"),
        choicewise("outside").astype(bool),
        choicewise("left"),
        owner[order].astype(np.int64),
        len(persons),
        np.concatenate(rated)[order] if any(one.rated is not None for one, _ in panels) else None,
    )
    return joined, persons


class _People:
    """Where each person's rows and choices stand."""

    def __init__(self, data: Panel) -> None:
        self.data = data
        sizes = np.bincount(data.person, minlength=data.people)
        self.first_choice = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.first_row = data.start[self.first_choice]
        self.owner = np.repeat(data.person, np.diff(data.start))

    def derivatives(self, utility: Floats, probability: Floats) -> tuple[Floats, Floats]:
        """(people, columns) gradients and (people, columns, columns) information of the likelihood."""
        data = self.data
        units = np.add.reduceat(data.chosen, data.start[:-1]) + data.left
        residual = data.chosen - units[data.choice] * probability
        weight = units[data.choice] * probability
        if data.rated is not None:
            rated = data.rated[data.choice]
            residual = np.where(rated, data.chosen - utility, residual)
            weight, probability = np.where(rated, 1.0, weight), np.where(rated, 0.0, probability)
        mixing = sparse.csr_matrix((probability, np.arange(len(probability)), data.start))
        mean = mixing @ data.x
        width = data.x.shape[1]
        gradient = np.empty((data.people, width))
        information = np.empty((data.people, width, width))
        for u in range(data.people):
            r = slice(self.first_row[u], self.first_row[u + 1])
            t = slice(self.first_choice[u], self.first_choice[u + 1])
            x = data.x[r]
            gradient[u] = residual[r] @ x
            information[u] = x.T @ (x * weight[r, None]) - mean[t].T @ (mean[t] * units[t, None])
        return gradient, information

    def utility(self, deviations: Floats) -> Floats:
        """(rows,) utility under each person's deviations."""
        return np.asarray(self.data.offset + np.einsum("rc,rc->r", self.data.x, deviations[self.owner]))

    def fit_under(self, person: int, deviations: Floats) -> Floats:
        """(the person's choices, draws) log-likelihood of each under each of several deviations."""
        data = self.data
        t = slice(self.first_choice[person], self.first_choice[person + 1])
        r = slice(self.first_row[person], self.first_row[person + 1])
        first = data.start[t] - data.start[t.start]
        if len(first) == 0:
            return np.empty((0, len(deviations)))
        one = replace(
            data,
            start=np.append(first, r.stop - r.start),
            chosen=data.chosen[r, None],
            outside=data.outside[t, None],
            left=data.left[t, None],
            rated=None if data.rated is None else data.rated[t, None],
        )
        return one.probabilities(data.offset[r, None] + data.x[r] @ deviations.T)[1]

    def by_person(self, choicewise: Floats) -> Floats:
        """(people,) sums over the persons' choices."""
        return np.bincount(self.data.person, choicewise, self.data.people).astype(float)


def posteriors(
    data: Panel,
    mean: Floats,
    covariance: Floats,
    start: Floats | None = None,
    rounds: int = 30,
    tolerance: float = 1e-6,
) -> tuple[Floats, Floats, Floats]:
    """Each person's posterior under a population, by Newton's method with step halving.

    It ends when everyone's Newton decrement, in log-posterior, is below ``tolerance``.

    Returns:
        Modes (people, columns), covariances (people, columns, columns), and log-evidence (people,).
    """
    members = _People(data)
    precision = np.linalg.inv(covariance)
    at = np.tile(mean, (data.people, 1)) if start is None else start.copy()

    def value(x: Floats) -> tuple[tuple[Floats, Floats], Floats]:
        utility = members.utility(x)
        probability, fit = data.probabilities(utility)
        gap = x - mean
        return (utility, probability), members.by_person(fit) - 0.5 * np.einsum(
            "uc,cd,ud->u", gap, precision, gap
        )

    here, best = value(at)
    information = np.empty(0)
    for _ in range(rounds):
        gradient, information = members.derivatives(*here)
        gradient -= (at - mean) @ precision
        information += precision
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
        if np.max(np.einsum("uc,uc->u", gradient, step), initial=0.0) < tolerance:
            break
        size = np.ones(data.people)
        for _ in range(20):
            there = at + size[:, None] * step
            here, now = value(there)
            worse = now < best - 1e-12
            if not worse.any():
                break
            size[worse] /= 2
        at, best = there, now
    spread = np.linalg.inv(information)
    _, log_prior = np.linalg.slogdet(precision)
    _, log_posterior = np.linalg.slogdet(information)
    return at, np.asarray(spread), np.asarray(best + 0.5 * (log_prior - log_posterior))


@dataclass(frozen=True)
class Draws:
    """Weighted draws of one person's posterior: deviations (draws, columns), weights that add up to 1."""

    deviations: Floats
    weights: Floats
    log_marginal: float


def draws(
    data: Panel,
    mean: Floats,
    covariance: Floats,
    modes: Floats | None = None,
    count: int = DRAWS,
    seed: int = 0,
) -> Iterator[Draws]:
    """Importance-weighted draws of each person's posterior, person by person."""
    # Draws are weighted, so a mode a step away from its optimum costs draws, not truth.
    modes, spread, _ = posteriors(data, mean, covariance, modes, rounds=30 if modes is None else 2)
    root = np.linalg.cholesky(spread)
    width = len(mean)
    generator = np.random.default_rng(seed)
    precision = np.linalg.inv(covariance)
    _, log_det = np.linalg.slogdet(covariance)
    members = _People(data)
    for u in range(data.people):
        # Each person's own draws: errors of shared ones would not average out over the people.
        half = generator.standard_normal((count // 2, width))
        normal = np.concatenate([half, -half])
        deviations = modes[u] + normal @ root[u].T
        gap = deviations - mean
        log_prior = -0.5 * (np.einsum("sc,cd,sd->s", gap, precision, gap) + log_det)
        log_proposal = -0.5 * (normal**2).sum(1) - np.log(np.diag(root[u])).sum()
        log_weight = members.fit_under(u, deviations).sum(0) + log_prior - log_proposal
        top = log_weight.max()
        weights = np.exp(log_weight - top)
        total = weights.sum()
        yield Draws(deviations, weights / total, float(np.log(total / count) + top))


def estimate(data: Panel, scale: Floats, *, free_mean: bool = True) -> Tastes:
    """The population of tastes.

    First one number is learned, how large deviations are in units of ``scale``; then means and covariance, by
    a few Laplace rounds and rounds of weighted draws. What the choices say little of stays near that start.

    Args:
        data: The choices of the people.
        scale: (columns,) what a deviation is measured in: the range of the attribute's utility for the average
            shopper. Those for whom an attribute decides more differ more in it.
        free_mean: Whether deviations may have a mean of their own; not where the offset was fitted on more
            people than these, whose sample would only add noise.
    """
    width = data.x.shape[1]
    freedom = width + 3
    mean = np.zeros(width)
    base = _relative_size(data, scale) ** 2 * np.diag(scale**2)
    covariance = base
    modes: Floats | None = None

    def covariance_of(scatter: Floats) -> Floats:
        return np.asarray((freedom * base + scatter) / (freedom + data.people))

    for _ in range(WARM_ROUNDS):
        modes, spread, _ = posteriors(data, mean, covariance, modes, rounds=2)
        mean = modes.mean(0) if free_mean else mean
        gap = modes - mean
        covariance = covariance_of(gap.T @ gap + spread.sum(0))
    evidence = -np.inf
    people = np.empty((data.people, width))
    for turn in range(ROUNDS):
        raw = np.zeros((width, width))
        now = 0.0
        for u, drawn in enumerate(draws(data, mean, covariance, modes, seed=turn)):
            people[u] = drawn.weights @ drawn.deviations
            raw += (drawn.deviations * drawn.weights[:, None]).T @ drawn.deviations
            now += drawn.log_marginal
        centre = people.mean(0)
        covariance = covariance_of(raw - data.people * np.outer(centre, centre))
        mean = centre if free_mean else mean
        if now - evidence < PATIENCE * data.people:
            break
        evidence = now
    return Tastes(mean, covariance, people, max(now, evidence))


def _relative_size(data: Panel, scale: Floats) -> float:
    """The standard deviation of all deviations in units of ``scale`` with the most evidence.

    The best of a grid, then the top of the parabola through it and its neighbours.
    """
    mean = np.zeros(len(scale))
    grid = np.log(RELATIVE_SIZES)
    found: dict[int, float] = {}

    def evidence(at: int) -> float:
        if at not in found:
            covariance = np.diag((RELATIVE_SIZES[at] * scale) ** 2)
            found[at] = float(posteriors(data, mean, covariance, rounds=4)[2].sum())
        return found[at]

    # The evidence has one top in the logarithm of the size: climb from the middle.
    best = len(grid) // 2
    while True:
        near = [i for i in (best - 1, best, best + 1) if 0 <= i < len(grid)]
        top = max(near, key=evidence)
        if top == best:
            break
        best = top
    if len(near) < 3:
        return RELATIVE_SIZES[best]
    bend, slope, _ = np.polyfit(grid[near] - grid[best], [evidence(i) for i in near], 2)
    return float(np.exp(grid[best] - slope / (2 * bend)))


def predictive(train: Panel, test: Panel, tastes: Tastes) -> Floats:
    """(choices of ``test``,) log-probability of each, averaged over the person's posterior from ``train``.

    Both panels number the same people.
    """
    members = _People(test)
    found = []
    for u, drawn in enumerate(draws(train, tastes.mean, tastes.covariance)):
        fit = members.fit_under(u, drawn.deviations)
        found.append(np.log(np.exp(fit) @ drawn.weights))
    return np.concatenate(found)


def restrict(data: Panel, which: Truths) -> Panel:
    """The chosen choices of a panel; every person keeps a number, so each must keep a choice."""
    at = np.flatnonzero(which)
    rows, start = gather(data.start[:-1][at], np.diff(data.start)[at])
    return replace(
        data,
        x=data.x[rows],
        offset=data.offset[rows],
        start=start,
        chosen=data.chosen[rows],
        outside=data.outside[at],
        left=data.left[at],
        person=data.person[at],
        rated=None if data.rated is None else data.rated[at],
    )


def some_people(data: Panel, seed: int = 0) -> Panel:
    """People drawn at random, with all their choices and new numbers, up to ENOUGH_ROWS alternatives."""
    if len(data.x) <= ENOUGH_ROWS:
        return data
    rows = np.bincount(data.person, np.diff(data.start), data.people)
    order = np.random.default_rng(seed).permutation(data.people)
    taken = np.sort(order[np.cumsum(rows[order]) <= ENOUGH_ROWS])
    kept = restrict(data, np.isin(data.person, taken))
    return replace(kept, person=np.searchsorted(taken, kept.person), people=len(taken))


def panel_choices(data: Panel) -> Choices:
    """The panel's choices in its own columns."""
    return Choices(
        sparse.csr_matrix(data.x),
        np.eye(data.x.shape[1]),
        data.start,
        data.chosen,
        data.outside,
        data.left,
        data.person,
        np.zeros(len(data.person), np.int64),
        data.offset,
        data.rated,
    )
