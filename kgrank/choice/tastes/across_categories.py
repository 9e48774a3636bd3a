"""Tastes across categories: what a person has in all of them, and how they depart from it in each, in closed form.

In category c person h departs from the part-worths by δ_hc = δ_h + ε_hc, with δ_h ~ N(0, Ω) between people and
ε_hc ~ N(0, Ψ) between the categories of one person: random effects in two levels (Laird and Ware 1982). Choices
enter as a Gaussian around the category's optimum, log L(δ_hc) ≈ g'δ_hc - ½ δ_hc'H δ_hc: their gradient g and
information H are all that is kept of a person in a category. With ε_hc integrated out, a category says of δ_h

    precision M = (I + HΨ)⁻¹ H,    vector m = (I + HΨ)⁻¹ g,

and a person's posterior is the sum over their categories. Ω and Ψ are estimated by expectation-maximisation
(Dempster, Laird and Rubin 1977). Time and memory grow with the (person, category) pairs that have choices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.tastes.mixed_logit import Panel, panel_by_person

START = 0.1
"""Variance of every column between people, and between categories, where the search begins; also the centre of the
weak prior on both, with columns + 3 degrees of freedom, as if so many people more had been seen."""

ROUNDS, TOLERANCE = 200, 0.002
"""Rounds at most; they end when no variance moves by a larger share."""

ENOUGH_PAIRS = 20_000
"""How people vary is estimated from people, drawn at random, with about so many categories in all."""


@dataclass(frozen=True)
class Evidence:
    """What choices say of tastes, by person and category: a pair that has none is not there.

    Attributes:
        person: (pairs,) number of the person.
        category: (pairs,) number of the category.
        gradient: (pairs, columns) of the log-likelihood, by deviations from the category's part-worths, at 0.
        information: (pairs, columns, columns) its negative second derivative there.
        people: Number of people, those without choices included.
    """

    person: Ints
    category: Ints
    gradient: Floats
    information: Floats
    people: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.gradient.shape[1])

    def take(self, which: Truths) -> Evidence:
        """The chosen pairs; every person keeps a number."""
        return Evidence(
            self.person[which],
            self.category[which],
            self.gradient[which],
            self.information[which],
            self.people,
        )


@dataclass(frozen=True)
class Variation:
    """How tastes vary.

    Attributes:
        between: (columns, columns) covariance Ω of a person's tastes, over people.
        within: (columns, columns) covariance Ψ of one person's departures from them, over categories.
    """

    between: Floats
    within: Floats


def category_evidence(
    choices: Choices, part_worths: Floats, columns: Floats, category: int, people: int
) -> Evidence:
    """What the choices of one category say of everyone who made them.

    Args:
        choices: Of the category; ``person`` numbers everybody.
        part_worths: (choices.width,) the optimum.
        columns: (choices.width, columns) where each of its columns goes.
        category: Its number.
        people: Number of people in all.
    """
    return panel_evidence(*panel_by_person(choices, part_worths, columns), category, people)


def panel_evidence(panel: Panel, persons: Ints, category: int, people: int) -> Evidence:
    """What the choices of a panel say, all of one category; ``persons`` are its people's numbers."""
    utility = panel.choices.offset
    probability, _ = panel.choices.probabilities(utility)
    gradient, information = panel.derivatives(utility, probability)
    return Evidence(persons, np.full(len(persons), category), gradient, information, people)


def joined(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several categories in the same columns."""
    return Evidence(
        np.concatenate([p.person for p in parts]),
        np.concatenate([p.category for p in parts]),
        np.concatenate([p.gradient for p in parts]),
        np.concatenate([p.information for p in parts]),
        parts[0].people,
    )


def messages(evidence: Evidence, within: Floats) -> tuple[Floats, Floats]:
    """What each pair says of the person's taste in all categories, departures integrated out.

    Returns:
        Precisions (pairs, columns, columns) and vectors (pairs, columns).
    """
    return _messages(evidence, _shrink(evidence, within))


def people_messages(evidence: Evidence, within: Floats) -> tuple[Floats, Floats]:
    """What all choices of each person say of their taste in all categories.

    Returns:
        Precisions (people, columns, columns) and vectors (people, columns).
    """
    return _sums(evidence, *messages(evidence, within))


def recentred(evidence: Evidence, centre: Floats) -> Evidence:
    """The evidence on departures from a centre (columns,) instead of from 0."""
    return replace(evidence, gradient=evidence.gradient - evidence.information @ centre)


def present_people(evidence: Evidence) -> tuple[Evidence, Ints]:
    """The same pairs with new numbers for the people who have one; who they are."""
    present, person = np.unique(evidence.person, return_inverse=True)
    return replace(evidence, person=person, people=len(present)), present


def posteriors(evidence: Evidence, variation: Variation) -> tuple[Floats, Floats]:
    """Everyone's taste in a category in which they never chose.

    Returns:
        Means (people, columns) and covariances (people, columns, columns); the prior for a person without choices.
    """
    return _posteriors(evidence, variation, _shrink(evidence, variation.within))


def elsewhere(evidence: Evidence, variation: Variation) -> Floats:
    """(pairs, columns) mean of each person's taste as their choices in all other categories tell it."""
    of_pair = messages(evidence, variation.within)
    precision, vector = _sums(evidence, *of_pair)
    others = precision[evidence.person] - of_pair[0] + np.linalg.inv(variation.between)
    return np.asarray(np.linalg.solve(others, (vector[evidence.person] - of_pair[1])[..., None])[..., 0])


def departures(
    evidence: Evidence, variation: Variation, mean: Floats, covariance: Floats
) -> tuple[Floats, Floats]:
    """Each person's taste in each category in which they chose: that of all categories, and the departure.

    Args:
        evidence: The pairs.
        variation: How tastes vary.
        mean: (people, columns) everyone's taste, as ``posteriors`` gives it.
        covariance: (people, columns, columns) its covariance.

    Returns:
        Means (pairs, columns) and covariances (pairs, columns, columns).
    """
    spread = variation.within @ _shrink(evidence, variation.within)
    passed = spread @ evidence.information
    error = evidence.gradient - _times(evidence.information, mean[evidence.person])
    kept = np.eye(evidence.width) - passed
    return (
        mean[evidence.person] + _times(spread, error),
        spread + kept @ covariance[evidence.person] @ kept.transpose(0, 2, 1),
    )


def estimate(evidence: Evidence, seed: int = 0) -> Variation:
    """How tastes vary between people, and between the categories of a person."""
    pairs = _sample(evidence, seed)
    width, person = pairs.width, pairs.person
    base, freedom = START * np.eye(width), width + 3
    variation = Variation(base, base)
    for _ in range(ROUNDS):
        shrink = _shrink(pairs, variation.within)
        mean, covariance = _posteriors(pairs, variation, shrink)
        spread = variation.within @ shrink
        passed = spread @ pairs.information
        departure = _times(spread, pairs.gradient - _times(pairs.information, mean[person]))
        between = mean.T @ mean + covariance.sum(0)
        within = departure.T @ departure + spread.sum(0)
        within += (passed @ covariance[person] @ passed.transpose(0, 2, 1)).sum(0)
        new = Variation(
            _symmetric((freedom * base + between) / (freedom + pairs.people)),
            _symmetric((freedom * base + within) / (freedom + len(person))),
        )
        moved = max(
            float(np.abs(np.diag(after) / np.diag(before) - 1).max(initial=0.0))
            for before, after in ((variation.between, new.between), (variation.within, new.within))
        )
        variation = new
        if moved < TOLERANCE:
            break
    return variation


def _sample(evidence: Evidence, seed: int) -> Evidence:
    """People with choices, drawn at random up to ``ENOUGH_PAIRS``, in new numbers."""
    present, person, sizes = np.unique(evidence.person, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(present))
    drawn = np.sort(order[: max(int((np.cumsum(sizes[order]) <= ENOUGH_PAIRS).sum()), 1)])
    pairs = evidence.take(np.isin(person, drawn))
    return replace(pairs, person=np.searchsorted(present[drawn], pairs.person), people=len(drawn))


def _messages(evidence: Evidence, shrink: Floats) -> tuple[Floats, Floats]:
    return shrink @ evidence.information, _times(shrink, evidence.gradient)


def _posteriors(evidence: Evidence, variation: Variation, shrink: Floats) -> tuple[Floats, Floats]:
    precision, vector = _sums(evidence, *_messages(evidence, shrink))
    covariance = np.asarray(np.linalg.inv(precision + np.linalg.inv(variation.between)), np.float64)
    return _times(covariance, vector), covariance


def _sums(evidence: Evidence, precision: Floats, vector: Floats) -> tuple[Floats, Floats]:
    """(people, columns, columns) and (people, columns) what all categories of a person say together."""
    pairs, width = len(evidence.person), evidence.width
    of_person = sparse.csr_matrix(
        (np.ones(pairs), (evidence.person, np.arange(pairs))), shape=(evidence.people, pairs)
    )
    return (of_person @ precision.reshape(pairs, -1)).reshape(-1, width, width), of_person @ vector


def _shrink(evidence: Evidence, within: Floats) -> Floats:
    """(pairs, columns, columns) (I + HΨ)⁻¹."""
    return np.asarray(np.linalg.inv(np.eye(evidence.width) + evidence.information @ within), np.float64)


def _times(matrices: Floats, vectors: Floats) -> Floats:
    """(n, columns) each matrix times its vector."""
    return np.asarray((matrices @ vectors[..., None])[..., 0])


def _symmetric(matrix: Floats) -> Floats:
    return np.asarray((matrix + matrix.T) / 2)
