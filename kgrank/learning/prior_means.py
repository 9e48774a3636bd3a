"""Where the prior means of part-worths come from: the closed form, or another source with the same signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.hierarchy.prior_means import CategoryPriors, PriorEvidence, PriorModel, prior_model
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.rules.passed_on import UnderRules, under_rules
from kgrank.errors import RunError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.reporting.progress import Progress
from kgrank.ontology.model import Ontology


class DivergedError(RunError):
    """Training left the finite numbers."""


@dataclass(frozen=True)
class PriorMeanData:
    """What prior means are estimated from.

    Attributes:
        graph: The knowledge graph.
        ontology: The category tree and the rules.
        evidence: Fits of single categories and the signals of their items.
        own_choices: Choices of each category that are not those of a category below it.
    """

    graph: KnowledgeGraph
    ontology: Ontology
    evidence: PriorEvidence
    own_choices: Mapping[str, CategoryChoices]


@dataclass(frozen=True)
class PriorMeans:
    """Prior means by category, (columns,) each.

    Attributes:
        without_choices: Of categories without choices; learned from the choices of all others.
        with_choices: Of categories with choices; each from other categories' choices only, so that no choice
            counts twice. A category may be missing: it has a prior mean of zero.
        variances: (columns,) by category, of part-worths around these means, where the source knows them.
        validation_loss: Negative log-likelihood of a held-out choice, where the source measured one.
        interrupted: Whether Ctrl-C ended the estimation early.
    """

    without_choices: Mapping[str, Floats]
    with_choices: Mapping[str, Floats]
    variances: Mapping[str, Floats] = field(default_factory=dict)
    validation_loss: float | None = None
    interrupted: bool = False


class PriorMeanSource(Protocol):
    """Estimates prior means of part-worths."""

    def __call__(self, data: PriorMeanData, progress: Progress) -> PriorMeans:
        """The prior means of all categories.

        Raises:
            DivergedError: A part-worth is not finite.
        """
        ...


def closed_form(data: PriorMeanData, progress: Progress) -> PriorMeans:
    """Prior means by partial pooling over the graph; needs no training.

    Where they are those of processes over many categories, rules act on them: a rule about one category moves the
    prior means of the categories that are like it, and a category without choices has its mean under its rules.
    """
    model = prior_model(data.evidence)
    if model is None:
        return PriorMeans({}, {})
    if model.process is None:
        return PriorMeans(model.priors.means, model.priors.means)
    priors = given_rules(model, data.ontology).priors
    without = without_choices_under_rules(model, priors, data.ontology)
    return PriorMeans(
        {**priors.means, **{c: ruled.ruled_mean for c, ruled in without.items()}},
        priors.means,
        {**priors.variances, **{c: np.diag(ruled.ruled_covariance) for c, ruled in without.items()}},
    )


def given_rules(model: PriorModel, ontology: Ontology) -> PriorModel:
    """The model whose processes know what rules about one category say of it."""
    process, categories = model.process, _ruled(model, ontology)
    if process is None or not categories:
        return model
    priors = model.priors
    posteriors = {c: model.posterior(c, priors) for c in categories}
    ruled = under_rules(ontology, posteriors, single=True)
    evidence = {c: one.evidence(process.columns(c)) for c, one in ruled.items() if len(process.columns(c))}
    return replace(model, process=process.given(evidence)) if evidence else model


def without_choices_under_rules(
    model: PriorModel, priors: CategoryPriors, ontology: Ontology
) -> dict[str, UnderRules]:
    """The categories without choices to which rules apply."""
    categories = _ruled(model, ontology)
    if model.pooled.likelihoods.keys() >= set(categories):
        return {}
    posteriors = {c: model.posterior(c, priors) for c in categories}
    ruled = under_rules(ontology, posteriors, single=False)
    return {c: one for c, one in ruled.items() if not posteriors[c].own_choices}


def _ruled(model: PriorModel, ontology: Ontology) -> list[str]:
    """The lowest categories in the scope of a rule."""
    inside = {c for rule in ontology.rules.values() for c in ontology.scope(rule)}
    return [c for c in model.lowest if c in inside]
