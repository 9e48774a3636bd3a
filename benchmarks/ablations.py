"""What each part of the model brings: held-out choices of the generated demo shop, without one part after another.

    python benchmarks/ablations.py

Learned from the first four fifths of the log's time, judged on choices after it, among the items that were shown:
log-likelihood a choice, on all of them, on those of items that nobody had taken before, and on those in thin
categories (every second one keeps 50 lists). The network and the edges of the graph are taken away in transfer.py,
the attributes of a shop without impressions in recommend.py --ablate.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl
from scipy import special

from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from benchmarks.seeds import THINNED, thin_shop
from kgrank.arrays import Floats, Truths
from kgrank.choice.data.responses import read_log
from kgrank.graph.tables import KnowledgeGraph
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.learn import learn
from kgrank.learning.prior_means import closed_form
from kgrank.ontology.model import Ontology
from kgrank.ranking import Query, Shop, answer

THIN, SHARE, JUDGED, HISTORY = 50, 0.8, 3000, 20


@dataclass(frozen=True)
class Choice:
    """A held-out choice: what was shown in a category, which was taken, and what the shopper took before."""

    category: str
    shown: tuple[str, ...]
    taken: str
    history: tuple[str, ...]
    cold: bool


def held_out(graph: KnowledgeGraph, ontology: Ontology, seed: int) -> tuple[int, list[Choice]]:
    """The end of the training time, and choices after it of one item among those shown."""
    log = read_log(graph, ontology)
    heads = log.heads.filter(pl.col("category").is_not_null() & (pl.col("left") == 0))
    end = int(heads["time"].quantile(SHARE) or 0)
    events = graph.edge("INTERACTED").filter(pl.col("kind") != "impression").sort("time", "id")
    known = set(events.filter(pl.col("time") <= end)["target"])
    did = {user: list(zip(t, i, strict=True)) for user, t, i in _by_user(events)}
    late = heads.filter(pl.col("time") > end).sort("choice")
    late = late.sample(min(JUDGED, len(late)), seed=seed)
    rows = log.rows.join(late.select("choice", "category", "user", "time"), on="choice").sort(
        "choice", "item"
    )
    found = []
    for (_,), part in rows.group_by(["choice"], maintain_order=True):
        taken = part.filter(pl.col("chosen") > 0)["item"]
        if len(taken) == 1 and part["item"].n_unique() == len(part):
            now = part["time"][0]
            history = tuple(item for at, item in did[log.users[part["user"][0]]] if at < now)[-HISTORY:]
            found.append(
                Choice(part["category"][0], tuple(part["item"]), taken[0], history, taken[0] not in known)
            )
    return end, found


def _by_user(events: pl.DataFrame) -> Iterator[tuple[str, list[int], list[str]]]:
    yield from events.group_by("source", maintain_order=True).agg("time", "target").iter_rows()


def likelihoods(shop: Shop, choices: list[Choice], *, attributes: bool, terms: bool) -> Floats:
    """(choices,) log-likelihood of each, by all summands of the score or by some."""
    found = np.empty(len(choices))
    for k, choice in enumerate(choices):
        query = Query(
            choice.category,
            candidates=choice.shown,
            size=len(choice.shown),
            history=choice.history if terms else (),
        )
        page = answer(shop, query)
        of_terms = np.array([name not in shop.ontology.attributes for name in page.names])
        kept = of_terms if not attributes else np.ones(len(of_terms), bool)
        utility = page.logits[:, kept].sum(axis=1)
        found[k] = utility[page.ids.index(choice.taken)] - special.logsumexp(utility)
    return found


def trained(graph: KnowledgeGraph, ontology: Ontology, seed: int) -> Shop:
    """A shop with weights learned from a graph."""
    config = RunConfig(data=DataConfig(store="none"), out="none", network=None, seed=seed)
    learned = learn(graph, ontology, config, closed_form)
    return Shop.of(graph, ontology, learned.weights, learned.transitions)


def groups(choices: list[Choice]) -> Mapping[str, Truths]:
    """(choices,) which are in each group."""
    return {
        "all": np.ones(len(choices), bool),
        "cold": np.array([c.cold for c in choices]),
        "thin": np.array([c.category in THINNED for c in choices]),
    }


def main() -> None:
    """Runs everything and prints the line."""
    parser = script_parser(__doc__)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    about = environment("scipy", "polars")
    print(json.dumps(about))
    graph, ontology = thin_shop(THIN)
    end, choices = held_out(graph, ontology, options.seed)
    past = graph.until(end)
    shop = trained(past, ontology, options.seed)
    ways = {
        "whole": likelihoods(shop, choices, attributes=True, terms=True),
        "without behaviour terms": likelihoods(shop, choices, attributes=True, terms=False),
        "without attributes": likelihoods(shop, choices, attributes=False, terms=True),
        "without rules": likelihoods(
            trained(past, replace(ontology, rules={}), options.seed), choices, attributes=True, terms=True
        ),
        "by chance": np.array([-np.log(len(c.shown)) for c in choices]),
    }
    rows: list[list[Any]] = []
    line: dict[str, Any] = {}
    for group, inside in groups(choices).items():
        for way, each in ways.items():
            key = f"{group}_{way.replace(' ', '_')}"
            gap = (ways["whole"] - each)[inside]
            error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
            line[key] = round(float(each[inside].mean()), 4) if inside.any() else None
            rows.append([group, int(inside.sum()), way, line[key], float(gap.mean()), error])
    columns = ["on", "choices", "way", "log-likelihood", "the whole over it", "standard error"]
    show("log-likelihood a choice", columns, rows)
    line |= {"seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    finish("ablations-demo", line, {"environment": about, "seed": options.seed, "rows": rows})


if __name__ == "__main__":
    command(main)
