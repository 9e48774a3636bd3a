"""The conditional-logit likelihood (McFadden 1974): choices as arrays, probabilities, gradient and information."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.ragged import gather

SPARSE_COST = 50.0
"""Time of a product of two stored entries of sparse rows, in that of one product of a dense block."""

BLOCK = 4_000_000
"""Numbers in a dense block of rows, 32 MB."""


@dataclass(frozen=True)
class Choices:
    """Choices among alternatives, one row an alternative, the rows of a choice together.

    The columns of a row are ``expanded[row] @ centring``, so that wide attributes stay sparse. The outside option
    has utility 0 and no row; what is left of a choice's weight after its rows is the outside option's.

    Attributes:
        raw: (distinct rows, raw columns), sparse; ``NO_COLUMNS`` where only utilities are given.
        centring: (raw columns, columns).
        start: (choices + 1,) first row of each choice.
        chosen: (rows,) how often the alternative was taken: 0, 1 or a number of units.
        outside: (choices,) whether the choice had an outside option.
        left: (choices,) how often the outside option was taken.
        person: (choices,) number of the person.
        time: (choices,) time or order.
        offset: (rows,) utility that is given; zeros unless set.
        rated: (choices,) which are ratings, each of one row; None where there are none.
        row: (rows,) the row of ``raw`` of each alternative: an item that is offered often is stored once. None
            where each has its own.
    """

    raw: sparse.csr_matrix
    centring: Floats
    start: Ints
    chosen: Floats
    outside: Truths
    left: Floats
    person: Ints
    time: Ints
    offset: Floats
    rated: Truths | None = None
    row: Ints | None = None

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.centring.shape[1])

    @property
    def expanded(self) -> sparse.csr_matrix:
        """(rows, raw columns) the raw columns of each alternative."""
        return self.raw if self.row is None else self.raw[self.row]

    def _each(self, values: Floats) -> Floats:
        """(rows, …) from values of the distinct rows."""
        return values if self.row is None else values[self.row]

    def _summed(self, rows: Floats) -> Floats:
        """(distinct rows,) sums over the alternatives that are the same row."""
        return rows if self.row is None else np.bincount(self.row, rows, self.raw.shape[0]).astype(float)

    @cached_property
    def choice(self) -> Ints:
        """(rows,) the choice of each row."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @cached_property
    def total(self) -> Floats:
        """(choices,) how often the choice was made, the outside option included; a rating once."""
        total = self._sum(self.chosen) + self.left
        return total if self.rated is None else np.where(self.rated, 1.0, total)

    def _sum(self, rows: Floats) -> Floats:
        return np.add.reduceat(rows, self.start[:-1]) if len(self) else np.empty((0, *rows.shape[1:]))

    def utility(self, part_worths: Floats) -> Floats:
        """(rows,) offset included."""
        return self.times(self.centring @ part_worths) + self.offset

    def times(self, matrix: Floats) -> Floats:
        """(rows, …) the raw columns of each alternative times a vector or a matrix (raw columns, …)."""
        return self._each(np.asarray(self.raw @ matrix))

    def probabilities(self, utility: Floats) -> tuple[Floats, Floats]:
        """The choice probabilities of the conditional logit (McFadden 1974).

        Args:
            utility: (rows,), or (rows, draws) for several draws of the part-worths.

        Returns:
            Probability of each row, and log of each choice's denominator; of a rating, 1 and its utility.
        """
        odds, total, top = self._odds(utility)
        return odds / total[self.choice], np.log(total) + top

    def _odds(self, utility: Floats) -> tuple[Floats, Floats, Floats]:
        """(rows, …) odds against each choice's largest utility, their sum and that utility (choices, …)."""
        outside = _like(self.outside, utility)
        top = np.maximum.reduceat(utility, self.start[:-1])
        if outside.any():
            top = np.where(outside, np.maximum(top, 0.0), top)
        odds = utility - top[self.choice]
        np.exp(odds, out=odds)
        total = self._sum(odds)
        if outside.any():
            total += np.exp(np.where(outside, -top, -np.inf))
        return odds, total, top

    def log_likelihood(self, utility: Floats, log_denominator: Floats | None = None) -> Floats:
        """(choices,) or (choices, draws) log-likelihood of each choice.

        Args:
            utility: (rows,) or (rows, draws).
            log_denominator: What ``probabilities`` gives for this utility, if it has been computed.
        """
        if log_denominator is None:
            _, total, top = self._odds(utility)
            log_denominator = np.log(total) + top
        chosen = _like(self.chosen, utility)
        log_likelihood: Floats = self._sum(chosen * utility) - _like(self.total, utility) * log_denominator
        if self.rated is None:
            return log_likelihood
        squares = self._sum((chosen - utility) ** 2)
        return np.where(_like(self.rated, utility), -0.5 * squares, log_likelihood)

    def gradient_rows(self, utility: Floats, probability: Floats) -> Floats:
        """(rows,) derivative of the log-likelihood by each row's utility."""
        rows = self.chosen - self.total[self.choice] * probability
        return rows if self.rated is None else np.where(self.rated[self.choice], self.chosen - utility, rows)

    def gradient(self, rows: Floats) -> Floats:
        """(columns,) gradient from the derivative by each row's utility."""
        return np.asarray(self.centring.T @ self.column_sums(rows))

    def column_sums(self, rows: Floats) -> Floats:
        """(raw columns,) sums of the raw columns, each alternative weighted (rows,)."""
        return np.asarray(self.raw.T @ self._summed(rows))

    def spread(self, rows: Floats, group: Ints, groups: int) -> Floats:
        """(columns, columns) Σ over groups of choices of (g - mean)(g - mean)', with g a group's gradient.

        Args:
            rows: (rows,) derivative of the log-likelihood by each row's utility.
            group: (choices,) number of the group.
            groups: Their number.
        """
        by_group = self._mixing(rows, group[self.choice], groups) @ self.raw
        mean = np.asarray(by_group.sum(0)).ravel() / groups
        return self._centred(_squares(by_group) - groups * np.outer(mean, mean))

    def information(self, probability: Floats) -> Floats:
        """(columns, columns) negative Hessian of the log-likelihood."""
        weight, probability = self._weights(probability)
        mean = self._mixing(probability, self.choice, len(self)) @ self.raw
        within, between = np.sqrt(self._summed(weight)), np.sqrt(self.total)
        return self._centred(
            _squares(sparse.diags(within) @ self.raw) - _squares(sparse.diags(between) @ mean)
        )

    def _centred(self, raw: Floats) -> Floats:
        """(columns, columns) from (raw columns, raw columns)."""
        # Nearly all of the centring is zeros: as a dense matrix it would cost more than all the rest.
        thin = sparse.csr_matrix(self.centring)
        return np.asarray((thin.T @ (thin.T @ raw).T).T)

    def _mixing(self, weight: Floats, group: Ints, groups: int) -> sparse.csr_matrix:
        """(groups, distinct rows) the weights (rows,) summed by group."""
        row = np.arange(len(weight)) if self.row is None else self.row
        return sparse.csr_matrix((weight, (group, row)), shape=(groups, self.raw.shape[0]))

    def weights(self, probability: Floats) -> tuple[Floats, sparse.csr_matrix]:
        """What the information is made of: Σ weight · x x' - Σ total · m m', with m the means of the choices.

        Returns:
            (rows,) weights, and (choices, rows) the matrix that takes rows to their mean under the choice
            probabilities.
        """
        weight, probability = self._weights(probability)
        columns = np.arange(len(probability))
        shape = (len(self), len(probability))
        return weight, sparse.csr_matrix((probability, columns, self.start), shape=shape)

    def _weights(self, probability: Floats) -> tuple[Floats, Floats]:
        """(rows,) weights, and (rows,) what takes rows to their mean."""
        weight = self.total[self.choice] * probability
        if self.rated is None:
            return weight, probability
        rated = self.rated[self.choice]
        # A rating has one row: no mean is taken off it.
        return np.where(rated, 1.0, weight), np.where(rated, 0.0, probability)

    def without_columns(self, offset: Floats) -> Choices:
        """The same choices with a utility that is given, and no columns."""
        return replace(self, raw=NO_COLUMNS, row=None, centring=np.zeros((0, 0)), offset=offset)

    def take(self, which: Truths | Ints) -> Choices:
        """The choices of a mask or of numbers, in that order."""
        chosen = np.asarray(np.flatnonzero(which) if which.dtype == bool else which, np.int64)
        rows, start = gather(self.start[:-1][chosen], np.diff(self.start)[chosen])
        return self._part(rows, chosen, start)

    def run(self, choices: slice) -> Choices:
        """Choices that follow each other, without a copy of their arrays."""
        rows = slice(self.start[choices.start], self.start[choices.stop])
        return self._part(rows, choices, self.start[choices.start : choices.stop + 1] - rows.start)

    def rows_of(self, choices: Ints) -> Ints:
        """The rows of the given choices, one choice after the other."""
        rows, _ = gather(self.start[:-1][choices], np.diff(self.start)[choices])
        return rows

    def _part(self, rows: Ints | slice, choices: Ints | slice, start: Ints) -> Choices:
        raw, row = self.raw, None
        if self.row is not None:
            row = self.row[rows]
            if len(row) < raw.shape[0]:
                distinct, row = np.unique(row, return_inverse=True)
                raw = raw[distinct]
        elif raw is not NO_COLUMNS:
            raw = raw[rows]
        return replace(
            self,
            raw=raw,
            row=row,
            start=start,
            chosen=self.chosen[rows],
            outside=self.outside[choices],
            left=self.left[choices],
            person=self.person[choices],
            time=self.time[choices],
            offset=self.offset[rows],
            rated=None if self.rated is None else self.rated[choices],
        )


NO_COLUMNS = sparse.csr_matrix((0, 0))
"""``raw`` of choices without columns, whatever their number of rows: it is never sliced or stacked."""


def concatenated(parts: Sequence[Choices]) -> Choices:
    """Choices in the same columns, one part after the other."""
    ends = np.cumsum([0, *(len(p.chosen) for p in parts)]).tolist()
    starts = [part.start[1:] + end for part, end in zip(parts, ends, strict=False)]
    rated = [np.zeros(len(p), bool) if p.rated is None else p.rated for p in parts]
    columnless = all(p.raw is NO_COLUMNS for p in parts)

    def joined(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    names = ("chosen", "outside", "left", "person", "time", "offset")
    return replace(
        parts[0],
        raw=NO_COLUMNS if columnless else sparse.csr_matrix(sparse.vstack([p.raw for p in parts])),
        row=None if all(p.row is None for p in parts) else _rows(parts),
        start=np.concatenate([[0], *starts]).astype(np.int64),
        rated=np.concatenate(rated) if any(p.rated is not None for p in parts) else None,
        **{name: joined(name) for name in names},
    )


def _rows(parts: Sequence[Choices]) -> Ints:
    """(rows,) the distinct row of each alternative of choices whose distinct rows are stacked."""
    ends = np.cumsum([0, *(p.raw.shape[0] for p in parts)])
    rows = (np.arange(p.raw.shape[0]) if p.row is None else p.row for p in parts)
    return np.concatenate([row + end for row, end in zip(rows, ends, strict=False)])


def _squares(rows: sparse.csr_matrix) -> Floats:
    """(columns, columns) the product of the transpose with a sparse matrix, whichever way is quicker.

    Both ways take memory for the result and a block of rows.
    """
    count, width = rows.shape
    rows = sparse.csr_matrix(rows)
    stored = np.diff(rows.indptr).astype(float)
    if SPARSE_COST * float(stored @ stored) < count * float(width) ** 2:
        return np.asarray((rows.T @ rows).toarray())
    total = np.zeros((width, width))
    step = max(BLOCK // max(width, 1), 1)
    for first in range(0, count, step):
        block = rows[first : first + step].toarray()
        # A product of a matrix with itself takes half the time of one of two matrices.
        total += block.T @ block
    return total


def _like(values: Any, utility: Floats) -> Any:
    """Values with as many axes as the utility, to act on each of its draws."""
    return values[:, None] if utility.ndim == 2 else values
