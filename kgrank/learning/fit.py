"""Fits of a shop: the network, every category at its optimum, the rules, the people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lightning.pytorch.loggers import Logger

from kgrank.choice.evidence import Verdicts, weigh
from kgrank.choice.head import Head, fit_head, place
from kgrank.choice.inherit import inherit
from kgrank.choice.layout import Floats
from kgrank.choice.people import Tastes, estimate, some_people
from kgrank.choice.sets import CategoryChoices
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.priors import Learning, NetworkFit, cross_fitted, train
from kgrank.learning.shop import Shop, people_panel, taste_scale
from kgrank.ontology.model import Ontology


@dataclass(frozen=True)
class ShopFit:
    """Everything that was fitted, before it is put into words and files."""

    shop: Shop
    network: NetworkFit
    priors: Mapping[str, Floats]
    head: Head
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
    """The network, every category's optimum under its priors, the rules, and the people."""
    what = Learning(graph, ontology, [d.layout for d in shop.designs.values()], shop.home, config)
    network = train(what, logger=logger, checkpoints=checkpoints, resume=resume)
    priors = {} if network.interrupted else cross_fitted(what, max(network.epochs, 1), report)
    report("optimum of every category, and the rules")
    head = fit_head(shop.sets, priors)
    places = {
        c: place(s, head.fits[c], priors.get(c), head.variances, home=c in shop.home)
        for c, s in shop.sets.items()
    }
    verdicts = weigh(ontology, inherit(ontology, shop.sets, places, head.variances), config.seed)
    columns: tuple[str, ...] = ()
    tastes = None
    if config.model.people and shop.home and shop.log.shown:
        report("how people differ")
        columns, tastes = fit_people(shop.home, head, config.seed)
    return ShopFit(shop, network, priors, head, verdicts, columns, tastes)


def fit_people(home: Mapping[str, CategoryChoices], head: Head, seed: int) -> tuple[tuple[str, ...], Tastes]:
    """The population of tastes, in columns named by AttributeValue id."""
    columns, joined, _ = people_panel(home, head)
    sample = some_people(joined, seed)
    scale = taste_scale(home, head, columns)
    return columns, estimate(sample, scale, free_mean=sample is joined)
