"""Fits of a shop: prior means, every category at its optimum, the rules, the people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lightning.pytorch.loggers import Logger

from kgrank.arrays import Floats
from kgrank.choice.hierarchy.prior_means import known, prior_means
from kgrank.choice.logit.categories import Head, fit_head, free_fits, place
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.inherit import inherit
from kgrank.choice.rules.weigh import Verdicts, weigh
from kgrank.choice.tastes.population import Tastes, estimate, some_people
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.network.prior_means import Learning, NetworkFit, cross_fitted, train
from kgrank.learning.shop import Shop, people_panel, taste_scale
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
        head: Their optimum.
        places: Their posteriors without rules.
        verdicts: What the rules make of them.
        columns: Of the tastes.
        tastes: Of the people.
    """

    shop: Shop
    network: NetworkFit | None
    means: Mapping[str, Floats]
    priors: Mapping[str, Floats]
    head: Head
    places: Mapping[str, CategoryPosterior]
    verdicts: Verdicts
    columns: tuple[str, ...]
    tastes: Tastes | None


def fit_shop(
    shop: Shop,
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
    free = free_fits(shop.home)
    shown = known(ontology, shop.designs, shop.home, free)
    means: Mapping[str, Floats] = prior_means(shown)
    priors = means
    network = None
    if config.model.network:
        what = Learning(graph, ontology, shown, shop.home, config)
        network = train(what, logger=logger, checkpoints=checkpoints, resume=resume)
        means, priors = network.part_worths, {}
        try:
            if not network.interrupted:
                priors = cross_fitted(what, max(network.epochs, 1), report)
        except KeyboardInterrupt:
            network = replace(network, interrupted=True)
    report("optimum of every category, and the rules")
    own = {c: f for c, f in free.items() if shop.sets.get(c) is shop.home[c]}
    head = fit_head(shop.sets, priors, own)
    places = {
        c: place(s, head.fits[c], priors.get(c), head.variances, home=c in shop.home)
        for c, s in shop.sets.items()
    }
    places = inherit(ontology, shop.sets, places, head.variances)
    verdicts = weigh(ontology, places, config.seed)
    for note in verdicts.notes:
        report(f"warning: {note}")
    columns: tuple[str, ...] = ()
    tastes = None
    told = _told(shop)
    if config.model.people and told:
        report("how people differ")
        columns, tastes = fit_people(told, head, config.seed)
    return ShopFit(shop, network, means, priors, head, places, verdicts, columns, tastes)


def _told(shop: Shop) -> dict[str, CategoryChoices]:
    """The choices that tell people apart: not those whose other alternatives were drawn.

    Of ratings alone only where there are few columns: rated catalogues have brands without end.
    """
    told = {c: s.take(~s.sampled) for c, s in shop.home.items() if not s.sampled.all()}
    wide = sum(s.design.layout.width for s in told.values())
    return {} if shop.log.rated and wide > MOST_RATED else told


def fit_people(home: Mapping[str, CategoryChoices], head: Head, seed: int) -> tuple[tuple[str, ...], Tastes]:
    """The population of tastes, in columns named by AttributeValue id."""
    columns, joined, _ = people_panel(home, head)
    sample = some_people(joined, seed)
    scale = taste_scale(home, head, columns)
    return columns, estimate(sample, scale, free_mean=sample is joined)
