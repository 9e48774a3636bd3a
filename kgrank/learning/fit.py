"""Fits of a shop: prior means, every category at its optimum, the rules, the people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lightning.pytorch.loggers import Logger

from kgrank.arrays import Floats
from kgrank.choice.hierarchy.prior_means import prior_evidence, prior_means
from kgrank.choice.logit.categories import CategoryFits, category_posterior, fit_categories, unpooled_fits
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.inherit import inherit
from kgrank.choice.rules.weigh import RulePosteriors, weigh
from kgrank.choice.tastes.mixed_logit import Tastes, estimate, sample_people
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.network.prior_means import NetworkData, NetworkFit, cross_fitted, train
from kgrank.learning.shop import TrainingData, people_panel, taste_scale
from kgrank.ontology.model import Ontology

MOST_RATED = 100
"""Columns up to which people are told apart by their ratings alone."""


@dataclass(frozen=True)
class ShopFit:
    """Everything that was fitted, before it is put into words and files.

    Attributes:
        shop: What it was fitted to.
        network: None where it is off.
        means: (columns,) what the graph says of categories without choices.
        priors: (columns,) prior means of categories with choices.
        category_fits: Their optimum.
        posteriors: Their posteriors without rules.
        rule_posteriors: What the rules make of them.
        columns: Of the tastes.
        tastes: Of the people.
    """

    shop: TrainingData
    network: NetworkFit | None
    means: Mapping[str, Floats]
    priors: Mapping[str, Floats]
    category_fits: CategoryFits
    posteriors: Mapping[str, CategoryPosterior]
    rule_posteriors: RulePosteriors
    columns: tuple[str, ...]
    tastes: Tastes | None


def fit_shop(
    shop: TrainingData,
    graph: KnowledgeGraph,
    ontology: Ontology,
    config: RunConfig,
    *,
    logger: Logger | bool = False,
    checkpoints: Path | None = None,
    resume: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> ShopFit:
    """Prior means, every category's optimum under them, the rules, and the people."""
    report("what categories say of each other")
    free = unpooled_fits(shop.own_choices)
    shown = prior_evidence(ontology, shop.designs, shop.own_choices, free)
    means: Mapping[str, Floats] = prior_means(shown)
    priors = means
    network = None
    if config.model.network:
        what = NetworkData(graph, ontology, shown, shop.own_choices, config)
        network = train(what, logger=logger, checkpoints=checkpoints, resume=resume)
        means, priors = network.part_worths, {}
        try:
            if not network.interrupted:
                priors = cross_fitted(what, max(network.epochs, 1), report)
        except KeyboardInterrupt:
            network = replace(network, interrupted=True)
    report("optimum of every category, and the rules")
    own = {c: f for c, f in free.items() if shop.sets.get(c) is shop.own_choices[c]}
    head = fit_categories(shop.sets, priors, own)
    places = {
        c: category_posterior(
            s, head.fits[c], priors.get(c), head.variances, own_choices=c in shop.own_choices
        )
        for c, s in shop.sets.items()
    }
    places = inherit(ontology, shop.sets, places, head.variances)
    verdicts = weigh(ontology, places, config.seed)
    for note in verdicts.notes:
        report(f"warning: {note}")
    columns: tuple[str, ...] = ()
    tastes = None
    told = _choices_for_tastes(shop)
    if config.model.people and told:
        report("how people differ")
        columns, tastes = fit_people(told, head, config.seed)
    return ShopFit(shop, network, means, priors, head, places, verdicts, columns, tastes)


def _choices_for_tastes(shop: TrainingData) -> dict[str, CategoryChoices]:
    """The choices that tell people apart: not those whose other alternatives were drawn.

    Of ratings alone only where there are few columns: rated catalogues have brands without end.
    """
    told = {c: s.take(~s.sampled) for c, s in shop.own_choices.items() if not s.sampled.all()}
    wide = sum(s.design.layout.width for s in told.values())
    return {} if shop.log.is_ratings and wide > MOST_RATED else told


def fit_people(
    home: Mapping[str, CategoryChoices], head: CategoryFits, seed: int
) -> tuple[tuple[str, ...], Tastes]:
    """The population of tastes, in columns named by AttributeValue id."""
    columns, joined, _ = people_panel(home, head)
    sample = sample_people(joined, seed)
    scale = taste_scale(home, head, columns)
    return columns, estimate(sample, scale, free_mean=sample is joined)
