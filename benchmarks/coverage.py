"""How often 95 % intervals hold the truth: small generated shops, each fitted as a user's, without a network.

    python benchmarks/coverage.py
    python benchmarks/coverage.py --shops 50 --seed 1000

Every shop has one category and its own numbers of people, choices, items shown, attributes of every type, values
and decidedness; some attributes matter to nobody. In every second shop people differ from each other. Nothing is
known beforehand: the part-worths have the flat prior of a single category. The truth of a weight is the reference
range of the true part-worths of the average shopper; the truth of a part-worth is measured from the average item.
Beside them the plain quantiles of the same draws.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats
from kgrank.choice.data.design import Block, Layout
from kgrank.choice.importance import importance
from kgrank.choice.logit.categories import category_posterior, fit_categories
from kgrank.choice.rules.weigh import weigh
from kgrank.choice.share_intervals import intervals, quantiles
from kgrank.graph.build import build_graph
from kgrank.ingest.clean import ingest
from kgrank.learning.run import say
from kgrank.learning.training_data import read_training_data
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology

CATEGORY = "things"
DEVIATION = 0.3
"""Standard deviation of a personal deviation, in the attribute's spread, where people differ."""

LEVELS: Mapping[AttributeType, Sequence[int]] = {
    AttributeType.CHOICE: (2, 3, 4, 6, 8, 12, 20),
    AttributeType.ORDERED: (3, 4, 5),
    AttributeType.CHOICES: (3, 5),
    AttributeType.BOOLEAN: (2,),
    AttributeType.NUMBER: (1,),
}


@dataclass(frozen=True)
class Trait:
    """An attribute of a generated shop.

    Attributes:
        kind: Its type.
        utility: (levels,) true part-worth of each level; of a number, the rise from 0 to 1.
        values: (items, levels) what the items have, as shares; of a number, between 0 and 1.
    """

    kind: AttributeType
    utility: Floats
    values: Floats


@dataclass(frozen=True)
class Shop:
    """A generated shop: its attributes by name, and the size of its log."""

    traits: Mapping[str, Trait]
    people: int
    choices: int
    shown: int
    outside: float | None
    deviation: float
    seed: int


def generate(seed: int) -> Shop:
    """A shop from a seed."""
    rng = np.random.default_rng(seed)
    items = int(rng.integers(30, 121))
    kinds = [AttributeType.NUMBER, AttributeType.CHOICE]
    others = list(LEVELS)
    kinds += [others[k] for k in rng.choice(5, int(rng.integers(1, 5)), p=[0.35, 0.2, 0.1, 0.15, 0.2])]
    weight = rng.dirichlet(np.full(len(kinds), 1.5)) * rng.uniform(2, 8)
    weight[rng.random(len(kinds)) < 0.15] = 0.0
    traits = {
        f"{kind.lower()}-{k}": _trait(kind, float(weight[k]), items, rng) for k, kind in enumerate(kinds)
    }
    return Shop(
        traits,
        people=int(rng.choice([15, 30, 60, 120, 240])),
        choices=int(rng.integers(4, 13)),
        shown=int(rng.integers(3, 7)),
        outside=float(rng.normal()) if rng.random() < 0.5 else None,
        deviation=DEVIATION if seed % 2 else 0.0,
        seed=seed,
    )


def _trait(kind: AttributeType, weight: float, items: int, rng: np.random.Generator) -> Trait:
    count = int(rng.choice(LEVELS[kind]))
    if kind is AttributeType.NUMBER:
        return Trait(kind, weight * rng.choice([-1.0, 1.0], 1), np.round(rng.beta(2, 2, (items, 1)), 3))
    liking = rng.random(count)
    liking = (liking - liking.min()) / np.ptp(liking)
    if kind is AttributeType.ORDERED and rng.random() < 0.7:
        liking = np.sort(liking)[:: int(rng.choice([-1, 1]))]
    if kind is AttributeType.CHOICES:
        has = rng.random((items, count)) < 0.4
        has[~has.any(1), 0] = True
        return Trait(kind, weight * liking, has / has.sum(1, keepdims=True))
    # Every value on three items at least, some on many more than others.
    share = rng.dirichlet(np.full(count, 3.0))
    level = np.concatenate([np.repeat(np.arange(count), 3), rng.choice(count, items, p=share)])[:items]
    return Trait(kind, weight * liking, np.eye(count)[rng.permutation(level)])


def simulate(shop: Shop) -> list[tuple[int, list[int], int | None]]:
    """Choices: the person, the items shown, the item taken."""
    rng = np.random.default_rng([shop.seed, 1])
    found = []
    for person in range(shop.people):
        utility = np.zeros(len(next(iter(shop.traits.values())).values))
        for trait in shop.traits.values():
            own = trait.utility + shop.deviation * _spread(trait) * rng.normal(size=len(trait.utility))
            utility += (trait.values - trait.values.mean(0)) @ own
        for _ in range(shop.choices):
            shown = rng.choice(len(utility), shop.shown, replace=False)
            noisy = utility[shown] + rng.gumbel(size=shop.shown)
            none = shop.outside is not None and shop.outside + rng.gumbel() > noisy.max()
            found.append((person, shown.tolist(), None if none else int(shown[noisy.argmax()])))
    return found


def _spread(trait: Trait) -> float:
    return float(abs(trait.utility[0]) if trait.kind is AttributeType.NUMBER else np.ptp(trait.utility))


def _levels(trait: Trait) -> list[str]:
    if trait.kind is AttributeType.BOOLEAN:
        return ["false", "true"]
    return [f"v{k:02d}" for k in range(len(trait.utility))]


def ontology(shop: Shop) -> Ontology:
    """The shop's ontology, without rules."""
    attributes = {
        name: Attribute(
            name,
            type=t.kind,
            values=() if t.kind in (AttributeType.NUMBER, AttributeType.BOOLEAN) else tuple(_levels(t)),
        )
        for name, t in shop.traits.items()
    }
    uses = dict.fromkeys(attributes, Need.ALLOWED)
    return Ontology("1", {CATEGORY: Category(CATEGORY, uses=uses)}, attributes)


def write(shop: Shop, folder: Path) -> None:
    """The shop as a user's files: items.csv and events.csv."""
    rows = []
    for item in range(len(next(iter(shop.traits.values())).values)):
        cells = []
        for trait in shop.traits.values():
            own = trait.values[item]
            if trait.kind is AttributeType.NUMBER:
                cells.append(f"{own[0]:g}")
            else:
                cells.append("|".join(np.array(_levels(trait))[own > 0]))
        rows.append((f"i{item}", CATEGORY, *cells))
    _csv(folder / "items.csv", ("id", "category", *shop.traits), rows)
    events: list[tuple[object, ...]] = []
    for number, (person, shown, taken) in enumerate(simulate(shop)):
        where = (f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z", f"u{person}",
                 f"l{number}")  # fmt: skip
        events += [(*where, "impression", f"i{i}") for i in shown]
        if taken is not None:
            events.append((*where, "view", f"i{taken}"))
    _csv(folder / "events.csv", ("time", "user", "list", "kind", "item"), events)


def _csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def true_part_worths(shop: Shop, layout: Layout) -> Floats:
    """(columns,) the truth in the columns of the shop's own layout."""
    found = np.zeros(layout.width)
    for block in layout.blocks:
        trait = shop.traits[block.attribute]
        if block.number:
            found[block.start] = trait.utility[0] * block.scale
        else:
            at = {f"{block.attribute}={v}": u for v, u in zip(_levels(trait), trait.utility, strict=True)}
            found[block.columns] = [at[n] for n in block.nodes]
    return found


def centred(block: Block, part_worths: Floats) -> Floats:
    """(…, values) from the average item; of a number, its rise over the reference range."""
    own = part_worths[..., block.columns]
    if block.number:
        return own * (block.p95 - block.p05) / block.scale
    return np.asarray(own - (own @ block.share)[..., None])


def judge(shop: Shop) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each weight and each part-worth of a shop, with its truth and its interval."""
    with tempfile.TemporaryDirectory() as place_:
        write(shop, Path(place_))
        clean = ingest(Path(place_), ontology=ontology(shop))
    known = clean.ontology
    read = read_training_data(build_graph(clean), known, 0)
    some = read.sets[CATEGORY]
    head = fit_categories(read.sets, {})
    found = category_posterior(some, head.fits[CATEGORY], None, head.variances, own_choices=True)
    draws = weigh(known, {CATEGORY: found}).draws[CATEGORY]
    layout = found.layout
    truth = true_part_worths(shop, layout)
    share = importance(layout, truth)
    low, high = intervals(layout, draws)
    plain_low, plain_high = quantiles(layout, draws)
    plain = (plain_low <= share) & (share <= plain_high)
    weight = importance(layout, draws.mean(0))
    about = {"people": shop.people, "choices": len(some.choices), "differ": shop.deviation > 0}
    weights, values = [], []
    for i, block in enumerate(layout.blocks):
        here = {**about, "kind": block.type.value, "levels": len(block.nodes), "share": float(share[i])}
        ends = {"low": float(low[i]), "high": float(high[i]), "plain": bool(plain[i])}
        weights.append({**here, "weight": float(weight[i]), **ends})
        own, told = centred(block, draws), centred(block, truth)
        around = np.quantile(own, [0.025, 0.975], axis=0)
        values += [
            {**here, "truth": float(t), "low": float(a), "high": float(b)}
            for t, a, b in zip(told, *around, strict=True)
        ]
    return weights, values


def covered(rows: Sequence[Mapping[str, Any]], truth: str) -> float:
    """Share of the intervals that hold the truth."""
    return float(np.mean([r["low"] <= r[truth] <= r["high"] for r in rows])) if rows else float("nan")


def groups(weights: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Weights by what may matter for their intervals."""
    tests: dict[str, Callable[[dict[str, Any]], bool]] = {
        "all": lambda r: True,
        "people alike": lambda r: not r["differ"],
        "people differ": lambda r: r["differ"],
        "true weight 0": lambda r: r["share"] == 0,
        "true weight to .05": lambda r: 0 < r["share"] <= 0.05,
        "true weight .05 to .2": lambda r: 0.05 < r["share"] <= 0.2,
        "true weight above .2": lambda r: r["share"] > 0.2,
        "number": lambda r: r["kind"] == "Number",
        "2 levels": lambda r: r["kind"] != "Number" and r["levels"] == 2,
        "3 to 5 levels": lambda r: 3 <= r["levels"] <= 5,
        "6 and more levels": lambda r: r["levels"] >= 6,
        "15 and 30 people": lambda r: r["people"] <= 30,
        "60 people": lambda r: r["people"] == 60,
        "120 and 240 people": lambda r: r["people"] >= 120,
    }
    return {name: [r for r in weights if test(r)] for name, test in tests.items()}


def main() -> None:
    """Runs everything and prints the line."""
    parser = script_parser(__doc__)
    parser.add_argument("--shops", type=int, default=200, help="number of shops (200)")
    parser.add_argument("--seed", type=int, default=0, help="of the first shop (0)")
    options = parser.parse_args()
    began = time.perf_counter()
    about = environment("scipy")
    print(json.dumps(about))
    weights: list[dict[str, Any]] = []
    values: list[dict[str, Any]] = []
    for k in range(options.shops):
        found = judge(generate(options.seed + k))
        weights += found[0]
        values += found[1]
        if (k + 1) % 50 == 0:
            say(f"{k + 1} of {options.shops} shops")
    rows = []
    for (name, some), own in zip(groups(weights).items(), groups(values).values(), strict=True):
        width = float(np.mean([r["high"] - r["low"] for r in some])) if some else float("nan")
        bias = float(np.mean([r["weight"] - r["share"] for r in some])) if some else float("nan")
        rows.append([name, len(some), covered(some, "share"), bias, width, len(own), covered(own, "truth")])
    show("coverage of 95 % intervals",
         ["of", "weights", "covered", "bias", "width", "part-worths", "covered"], rows)  # fmt: skip
    line = {
        "shops": options.shops,
        "weights": len(weights),
        "coverage": covered(weights, "share"),
        "coverage_plain_quantiles": float(np.mean([r["plain"] for r in weights])),
        "coverage_part_worths": covered(values, "truth"),
        "seconds": round(time.perf_counter() - began, 1),
        "peak_mb": peak_mb(),
    }
    finish("coverage", line, {"environment": about, "seed": options.seed, "by": rows})


if __name__ == "__main__":
    command(main)
