"""What comes next, from logs that do not say what was shown: a whole shop is ranked, peers beside.

    python benchmarks/recommend.py --data amazon_beauty
    python benchmarks/recommend.py --data DIR --mapping FILE --protocol refit --peers --ablate
    python benchmarks/recommend.py --data DIR --peers --sasrec ~/sasrec/bin/python --epochs 10

Leave-one-out by order: each person's last item is the test, the last but one the validation. All items are
ranked but those of the person's history; ties are lost. ``published`` fits without the validation item,
``refit`` with it; in both it stands in the history when the test item is ranked. People with fewer than three
items are fitted on, and not tested. An item that a person takes again counts once, at its first time. Nothing
is tuned here: the settings are those that ship, and the test item reaches neither fit nor counts. Lambdarank is
learned on the validation item, and so has seen it in both protocols. SASRec runs for the epochs that are
named. ``--few-people`` ranks beside without what rests on fewer than three people, the setting
``privacy.few_in_scores: false``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
os.environ.setdefault("OPENBLAS_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl

from benchmarks.data_sets import data_folder
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from benchmarks.metrics import hit_rate, ndcg, ranks
from benchmarks.recommenders import EASE_ITEMS, als, ease, item_knn, lambdarank, popularity, sasrec
from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.counts import Counts, count_links
from kgrank.choice.behaviour.event_log import EventLog, read_event_log
from kgrank.choice.behaviour.examples_from_catalogue import learn_from_catalogue
from kgrank.choice.behaviour.groupings import Grouping, groupings
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.terms import ALIKE, LINKED, PAIRS, POPULAR, STEPS, flow, pair_name, popular
from kgrank.choice.data.responses import RESPONSES
from kgrank.errors import InputError
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.weights.model import Privacy

MAPPINGS = Path(__file__).parent.parent / "configs" / "mappings"
FIRST = 10
FEWEST_PEOPLE = Privacy().fewest_people
NEAR_IDS = 2
"""A target so near in order of first appearance to an item of the history may be an artefact of the file."""
OFTEN = 30
BATCH = 256

Score = Callable[[EventSequences], Floats]
"""From histories to scores of all items (people, items)."""


@dataclass(frozen=True)
class Split:
    """The parts of the log: what is fitted on, the histories and targets of the test, and the items."""

    train: EventSequences
    before: EventSequences
    target: Ints
    groups: tuple[Grouping, ...]
    appearance: Ints
    validation: EventSequences
    validation_target: Ints


Method = Callable[[Split], Score]
"""What is learned from the fitted part of a split."""


def read(data: Path, mapping: Path | None) -> tuple[KnowledgeGraph, EventLog, tuple[Grouping, ...], Ints]:
    """The data set as a user loads it; the last value is each item's place by first appearance."""
    known = MAPPINGS / f"{data.resolve().name}.yaml"
    chosen = mapping or (known if known.is_file() else None)
    clean = ingest(data, mapping=None if chosen is None else read_mapping(chosen))
    graph = build_graph(clean)
    log = read_event_log(graph)
    return graph, log, groupings(graph, clean.ontology, log.items), appearances(graph, log)


def appearances(graph: KnowledgeGraph, log: EventLog) -> Ints:
    """(items,) place by first appearance: by time where the log has a clock, else person by person."""
    number = pl.col("source").cast(pl.Int64, strict=False)
    clock = graph.node("Log")["clock"][0] == "utc"
    order = ["time", number, "source"] if clock else [number, "source", "time"]
    seen = graph.edge("INTERACTED").filter(pl.col("kind").is_in([*RESPONSES, "rating"])).sort(order)
    first = seen["target"].unique(maintain_order=True)
    place = dict(zip(first, range(len(first)), strict=True))
    return np.array([place.get(item, -10 * len(first)) for item in log.items])


def split(log: EventLog, groups: tuple[Grouping, ...], appearance: Ints, protocol: str) -> Split:
    """Leave-one-out, once, before anything is counted.

    Raises:
        InputError: Nobody has three items.
    """
    whole = log.events.once()
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


def some_of(parts: Split, people: int, seed: int) -> Split:
    """The same fit, tested on some of the people."""
    drawn = np.random.default_rng(seed).permutation(len(parts.target))[:people]
    which = np.sort(drawn)
    return replace(parts, before=parts.before.take(which), target=parts.target[which])


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
    often = np.bincount(split.train.item, minlength=split.train.item_count)[split.target] >= OFTEN
    parts = {"": np.ones(len(rank), bool), "_far": far(split), "_rare": ~often, "_often": often}
    found: dict[str, float | None] = {}
    for name, which in parts.items():
        found[f"hr10{name}"] = round(hit_rate(rank[which], FIRST), 5) if which.any() else None
        found[f"ndcg10{name}"] = round(ndcg(rank[which], FIRST), 5) if which.any() else None
    return found


def transitions_alone(split: Split) -> Score:
    """Decayed transitions, as they ship, and nothing else."""
    counts = Counts.of(split.train)
    return lambda people: counts.after(people.histories())


def kgrank_terms(split: Split, seed: int, without: Collection[str] = (), fewest: int = 1) -> Score:
    """The additive layer: curves over all terms and named pairs that help with choices held out of the fit."""
    model = learn_from_catalogue(split.train, split.groups, without=without, seed=seed, fewest=fewest)
    left_out = sorted(name for name, gain in model.gains.items() if gain <= 0)
    print(f"left out: {', '.join(left_out) or 'nothing'}", file=sys.stderr)
    return lambda people: model.score(people.histories())


def pairs_of_few(split: Split) -> float:
    """The share of the ordered pairs of items within reach that rest on fewer than ``FEWEST_PEOPLE`` people."""
    people = count_links(split.train).people
    return round(float((people[people > 0] < FEWEST_PEOPLE).mean()), 5)


def few_people(seed: int) -> dict[str, Method]:
    """kgrank without what rests on few people."""
    return {"without_few_people": lambda s: kgrank_terms(s, seed, fewest=FEWEST_PEOPLE)}


def ablations(seed: int) -> dict[str, Method]:
    """kgrank without a part of it. The network takes no part in any of them: the terms are counted."""
    pairs = [pair_name(pair) for pair in PAIRS]
    behaviour = [*LINKED, *STEPS, ALIKE, POPULAR]

    def likeness_alone(split: Split) -> Score:
        counted = [kind(g.name) for g in split.groups for kind in (flow, popular)]
        return kgrank_terms(split, seed, [*behaviour, *counted, *pairs])

    return {
        "without_pairs": lambda s: kgrank_terms(s, seed, pairs),
        "without_people_like_you": lambda s: kgrank_terms(s, seed, [ALIKE]),
        "without_behaviour_terms": likeness_alone,
    }


def peers(options: argparse.Namespace, items: int) -> dict[str, Method]:
    """Other recommenders, each learned on the same part of the log."""
    seed = options.seed
    found: dict[str, Method] = {"als": lambda s: als(s.train, seed)}
    if items <= EASE_ITEMS:
        found["ease"] = lambda s: ease(s.train)
    found["lambdarank"] = lambda s: lambdarank(s.train, s.validation, s.validation_target, s.groups, seed)
    if options.sasrec is not None:
        found["sasrec"] = lambda s: sasrec(s.train, s.before, options.sasrec, options.epochs, seed)
    return found


def measure(method: Method, parts: Split) -> dict[str, Any]:
    """The figures of one method, with the seconds of its fit and of the ranking of all people."""
    started, worked = time.perf_counter(), time.process_time()
    score = method(parts)
    fitted, done = time.perf_counter(), time.process_time()
    rank = ranks_of(score, parts)
    return {
        **figures(rank, parts),
        "train_seconds": round(fitted - started, 1),
        "train_processor_seconds": round(done - worked, 1),
        "rank_seconds": round(time.perf_counter() - fitted, 1),
    }


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = script_parser(__doc__, data="amazon_beauty")
    parser.add_argument("--mapping", type=Path, help="mapping file, where the folder is not a known one")
    parser.add_argument("--protocol", choices=("published", "refit"), default="published")
    parser.add_argument("--seed", type=int, default=0, help="of folds and drawn candidates (0)")
    parser.add_argument("--people", type=int, help="test so many people only, drawn by the seed")
    parser.add_argument(
        "--few-people", action="store_true", help="run kgrank without what rests on few people beside"
    )
    parser.add_argument("--ablate", action="store_true", help="run kgrank without each of its parts beside")
    parser.add_argument("--peers", action="store_true", help="run ALS, EASE and lambdarank beside (minutes)")
    parser.add_argument("--sasrec", metavar="PYTHON", help="and SASRec: a Python that has rectools[torch]")
    parser.add_argument("--epochs", type=int, default=10, help="of SASRec (10)")
    return parser.parse_args()


def main() -> None:
    """Runs everything and prints the line."""
    options = arguments()
    began = time.perf_counter()
    _, log, groups, appearance = read(data_folder(options.data), options.mapping)
    about = environment("scipy", "polars", "implicit", "lightgbm") | {"seed": options.seed}
    print(json.dumps(about))
    parts = split(log, groups, appearance, options.protocol)
    if options.people is not None:
        parts = some_of(parts, options.people, options.seed)
    methods: dict[str, Method] = {
        "kgrank": lambda s: kgrank_terms(s, options.seed),
        "without_attributes": lambda s: kgrank_terms(replace(s, groups=()), options.seed),
        "transitions": transitions_alone,
        "popularity": lambda s: popularity(s.train),
        "item_knn": lambda s: item_knn(s.train),
        **(few_people(options.seed) if options.few_people else {}),
        **(ablations(options.seed) if options.ablate else {}),
        **(peers(options, parts.train.item_count) if options.peers else {}),
    }
    found: dict[str, dict[str, Any]] = {}
    for name, method in methods.items():
        found[name] = measure(method, parts)
        if name == "kgrank":
            own_peak = peak_mb()
        print(f"{name}: {json.dumps(found[name])}", file=sys.stderr, flush=True)
    if "sasrec" in found:
        found["sasrec"]["note"] = f"{options.epochs} epochs"
    report(options, found, round(time.perf_counter() - began, 1), own_peak, about, parts)


def report(
    options: argparse.Namespace,
    found: dict[str, dict[str, Any]],
    seconds: float,
    peak: float,
    about: dict[str, Any],
    parts: Split,
) -> None:
    """The table, the file and the line."""
    data = data_folder(options.data).name
    columns = ["hr10", "ndcg10", "hr10_far", "ndcg10_far", "hr10_rare", "hr10_often", "train_seconds"]
    rows = [[name, *(values[c] for c in columns)] for name, values in found.items()]
    show(f"{data}, {options.protocol}", ["method", *columns], rows)
    own, others = found["kgrank"], {name: f for name, f in found.items() if name != "kgrank"}
    line = {"data": data, "protocol": options.protocol, **own, "seconds": seconds, "peak_mb": peak, **others}
    plain, transitions = found["without_attributes"], found["transitions"]
    if options.few_people:
        line["few_people_add_ndcg10"] = round(own["ndcg10"] - found["without_few_people"]["ndcg10"], 5)
        line["pairs_of_few_people_share"] = pairs_of_few(parts)
    line["attributes_add_hr10"] = round(own["hr10"] - plain["hr10"], 5)
    for name, other, key in (
        ("attributes_add_hr10_often", plain, "hr10_often"),
        ("far_above_transitions_hr10", transitions, "hr10_far"),
    ):
        line[name] = None if own[key] is None else round(own[key] - other[key], 5)
    details = {
        "environment": about,
        "people": len(parts.target),
        "items": parts.train.item_count,
        "groupings": {g.name: len(g.labels) for g in parts.groups},
    }
    some = "" if options.people is None else f"-{options.people}-people"
    some += "-few-people" if options.few_people else ""
    finish(f"recommend-{data}-{options.protocol}{some}", line, details)


if __name__ == "__main__":
    command(main)
