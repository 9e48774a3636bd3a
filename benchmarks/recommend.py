"""What comes next, from logs that do not say what was shown: a whole shop is ranked, peers beside.

    python benchmarks/recommend.py --data ../shared/data/amazon_beauty
    python benchmarks/recommend.py --data DIR --mapping FILE --protocol refit --peers

Leave-one-out by order: each person's last item is the test, the last but one the validation. All items are
ranked but those of the person's history; ties are lost. ``published`` fits without the validation item,
``refit`` with it; in both it stands in the history when the test item is ranked. People with fewer than three
items are fitted on, and not tested. An item that a person takes again counts once, at its first time. Nothing
is tuned here: the settings are those that ship, and the test item reaches neither fit nor counts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
os.environ.setdefault("OPENBLAS_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl

from benchmarks.machine import environment, finish, peak_mb, show
from benchmarks.recommenders import EASE_ITEMS, als, ease, item_knn, lambdarank, popularity
from kgrank.choice.amounts import Grouping
from kgrank.choice.groupings import groupings
from kgrank.choice.layout import Floats, Ints
from kgrank.choice.log import RESPONSES
from kgrank.choice.metrics import hit_rate, ndcg, ranks
from kgrank.choice.shopwide import Counts, People, learn_shopwide
from kgrank.choice.transitions import Sequences, TransitionSettings, sequences
from kgrank.errors import InputError, KgrankError
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping

MAPPINGS = Path(__file__).parent.parent / "configs" / "mappings"
FIRST = 10
NEAR_IDS = 2
"""A target so near in order of first appearance to an item of the history may be an artefact of the file."""
OFTEN = 30
BATCH = 256

Score = Callable[[People], Floats]
"""From histories to scores of all items (people, items)."""


@dataclass(frozen=True)
class Split:
    """The parts of the log: what is fitted on, the histories and targets of the test, and the items."""

    train: People
    before: People
    target: Ints
    groups: tuple[Grouping, ...]
    appearance: Ints
    validation: People
    validation_target: Ints


def read(data: Path, mapping: Path | None) -> tuple[KnowledgeGraph, Sequences, tuple[Grouping, ...], Ints]:
    """The data set as a user loads it; the last value is each item's place by first appearance."""
    known = MAPPINGS / f"{data.resolve().name}.yaml"
    chosen = mapping or (known if known.is_file() else None)
    clean = ingest(data, mapping=None if chosen is None else read_mapping(chosen))
    graph = build_graph(clean)
    log = sequences(graph)
    return graph, log, groupings(graph, clean.ontology, log.items), appearances(graph, log)


def appearances(graph: KnowledgeGraph, log: Sequences) -> Ints:
    """(items,) place by first appearance: by time where the log has a clock, else person by person."""
    number = pl.col("source").cast(pl.Int64, strict=False)
    clock = graph.node("Log")["clock"][0] == "utc"
    order = ["time", number, "source"] if clock else [number, "source", "time"]
    seen = graph.edge("INTERACTED").filter(pl.col("kind").is_in([*RESPONSES, "rating"])).sort(order)
    first = seen["target"].unique(maintain_order=True)
    place = dict(zip(first, range(len(first)), strict=True))
    return np.array([place.get(item, -10 * len(first)) for item in log.items])


def split(log: Sequences, groups: tuple[Grouping, ...], appearance: Ints, protocol: str) -> Split:
    """Leave-one-out, once, before anything is counted.

    Raises:
        InputError: Nobody has three items.
    """
    whole = People(log.item, log.start, len(log.items)).once()
    size = np.diff(whole.start)
    tested = np.flatnonzero(size >= 3)
    if not len(tested):
        raise InputError("nobody has three items", where="events", expected="people with three items or more")
    left_out = np.where(size >= 3, 2 if protocol == "published" else 1, 0)
    some = whole.take(tested)
    before, early = some.without_last(1), some.without_last(2)
    return Split(
        whole.without_last(left_out),
        before,
        some.item[some.start[1:] - 1],
        groups,
        appearance,
        early,
        before.item[before.start[1:] - 1],
    )


def ranks_of(score: Score, split: Split) -> Ints:
    """(people,) place of each test item among all items but the history."""
    found = []
    for which in batches(len(split.before)):
        some = split.before.take(which)
        scores = np.array(score(some), float)
        scores[some.seen().toarray() > 0] = np.finfo(float).min
        found.append(ranks(scores, split.target[which]))
    return np.concatenate(found)


def batches(people: int) -> Iterator[Ints]:
    """Runs of people."""
    for first in range(0, people, BATCH):
        yield np.arange(first, min(first + BATCH, people))


def far(split: Split) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(people,) whether the target is more than ``NEAR_IDS`` places away from everything in the history."""
    owner = np.repeat(np.arange(len(split.before)), np.diff(split.before.start))
    gap = np.abs(split.appearance[split.before.item] - split.appearance[split.target][owner])
    return np.asarray(np.minimum.reduceat(gap, split.before.start[:-1]) > NEAR_IDS)


def figures(rank: Ints, split: Split) -> dict[str, float | None]:
    """HR@10 and NDCG@10 over all, over far targets, and by how often the target stands in the fit."""
    often = np.bincount(split.train.item, minlength=split.train.items)[split.target] >= OFTEN
    parts = {"": np.ones(len(rank), bool), "_far": far(split), "_rare": ~often, "_often": often}
    found: dict[str, float | None] = {}
    for name, which in parts.items():
        found[f"hr10{name}"] = round(hit_rate(rank[which], FIRST), 5) if which.any() else None
        found[f"ndcg10{name}"] = round(ndcg(rank[which], FIRST), 5) if which.any() else None
    return found


def transitions_alone(split: Split) -> Score:
    """Decayed transitions, as they ship, and nothing else."""
    counts = Counts.of(split.train, (), TransitionSettings())
    return lambda people: counts.after(people.histories())


def kgrank_terms(split: Split, seed: int) -> Score:
    """The additive layer: curves over all terms and named pairs."""
    model = learn_shopwide(split.train, split.groups, seed=seed)
    return lambda people: model.score(people.histories())


def main() -> None:
    """Runs everything and prints the line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--mapping", type=Path, help="mapping file, where the folder is not a known one")
    parser.add_argument("--protocol", choices=("published", "refit"), default="published")
    parser.add_argument("--seed", type=int, default=0, help="of folds and drawn candidates (0)")
    parser.add_argument("--peers", action="store_true", help="run ALS, EASE and lambdarank beside (minutes)")
    options = parser.parse_args()
    began = time.perf_counter()
    _, log, groups, appearance = read(options.data, options.mapping)
    about = environment("scipy", "polars", "implicit", "lightgbm") | {"seed": options.seed}
    print(json.dumps(about))
    parts = split(log, groups, appearance, options.protocol)
    methods: dict[str, Callable[[Split], Score]] = {
        "kgrank": lambda s: kgrank_terms(s, options.seed),
        "without_attributes": lambda s: kgrank_terms(replace(s, groups=()), options.seed),
        "transitions": transitions_alone,
        "popularity": lambda s: popularity(s.train),
        "item_knn": lambda s: item_knn(s.train),
    }
    if options.peers:
        methods |= {
            "als": lambda s: als(s.train, options.seed),
            **({"ease": lambda s: ease(s.train)} if parts.train.items <= EASE_ITEMS else {}),
            "lambdarank": lambda s: lambdarank(
                s.train, s.validation, s.validation_target, s.groups, options.seed
            ),
        }
    found: dict[str, dict[str, Any]] = {}
    for name, method in methods.items():
        started = time.perf_counter()
        score = method(parts)
        fitted = time.perf_counter()
        rank = ranks_of(score, parts)
        times = {
            "train_seconds": round(fitted - started, 1),
            "rank_seconds": round(time.perf_counter() - fitted, 1),
        }
        found[name] = {**figures(rank, parts), **times}
        if name == "kgrank":
            own_peak = peak_mb()
        print(f"{name}: {json.dumps(found[name])}", file=sys.stderr, flush=True)
    own = found.pop("kgrank")
    line = {
        "data": options.data.resolve().name,
        "protocol": options.protocol,
        **own,
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": own_peak,
        **found,
    }
    columns = ["hr10", "ndcg10", "hr10_far", "ndcg10_far", "hr10_rare", "hr10_often", "train_seconds"]
    rows = [[name, *(values[c] for c in columns)] for name, values in {"kgrank": own, **found}.items()]
    show(f"{line['data']}, {options.protocol}", ["method", *columns], rows)
    groups_of = {g.name: len(g.labels) for g in groups}
    details = {
        "environment": about,
        "people": len(parts.target),
        "items": parts.train.items,
        "groupings": groups_of,
    }
    finish(f"recommend-{line['data']}-{options.protocol}", line, details)


if __name__ == "__main__":
    try:
        main()
    except KgrankError as error:
        print(f"error: {error.sentence()}", file=sys.stderr)
        sys.exit(2)
