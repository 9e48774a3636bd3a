"""Mixed logit: random coefficients from a Gaussian population of tastes, and each person's own posterior.

Taste of a person = part-worths of the category + a deviation for each AttributeValue, shared by all categories.
Deviations are N(mean, covariance) over the population, with an inverse Wishart prior on the covariance of
K + 3 degrees of freedom (Rossi, Allenby and McCulloch 2005), weak against many people.
Both are estimated by expectation-maximisation (Train 2009, chapter 14). A Laplace approximation of each person's
posterior is the proposal, and importance weights make it exact but for the number of draws: the plain Laplace
E-step understates how much people differ (on camera by a factor of two, held-out log-likelihood by .05 a choice).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.logit.likelihood import Choices, concatenated
from kgrank.choice.logit.newton import newton
from kgrank.choice.steps import Steps, told, untold

DRAWS = 200
"""Draws of each person's posterior, in antithetic pairs."""

WARM_ROUNDS, ROUNDS = 8, 20
PATIENCE = 2e-3
"""Rounds end when the log marginal likelihood per person gains less than this."""

RELATIVE_SIZES = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0)

ENOUGH_ROWS = 80_000
"""The population is estimated from people, drawn at random, with about so many alternatives."""

SLACK = 1e-12
"""How much a person's log-posterior may fall in a Newton step: rounding errors."""


@dataclass(frozen=True)
class Panel:
    """Choices of many people in shared columns, those of a person together.

    Attributes:
        choices: Without columns; the offset is the utility before any deviation, and ``person``
            counts the people from 0, ascending.
        x: (rows, columns) the columns of the deviations, dense.
        people: Number of people, those without a choice included.
    """

    choices: Choices
    x: Floats
    people: int

    @cached_property
    def first_choice(self) -> Ints:
        """(people + 1,) where each person's choices start."""
        sizes = np.bincount(self.choices.person, minlength=self.people)
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    @cached_property
    def first_row(self) -> Ints:
        """(people + 1,) where each person's rows start."""
        return self.choices.start[self.first_choice]

    @cached_property
    def owner(self) -> Ints:
        """(rows,) the person of each row."""
        return self.choices.person[self.choices.choice]

    def take(self, which: Truths) -> Panel:
        """The chosen choices; every person keeps a number."""
        return replace(self, choices=self.choices.take(which), x=self.x[which[self.choices.choice]])

    def utility(self, deviations: Floats) -> Floats:
        """(rows,) utility under each person's deviations (people, columns)."""
        return np.asarray(self.choices.offset + np.einsum("rc,rc->r", self.x, deviations[self.owner]))

    def derivatives(self, utility: Floats, probability: Floats) -> tuple[Floats, Floats]:
        """(people, columns) gradients and (people, columns, columns) information of the likelihood."""
        choices = self.choices
        residual = choices.gradient_rows(utility, probability)
        weight, mixing = choices.weights(probability)
        mean = mixing @ self.x
        width = self.x.shape[1]
        gradient = np.empty((self.people, width))
        information = np.empty((self.people, width, width))
        for person in range(self.people):
            rows, own_choices = self._slices(person)
            x, means = self.x[rows], mean[own_choices]
            gradient[person] = residual[rows] @ x
            total = choices.total[own_choices, None]
            information[person] = x.T @ (x * weight[rows, None]) - means.T @ (means * total)
        return gradient, information

    def log_likelihood(self, person: int, deviations: Floats) -> Floats:
        """(the person's choices, draws) log-likelihood of each under each of several deviations."""
        rows, own_choices = self._slices(person)
        if own_choices.start == own_choices.stop:
            return np.empty((0, len(deviations)))
        choices = self.choices.run(own_choices)
        return choices.log_likelihood(choices.offset[:, None] + self.x[rows] @ deviations.T)

    def _slices(self, person: int) -> tuple[slice, slice]:
        """A person's rows and choices."""
        rows = slice(self.first_row[person], self.first_row[person + 1])
        return rows, slice(self.first_choice[person], self.first_choice[person + 1])


@dataclass(frozen=True)
class Tastes:
    """A population and the posterior means of the people it was estimated from.

    Attributes:
        mean: (columns,) of the deviations.
        covariance: (columns, columns).
        people: (people, columns) posterior mean of each person's deviation.
        log_marginal: Log marginal likelihood of the choices.
    """

    mean: Floats
    covariance: Floats
    people: Floats
    log_marginal: float


def panel_by_person(choices: Choices, part_worths: Floats, columns: Floats) -> tuple[Panel, Ints]:
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
    regrouped = choices.take(order)
    x = regrouped.times(choices.centring @ columns)
    columnless = regrouped.without_columns(regrouped.utility(part_worths))
    numbered = replace(columnless, person=person[order].astype(np.int64))
    return Panel(numbered, x, len(persons)), persons.astype(np.int64)


def join_panels(panels: list[tuple[Panel, Ints]], persons: Ints | None = None) -> tuple[Panel, Ints]:
    """One panel of several categories' panels; choices of a person come together.

    ``persons`` are the people to number, by default those who chose something.
    """
    if persons is None:
        persons = np.unique(np.concatenate([p for _, p in panels]))
    joined = concatenated([part.choices for part, _ in panels])
    owner = np.concatenate([np.searchsorted(persons, p)[part.choices.person] for part, p in panels])
    order = np.argsort(owner, kind="stable")
    choices = replace(joined.take(order), person=owner[order].astype(np.int64))
    x = np.concatenate([part.x for part, _ in panels])[joined.rows_of(order)]
    return Panel(choices, x, len(persons)), persons


def posteriors(
    data: Panel,
    mean: Floats,
    covariance: Floats,
    start: Floats | None = None,
    rounds: int = 30,
    tolerance: float = 1e-6,
) -> tuple[Floats, Floats, Floats]:
    """Each person's posterior under a population, by Laplace's approximation around the mode.

    Args:
        data: The choices.
        mean: (columns,) of the population.
        covariance: (columns, columns) of the population.
        start: (people, columns) where the search for the modes begins; the population's mean by default.
        rounds: Newton steps at most.
        tolerance: It ends when everyone's Newton decrement, in log-posterior, is below it.

    Returns:
        Modes (people, columns), covariances (people, columns, columns), and log marginal likelihoods (people,).
    """
    choices, precision = data.choices, np.asarray(np.linalg.inv(covariance), np.float64)

    def evaluate(points: Floats) -> tuple[Floats, tuple[Floats, Floats]]:
        utility = data.utility(points)
        probability, log_denominator = choices.probabilities(utility)
        log_likelihood = choices.log_likelihood(utility, log_denominator)
        by_person = np.bincount(choices.person, log_likelihood, data.people).astype(float)
        gap = points - mean
        return by_person - 0.5 * _squared_distance(gap, precision), (utility, probability)

    def direction(points: Floats, state: tuple[Floats, Floats]) -> tuple[Floats, Floats, Floats]:
        gradient, information = data.derivatives(*state)
        gradient -= (points - mean) @ precision
        information += precision
        step = np.linalg.solve(information, gradient[..., None])[..., 0]
        return np.asarray(step, np.float64), np.einsum("uc,uc->u", gradient, step), information

    first = np.tile(mean, (data.people, 1)) if start is None else start
    modes, log_posterior, information = newton(
        first, evaluate, direction, tolerance=tolerance, rounds=rounds, slack=SLACK
    )
    _, log_det_prior = np.linalg.slogdet(precision)
    _, log_det_posterior = np.linalg.slogdet(information)
    log_marginal = log_posterior + 0.5 * (log_det_prior - log_det_posterior)
    return modes, np.asarray(np.linalg.inv(information)), np.asarray(log_marginal)


def _squared_distance(gap: Floats, precision: Floats) -> Floats:
    """(rows,) x'Px of each row x of (rows, columns)."""
    # As one einsum of three factors it would be summed in a plain loop, without the library's matrix product.
    return np.asarray(np.einsum("rc,rc->r", gap @ precision, gap))


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
    """Importance-weighted draws of each person's posterior, person by person (Train 2009, section 9.2.7)."""
    # Draws are weighted, so a mode a step away from its optimum costs draws, not truth.
    modes, spread, _ = posteriors(data, mean, covariance, modes, rounds=30 if modes is None else 2)
    root = np.linalg.cholesky(spread)
    width = len(mean)
    generator = np.random.default_rng(seed)
    precision = np.asarray(np.linalg.inv(covariance), np.float64)
    _, log_det = np.linalg.slogdet(covariance)
    for person in range(data.people):
        # Separate draws for each person: errors of shared ones would not average out over the people.
        half = generator.standard_normal((count // 2, width))
        normal = np.concatenate([half, -half])
        deviations = modes[person] + normal @ root[person].T
        gap = deviations - mean
        log_prior = -0.5 * (_squared_distance(gap, precision) + log_det)
        log_proposal = -0.5 * (normal**2).sum(1) - np.log(np.diag(root[person])).sum()
        log_weight = data.log_likelihood(person, deviations).sum(0) + log_prior - log_proposal
        top = log_weight.max()
        weights = np.exp(log_weight - top)
        total = weights.sum()
        yield Draws(deviations, weights / total, float(np.log(total / count) + top))


def estimate(data: Panel, scale: Floats, *, free_mean: bool = True, steps: Steps = untold) -> Tastes:
    """The population of tastes.

    First one number is learned, how large deviations are in units of ``scale``; then means and covariance, by
    a few Laplace rounds and rounds of weighted draws. What the choices say little of stays near that start.

    Args:
        data: The choices of the people.
        scale: (columns,) what a deviation is measured in: the range of the attribute's utility for the average
            shopper. Those for whom an attribute decides more differ more in it.
        free_mean: Whether deviations may have a mean other than 0; not where the offset was fitted on more
            people than these, whose sample would only add noise.
        steps: Told of each round; it may end before the last.
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
    log_marginal = -np.inf
    people = np.empty((data.people, width))
    for turn in told(range(ROUNDS), steps):
        second_moment = np.zeros((width, width))
        new_log_marginal = 0.0
        for person, posterior in enumerate(draws(data, mean, covariance, modes, seed=turn)):
            people[person] = posterior.weights @ posterior.deviations
            weighted = posterior.deviations * posterior.weights[:, None]
            second_moment += weighted.T @ posterior.deviations
            new_log_marginal += posterior.log_marginal
        centre = people.mean(0)
        covariance = covariance_of(second_moment - data.people * np.outer(centre, centre))
        mean = centre if free_mean else mean
        if new_log_marginal - log_marginal < PATIENCE * data.people:
            break
        log_marginal = new_log_marginal
    return Tastes(mean, covariance, people, max(new_log_marginal, log_marginal))


def _relative_size(data: Panel, scale: Floats) -> float:
    """The standard deviation of all deviations in units of ``scale`` with the largest marginal likelihood.

    The best of a grid, then the top of the parabola through it and its neighbours.
    """
    mean = np.zeros(len(scale))
    grid = np.log(RELATIVE_SIZES)

    @cache
    def log_marginal(index: int) -> float:
        covariance = np.diag((RELATIVE_SIZES[index] * scale) ** 2)
        return float(posteriors(data, mean, covariance, rounds=4)[2].sum())

    # The marginal likelihood has one top in the logarithm of the size: climb from the middle.
    best = len(grid) // 2
    while True:
        near = [i for i in (best - 1, best, best + 1) if 0 <= i < len(grid)]
        top = max(near, key=log_marginal)
        if top == best:
            break
        best = top
    if len(near) < 3:
        return RELATIVE_SIZES[best]
    bend, slope, _ = np.polyfit(grid[near] - grid[best], [log_marginal(i) for i in near], 2)
    return float(np.exp(grid[best] - slope / (2 * bend)))


def messages(data: Panel, mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """What each person's choices say of their departure from the mean, as Gaussians around their mode.

    Returns:
        Precisions (people, columns, columns) and vectors (people, columns).
    """
    modes, spread, _ = posteriors(data, mean, covariance)
    information = np.linalg.inv(spread)
    return information - np.linalg.inv(covariance), np.einsum("ucd,ud->uc", information, modes - mean)


def sample_people(data: Panel, seed: int = 0) -> tuple[Panel, Ints]:
    """People drawn at random, up to ENOUGH_ROWS alternatives, with their choices and new numbers; who they are."""
    if len(data.x) <= ENOUGH_ROWS:
        return data, np.arange(data.people)
    choices = data.choices
    rows = np.bincount(choices.person, np.diff(choices.start), data.people)
    order = np.random.default_rng(seed).permutation(data.people)
    drawn = np.sort(order[np.cumsum(rows[order]) <= ENOUGH_ROWS])
    selected = data.take(np.isin(choices.person, drawn))
    person = np.searchsorted(drawn, selected.choices.person)
    return Panel(replace(selected.choices, person=person), selected.x, len(drawn)), drawn
