"""What the rules of one category say of its part-worths, as a Gaussian that other categories can be told.

The factor of a category's rules moves the mean of its posterior N(m, P) by P ∇ log E[factor], and E[factor] is
bounded as the factor is. A Gaussian with the same effect on mean and covariance stands for it (expectation
propagation: Minka 2001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.statement import statement
from kgrank.choice.rules.weigh import weigh
from kgrank.ontology.model import Ontology, Rule

LEAST = 1e-6
"""Precision of the Gaussian, relative to the posterior's, in directions in which rules do not narrow it."""


@dataclass(frozen=True)
class UnderRules:
    """Mean and covariance of a category's part-worths before its rules, and under them.

    Attributes:
        mean: (columns,) before; ``covariance`` (columns, columns).
        ruled_mean: (columns,) under the rules; ``ruled_covariance`` (columns, columns).
    """

    mean: Floats
    covariance: Floats
    ruled_mean: Floats
    ruled_covariance: Floats

    def evidence(self, columns: Ints) -> tuple[Floats, Floats]:
        """The Gaussian that has the rules' effect: its mean and covariance, of some columns (their numbers)."""
        part = np.ix_(columns, columns)
        root = linalg.cholesky(self.covariance[part], lower=True)

        def in_units(values: Floats) -> Floats:
            return np.asarray(linalg.solve_triangular(root, values, lower=True))

        shift = in_units(self.ruled_mean[columns] - self.mean[columns])
        left, axes = np.linalg.eigh(in_units(in_units(self.ruled_covariance[part]).T))
        precision = np.maximum(1 / np.maximum(left, LEAST) - 1, LEAST)
        # A Gaussian of precision s around z moves a mean at 0 with variance 1 to z s / (1 + s).
        centre = (axes.T @ shift) * (1 + precision) / precision
        scaled = root @ axes
        return self.mean[columns] + scaled @ centre, (scaled / precision) @ scaled.T


def under_rules(
    ontology: Ontology, posteriors: Mapping[str, CategoryPosterior], *, single: bool
) -> dict[str, UnderRules]:
    """The categories to which rules apply, with and without these.

    Args:
        ontology: The rules.
        posteriors: Before the rules, by category.
        single: Only rules about one of the categories: one about several says itself where it holds, and its
            confidence must not count once for each.

    Raises:
        RunError: The hard rules of a category cannot hold together.
    """
    if single:
        ontology = replace(ontology, rules=dict(_of_one_category(ontology, posteriors)))
    result = {}
    if ontology.rules:
        weighed = weigh(ontology, posteriors)
        for category in weighed.ruled:
            draws, before = weighed.draws[category], posteriors[category]
            result[category] = UnderRules(
                before.mean, before.covariance, draws.mean(0), np.atleast_2d(np.cov(draws.T))
            )
    return result


def _of_one_category(
    ontology: Ontology, posteriors: Mapping[str, CategoryPosterior]
) -> list[tuple[str, Rule]]:
    """The rules that state something about exactly one of the categories, by id."""
    single = []
    for name, rule in ontology.rules.items():
        stated = (
            c
            for c in ontology.scope(rule)
            if c in posteriors and statement(rule, posteriors[c].layout) is not None
        )
        if len(list(stated)) == 1:
            single.append((name, rule))
    return single
