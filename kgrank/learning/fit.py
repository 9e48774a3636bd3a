"""From a graph to learned weights: choices, network, head, rules, people, behaviour terms. No files, no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from lightning.pytorch.loggers import Logger

from kgrank import __version__
from kgrank.choice.evidence import Verdicts, weigh
from kgrank.choice.groupings import groupings
from kgrank.choice.head import Head, Variances, fit_head, place
from kgrank.choice.importance import importance, reference, spreads
from kgrank.choice.inherit import inherit
from kgrank.choice.layout import Design, Floats, Ints, Layout, category_design
from kgrank.choice.metrics import top1
from kgrank.choice.people import Panel, Tastes, estimate, join_panels, panel, some_people
from kgrank.choice.sets import CategoryChoices, Log, category_choices, read_log
from kgrank.choice.shopwide import People, behaviour_terms, learn_shopwide, link_table
from kgrank.choice.terms import TermWeights, weigh_terms
from kgrank.choice.transitions import (
    TransitionSettings,
    edges,
    sequences,
    strongest,
    transitions,
)
from kgrank.errors import InputError
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.config import RunConfig
from kgrank.learning.priors import Learning, NetworkFit, cross_fitted, train
from kgrank.learning.verdicts import finding
from kgrank.ontology.model import Ontology
from kgrank.weights.model import (
    AttributeWeight,
    BehaviourTerm,
    CategoryWeights,
    LearnedWeights,
    Population,
    Utility,
)

KEPT = 200
"""Transitions kept from each item in the graph."""

TASTE_DRAWS = 2000

SMALLEST_TASTE = 1e-3
"""In logits: an attribute without any effect still gets a proper prior."""


@dataclass(frozen=True)
class Learned:
    """The weights, and the transitions that stand beside them (source, target, weight)."""

    weights: LearnedWeights
    transitions: pl.DataFrame
    interrupted: bool


@dataclass(frozen=True)
class Shop:
    """Designs and choices of every category that has items."""

    designs: Mapping[str, Design]
    sets: Mapping[str, CategoryChoices]
    home: Mapping[str, CategoryChoices]
    log: Log


def read_shop(graph: KnowledgeGraph, ontology: Ontology, seed: int) -> Shop:
    """Columns and choice sets of all categories.

    Raises:
        InputError: No category has a choice between items that differ.
    """
    log = read_log(graph, ontology)
    designs = {c: category_design(graph, ontology, c) for c in ontology.categories}
    designs = {c: d for c, d in designs.items() if d.layout.width and d.items}
    sets, home = {}, {}
    own = set(log.heads["category"].drop_nulls().unique())
    for category, design in designs.items():
        some = category_choices(log, design, ontology, seed)
        if len(some.choices):
            sets[category] = some
        if category in own:
            home[category] = some if not set(ontology.subtree(category)) - {category} else _only(
                log, some, ontology, seed
            )  # fmt: skip
    home = {c: s for c, s in home.items() if len(s.choices)}
    if not sets:
        raise InputError(
            "there is not one choice to learn from",
            where="events",
            expected="impressions with a view, cart or purchase, or purchases",
            todo="Load behaviour (events or choice tasks) beside the items.",
        )
    return Shop(designs, sets, home, log)


def _only(log: Log, some: CategoryChoices, ontology: Ontology, seed: int) -> CategoryChoices:
    """Of a category's choices those whose lowest common category it is: those below it have other homes."""
    own = replace(log, heads=log.heads.filter(pl.col("category") == some.design.layout.category))
    return category_choices(own, some.design, ontology, seed, nuisance=some.nuisance)


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
    if config.model.people and shop.home and not shop.log.rated:
        report("how people differ")
        columns, tastes = fit_people(shop.home, head, config.seed)
    return ShopFit(shop, network, priors, head, verdicts, columns, tastes)


def fit_people(home: Mapping[str, CategoryChoices], head: Head, seed: int) -> tuple[tuple[str, ...], Tastes]:
    """The population of tastes, in columns named by AttributeValue id."""
    columns, joined, _ = people_panel(home, head)
    sample = some_people(joined, seed)
    scale = taste_scale(home, head, columns)
    return columns, estimate(sample, scale, free_mean=sample is joined)


def learn(
    graph: KnowledgeGraph,
    ontology: Ontology,
    config: RunConfig,
    *,
    logger: Logger | bool = False,
    checkpoints: Path | None = None,
    resume: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Learned:
    """Learns everything there is to learn from a graph."""
    shop = read_shop(graph, ontology, config.seed)
    report(f"{len(shop.log.heads):,} choices, {len(shop.sets)} categories, {len(shop.log.users):,} people")
    fitted = fit_shop(
        shop, graph, ontology, config, logger=logger, checkpoints=checkpoints, resume=resume, report=report
    )
    report("what goes after what")
    metrics = held_out(shop, fitted.priors, config)
    if fitted.network.loss is not None:
        metrics["network_val_loss"] = fitted.network.loss
    terms, behaviour, links = _behaviour(fitted, graph, ontology, config.seed, metrics)
    weights = _weights(fitted, ontology, terms, metrics, behaviour)
    return Learned(weights, links, fitted.network.interrupted)


def _behaviour(
    fitted: ShopFit, graph: KnowledgeGraph, ontology: Ontology, seed: int, metrics: dict[str, float]
) -> tuple[TermWeights, tuple[BehaviourTerm, ...], pl.DataFrame]:
    """The ranking layer: weights by category, terms, and transitions.

    Where the log does not say what was shown, a whole shop is ranked, and every term has a curve.
    """
    shop, log, settings = fitted.shop, sequences(graph), TransitionSettings()
    if not shop.log.shown and len(log.item):
        people = People(log.item, log.start, len(log.items))
        groups = groupings(graph, ontology, log.items)
        utility = _item_utility(fitted, ontology, log.items)
        wide = learn_shopwide(people, groups, settings, utility=utility, seed=seed)
        if wide.curves:
            metrics["next_log_likelihood"] = wide.log_likelihood
            one = TermWeights({"": (wide.strength, 1.0)}, 1.0)
            return one, behaviour_terms(wide, log.items), link_table(wide.counts, log.items, KEPT)
    part_worths = {c: f.part_worths for c, f in fitted.head.fits.items()}
    home = shop.home if shop.log.shown else {}
    terms = weigh_terms(home, part_worths, log, shop.log.users, settings)
    term = BehaviourTerm(
        "goes-after",
        "log(1 + amount / unit); amount: how often people went on from your last items to this one",
        {**settings.numbers(), "unit": terms.unit},
    )
    matrix = strongest(transitions(log.item, log.start, len(log.items), settings), KEPT)
    return terms, (term,), edges(matrix, log.items)


def _item_utility(fitted: ShopFit, ontology: Ontology, items: Sequence[str]) -> Floats:
    """(items,) the attribute score of each item by the weights of the top category that it stands in."""
    place_of = {item: k for k, item in enumerate(items)}
    found = np.zeros(len(items))
    for category, design in fitted.shop.designs.items():
        if ontology.categories[category].parent is None:
            part_worths = _part_worths(design.layout, fitted)
            rows = [place_of[item] for item in design.items]
            found[rows] = np.asarray(design.raw @ (design.layout.centring @ part_worths))
    return found


def _part_worths(layout: Layout, fitted: ShopFit) -> Floats:
    """(columns,) what is served for a category: its own after the rules, or the network's word."""
    draws = fitted.verdicts.draws.get(layout.category)
    return np.asarray(fitted.network.part_worths[layout.category] if draws is None else draws.mean(0))


def _weights(
    fitted: ShopFit,
    ontology: Ontology,
    terms: TermWeights,
    metrics: Mapping[str, float],
    behaviour: tuple[BehaviourTerm, ...],
) -> LearnedWeights:
    created = datetime.now(UTC).replace(microsecond=0)
    shop, tastes = fitted.shop, fitted.tastes
    return LearnedWeights(
        version=f"w-{created:%Y%m%d-%H%M%S}-{ontology.fingerprint[:6]}",
        created=created.isoformat(),
        code=__version__,
        ontology=ontology.fingerprint,
        graph="",
        categories={c: _category(d.layout, fitted, terms) for c, d in shop.designs.items()},
        metrics=metrics,
        terms=behaviour,
        findings=tuple(finding(found, ontology, fitted.verdicts) for found in fitted.verdicts.rules),
        population=Population()
        if tastes is None
        else Population(
            fitted.columns,
            tuple(tuple(row) for row in tastes.covariance.tolist()),
            tuple(tastes.mean.tolist()),
        ),
        notes=_notes(shop),
    )


def _notes(shop: Shop) -> tuple[str, ...]:
    notes = []
    if shop.log.rated:
        notes.append("Learned from ratings, each taken against the person's own mean and spread.")
    elif not shop.log.shown:
        notes.append("The log does not say what was shown: choices are set against items drawn at random.")
    if shop.log.shown and not shop.log.positions:
        notes.append("No positions: being seen is not told apart from being liked.")
    return tuple(notes)


def people_panel(
    home: Mapping[str, CategoryChoices], head: Head, persons: Ints | None = None
) -> tuple[tuple[str, ...], Panel, Ints]:
    """The choices of everyone in shared columns: AttributeValue ids, and the outside option.

    Returns:
        The columns' names, the panel, and (people,) their numbers in the log.
    """
    names = tuple(
        dict.fromkeys(n for s in home.values() for n in (*s.design.layout.nodes, *_person_nuisance(s)))
    )
    at = {n: i for i, n in enumerate(names)}
    parts = []
    for category, some in home.items():
        columns = np.zeros((some.choices.width, len(names)))
        own = [*some.design.layout.nodes, *some.nuisance]
        for i, name in enumerate(own):
            if name in at:
                columns[i, at[name]] = 1.0
        parts.append(panel(some.choices, head.fits[category].part_worths, columns))
    return names, *join_panels(parts, persons)


def taste_scale(home: Mapping[str, CategoryChoices], head: Head, columns: Sequence[str]) -> Floats:
    """(columns,) range of each column's attribute for the average shopper, averaged over the categories.

    A number's is the rise over one unit of its column; the outside option's is 1.
    """
    total, times = np.zeros(len(columns)), np.zeros(len(columns))
    at = {n: i for i, n in enumerate(columns)}
    for category, some in home.items():
        layout, own = some.design.layout, head.fits[category].part_worths
        ranges = spreads(layout, own[: layout.width])
        for block, width in zip(layout.blocks, ranges, strict=True):
            for node in block.nodes:
                total[at[node]] += abs(own[block.start]) if block.number else width
                times[at[node]] += 1
    return np.where(times > 0, np.maximum(total / np.maximum(times, 1), SMALLEST_TASTE), 1.0)


def _person_nuisance(some: CategoryChoices) -> tuple[str, ...]:
    return tuple(n for n in some.nuisance if not n.startswith("position"))


def held_out(shop: Shop, priors: Mapping[str, Floats], config: RunConfig) -> dict[str, float]:
    """Log-likelihood and hit rate of the held-out choices, from heads fitted on the others.

    For ratings, the root of the mean squared error, in units of a person's own spread.
    """
    loss, hits, count = 0.0, 0.0, 0
    training, test = {}, {}
    for category, some in shop.home.items():
        choices = some.choices
        which = _held_out_choices(some, config)
        if which.any() and not which.all():
            training[category] = replace(some, choices=choices.take(~which))
            test[category] = choices.take(which)
    if not training:
        return {}
    head = fit_head(training, {c: m for c, m in priors.items() if c in training})
    for category, choices in test.items():
        utility = choices.utility(head.fits[category].part_worths)
        count += len(choices)
        if shop.log.rated:
            loss += float(((utility - choices.chosen) ** 2).sum())
        else:
            loss += float(choices.log_likelihood(utility).sum())
            hits += float(top1(choices, utility).sum())
    if shop.log.rated:
        return {"held_out_ratings": count, "held_out_rmse": (loss / count) ** 0.5}
    return {"held_out_choices": count, "held_out_log_likelihood": loss / count, "held_out_top1": hits / count}


def _held_out_choices(some: CategoryChoices, config: RunConfig) -> np.ndarray:
    if config.validation.share <= 0:
        return np.zeros(len(some.choices), bool)
    if config.validation.by == "time":
        return np.asarray(some.choices.time > np.quantile(some.choices.time, 1 - config.validation.share))
    persons = np.unique(some.choices.person)
    generator = np.random.default_rng(config.seed)
    chosen = generator.choice(persons, max(int(config.validation.share * len(persons)), 1), replace=False)
    return np.isin(some.choices.person, chosen)


def _category(layout: Layout, fitted: ShopFit, terms: TermWeights) -> CategoryWeights:
    category = layout.category
    shop, verdicts = fitted.shop, fitted.verdicts
    learned = category in verdicts.draws
    if learned:
        draws = verdicts.draws[category]
        mean = draws.mean(0)
        free = verdicts.without[category]
    else:
        mean = np.asarray(fitted.network.part_worths[category])
        draws = free = _prior_draws(layout, mean, fitted.head.variances)
    weight, spread = importance(layout, mean), spreads(layout, mean)
    low, high = np.quantile(importance(layout, draws), [0.025, 0.975], axis=0)
    full = importance(layout, mean, full=True)
    without = importance(layout, free.mean(0)) if learned and draws is not free else None
    shoppers = None if fitted.tastes is None else _shoppers(layout, mean, fitted.columns, fitted.tastes)
    own = shop.sets.get(category)
    attributes = tuple(
        AttributeWeight(
            block.attribute,
            float(weight[i]),
            float(min(low[i], weight[i])),
            float(max(high[i], weight[i])),
            float(spread[i]),
            reference(block),
            float(full[i]),
            None if shoppers is None else float(shoppers[i]),
            None if without is None else float(without[i]),
        )
        for i, block in enumerate(layout.blocks)
    )
    alpha, beta = terms.weights.get(category, terms.weights[""])
    return CategoryWeights(
        category,
        attributes,
        _utilities(layout, mean, draws),
        float(spread.sum()),
        0 if own is None else len(own.choices),
        0 if own is None else len(np.unique(own.choices.person)),
        "choices" if learned else "network",
        {"attributes": alpha, "goes-after": beta},
        {} if own is None else _nuisance(own, fitted.head.fits[category].part_worths),
    )


def _nuisance(own: CategoryChoices, part_worths: Floats) -> dict[str, float]:
    """What is served beside the attributes: the outside option's constant and the positions."""
    found = part_worths[own.design.layout.width :].tolist()
    return dict(zip(own.nuisance, found, strict=True))


def _prior_draws(layout: Layout, mean: Floats, variances: Variances) -> Floats:
    normal = np.random.default_rng(0).standard_normal((TASTE_DRAWS, layout.width))
    return np.asarray(mean + normal * np.sqrt(variances.of(layout)))


def _shoppers(layout: Layout, mean: Floats, columns: Sequence[str], tastes: Tastes) -> Floats:
    """(attributes,) the average of the shoppers' own importances, over draws of the population."""
    at = {n: i for i, n in enumerate(columns)}
    known = np.array([n in at for n in layout.nodes])
    pick = [at[n] for n in layout.nodes if n in at]
    root = np.linalg.cholesky(tastes.covariance[np.ix_(pick, pick)] + 1e-9 * np.eye(len(pick)))
    normal = np.random.default_rng(0).standard_normal((TASTE_DRAWS, len(pick)))
    draws = np.tile(mean, (TASTE_DRAWS, 1))
    draws[:, known] += tastes.mean[pick] + normal @ root.T
    return np.asarray(importance(layout, draws).mean(0))


def _utilities(layout: Layout, mean: Floats, draws: Floats) -> tuple[Utility, ...]:
    found = []
    for block in layout.blocks:
        own = draws[:, block.columns]
        if block.number:
            errors = own.std(0) * ((block.high - block.low) / block.scale)
        else:
            errors = (own - (own @ block.mean)[:, None]).std(0)
        for node, segments, error in zip(block.nodes, block.segments(mean), errors, strict=True):
            found.append(Utility(node, segments, float(error)))
    return tuple(found)
