"""All that rules state in one category, in arrays: thousands of rules are bounds on a few quantities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import Layout
from kgrank.choice.importance import importance
from kgrank.choice.rules.sampling import DRAWS
from kgrank.choice.rules.statement import (
    CHANCE_HIGH,
    CHANCE_LOW,
    Quantity,
    Statement,
    contrast,
    quantity_value,
)

NO_SPREAD = 1e-30
"""Least variance of a contrast, so that one that is certain can be divided by."""


@dataclass(frozen=True)
class Statements:
    """What some rules state in one category.

    The bounds of all rules on a quantity cut its line into pieces, on each of which the same rules hold. So
    draws of part-worths are sorted into pieces once, and a sum over all rules is looked up.

    Attributes:
        layout: The category's columns.
        statements: One statement a rule.
    """

    layout: Layout
    statements: tuple[Statement, ...]

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """The different quantities that the rules bound."""
        return tuple(dict.fromkeys(s.quantity for s in self.statements))

    @cached_property
    def bounds(self) -> tuple[Ints, Floats, Floats]:
        """(rules,) which quantity each bounds, and the least and greatest value for which it holds."""
        index = {q: k for k, q in enumerate(self.quantities)}
        which = np.array([index[s.quantity] for s in self.statements], np.int64)
        return (
            which,
            np.array([s.lower for s in self.statements]),
            np.array([s.upper for s in self.statements]),
        )

    @cached_property
    def _ends(self) -> tuple[Floats, Floats]:
        """(rules,) the least value at which each holds, and the least above at which it no longer does."""
        _, lower, upper = self.bounds
        return lower, np.nextafter(upper, np.inf)

    @cached_property
    def _groups(self) -> list[Ints]:
        """By quantity, the rules that bound it."""
        which = self.bounds[0]
        return np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])

    @cached_property
    def _cuts(self) -> list[Floats]:
        """By quantity, the ascending points at which a rule begins or ceases to hold."""
        lower, past = self._ends
        ends = (np.concatenate([lower[rules], past[rules]]) for rules in self._groups)
        return [np.unique(points[np.isfinite(points)]) for points in ends]

    @cached_property
    def _spans(self) -> tuple[Ints, Ints]:
        """(rules,) the first piece of its quantity on which a rule holds, and the first after it where not."""
        lower, past = self._ends
        first, after = np.zeros(len(lower), np.int64), np.zeros(len(lower), np.int64)
        for rules, cuts in zip(self._groups, self._cuts, strict=True):
            first[rules] = np.searchsorted(cuts, lower[rules], "right")
            after[rules] = np.searchsorted(cuts, past[rules], "right")
        after[~np.isfinite(past)] += 1
        return first, after

    def shortfall(self, values: Floats, rules: Ints) -> Floats:
        """(draws,) by how much some rules fail, added up; from ``values``."""
        which, lower, upper = self.bounds
        bounded = values[which[rules]]
        gap = np.maximum(lower[rules, None] - bounded, bounded - upper[rules, None])
        return np.asarray(np.maximum(gap, 0.0).sum(0))

    def values(self, part_worths: Floats) -> Floats:
        """(quantities, draws) from part-worths (draws, columns)."""
        by_column = np.asfortranarray(part_worths)
        of_shares = any(q.measure.of_shares for q in self.quantities)
        shares = np.asfortranarray(importance(self.layout, by_column)) if of_shares else None
        values = np.empty((len(self.quantities), len(part_worths)))
        for row, q in zip(values, self.quantities, strict=True):
            row[:] = quantity_value(q, self.layout, by_column, shares)
        return values

    def pieces(self, part_worths: Floats) -> Ints:
        """(quantities, draws) the piece on which each quantity lies."""
        values = self.values(part_worths)
        pieces = np.empty(values.shape, np.int64)
        for row, cuts, drawn in zip(pieces, self._cuts, values, strict=True):
            row[:] = drawn >= cuts[0] if len(cuts) == 1 else np.searchsorted(cuts, drawn, "right")
        return pieces

    def share(self, pieces: Ints) -> Floats:
        """(rules,) share of the draws in which each rule holds."""
        first, after = self._spans
        count = np.zeros(len(self.statements))
        for rules, cuts, piece in zip(self._groups, self._cuts, pieces, strict=True):
            below = np.concatenate([[0], np.cumsum(np.bincount(piece, minlength=len(cuts) + 1))])
            count[rules] = below[after[rules]] - below[first[rules]]
        return np.asarray(count / pieces.shape[1])

    @cached_property
    def _contrasts(self) -> tuple[Truths, Floats]:
        """(quantities,) which are weighted sums of part-worths, and (quantities, columns) their weights or 0."""
        weights = [contrast(q, self.layout) for q in self.quantities]
        none = np.zeros(self.layout.width)
        return (
            np.array([w is not None for w in weights], bool),
            np.array([none if w is None else w for w in weights]).reshape(-1, self.layout.width),
        )

    @cached_property
    def exact(self) -> Truths:
        """(rules,) whether a rule's probability under a normal needs no draws."""
        return self._contrasts[0][self.bounds[0]]

    def probabilities(self, mean: Floats, covariance: Floats, pieces: Ints) -> Floats:
        """(rules,) probability that each rule holds under N(mean, covariance).

        Args:
            mean: (columns,) of part-worths.
            covariance: (columns, columns).
            pieces: (quantities, draws) where draws from it lie, for the rules that are not ``exact``.
        """
        which, lower, upper = self.bounds
        weights = self._contrasts[1]
        spread = np.sqrt(np.maximum(((weights @ covariance) * weights).sum(1), NO_SPREAD))
        below, above = (
            special.ndtr((ends - (weights @ mean)[which]) / spread[which]) for ends in (lower, upper)
        )
        return np.where(self.exact, above - below, self.share(pieces))

    def holds(self, pieces: Ints, rules: Sequence[int] | Ints) -> Truths:
        """(rules, draws) whether some of the rules hold."""
        which, (first, after) = self.bounds[0], self._spans
        piece = pieces[which[rules]]
        return np.asarray((piece >= first[rules, None]) & (piece < after[rules, None]))

    def sums(self, holds: Floats, fails: Floats) -> Sums:
        """Sums over all rules, by the pieces that draws lie on.

        Args:
            holds: (sums, rules) what a rule adds to each sum where it holds.
            fails: (sums, rules) what it adds where it does not.
        """
        first, after = self._spans
        tables = []
        for rules, cuts in zip(self._groups, self._cuts, strict=True):
            steps = np.zeros((len(holds), len(cuts) + 2))
            for row, added in zip(steps, holds[:, rules] - fails[:, rules], strict=True):
                np.add.at(row, first[rules], added)
                np.add.at(row, after[rules], -added)
            tables.append(np.ascontiguousarray(np.cumsum(steps, 1)[:, :-1].T))
        two = np.array([len(t) == 2 for t in tables], bool)
        pairs = np.array([t for t in tables if len(t) == 2]).reshape(-1, 2, len(holds))
        return Sums(
            fails.sum(1) + pairs[:, 0].sum(0),
            two,
            pairs[:, 1] - pairs[:, 0],
            tuple(t for t in tables if len(t) != 2),
        )


@dataclass(frozen=True)
class Sums:
    """Sums over all rules, to be looked up.

    Attributes:
        base: (sums,) what every draw gets.
        two: (quantities,) which of them have two pieces, as orders have; ``rise`` (of these, sums) is what the
            upper one adds.
        tables: Of the other quantities, (pieces, sums).
    """

    base: Floats
    two: Truths
    rise: Floats
    tables: tuple[Floats, ...]

    def at(self, pieces: Ints) -> Floats:
        """(draws, sums) for draws on pieces (quantities, draws)."""
        sums = pieces[self.two].T.astype(float) @ self.rise + self.base
        for table, piece in zip(self.tables, pieces[~self.two], strict=True):
            sums += table[piece]
        return np.asarray(sums)


def prior_draws(layout: Layout, mean: Floats, deviation: Floats) -> Floats:
    """(DRAWS, columns) of the prior without rules; the same ones each time."""
    normal = np.random.default_rng(0).standard_normal((DRAWS, layout.width))
    return np.asarray(mean + normal * deviation)


def prior_probabilities(statements: Statements, mean: Floats, deviation: Floats) -> Floats:
    """(rules,) share of the prior's draws in which each rule holds, kept away from 0 and 1."""
    share = statements.share(statements.pieces(prior_draws(statements.layout, mean, deviation)))
    return np.asarray(np.clip(share, CHANCE_LOW, CHANCE_HIGH))
