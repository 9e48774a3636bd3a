"""The conditional-logit likelihood (McFadden 1974): choices as arrays, probabilities, gradient and information."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

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
        raw: (rows, raw columns), sparse; ``NO_COLUMNS`` where only utilities are given.
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
        return np.add.reduceat(rows, self.start[:-1]) if len(self) else np.empty((0, *rows.shape[1:]))

    def utility(self, part_worths: Floats) -> Floats:
        """(rows,) offset included."""
        return np.asarray(self.raw @ (self.centring @ part_worths)) + self.offset

    def probabilities(self, utility: Floats) -> tuple[Floats, Floats]:
        """The choice probabilities of the conditional logit (McFadden 1974).

        Args:
            utility: (rows,), or (rows, draws) for several draws of the part-worths.

        Returns:
            Probability of each row, and log of each choice's denominator; of a rating, 1 and its utility.
        """
        outside = _like(self.outside, utility)
        top = np.maximum.reduceat(utility, self.start[:-1])
        top = np.where(outside, np.maximum(top, 0.0), top)
        odds = np.exp(utility - top[self.choice])
        total = self._sum(odds) + np.exp(np.where(outside, -top, -np.inf))
        return odds / total[self.choice], np.log(total) + top

    def log_likelihood(self, utility: Floats, log_denominator: Floats | None = None) -> Floats:
        """(choices,) or (choices, draws) log-likelihood of each choice.

        Args:
            utility: (rows,) or (rows, draws).
            log_denominator: What ``probabilities`` gives for this utility, if it has been computed.
        """
        if log_denominator is None:
            _, log_denominator = self.probabilities(utility)
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
        return np.asarray(self.centring.T @ (self.raw.T @ rows))

    def gradients(self, rows: Floats, group: Ints, groups: int) -> Floats:
        """(groups, columns) gradients of groups of choices, for clustered errors."""
        by_group = sparse.csr_matrix(
            (rows, (group[self.choice], np.arange(len(rows)))), shape=(groups, len(rows))
        )
        return np.asarray((by_group @ self.raw) @ self.centring)

    def information(self, probability: Floats) -> Floats:
        """(columns, columns) negative Hessian of the log-likelihood."""
        weight, mixing = self.weights(probability)
        raw = (
            self._information_wide(weight, mixing)
            if self.raw.shape[1] > WIDE
            else sum(self._information_dense(weight, mixing, choices) for choices in self._chunks())
        )
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

    def _information_dense(self, weight: Floats, mixing: sparse.csr_matrix, choices: slice) -> Floats:
        rows = slice(self.start[choices.start], self.start[choices.stop])
        columns = self.raw[rows].toarray()
        mean = mixing[choices, rows] @ columns
        # A product of a matrix with itself takes half the time of one of two matrices.
        columns *= np.sqrt(weight[rows, None])
        mean *= np.sqrt(self.total[choices, None])
        return np.asarray(columns.T @ columns - mean.T @ mean)

    def _information_wide(self, weight: Floats, mixing: sparse.csr_matrix) -> Floats:
        """For attributes of thousands of values: nothing is made dense but the result."""
        mean = mixing @ self.raw
        within = self.raw.T @ self.raw.multiply(weight[:, None]).tocsr()
        return np.asarray((within - mean.T @ mean.multiply(self.total[:, None]).tocsr()).toarray())

    def weights(self, probability: Floats) -> tuple[Floats, sparse.csr_matrix]:
        """What the information is made of: Σ weight · x x' - Σ total · m m', with m the means of the choices.

        Returns:
            (rows,) weights, and (choices, rows) the matrix that takes rows to their mean under the choice
            probabilities.
        """
        weight = self.total[self.choice] * probability
        if self.rated is not None:
            rated = self.rated[self.choice]
            # A rating has one row: no mean is taken off it.
            weight, probability = np.where(rated, 1.0, weight), np.where(rated, 0.0, probability)
        columns = np.arange(len(probability))
        shape = (len(self), len(probability))
        return weight, sparse.csr_matrix((probability, columns, self.start), shape=shape)

    def without_columns(self, offset: Floats) -> Choices:
        """The same choices with a utility that is given, and no columns."""
        return replace(self, raw=NO_COLUMNS, centring=np.zeros((0, 0)), offset=offset)

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
        return replace(
            self,
            raw=self.raw if self.raw is NO_COLUMNS else self.raw[rows],
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
        start=np.concatenate([[0], *starts]).astype(np.int64),
        rated=np.concatenate(rated) if any(p.rated is not None for p in parts) else None,
        **{name: joined(name) for name in names},
    )


def _like(values: Any, utility: Floats) -> Any:
    """Values with as many axes as the utility, to act on each of its draws."""
    return values[:, None] if utility.ndim == 2 else values
