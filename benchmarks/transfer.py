"""What the network brings to categories whose choices it has not seen, beside simpler ways to fill the gap.

    python benchmarks/transfer.py                                   (the generated demo shop)
    python benchmarks/transfer.py --data ../shared/data/choice_scanner

Each category in turn is new: its choices, interactions and rules are hidden, its siblings' too. Its part-worths
then come from the network, from a network on shuffled edges, from the mean of the other categories' part-worths
for the same value, or from nothing (all 0). Each is judged by the log-likelihood of the hidden choices, the
outside option and positions set by the category's own fit in all cases, alone ("cold") and as the prior mean
after 50 of its choices ("thin").
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl

from benchmarks.importance import config, read
from benchmarks.machine import environment, finish, peak_mb, show
from kgrank.choice.head import Variances, fit_head, precision
from kgrank.choice.layout import Floats
from kgrank.choice.logit import fit
from kgrank.demo.files import write
from kgrank.demo.shop import generate
from kgrank.errors import KgrankError
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.learning.priors import Learning, folds, train
from kgrank.learning.run import quiet, say
from kgrank.learning.shop import Shop, read_shop
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder

THIN = 50
EPOCHS = 15
DRAWS = 10
"""Random choices of the thin ones."""

Part = Mapping[str, Floats]


def demo() -> tuple[KnowledgeGraph, Ontology]:
    """The generated shop, through files as a user's."""
    with tempfile.TemporaryDirectory() as place:
        write(generate(), Path(place))
        clean = ingest(Path(place), ontology=read_ontology(folder("ontology") / "fashion"))
    return build_graph(clean), replace(clean.ontology, rules={})


def shuffled(graph: KnowledgeGraph, seed: int) -> KnowledgeGraph:
    """The same graph with the targets of its message edges dealt out at random."""
    edges = dict(graph.edges)
    for name in ("SUBCATEGORY_OF", "IN_CATEGORY", "HAS_VALUE", "OF", "INTERACTED"):
        if name in edges:
            table = edges[name]
            edges[name] = table.with_columns(pl.col("target").shuffle(seed=seed))
    return KnowledgeGraph(graph.nodes, edges)


def from_others(shop: Shop, hidden: frozenset[str]) -> Part:
    """Mean of the shown categories' own part-worths for each value, by precision; 0 where none has it."""
    shown = {c: s for c, s in shop.home.items() if c not in hidden}
    head = fit_head(shown, {})
    total: dict[str, float] = {}
    weight: dict[str, float] = {}
    for category, some in shown.items():
        found = head.fits[category]
        sure = 1 / np.maximum(np.diag(found.covariance), 1e-6)
        for i, node in enumerate(some.design.layout.nodes):
            total[node] = total.get(node, 0.0) + sure[i] * found.part_worths[i]
            weight[node] = weight.get(node, 0.0) + sure[i]
    return {
        c: np.array([total.get(n, 0.0) / weight.get(n, 1.0) for n in shop.designs[c].layout.nodes])
        for c in hidden
    }


def judge(shop: Shop, said: Part, seed: int) -> dict[str, tuple[float, float]]:
    """Log-likelihood a choice of each hidden category: cold, and after THIN choices."""
    found = {}
    variances = Variances(0.05, 0.05)
    for category, mean in said.items():
        some = shop.home[category]
        layout, nuisance = some.design.layout, len(some.nuisance)
        own = fit_head({category: some}, {}).fits[category].part_worths[layout.width :]
        utility = some.choices.utility(np.concatenate([mean, own]))
        cold = float(some.choices.log_likelihood(utility).mean())
        thin = []
        generator = np.random.default_rng(seed)
        for _ in range(DRAWS):
            which = np.zeros(len(some.choices), bool)
            which[generator.choice(len(which), min(THIN, len(which) // 2), replace=False)] = True
            after = fit(
                some.choices.take(which),
                np.concatenate([mean, own]),
                precision(layout, nuisance, variances)
                + np.r_[np.zeros(layout.width), np.full(nuisance, 1e3)],
            )
            rest = some.choices.take(~which)
            thin.append(float(rest.log_likelihood(rest.utility(after.part_worths)).mean()))
        found[category] = (cold, float(np.mean(thin)))
    return found


def main() -> None:
    """Runs everything and prints the line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of a data set; the demo shop without it")
    parser.add_argument("--mapping", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    quiet()
    began = time.perf_counter()
    graph, ontology = read(options.data, options.mapping) if options.data else demo()
    about = environment("torch", "torch-geometric")
    print(json.dumps(about))
    shop = read_shop(graph, ontology, options.seed)
    layouts = [d.layout for d in shop.designs.values()]
    settings = config(options.seed)
    parts = folds(ontology, list(shop.home), 3)
    ways: dict[str, Callable[[frozenset[str]], Part]] = {
        "network": lambda hidden: (
            train(
                Learning(graph, ontology, layouts, shop.home, settings), hidden=hidden, epochs=EPOCHS
            ).part_worths
        ),
        "shuffled": lambda hidden: (
            train(
                Learning(shuffled(graph, options.seed), ontology, layouts, shop.home, settings),
                hidden=hidden,
                epochs=EPOCHS,
            ).part_worths
        ),
        "mean": lambda hidden: from_others(shop, hidden),
        "nothing": lambda hidden: {c: np.zeros(shop.designs[c].layout.width) for c in hidden},
    }
    scores: dict[str, dict[str, tuple[float, float]]] = {}
    for name, way in ways.items():
        scores[name] = {}
        for hidden in parts:
            say(f"{name}: without {', '.join(sorted(hidden))}")
            said = way(hidden)
            scores[name] |= judge(shop, {c: np.asarray(said[c]) for c in hidden}, options.seed)
    rows: list[list[Any]] = []
    line: dict[str, Any] = {"data": options.data.resolve().name if options.data else "demo"}
    for at, stage in enumerate(("cold", "thin")):
        for category in shop.home:
            rows.append([stage, category, *(scores[n][category][at] for n in ways)])
        for name in ways:
            line[f"{stage}_{name}"] = float(np.mean([v[at] for v in scores[name].values()]))
            gap = [scores["network"][c][at] - scores[name][c][at] for c in shop.home]
            if name != "network":
                error = float(np.std(gap, ddof=1) / np.sqrt(len(gap)))
                line[f"{stage}_network_over_{name}"] = [float(np.mean(gap)), error]
    line |= {"seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    show("log-likelihood a choice", ["stage", "category", *ways], rows)
    finish(f"transfer-{line['data']}", line, {"environment": about, "seed": options.seed, "rows": rows})


if __name__ == "__main__":
    try:
        main()
    except KgrankError as error:
        say(f"error: {error.sentence()}")
        sys.exit(2)
