"""Whether what is shown more is taken for what is liked more: generated shops in which cheap lamps come first.

    python benchmarks/exposure.py
    python benchmarks/exposure.py --seeds 5 --people 1000

The truth is known. Each shopper searches a few times; the shop answers with ten of 300 lamps, the cheap ones far
more often, and puts the cheaper ones higher. Each place is looked at by chance, the first always, the tenth
seldom. Of what was looked at, the shopper views the one that suits best, or none, and buys it where it suits well
enough: this is not the likelihood that is fitted. The log goes through the loader into a graph, and learning runs
on it as ``train.py`` does, four times:

    corrected            as it is: what was shown, and where
    given                with the true examination curve in the configuration
    without positions    what was shown, not where
    naive                the responses alone, against all lamps of the category

Figures are L1 distances of the importance to the true one over the same ranges, means over the seeds.
``odds_error`` is how far the estimated odds of a place lie from the probability that it is looked at, in
logarithms (not quite the same, since beside a good item others have less of a chance).
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl

from benchmarks.importance import config
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats
from kgrank.choice.data.design import category_design
from kgrank.choice.importance import importance
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.learning.learn import learn
from kgrank.learning.prior_means import closed_form
from kgrank.learning.run import say
from kgrank.ontology.model import Ontology
from kgrank.weights.model import CategoryWeights, LearnedWeights

ITEMS, SHOWN, LISTS = 300, 10, 8
LOOKED = tuple(round(1 / k**0.8, 3) for k in range(1, SHOWN + 1))
"""Probability that each place is looked at."""

CHEAP = 1.3
"""How much more often, in logits a standard deviation of the price, a cheaper lamp is shown."""

COLORS = {"white": 0.9, "black": 0.3, "green": -0.4, "red": -0.8}
SHADES = {"glass": 0.6, "paper": 0.0, "steel": -0.6}
DIMMABLE = 0.7
PRICE = -0.012
"""Logits a euro; lamps cost 20 to 200."""

OUTSIDE = 1.0
WAYS = ("corrected", "given", "without positions", "naive")


@dataclass(frozen=True)
class Lamps:
    """The items and what the average shopper makes of them."""

    rows: list[tuple[str, str, str, str, str, float]]
    price: Floats
    utility: Floats


def lamps(rng: np.random.Generator) -> Lamps:
    """Lamps of four attributes; dear ones are more often of glass, so that only a fit tells the two apart."""
    price = np.round(20 + 180 * rng.beta(1.5, 2.5, ITEMS), 2)
    z = (price - price.mean()) / price.std()
    glass = rng.random(ITEMS) < 1 / (1 + np.exp(-z))
    shade = np.where(glass, "glass", rng.choice(["paper", "steel"], ITEMS))
    color = rng.choice(list(COLORS), ITEMS)
    dims = rng.random(ITEMS) < 0.4
    utility = PRICE * (price - price.mean()) + DIMMABLE * dims
    utility = utility + [COLORS[c] + SHADES[s] for c, s in zip(color, shade, strict=True)]
    rows = [
        (f"lamp-{k}", "lamps", str(color[k]), str(shade[k]), str(bool(dims[k])).lower(), float(price[k]))
        for k in range(ITEMS)
    ]
    return Lamps(rows, price, np.asarray(utility))


def write(folder: Path, some: Lamps, people: int, rng: np.random.Generator) -> None:
    """The shop's files in the standard columns."""
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "category", "color", "shade", "dimmable", "price"))
        table.writerows(some.rows)
    z = (some.price - some.price.mean()) / some.price.std()
    with (folder / "events.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("time", "user", "list", "kind", "item", "position"))
        for person in range(people):
            for turn in range(LISTS):
                _visit(table, some, z, (f"u{person}", f"l{person}-{turn}", 60 * (person * LISTS + turn)), rng)


def _visit(table: Any, some: Lamps, z: Floats, who: tuple[str, str, int], rng: np.random.Generator) -> None:
    """One list: what was shown where, what was viewed and bought."""
    user, name, began = who
    shown = np.argsort(CHEAP * z - rng.gumbel(size=ITEMS))[:SHOWN]
    shown = shown[np.argsort(z[shown] + rng.normal(size=SHOWN))]
    moment = 1_767_225_600 + began
    ids = [some.rows[k][0] for k in shown]
    table.writerows((moment, user, name, "impression", i, p) for p, i in enumerate(ids, 1))
    looked = rng.random(SHOWN) < LOOKED
    worth = np.where(looked, some.utility[shown] + rng.gumbel(size=SHOWN), -np.inf)
    best = int(worth.argmax())
    if worth[best] < OUTSIDE + rng.gumbel():
        return
    table.writerow((moment + 10, user, name, "view", ids[best], best + 1))
    if rng.random() < 1 / (1 + np.exp(1.0 - 0.8 * some.utility[shown[best]])):
        table.writerow((moment + 40, user, name, "purchase", ids[best], best + 1))


def true_importance(graph: KnowledgeGraph, ontology: Ontology) -> dict[str, float]:
    """The share of each attribute that the true part-worths give over the ranges of the catalogue."""
    layout = category_design(graph, ontology, "lamps").layout
    known = {f"color={v}": u for v, u in COLORS.items()} | {f"shade={v}": u for v, u in SHADES.items()}
    known |= {"dimmable=true": DIMMABLE, "price=*": PRICE * layout.block["price"].scale}
    shares = importance(layout, np.array([known.get(node, 0.0) for node in layout.nodes]))
    return dict(zip(layout.block, shares.tolist(), strict=True))


def learned(way: str, graph: KnowledgeGraph, ontology: Ontology, seed: int) -> LearnedWeights:
    """What learning makes of a log, or of what is left of it."""
    events = graph.edge("INTERACTED")
    if way == "naive":
        events = events.filter(pl.col("kind") != "impression")
    if way in ("naive", "without positions"):
        events = events.with_columns(position=pl.lit(None, pl.Int64))
    plain = config(seed)
    # People's own tastes play no part here.
    run = replace(
        plain,
        data=replace(plain.data, examination=LOOKED if way == "given" else None),
        people=False,
    )
    changed = KnowledgeGraph(graph.nodes, {**graph.edges, "INTERACTED": events})
    return learn(changed, ontology, run, closed_form).weights


def distance(found: CategoryWeights, truth: Mapping[str, float]) -> float:
    """L1 between the learned and the true importance."""
    return sum(abs(a.share - truth[a.attribute]) for a in found.attributes)


def odds_error(found: CategoryWeights) -> float:
    """Mean distance of the estimated from the true logarithm of being looked at, over the places."""
    names = [f"position {p}" for p in range(2, SHOWN)] + [f"position {SHOWN}+"]
    gaps = [abs(found.nuisance[n] - np.log(e)) for n, e in zip(names, LOOKED[1:], strict=True)]
    return float(np.mean(gaps))


def one(seed: int, people: int) -> dict[str, Any]:
    """All figures of one generated shop."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), lamps(rng), people, rng)
        clean = ingest(Path(place))
    graph = build_graph(clean)
    truth = true_importance(graph, clean.ontology)
    found: dict[str, Any] = {"truth": truth}
    for way in WAYS:
        weights = learned(way, graph, clean.ontology, seed)
        category = weights.categories["lamps"]
        found[way] = {a.attribute: a.share for a in category.attributes}
        found[f"l1 {way}"] = distance(category, truth)
        if way == "corrected":
            found["odds_error"] = odds_error(category)
            found["places"] = {k: v for k, v in category.nuisance.items() if k.startswith("position")}
            found["scale"] = dict(weights.reliability.scale)
    return found


def main() -> None:
    parser = script_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="generated shops (5)")
    parser.add_argument("--people", type=int, default=1000, help="shoppers of each (1000)")
    options = parser.parse_args()
    about, began = environment("torch", "polars"), time.perf_counter()
    found = []
    for seed in range(options.seeds):
        say(f"shop {seed + 1} of {options.seeds}")
        found.append(one(seed, options.people))
    attributes = list(found[0]["truth"])
    rows = [["truth", *(float(np.mean([f["truth"][a] for f in found])) for a in attributes), "", ""]]
    line: dict[str, Any] = {"seeds": options.seeds, "people": options.people}
    for way in WAYS:
        l1 = [f[f"l1 {way}"] for f in found]
        shares = [float(np.mean([f[way][a] for f in found])) for a in attributes]
        rows.append([way, *shares, float(np.mean(l1)), float(np.max(l1))])
        line[f"l1_{way.replace(' ', '_')}"] = float(np.mean(l1))
        line[f"l1_{way.replace(' ', '_')}_worst"] = float(np.max(l1))
    line["odds_error"] = float(np.mean([f["odds_error"] for f in found]))
    line |= {"seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    show("importance, and its L1 to the truth", ["learned from", *attributes, "l1", "worst"], rows)
    show("figures", ["figure", "value"], [[k, v] for k, v in line.items()])
    finish("exposure-generated", line, {"environment": about, "shops": found})


if __name__ == "__main__":
    command(main)
