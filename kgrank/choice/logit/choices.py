"""Choices as arrays: what was chosen among which alternatives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.ragged import gather

WIDE = 400
"""Raw columns from which the Hessian is computed sparse."""


BLOCK = 4_000_000
"""Numbers in a dense block of rows, 32 MB."""


@dataclass(frozen=True)
class Choices:
    """Choices among alternatives, one row an alternative, the rows of a choice together.

    The columns of a row are ``raw[row] @ centring``, so that wide attributes stay sparse. The outside option
    has utility 0 and no row; what is left of a choice's weight after its rows is the outside option's.

    Attributes:
        raw: (rows, raw columns), sparse.
        centring: (raw columns, columns).
        start: (choices + 1,) first row of each choice.
        chosen: (rows,) how often the alternative was taken: 0, 1 or a number of units.
        outside: (choices,) whether the choice had an outside option.
        left: (choices,) how often the outside option was taken.
        person: (choices,) number of the person.
        time: (choices,) time or order.
        offset: (rows,) utility that is given; zeros unless set.
        rated: (choices,) which are ratings, each of one row; None where there are none.
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

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self.centring.shape[1])

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
        return np.add.reduceat(rows, self.start[:-1]) if len(self) else np.empty(0)

    def utility(self, part_worths: Floats) -> Floats:
        """(rows,) offset included."""
        return np.asarray(self.raw @ (self.centring @ part_worths)) + self.offset

    def probabilities(self, utility: Floats) -> tuple[Floats, Floats]:
        """Probability of each row, and log of each choice's denominator; of a rating, 1 and its utility."""
        top = np.maximum.reduceat(utility, self.start[:-1])
        top = np.where(self.outside, np.maximum(top, 0.0), top)
        odds = np.exp(utility - top[self.choice])
        total = self._sum(odds) + np.exp(np.where(self.outside, -top, -np.inf))
        return odds / total[self.choice], np.log(total) + top

    def log_likelihood(self, utility: Floats) -> Floats:
        """(choices,) log-likelihood of each choice."""
        _, denominator = self.probabilities(utility)
        log_likelihood = self._sum(self.chosen * utility) - self.total * denominator
        if self.rated is None:
            return log_likelihood
        return np.where(self.rated, -0.5 * self._sum((self.chosen - utility) ** 2), log_likelihood)

    def gradient_rows(self, utility: Floats, probability: Floats) -> Floats:
        """(rows,) derivative of the log-likelihood by each row's utility."""
        rows = self.chosen - self.total[self.choice] * probability
        return rows if self.rated is None else np.where(self.rated[self.choice], self.chosen - utility, rows)

    def gradient(self, rows: Floats) -> Floats:
        """(columns,) gradient from the derivative by each row's utility."""
        return np.asarray(self.centring.T @ (self.raw.T @ rows))

    def gradients(self, rows: Floats, group: Ints, groups: int) -> Floats:
        """(groups, columns) gradients of groups of choices, for clustered errors."""
        by_group = sparse.csr_matrix(
            (rows, (group[self.choice], np.arange(len(rows)))), shape=(groups, len(rows))
        )
        return np.asarray((by_group @ self.raw) @ self.centring)

    def information(self, probability: Floats) -> Floats:
        """(columns, columns) negative Hessian of the log-likelihood."""
        weight = self.total[self.choice] * probability
        if self.rated is not None:
            rated = self.rated[self.choice]
            # A rating's row stands alone: no mean is taken off it.
            weight, probability = np.where(rated, 1.0, weight), np.where(rated, 0.0, probability)
        raw = self._information_wide(probability, weight) if self.raw.shape[1] > WIDE else sum(
            self._information_dense(probability, weight, choices) for choices in self._chunks()
        )  # fmt: skip
        # Nearly all of the centring is zeros: as a dense matrix it would cost more than all the rest.
        thin = sparse.csr_matrix(self.centring)
        return np.asarray((thin.T @ (thin.T @ raw).T).T)

    def _chunks(self) -> Iterator[slice]:
        """Runs of choices whose rows fit into a dense block."""
        rows = max(BLOCK // self.raw.shape[1], 1)
        marks = np.unique(np.searchsorted(self.start, np.arange(0, self.start[-1] + rows, rows)))
        marks = np.unique(np.append(np.minimum(marks, len(self)), len(self)))
        for first, last in pairwise(marks.tolist()):
            yield slice(first, last)

    def _information_dense(self, probability: Floats, weight: Floats, choices: slice) -> Floats:
        rows = slice(self.start[choices.start], self.start[choices.stop])
        columns = self.raw[rows].toarray()
        mean = self._mixing(probability, choices) @ columns
        # A product of a matrix with itself takes half the time of one of two matrices.
        columns *= np.sqrt(weight[rows, None])
        mean *= np.sqrt(self.total[choices, None])
        return np.asarray(columns.T @ columns - mean.T @ mean)

    def _information_wide(self, probability: Floats, weight: Floats) -> Floats:
        """For attributes of thousands of values: nothing is made dense but the result."""
        mean = self._mixing(probability, slice(0, len(self))) @ self.raw
        within = self.raw.T @ self.raw.multiply(weight[:, None]).tocsr()
        return np.asarray((within - mean.T @ mean.multiply(self.total[:, None]).tocsr()).toarray())

    def _mixing(self, probability: Floats, choices: slice) -> sparse.csr_matrix:
        """(choices, rows) takes rows to their mean under the choice probabilities."""
        first, last = self.start[choices.start], self.start[choices.stop]
        start = self.start[choices.start : choices.stop + 1] - first
        columns = np.arange(last - first)
        return sparse.csr_matrix(
            (probability[first:last], columns, start), shape=(len(start) - 1, last - first)
        )

    def take(self, which: Truths | Ints) -> Choices:
        """Some of the choices."""
        which = np.flatnonzero(which) if which.dtype == bool else which
        rows, start = gather(self.start[:-1][which], np.diff(self.start)[which])
        return replace(
            self,
            raw=self.raw[rows],
            start=start,
            chosen=self.chosen[rows],
            outside=self.outside[which],
            left=self.left[which],
            person=self.person[which],
            time=self.time[which],
            offset=self.offset[rows],
            rated=None if self.rated is None else self.rated[which],
        )
