"""Where the prior means of part-worths come from: the closed form, or another source with the same signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kgrank.arrays import Floats
from kgrank.choice.hierarchy.prior_means import PriorEvidence, category_priors
from kgrank.choice.logit.choice_sets import CategoryChoices
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
    """Prior means by partial pooling over the graph; needs no training."""
    priors = category_priors(data.evidence)
    return PriorMeans(priors.means, priors.means, priors.variances)
