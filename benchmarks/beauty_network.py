"""The network of items, brands and categories on Amazon Beauty, beside the same model without it and a twin.

    python benchmarks/beauty_network.py --work FOLDER

Leave-one-out as in ``recommend.py``, protocol ``published``: all items are ranked but those of the history; the
model and the network are fitted without the last two items of each person, and the validation item stands in the
history when the test item is ranked. The network is embeddings of items, brands and categories by link prediction
(``kgrank.learning.network.link_prediction``). Its epoch, and the weight of its score beside kgrank's model,
are chosen on validation items. The twin is trained on the same purchases, dealt out among all people.

Cold items: a tenth of the items loses all its purchases, for the model, the network and in histories, and is
ranked among itself; the model then knows these items by the brands and categories that the person bought, and by
what follows on these.

What is finished is kept in ``--work``, and a run that was cut goes on from there. kgrank's model is learned once,
with seed 0; the seeds are the network's.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
os.environ.setdefault("OPENBLAS_NUM_THREADS", os.environ["OMP_NUM_THREADS"])
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.data_sets import data_folder
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from benchmarks.metrics import ranks
from benchmarks.recommend import Split, batches, read, split
from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.behaviour.additive import BehaviourModel
from kgrank.choice.behaviour.examples_from_catalogue import learn_from_catalogue
from kgrank.choice.behaviour.groupings import AISLE
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.weights.graph_filter import GraphFilter, recency_counts

FIRST = 10
HIDDEN = 1_208
"""Items without any purchase in the run on cold items."""
WEIGHT_PEOPLE = 3_000
"""Validation items by which a weight is learned, drawn by seed 0; of the cold items all."""
WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0)
NETWORK, SHUFFLED, POPULARITY = "network", "shuffled", "popularity of brand and category"
TWIN_SEED = 1_000
"""Added to the seed of a network to deal out the purchases of its twin."""
PARTS = 8
"""Of the people: each is kept when it is ranked."""
CHECKED = 200
"""People of whom contributions are compared with scores."""


@dataclass(frozen=True)
class Task:
    """What is ranked, for whom.

    Attributes:
        name: Of its files.
        train: Purchases that the model and the network are fitted on.
        validation: Histories of the validation items.
        validation_target: (people,) these.
        test: Histories of the test items.
        target: (people,) these.
        among: The items that are ranked.
        parts: The whole split.
    """

    name: str
    train: EventSequences
    validation: EventSequences
    validation_target: Ints
    test: EventSequences
    target: Ints
    among: Ints
    parts: Split


@dataclass(frozen=True)
class Network:
    """Trained embeddings as two matrices: how a history is read, and how targets are.

    Attributes:
        bought: (items, width) of items as parts of a history; zeros for one that is not known.
        target: (items, width) of all relations together.
        decay: Of a purchase's weight with each one after it.
    """

    bought: Floats
    target: Floats
    decay: float

    @staticmethod
    def of(learned: GraphFilter, decay: float) -> Network:
        """From what is served."""
        items = np.arange(len(learned.vectors))
        target = sum((relation.of(items) for relation in learned.relations), np.zeros_like(learned.vectors))
        return Network(learned.vectors * (learned.strength > 0)[:, None], target, decay)

    def scores(self, histories: EventSequences, among: Ints) -> Floats:
        """(histories, among) logits: ``GraphFilter.scores`` for many people at once."""
        shape = (len(histories), histories.item_count)
        recency = histories.recency(self.decay).astype(self.bought.dtype)
        person = sparse.csr_matrix((recency, histories.item, histories.start), shape=shape) @ self.bought
        length = np.linalg.norm(person, axis=1, keepdims=True)
        person = np.divide(person, length, out=np.zeros_like(person), where=length > 0)
        return np.asarray(person @ self.target[among].T)


def warm_task(parts: Split) -> Task:
    """All items, as published."""
    return Task(
        name="all",
        train=parts.train,
        validation=parts.validation,
        validation_target=parts.validation_target,
        test=parts.before,
        target=parts.target,
        among=np.arange(parts.train.item_count),
        parts=parts,
    )


def cold_task(parts: Split) -> Task:
    """Hidden items among themselves, for the people whose item is one of them and who bought something else."""
    items = parts.train.item_count
    hidden = np.zeros(items, bool)
    hidden[np.random.default_rng(0).permutation(items)[:HIDDEN]] = True

    def asked(before: EventSequences, target: Ints) -> tuple[EventSequences, Ints]:
        shown = without(before, hidden)
        which = np.flatnonzero(hidden[target] & (np.diff(shown.start) > 0))
        return shown.take(which), target[which]

    validation, validation_target = asked(parts.validation, parts.validation_target)
    test, target = asked(parts.before, parts.target)
    return Task(
        name="cold",
        train=without(parts.train, hidden),
        validation=validation,
        validation_target=validation_target,
        test=test,
        target=target,
        among=np.flatnonzero(hidden),
        parts=parts,
    )


def without(events: EventSequences, hidden: Truths) -> EventSequences:
    """The events with items that are not hidden."""
    shown = ~hidden[events.item]
    start = np.concatenate([[0], np.cumsum(shown)])[events.start]
    return EventSequences(events.item[shown], start.astype(np.int64), events.item_count)


def train(task: Task, seed: int, folder: Path, accelerator: str) -> None:
    """Trains the network of one seed and its twin, and keeps both with a record of the training."""
    from kgrank.learning.network.link_prediction import EmbeddingSettings, train_embeddings
    from kgrank.learning.network.purchase_sequences import NextItems, PurchaseSequences

    groups = {
        g.name: np.where(g.label == len(g.labels), -1, g.label) for g in task.parts.groups if g.name != AISLE
    }
    sequences = PurchaseSequences(task.train, groups)
    # The epoch is chosen on items that were bought in training, also where cold items are asked for later.
    parts = task.parts
    known = np.bincount(task.train.item, minlength=task.train.item_count)[parts.validation_target] > 0
    histories = without(parts.validation, np.bincount(task.train.item, minlength=len(known)) == 0)
    which = np.flatnonzero(known & (np.diff(histories.start) > 0))
    held_out = NextItems(histories.take(which).histories(), parts.validation_target[which])
    settings = EmbeddingSettings(seed=seed, accelerator=accelerator)
    for name, purchases in ((NETWORK, sequences), (SHUFFLED, sequences.dealt_out(TWIN_SEED + seed))):
        record = folder / f"{task.name}-{name}-{seed}.json"
        if record.is_file():
            continue
        began, worked = time.perf_counter(), time.process_time()
        trained = train_embeddings(purchases, held_out, settings)
        if trained.interrupted:
            raise KeyboardInterrupt
        seconds, processor = time.perf_counter() - began, time.process_time() - worked
        network = Network.of(trained.filter, trained.decay)
        np.savez(
            folder / f"{task.name}-{name}-{seed}.npz", bought=network.bought, target=network.target,
            decay=network.decay,
        )  # fmt: skip
        found = {
            "loss": trained.loss,
            "epochs": trained.epochs,
            "seconds": round(seconds, 1),
            "processor_seconds": round(processor, 1),
            "about": trained.stage.about,
            "largest_error": largest_error(trained.filter, network, task),
        }
        print(f"{task.name}, seed {seed}, {name}: {json.dumps(found)}", file=sys.stderr, flush=True)
        write(record, found)


def largest_error(learned: GraphFilter, network: Network, task: Task) -> float:
    """The largest difference between a score and the sum of its contributions, over the targets of some people."""
    worst = 0.0
    some = np.arange(min(CHECKED, len(task.test)))
    histories = task.test.take(some).histories()
    scores = network.scores(histories, np.arange(histories.item_count))
    for row in some:
        bought = histories.item[histories.start[row] : histories.start[row + 1]]
        person = learned.person(bought, recency_counts(len(bought), network.decay))
        target = int(task.target[row])
        worst = max(worst, abs(learned.contributions(person, target).total - scores[row, target]))
    return float(worst)


def model_of(task: Task, folder: Path) -> BehaviourModel:
    """kgrank's behaviour model without the network, learned once and kept in a folder of one's own."""
    kept = folder / f"{task.name}-model.pickle"
    if not kept.is_file():
        kept.write_bytes(pickle.dumps(learn_from_catalogue(task.train, task.parts.groups, seed=0)))
    model: BehaviourModel = pickle.loads(kept.read_bytes())
    return model


def networks_of(task: Task, seeds: int, folder: Path) -> dict[tuple[str, int], Network]:
    """The trained networks and their twins."""
    found = {}
    for name in (NETWORK, SHUFFLED):
        for seed in range(seeds):
            with np.load(folder / f"{task.name}-{name}-{seed}.npz") as arrays:
                found[name, seed] = Network(
                    arrays["bought"].astype(np.float32),
                    arrays["target"].astype(np.float32),
                    float(arrays["decay"]),
                )
    return found


def masked_items(histories: EventSequences, among: Ints) -> Truths:
    """(histories, among) the items of each history, which are not ranked."""
    seen: Truths = histories.seen().tocsc()[:, among].toarray() > 0
    return seen


def weights_of(
    task: Task, model: BehaviourModel, networks: Mapping[tuple[str, int], Network]
) -> dict[tuple[str, int], float]:
    """The weight of each network's score beside the model's, by the places of validation items."""
    count = len(task.validation_target)
    drawn = np.sort(np.random.default_rng(0).permutation(count)[:WEIGHT_PEOPLE])
    validation, target = task.validation.take(drawn), task.validation_target[drawn]
    histories, position = validation.histories(), np.searchsorted(task.among, target)
    base = np.concatenate(
        [
            model.score(histories.take(which))[:, task.among].astype(np.float32)
            for which in batches(len(validation))
        ]
    )
    allowed = ~masked_items(validation, task.among)
    return {
        key: chosen_weight(base, network.scores(histories, task.among), allowed, position)
        for key, network in networks.items()
    }


def chosen_weight(base: Floats, term: Floats, allowed: Truths, position: Ints) -> float:
    """The weight of a term that gives the best NDCG@10, of ``WEIGHTS``.

    Args:
        base: (people, items) the model's scores.
        term: (people, items) the network's.
        allowed: (people, items) what could be chosen.
        position: (people,) what was.
    """
    gains = []
    for weight in WEIGHTS:
        places = [
            ranks(np.where(allowed[w], base[w] + weight * term[w], np.finfo(np.float32).min), position[w])
            for w in batches(len(position))
        ]
        gains.append(float(hits(np.concatenate(places))[1].mean()))
    return WEIGHTS[int(np.argmax(gains))]


def ranked(
    task: Task,
    model: BehaviourModel,
    networks: Mapping[tuple[str, int], Network],
    weights: Mapping[tuple[str, int], float],
) -> Iterator[dict[str, Ints]]:
    """The places of the test items, by batch of people: of the model alone, and with each network."""
    for which in batches(len(task.test)):
        some = task.test.take(which)
        histories, position = some.histories(), np.searchsorted(task.among, task.target[which])
        seen = masked_items(some, task.among)

        def places(
            scores: npt.NDArray[np.floating[Any]], seen: Truths = seen, position: Ints = position
        ) -> Ints:
            return ranks(np.where(seen, np.finfo(np.float32).min, scores), position)

        base = model.score(histories)[:, task.among].astype(np.float32)
        found = {"without": places(base)}
        if task.name == "cold":
            found[POPULARITY] = places(np.broadcast_to(popularity(task), base.shape))
        for (name, seed), network in networks.items():
            found[f"{name} {seed}"] = places(
                base + weights[name, seed] * network.scores(histories, task.among)
            )
        yield found


def popularity(task: Task) -> Floats:
    """(among,) purchases of each item's brand and category, in logarithms."""
    total = np.zeros(len(task.among))
    for group in task.parts.groups:
        if group.name == AISLE:
            continue
        bought = np.bincount(group.label[task.train.item], minlength=len(group.labels) + 1)
        bought[-1] = 0
        total += np.log1p(bought[group.label[task.among]])
    return total


def evaluate(task: Task, seeds: int, folder: Path) -> None:
    """Learns the weights, and ranks the test items once; keeps weights and places."""
    missing = [part for part in range(PARTS) if not places_file(task.name, part, folder).is_file()]
    if not missing:
        return
    model, networks = model_of(task, folder), networks_of(task, seeds, folder)
    kept = folder / f"{task.name}-weights.json"
    if not kept.is_file():
        learned = weights_of(task, model, networks)
        write(kept, {f"{name} {seed}": weight for (name, seed), weight in learned.items()})
    by_name = json.loads(kept.read_text(encoding="utf-8"))
    weights = {(name, seed): by_name[f"{name} {seed}"] for name, seed in networks}
    people = np.array_split(np.arange(len(task.test)), PARTS)
    for part in missing:
        some = replace(task, test=task.test.take(people[part]), target=task.target[people[part]])
        found = list(ranked(some, model, networks, weights))
        places = {name: np.concatenate([batch[name] for batch in found]).tolist() for name in found[0]}
        write(places_file(task.name, part, folder), places)
        print(f"{task.name}: part {part + 1} of {PARTS} is ranked", file=sys.stderr, flush=True)


def places_file(task: str, part: int, folder: Path) -> Path:
    """The places of one part of the people."""
    return folder / f"{task}-places-{part}.json"


def read_places(task: str, folder: Path) -> dict[str, Ints]:
    """By name, (people,) the places of all test items."""
    parts = [json.loads(places_file(task, part, folder).read_text(encoding="utf-8")) for part in range(PARTS)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def write(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON file that is whole or not there."""
    path.with_suffix(".part").write_text(json.dumps(value), encoding="utf-8")
    path.with_suffix(".part").replace(path)


def hits(rank: Ints) -> tuple[Floats, Floats]:
    """(people,) HR@10 and NDCG@10 of each."""
    hit = rank <= FIRST
    return hit.astype(float), np.where(hit, 1 / np.log2(rank + 1.0), 0.0)


def gain(places: Mapping[str, Ints], name: str, seeds: int) -> dict[str, float]:
    """What a network adds to the model: means over people and seeds, with 95 % intervals.

    The variance is that of the people's means over seeds, and the seeds' own divided by their number.
    """
    found: dict[str, float] = {}
    for figure, of in (("hr10", 0), ("ndcg10", 1)):
        before = hits(places["without"])[of]
        each = np.stack([hits(places[f"{name} {seed}"])[of] - before for seed in range(seeds)])
        mean, by_seed = float(each.mean()), each.mean(1)
        people = each.mean(0).std(ddof=1) / np.sqrt(each.shape[1])
        between = by_seed.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else 0.0
        error = float(np.hypot(people, between))
        key = f"{name}_adds_{figure}"
        found |= {
            key: mean,
            f"{key}_low": mean - 1.96 * error,
            f"{key}_high": mean + 1.96 * error,
            f"{key}_seed_spread": float(np.ptp(by_seed)),
        }
    return found


def line_of(folder: Path, all_seeds: int, cold_seeds: int) -> dict[str, Any]:
    """All figures."""
    line: dict[str, Any] = {"data": "amazon_beauty", "protocol": "published"}
    seconds, worst = [], 0.0
    for task, seeds in (("all", all_seeds), ("cold", cold_seeds)):
        places = read_places(task, folder)
        weights = json.loads((folder / f"{task}-weights.json").read_text(encoding="utf-8"))
        start = "" if task == "all" else "cold_"
        line[f"{start}seeds"] = seeds
        line[f"{start}people"] = len(places["without"])
        line[f"{start}hr10_without"], line[f"{start}ndcg10_without"] = (
            float(x.mean()) for x in hits(places["without"])
        )
        if task == "cold":
            line["cold_hr10_groups_popularity"] = float(hits(places[POPULARITY])[0].mean())
        for name in (NETWORK, SHUFFLED):
            with_it = [hits(places[f"{name} {seed}"]) for seed in range(seeds)]
            line[f"{start}hr10_{name}"] = float(np.mean([hr for hr, _ in with_it]))
            line[f"{start}ndcg10_{name}"] = float(np.mean([ndcg for _, ndcg in with_it]))
            line |= {f"{start}{key}": value for key, value in gain(places, name, seeds).items()}
            line[f"{start}weight_{name}"] = float(
                np.mean([weights[f"{name} {seed}"] for seed in range(seeds)])
            )
        for seed in range(seeds):
            record = json.loads((folder / f"{task}-{NETWORK}-{seed}.json").read_text(encoding="utf-8"))
            seconds.append(record["seconds"])
            worst = max(worst, record["largest_error"])
    line["train_seconds"], line["train_seconds_most"] = float(np.mean(seconds)), max(seconds)
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in line.items()} | {"largest_error": worst}


def main() -> None:
    """Runs what is not there yet, and prints the line."""
    parser = script_parser(__doc__, data="amazon_beauty")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder of what is finished, new or of an earlier run"
    )
    parser.add_argument("--seeds", type=int, default=5, help="seeds of the network (5)")
    parser.add_argument("--cold-seeds", type=int, default=5, help="seeds for the cold items (5)")
    parser.add_argument("--accelerator", default="auto", help="Lightning's accelerator (auto)")
    options = parser.parse_args()
    about = environment("torch", "torch-geometric", "lightning", "scipy")
    _, log, groups, appearance = read(data_folder(options.data), None)
    print(json.dumps(about))
    parts = split(log, groups, appearance, "published")
    options.work.mkdir(parents=True, exist_ok=True)
    for task, seeds in ((warm_task(parts), options.seeds), (cold_task(parts), options.cold_seeds)):
        for seed in range(seeds):
            train(task, seed, options.work, options.accelerator)
        evaluate(task, seeds, options.work)
    line = line_of(options.work, options.seeds, options.cold_seeds) | {"peak_mb": peak_mb()}
    show(
        "Amazon Beauty, with and without the network", ["figure", "value"], [[k, v] for k, v in line.items()]
    )
    finish("beauty_network", line, {"environment": about})


if __name__ == "__main__":
    command(main)
