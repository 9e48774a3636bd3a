"""How far the seed moves the weights of thin categories, in their standard errors.

    python benchmarks/seeds.py

The generated demo shop, of whose categories every second one keeps only a few choices (--thin); the others lend
it what the graph carries over. Three whole fits, rules included, differ in nothing but their seed. For each weight
of each category, the largest difference between seeds is divided by the weight's standard error.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl

from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats
from kgrank.choice.importance import importance
from kgrank.demo.files import write
from kgrank.demo.shop import generate
from kgrank.demo.truth import LEAVES
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.fit import ShopFit, fit_shop
from kgrank.learning.prior_means import closed_form
from kgrank.learning.run import say
from kgrank.learning.training_data import read_training_data
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder

THINNED = LEAVES[::2]


def thin_shop(keep: int) -> tuple[KnowledgeGraph, Ontology]:
    """The demo shop, of whose every second leaf only ``keep`` random lists are left."""
    with tempfile.TemporaryDirectory() as place:
        write(generate(), Path(place))
        clean = ingest(Path(place), ontology=read_ontology(folder("ontology") / "fashion"))
    graph = build_graph(clean)
    events = graph.edge("INTERACTED")
    home = graph.edge("IN_CATEGORY").select(target="source", category="target").unique("target", keep="first")
    lists = events.join(home, on="target").group_by("list").agg(pl.col("category").first())
    rest = lists.filter(pl.col("category").is_in(THINNED))
    kept = [own.sort("list").sample(min(keep, len(own)), seed=0) for own in rest.partition_by("category")]
    gone = rest.join(pl.concat(kept), on="list", how="anti")
    left = events.join(gone, on="list", how="anti")
    return KnowledgeGraph(graph.nodes, {**graph.edges, "INTERACTED": left}), clean.ontology


def config(seed: int) -> RunConfig:
    """The defaults that ship; people's own tastes do not enter weights."""
    return RunConfig(data=DataConfig(store="none"), out="none", people=False, seed=seed)


def shares(fitted: ShopFit, category: str) -> tuple[Floats, Floats]:
    """Weights and their standard errors."""
    layout, draws = fitted.shop.designs[category].layout, fitted.rule_posteriors.draws[category]
    return importance(layout, draws.mean(0)), importance(layout, draws).std(0)


def main() -> None:
    """Runs everything and prints the line."""
    parser = script_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the whole fit (3)")
    parser.add_argument("--thin", type=int, default=60, help="lists that a thin category keeps (60)")
    options = parser.parse_args()
    began = time.perf_counter()
    about = environment("torch", "torch-geometric")
    print(json.dumps(about))
    graph, ontology = thin_shop(options.thin)
    fits = []
    for seed in range(options.seeds):
        say(f"seed {seed}")
        fits.append(
            fit_shop(read_training_data(graph, ontology, seed), graph, ontology, config(seed), closed_form)
        )
    rows: list[list[Any]] = []
    for category in fits[0].shop.sets:
        found = [shares(f, category) for f in fits]
        spread = np.ptp(np.stack([w for w, _ in found]), axis=0)
        error = np.mean(np.stack([e for _, e in found]), axis=0)
        for i, block in enumerate(fits[0].shop.designs[category].layout.blocks):
            kind = "thin" if category in THINNED else "rich"
            rows.append([kind, category, block.attribute, float(found[0][0][i]), float(error[i]),
                         float(spread[i]), float(spread[i] / error[i])])  # fmt: skip
    show("weights between seeds",
         ["kind", "category", "attribute", "weight", "error", "spread", "in errors"], rows)  # fmt: skip
    line: dict[str, Any] = {
        "data": "demo",
        **{
            f"{kind}_seed_spread_in_errors": max(r[-1] for r in rows if r[0] == kind)
            for kind in ("thin", "rich")
        },
        **{f"{kind}_seed_spread": max(r[-2] for r in rows if r[0] == kind) for kind in ("thin", "rich")},
        "variance_values": fits[0].category_fits.variances.value,
        "variance_numbers": fits[0].category_fits.variances.number,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": peak_mb(),
    }
    finish(
        "seeds-demo", line, {"environment": about, "seeds": options.seeds, "thin": options.thin, "rows": rows}
    )


if __name__ == "__main__":
    command(main)
