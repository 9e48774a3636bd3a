"""Prior means by Gaussian processes over the categories: the columns that many share; the rest stays as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import Design, Layout
from kgrank.choice.hierarchy.gaussian_process import CategoryProcess, Estimates, fit_process
from kgrank.choice.hierarchy.partial_pooling import LikelihoodApproximation, PooledEffects

ENOUGH = 100
"""Categories with choices from which on processes are tried, and that must share a column of theirs: with 60 no
learner of what categories have in common beats their mean."""

MOST = 4000
"""Pairs of a category and a column at most, those columns first that most categories share: a dense matrix."""

RIDGE = 1.0
"""Precision of an estimate around 0: choices that say little overshoot, and where a column does not vary they
say nothing."""

SUM_TO_ZERO = 100.0
"""Precision of the sum of the part-worths of an attribute whose values are all there: only differences count."""


@dataclass(frozen=True)
class ProcessMeans:
    """Processes of the shared columns.

    Attributes:
        process: Their posterior; ``nodes`` name its columns, ``rows`` the categories of its kernels.
        designs: Columns by category.
    """

    process: CategoryProcess
    nodes: tuple[str, ...]
    rows: Mapping[str, int]
    designs: Mapping[str, Design]

    def mean(self, category: str, rest: Floats, hidden: Collection[str]) -> Floats:
        """(columns,) a category's prior mean.

        Args:
            category: Its id.
            rest: (columns,) the mean of the columns that have no process.
            hidden: The categories whose choices must not count.
        """
        return self._placed(category, rest, self.process.mean(self.rows[category], self._of(hidden)))

    def variance(self, category: str, rest: Floats, hidden: Collection[str]) -> Floats:
        """(columns,) the variances of a category's part-worths around ``mean``; of the same arguments.

        ``rest`` are the variances of the columns that have no process.
        """
        return self._placed(category, rest, self.process.variance(self.rows[category], self._of(hidden)))

    def columns(self, category: str) -> Ints:
        """The columns of a category that have a process."""
        return _columns(self.designs[category].layout, self.nodes)[0]

    def given(self, estimates: Mapping[str, tuple[Floats, Floats]]) -> ProcessMeans:
        """The processes with more estimates, under the same variances.

        Args:
            estimates: By category, (columns with a process,) values and the covariance of their errors.
        """
        more = _estimates(
            [
                (self.rows[c], _columns(self.designs[c].layout, self.nodes)[1], value, covariance)
                for c, (value, covariance) in estimates.items()
            ]
        )
        return replace(self, process=self.process.given(more))

    def _of(self, categories: Collection[str]) -> Truths:
        """(pairs,) which estimates are of some categories."""
        return np.isin(self.process.estimates.category, [self.rows[c] for c in categories])

    def _placed(self, category: str, rest: Floats, by_process: Floats) -> Floats:
        """(columns,) the values of the processes (their number,) where the category has their columns."""
        here, columns = _columns(self.designs[category].layout, self.nodes)
        out = rest.copy()
        out[here] = by_process[columns]
        return out

    def errors(self, pooled: PooledEffects) -> Floats:
        """(categories with choices,) log-likelihood a choice lost against the optimum by leaving out each."""
        return np.array(
            [
                likelihood.lost(self.mean(category, pooled.prior_mean(category), {category}))
                for category, likelihood in pooled.likelihoods.items()
            ]
        )


def process_means(
    designs: Mapping[str, Design], kernels: Floats, pooled: PooledEffects
) -> ProcessMeans | None:
    """Processes of the columns that enough categories with choices share; None where there is no such column.

    Args:
        designs: Columns by category, in the order of the kernels.
        kernels: (kernels, categories, categories).
        pooled: The categories' likelihoods, and the prior of the columns without a process.
    """
    nodes = shared_nodes([designs[c].layout for c in pooled.likelihoods])
    if not nodes:
        return None
    rows = {category: row for row, category in enumerate(designs)}
    parts = []
    for c, likelihood in pooled.likelihoods.items():
        here, columns = _columns(designs[c].layout, nodes)
        if not len(here):
            continue
        estimate, error = marginal_estimate(
            likelihood, designs[c].layout, here, pooled.prior_mean(c), pooled.variance(c)
        )
        parts.append((rows[c], columns, estimate, error))
    return ProcessMeans(fit_process(kernels, _estimates(parts)), nodes, rows, designs)


def _estimates(parts: Sequence[tuple[int, Ints, Floats, Floats]]) -> Estimates:
    """Of some categories: a category's row, the numbers of its columns, their values and errors' covariance."""
    return Estimates(
        np.concatenate([np.full(len(columns), row) for row, columns, _, _ in parts]),
        np.concatenate([columns for _, columns, _, _ in parts]),
        np.concatenate([value for _, _, value, _ in parts]),
        np.asarray(linalg.block_diag(*(covariance for _, _, _, covariance in parts))),
    )


def shared_nodes(layouts: Collection[Layout]) -> tuple[str, ...]:
    """The nodes with a column in enough of the categories."""
    count = Counter(node for layout in layouts for node in layout.nodes)
    nodes, pairs = [], 0
    for node, categories in sorted(count.items(), key=lambda entry: (-entry[1], entry[0])):
        pairs += categories
        if categories < ENOUGH or pairs > MOST:
            break
        nodes.append(node)
    return tuple(nodes)


def marginal_estimate(
    likelihood: LikelihoodApproximation, layout: Layout, here: Ints, mean: Floats, variance: Floats
) -> tuple[Floats, Floats]:
    """Estimates of some columns and the covariance of their errors, the others integrated out under their prior.

    Args:
        likelihood: What the category's choices say.
        layout: Its columns.
        here: The columns that are estimated.
        mean: (columns,) prior mean of the others.
        variance: (columns,) their prior variances.
    """
    information = likelihood.information.copy()
    weighted = information @ likelihood.mean
    for block in layout.blocks:
        if not block.number and np.isclose(block.share.sum(), 1.0):
            information[block.columns, block.columns] += SUM_TO_ZERO
    others = np.setdiff1d(np.arange(layout.width), here)
    across = information[np.ix_(here, others)]
    inner = information[np.ix_(others, others)] + np.diag(1.0 / variance[others])
    shift = linalg.solve(
        inner, np.column_stack([across.T, weighted[others] + mean[others] / variance[others]]), assume_a="pos"
    )
    precision = information[np.ix_(here, here)] - across @ shift[:, :-1]
    precision = (precision + precision.T) / 2 + RIDGE * np.eye(len(here))
    covariance = linalg.inv(precision)
    weighted_here = weighted[here] - across @ shift[:, -1]
    return covariance @ weighted_here, (covariance + covariance.T) / 2


def _columns(layout: Layout, nodes: tuple[str, ...]) -> tuple[Ints, Ints]:
    """The columns of a category that have a process, and the numbers of their processes."""
    pairs = [(layout.column[node], number) for number, node in enumerate(nodes) if node in layout.column]
    here, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return here, columns
