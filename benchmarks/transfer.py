"""What the graph brings to categories, and to values, whose choices nobody has seen; what each part of it brings.

    python benchmarks/transfer.py                                   (generated demo shops, seeds 7, 1 and 2)
    python benchmarks/transfer.py --data choice_scanner
    python benchmarks/transfer.py --network                         (the optional network too: minutes)

Each category in turn is new: all its choices are hidden. Its part-worths then come from the graph as it ships,
from the graph with its edges dealt out at random, from the hierarchy mean (the same without what the items say),
or from nothing (all 0). Without parts: the tree below the top always or never, no brand edges. Each is judged by
the log-likelihood of the hidden choices, alone ("cold") and as prior mean and variance after 50 of its choices
("thin"); the outside option and positions are fitted to the hidden choices in all cases.

Values in turn are new: each brand is taken out of all choices; its part-worth then comes from the same ways, and
is judged by the choices in which it was shown ("unseen").

Intervals are of the differences, 95 %, clustered by person. They hold for these categories; how the categories
differ stands beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.data_sets import data_folder
from benchmarks.importance import read
from benchmarks.machine import DATA_HELP, command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Design
from kgrank.choice.hierarchy.partial_pooling import PooledEffects, pool
from kgrank.choice.hierarchy.prior_means import (
    PriorEvidence,
    effect_model,
    hierarchy_mean,
    prior_evidence,
    with_item_signals,
)
from kgrank.choice.logit.categories import NUISANCE, unpooled_fits
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import fit
from kgrank.choice.logit.likelihood import Choices
from kgrank.demo.files import write
from kgrank.demo.shop import generate
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.learning.prior_means import PriorMeanData
from kgrank.learning.run import say
from kgrank.learning.training_data import TrainingData, read_training_data
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder

THIN = 50
DRAWS = 3
"""Random choices of the thin ones."""

HELD = 1e9
"""Precision of what may not move."""

EPOCHS = 15
SEEDS = (7, 1, 2)
BRAND = "brand"


@dataclass(frozen=True)
class Said:
    """Part-worths of a hidden category: (columns,) prior mean and variance."""

    mean: Floats
    variance: Floats


Way = Callable[[PriorEvidence, str], Said]
"""From what is known without a category to what is said of it."""


def demo(seed: int) -> tuple[KnowledgeGraph, Ontology]:
    """A generated shop, through files as a user's."""
    with tempfile.TemporaryDirectory() as place:
        write(generate(seed), Path(place))
        clean = ingest(Path(place), ontology=read_ontology(folder("ontology") / "fashion"))
    return build_graph(clean), replace(clean.ontology, rules={})


def said(pooled: PooledEffects, category: str) -> Said:
    """What a posterior says of a category."""
    return Said(pooled.prior_mean(category), pooled.variance(category))


def shipped(what: PriorEvidence, category: str) -> Said:
    """As kgrank has it."""
    return said(with_item_signals(what, hierarchy_mean(what)), category)


def hierarchy(what: PriorEvidence, category: str) -> Said:
    """Without what the items say."""
    return said(hierarchy_mean(what), category)


def with_tree(what: PriorEvidence, category: str, *, tree: bool) -> Said:
    """With the tree below the top in any case, or in none."""
    return said(
        with_item_signals(what, pool(effect_model(what, what.likelihoods, tree=tree), what.likelihoods)),
        category,
    )


def without_brands(what: PriorEvidence, category: str) -> Said:
    """Without the edges of brands: a brand has no items, and nothing to do with itself in other categories."""
    at = {n for d in what.designs.values() for n in d.layout.nodes if n.startswith(f"{BRAND}=")}
    pooled = with_item_signals(what, hierarchy_mean(what))
    mean = pooled.prior_mean(category)
    mean[[n in at for n in what.designs[category].layout.nodes]] = 0.0
    return Said(mean, pooled.variance(category))


def nothing(what: PriorEvidence, category: str) -> Said:
    """All 0, with the spread that the other categories' part-worths have."""
    layout = what.designs[category].layout
    squares: dict[bool, list[float]] = {True: [1.0], False: [1.0]}
    for other, own in what.likelihoods.items():
        for block in what.designs[other].layout.blocks:
            squares[block.number].extend(own.mean[block.columns] ** 2)
    variance = [float(np.mean(squares[b.number])) for b in layout.blocks for _ in b.nodes]
    return Said(np.zeros(layout.width), np.array(variance))


def shuffled(seed: int) -> Way:
    """The shipped way on a graph whose edges are dealt out at random."""

    def way(what: PriorEvidence, category: str) -> Said:
        return shipped(dealt(what, np.random.default_rng(seed)), category)

    return way


def dealt(what: PriorEvidence, generator: np.random.Generator) -> PriorEvidence:
    """Another item's number for each item, another category's place in the tree and level of numbers."""
    names = list(what.likelihoods)
    rest = [c for c in what.designs if c not in what.likelihoods and not _holds(what, c)]
    leaves = names + rest
    other = dict(zip(leaves, [leaves[i] for i in generator.permutation(len(leaves))], strict=True))
    lines = {c: (c, *what.lineages[other.get(c, c)][1:]) for c in what.lineages}
    return PriorEvidence(
        lines, {c: _dealt(what, c, other.get(c, c), generator) for c in what.designs}, what.likelihoods
    )


def _holds(what: PriorEvidence, category: str) -> bool:
    return any(category in line[1:] for line in what.lineages.values())


def _dealt(what: PriorEvidence, category: str, other: str, generator: np.random.Generator) -> Design:
    design, blocks = what.designs[category], []
    raw = design.raw.tolil()
    for block in design.layout.blocks:
        if block.number:
            raw[:, block.start] = raw[generator.permutation(raw.shape[0]), block.start]
            twin = what.designs[other].layout.block.get(block.attribute, block)
            block = replace(block, centre=twin.centre)
        blocks.append(block)
    return Design(replace(design.layout, blocks=tuple(blocks)), design.items, raw.tocsr())


WAYS: Mapping[str, Way] = {
    "graph": shipped,
    "shuffled": shuffled(0),
    "hierarchy": hierarchy,
    "tree": lambda what, category: with_tree(what, category, tree=True),
    "no_tree": lambda what, category: with_tree(what, category, tree=False),
    "no_brand_edges": without_brands,
    "nothing": nothing,
}


def network(graph: KnowledgeGraph, ontology: Ontology, shop: TrainingData, seed: int) -> Way:
    """The optional network, trained without the category; its variance is the hierarchy's."""
    from kgrank.learning.network.prior_means import NetworkSettings, train

    settings = NetworkSettings(seed=seed)

    def way(what: PriorEvidence, category: str) -> Said:
        data = PriorMeanData(graph, ontology, what, shop.own_choices)
        network = train(data, settings, hidden=frozenset({category}), epochs=EPOCHS)
        return Said(np.asarray(network.part_worths[category]), hierarchy(what, category).variance)

    return way


def judged(some: CategoryChoices, one: Said, seed: int) -> tuple[Floats, Floats]:
    """(choices,) log-likelihood cold, and thin: the mean over the draws in which a choice was not among the 50."""
    whole = held(some.choices, one.mean)
    cold = some.choices.log_likelihood(some.choices.utility(whole))
    total, times = np.zeros(len(some.choices)), np.zeros(len(some.choices))
    generator = np.random.default_rng(seed)
    for _ in range(DRAWS):
        which = np.zeros(len(some.choices), bool)
        which[generator.choice(len(which), min(THIN, len(which) // 2), replace=False)] = True
        prior = np.concatenate([1 / one.variance, np.full(len(whole) - len(one.mean), HELD)])
        after = fit(some.choices.take(which), whole, prior)
        rest = some.choices.take(~which)
        total[~which] += rest.log_likelihood(rest.utility(after.part_worths))
        times[~which] += 1
    return cold, np.where(times > 0, total / np.maximum(times, 1), np.nan)


def held(choices: Choices, mean: Floats) -> Floats:
    """(parameters,) part-worths held at a mean, with the nuisance parameters that fit best."""
    extra = choices.width - len(mean)
    prior = np.concatenate([np.full(len(mean), HELD), np.full(extra, NUISANCE)])
    whole = np.concatenate([mean, np.zeros(extra)])
    return fit(choices, whole, prior).part_worths if extra else whole


def without_value(some: CategoryChoices, column: int) -> CategoryChoices:
    """The choices without the alternatives that have a value; of those that took one, nothing is left.

    What is chosen among the others is a choice of the same kind (independence of irrelevant alternatives).
    """
    choices = some.choices
    has = choices.expanded[:, [column]].toarray().ravel() > 0
    taken = np.bincount(choices.choice, has * choices.chosen, len(choices)) > 0
    left = np.bincount(choices.choice, ~has, len(choices))
    fine = ~taken & ((left > 1) | ((left > 0) & choices.outside))
    keep = ~has & fine[choices.choice]
    thinner = replace(
        choices.take(fine),
        raw=choices.expanded[keep],
        row=None,
        start=np.concatenate([[0], np.cumsum(left[fine])]).astype(np.int64),
        chosen=choices.chosen[keep],
        offset=choices.offset[keep],
    )
    return replace(some.take(fine), choices=thinner, item_row=some.item_row[keep])


def unseen(
    shop: TrainingData, ontology: Ontology, ways: Mapping[str, Way]
) -> Iterator[tuple[str, str, Ints, Floats]]:
    """For each brand, category and way: who chose, and the log-likelihood of the choices that show the brand."""
    brands = sorted(
        {n for s in shop.own_choices.values() for n in s.design.layout.nodes if n.startswith(f"{BRAND}=")}
    )
    for brand in brands:
        has = {c: s for c, s in shop.own_choices.items() if brand in s.design.layout.column}
        home = dict(shop.own_choices) | {
            c: without_value(s, s.design.layout.column[brand]) for c, s in has.items()
        }
        what = prior_evidence(ontology, shop.designs, home, unpooled_fits(home))
        for category, some in has.items():
            at = some.design.layout.column[brand]
            block = some.design.layout.block[BRAND]
            others = np.array([i for i in range(block.start, block.stop) if i != at])
            own, shown = what.likelihoods[category].mean, _shown(some.choices, at)
            for name, way in ways.items():
                mean = way(what, category).mean
                part_worths = own.copy()
                part_worths[at] = mean[at] + (own[others] - mean[others]).mean()
                utility = shown.utility(held(shown, part_worths))
                yield name, f"{category} {brand}", shown.person, shown.log_likelihood(utility)


def _shown(choices: Choices, column: int) -> Choices:
    has = choices.expanded[:, [column]].toarray().ravel() > 0
    return choices.take(np.bincount(choices.choice, has, len(choices)) > 0)


@dataclass
class Results:
    """Log-likelihoods by stage, way and place (a category of a shop): who chose, and (choices,)."""

    found: dict[tuple[str, str], dict[str, tuple[Ints, Floats]]]

    def add(self, stage: str, way: str, where: str, person: Ints, values: Floats) -> None:
        """One way's in one place."""
        known_ = ~np.isnan(values)
        self.found.setdefault((stage, way), {})[where] = person[known_], values[known_]

    def mean(self, stage: str, way: str) -> float:
        """A choice, averaged over the places."""
        return float(np.mean([v.mean() for _, v in self.found[stage, way].values()]))

    def over(self, stage: str, way: str, other: str) -> tuple[float, float, float]:
        """How much better one way is, its standard error by people, and by places."""
        ours, theirs = self.found[stage, way], self.found[stage, other]
        gaps = {w: ours[w][1] - theirs[w][1] for w in ours}
        squares = 0.0
        by_shop: dict[str, list[str]] = {}
        for where in gaps:
            by_shop.setdefault(where.split("/")[0], []).append(where)
        for places in by_shop.values():
            people = np.concatenate([ours[w][0] for w in places])
            parts = np.concatenate([(gaps[w] - gaps[w].mean()) / (len(gaps[w]) * len(gaps)) for w in places])
            squares += float((np.bincount(people, parts) ** 2).sum())
        means = np.array([g.mean() for g in gaps.values()])
        between = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else float("nan")
        return float(means.mean()), squares**0.5, between


def generated(seed: int, options: argparse.Namespace) -> Results:
    """All ways in one demo shop."""
    return run(f"demo{seed}", *demo(seed), options)


def run(name: str, graph: KnowledgeGraph, ontology: Ontology, options: argparse.Namespace) -> Results:
    """All ways in one shop."""
    into = Results({})
    shop = read_training_data(graph, ontology, options.seed)
    ways = dict(WAYS)
    if options.network:
        ways["network"] = network(graph, ontology, shop, options.seed)
    whole = prior_evidence(ontology, shop.designs, shop.own_choices, unpooled_fits(shop.own_choices))
    for category, some in shop.own_choices.items():
        say(f"{name}: {category} is new")
        what = replace(whole, likelihoods={c: e for c, e in whole.likelihoods.items() if c != category})
        for way, of in ways.items():
            cold, thin = judged(some, of(what, category), options.seed)
            into.add("cold", way, f"{name}/{category}", some.choices.person, cold)
            into.add("thin", way, f"{name}/{category}", some.choices.person, thin)
    say(f"{name}: each brand is new")
    simple = {w: WAYS[w] for w in ("graph", "shuffled", "hierarchy", "no_brand_edges")}
    for way, where, person, values in unseen(shop, ontology, simple):
        into.add("unseen", way, f"{name}/{where}", person, values)
    return into


def report(into: Results, line: dict[str, Any]) -> list[list[Any]]:
    """Fills the line, and gives a row a way."""
    rows = []
    for (stage, way), places in into.found.items():
        line[f"{stage}_{way}"] = into.mean(stage, way)
        row = [stage, way, into.mean(stage, way)]
        if way != "graph":
            gap, people, between = into.over(stage, "graph", way)
            line[f"{stage}_graph_over_{way}"] = gap
            line[f"{stage}_graph_over_{way}_low"] = gap - 1.96 * people
            line[f"{stage}_graph_over_{way}_error_between_places"] = between
            row += [gap, gap - 1.96 * people, gap + 1.96 * people, between]
        rows.append(row + [""] * (7 - len(row)) + [len(places)])
    return rows


def main() -> None:
    """Runs everything and prints the line."""
    parser = script_parser(__doc__, needs="none unless --data names a set, such as choice_scanner")
    parser.add_argument("--data", help=f"{DATA_HELP}; generated demo shops without it")
    parser.add_argument("--mapping", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of the thin draws and the network")
    parser.add_argument("--shops", type=int, nargs="+", default=list(SEEDS), help="seeds of the demo shops")
    parser.add_argument("--network", action="store_true", help="the optional network too")
    options = parser.parse_args()
    data = data_folder(options.data) if options.data else None
    began = time.perf_counter()
    about = environment("torch", "torch-geometric")
    print(json.dumps(about))
    if data is not None:
        name = data.name
        into = run(name, *read(data, options.mapping), options)
    else:
        name, into = "demo", Results({})
        with ProcessPoolExecutor(len(options.shops), get_context("spawn")) as shops:
            for one in shops.map(generated, options.shops, [options] * len(options.shops)):
                for key, places in one.found.items():
                    into.found.setdefault(key, {}).update(places)
    line: dict[str, Any] = {"data": name}
    rows = report(into, line)
    line |= {"seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    columns = ["stage", "way", "log-likelihood", "graph over it", "low", "high", "error between", "places"]
    show("log-likelihood a choice", columns, rows)
    means = {
        f"{stage} {way}": {w: float(v.mean()) for w, (_, v) in found.items()}
        for (stage, way), found in into.found.items()
    }
    finish(f"transfer-{name}", line, {"environment": about, "seed": options.seed, "places": means})


if __name__ == "__main__":
    command(main)
