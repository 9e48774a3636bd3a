"""Mean tastes of segments of people, such as age groups: random effects between the population and a person.

A person h of segment s departs from the population by δ_h = m + d_s + η_h, d_s ~ N(0, ρΩ) between segments and
η_h ~ N(0, (1 - ρ)Ω) between people of one segment, so that people vary by Ω in all (Laird and Ware 1982); who is
in no segment departs by m + η_h, η_h ~ N(0, Ω). Where nearly all variation lies between segments, Ω may have been
estimated too small for it: then ρ is above 1, and people of one segment vary by ``OWN`` Ω.

What the choices say of a person comes as a Gaussian: precision Λ_h and vector v_h, log L(δ) ≈ v'δ - ½ δ'Λδ. With
η_h integrated out they add up by segment, and a segment of few people stays near 0, the population. ρ is
integrated out over a grid, with a flat prior on its root (Gelman 2006), so that segments that hardly differ are
known to, not to be equal; m, which the part-worths of all people should leave at 0, is integrated out with a flat
prior, and never served.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints

ROOTS = 3.0 * np.linspace(0, 1, 24) ** 1.5
"""Grid of √ρ, closer where segments differ little, as they mostly do."""

OWN = 0.1
"""The least share of Ω by which people of one segment vary."""

VAGUE = 1e-6
"""Precision of the prior of m, in units of how people vary: as good as none."""

BLOCK = 4_000_000
"""Numbers of the people's matrices that are transformed at once."""


@dataclass(frozen=True)
class SegmentMeans:
    """Departures of segments from the population.

    Attributes:
        mean: (segments, columns) posterior means of d_s.
        covariance: (segments, columns, columns) their posterior covariances.
        between: Posterior mean of the share of how people vary that lies between segments, from 0 to 1.
    """

    mean: Floats
    covariance: Floats
    between: float


@dataclass(frozen=True)
class _Sums:
    """What people say of their segments' centres, added up: precisions, vectors, log-likelihoods by grid point."""

    precision: Floats
    vector: Floats
    log_likelihood: Floats


def segment_means(
    precision: Floats, vector: Floats, segment: Ints, count: int, covariance: Floats
) -> SegmentMeans:
    """The departures of segments, shrunk by how little segments differ and how few people they have.

    Args:
        precision: (people, columns, columns) what the choices say of each person's departure from the population.
        vector: (people, columns) the same: precision times its most likely value.
        segment: (people,) number of the person's segment; -1 for none.
        count: Number of segments.
        covariance: (columns, columns) Ω, how people vary in all.
    """
    root = np.asarray(np.linalg.cholesky(covariance), np.float64)
    ratios = ROOTS**2
    own_variance = np.maximum(1 - ratios, OWN)
    members = segment >= 0
    sums = _added(precision[members], vector[members], segment[members], count, root, own_variance)
    rest = _added(
        precision[~members], vector[~members], np.zeros((~members).sum(), np.int64), 1, root, np.ones(1)
    )
    log_marginal, means, spreads = np.empty(len(ROOTS)), [], []
    for k, ratio in enumerate(ratios.tolist()):
        log_marginal[k], mean, spread = _at(ratio, sums, rest, k)
        means.append(mean)
        spreads.append(spread)
    # A flat prior on the root: each point of the grid counts by its distance from its neighbours.
    weight = np.gradient(ROOTS) * np.exp(log_marginal - log_marginal.max())
    weight /= weight.sum()
    by_ratio = np.array(means)
    mean = np.einsum("k,ksc->sc", weight, by_ratio)
    gap = by_ratio - mean
    spread = np.einsum("k,kscd->scd", weight, np.array(spreads))
    spread += np.einsum("k,ksc,ksd->scd", weight, gap, gap)
    return SegmentMeans(
        mean @ root.T, root @ spread @ root.T, float(weight @ (ratios / (ratios + own_variance)))
    )


def _added(
    precision: Floats, vector: Floats, segment: Ints, count: int, root: Floats, own_variance: Floats
) -> _Sums:
    """What people say of their segments' centres, in units of how people vary, for each variance around these."""
    width, points = len(root), len(own_variance)
    sums = _Sums(np.zeros((points, count, width, width)), np.zeros((points, count, width)), np.zeros(points))
    step = max(BLOCK // width**2, 1)
    for first in range(0, len(vector), step):
        block = slice(first, first + step)
        values, axes = np.linalg.eigh(root.T @ precision[block] @ root)
        values = np.clip(values, 0, None)
        along = np.einsum("hck,hc->hk", axes, vector[block] @ root)
        for k, variance in enumerate(own_variance.tolist()):
            shrink = 1 / (1 + variance * values)
            sums.log_likelihood[k] += 0.5 * (np.log(shrink) + variance * shrink * along**2).sum()
            for s in np.unique(segment[block]).tolist():
                inside = segment[block] == s
                turned = axes[inside].transpose(1, 0, 2).reshape(width, -1)
                sums.precision[k, s] += (turned * (values * shrink)[inside].ravel()) @ turned.T
                sums.vector[k, s] += turned @ (shrink * along)[inside].ravel()
    return sums


def _at(ratio: float, sums: _Sums, rest: _Sums, point: int) -> tuple[float, Floats, Floats]:
    """Log marginal likelihood of a ratio ρ; means and covariances of the segments under it."""
    precision, vector = sums.precision[point], sums.vector[point]
    width = precision.shape[-1]
    shrink = np.linalg.inv(np.eye(width) + ratio * precision)
    common = (shrink @ precision).sum(0) + rest.precision[0, 0] + VAGUE * np.eye(width)
    common_vector = _times(shrink, vector).sum(0) + rest.vector[0, 0]
    shift = np.linalg.solve(common, common_vector)
    log_marginal = sums.log_likelihood[point] + 0.5 * (
        np.linalg.slogdet(shrink)[1].sum()
        + ratio * np.einsum("sc,scd,sd->", vector, shrink, vector)
        + common_vector @ shift
        - np.linalg.slogdet(common)[1]
    )
    mean = ratio * _times(shrink, vector - precision @ shift)
    return float(log_marginal), mean, ratio * (shrink + shrink.transpose(0, 2, 1)) / 2


def _times(matrices: Floats, vectors: Floats) -> Floats:
    return np.asarray((matrices @ vectors[..., None])[..., 0])
