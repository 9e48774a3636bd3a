"""Categories whose own choices are unseen, or few, on the groceries: mean, hierarchy and process.

    python benchmarks/groceries_cold.py --choices FOLDER

Reads choice sets (benchmarks/groceries_choices.py) and runs kgrank's own fits, pooling and processes on five folds
of the categories, once at random and once with clusters of names together. Cold: gains in log-likelihood a choice
on later weeks, in the columns that all categories share. Thin: the same with 10, 50 and 200 own choices. Brands:
what makers elsewhere say of the makers in a cold category. Beside each stands a twin with what it rests on dealt
out at random. Rules: what a rule about one of two siblings without choices brings the other. Errors are clustered
by category. Households whose id ends in 7 are left out and, with --sevens, scored apart.
"""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.groceries_choices import FOLDS, SEED, GroceryCategory, folds, read_categories
from benchmarks.groceries_cuts import CUTS, scored_groups, seventh
from benchmarks.groceries_data import log_final_run
from benchmarks.groceries_rules import PairGain, pair_gains, rule_rows
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import Design
from kgrank.choice.hierarchy.category_kernels import category_kernels, cosines, name_vectors
from kgrank.choice.hierarchy.partial_pooling import PooledEffects, pool
from kgrank.choice.hierarchy.prior_means import (
    PriorEvidence,
    effect_model,
    hierarchy_mean,
    prior_evidence,
    with_item_signals,
)
from kgrank.choice.hierarchy.process_means import ProcessMeans, process_means
from kgrank.choice.logit.categories import unpooled_fits
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import optimum
from kgrank.choice.logit.likelihood import Choices
from kgrank.ontology.model import Category, Ontology

SIZES, ENOUGH = (10, 50, 200), 250
"""Own choices of a thin category, and those that a category needs to be thinned."""

LEARNED, SCORED = 40, 15
"""Choices that a category needs to be scored: those with which the choice sets were made, here on each cut."""

RIDGES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Variances of the ridge beside it."""

TREE = 1
"""Kernels from the first on that a shuffle leaves in place: the tree, which the hierarchy has too."""


@dataclass(frozen=True)
class Fold:
    """What is learned without the choices of a fold's categories.

    Attributes:
        hidden: Numbers of its categories.
        mean: The categories' mean.
        hierarchy: Effects over the departments, where they predict better.
        pooled: The same with the items' signals.
        department: Processes of the shared columns over the departments alone, a variance a column.
        process: Processes over all kernels.
        shuffled: The same with the categories' features dealt out at random.
        unbought: The same where nothing is known of how often and with what the fold's categories are bought.
        dealt: Effects with the makers dealt out at random.
        leave_out: (categories,) gain of the process over ``pooled`` when each seen category is left out.
    """

    hidden: Ints
    mean: PooledEffects
    hierarchy: PooledEffects
    pooled: PooledEffects
    department: ProcessMeans
    process: ProcessMeans
    shuffled: ProcessMeans
    unbought: ProcessMeans
    dealt: PooledEffects
    leave_out: Floats


def groceries(categories: Sequence[GroceryCategory]) -> Ontology:
    """Departments and their categories."""
    departments = {f"department {c.department}" for c in categories}
    tree = {d: Category(d) for d in sorted(departments)}
    leaves = {
        c.name: Category(c.name, names={"en": c.name}, parent=f"department {c.department}")
        for c in categories
    }
    return Ontology("1", tree | leaves, {})


def evidence_of(categories: Sequence[GroceryCategory], own: Mapping[str, CategoryChoices]) -> PriorEvidence:
    """What the choices from which part-worths are learned say of every category."""
    designs = {c.name: c.sets.design for c in categories}
    return prior_evidence(groceries(categories), designs, own, unpooled_fits(own))


def learned_without(
    evidence: PriorEvidence, dealt: PriorEvidence, own: Mapping[str, CategoryChoices], hidden: Ints
) -> Fold:
    """Everything that is learned without a fold."""
    names = list(evidence.designs)
    unseen = {names[i] for i in hidden}
    seen = {c: x for c, x in evidence.likelihoods.items() if c not in unseen}
    hierarchy = hierarchy_mean(evidence, unseen)
    pooled = with_item_signals(evidence, hierarchy)
    assert evidence.kernels is not None
    order = np.random.default_rng(SEED + 1).permutation(len(names))
    kernels = evidence.kernels.copy()
    kernels[TREE:] = kernels[TREE:, order[:, None], order]
    labels = {c: c for c in names}
    bought = {c: choices for c, choices in own.items() if c not in unseen}
    unbought = category_kernels(evidence.lineages, evidence.designs, labels, bought)
    variants = (evidence.kernels[:TREE], evidence.kernels, kernels, unbought)
    processes = [process_means(evidence.designs, k, pooled) for k in variants]
    department, process, shuffled, never = (p for p in processes if p is not None)
    return Fold(
        hidden=hidden,
        mean=pool(effect_model(evidence, seen, tree=False), seen),
        hierarchy=hierarchy,
        pooled=pooled,
        department=department,
        process=process,
        shuffled=shuffled,
        unbought=never,
        dealt=with_item_signals(
            dealt, pool(effect_model(dealt, seen, tree=False), seen, hierarchy.variances)
        ),
        leave_out=pooled.errors - process.errors(pooled),
    )


def makers_dealt_out(evidence: PriorEvidence) -> PriorEvidence:
    """The same evidence with the names of the makers permuted over all categories."""
    names = [
        n
        for d in evidence.designs.values()
        for b in d.layout.blocks
        if b.attribute == "maker"
        for n in b.nodes
    ]
    order = iter(np.random.default_rng(SEED + 2).permutation(len(names)).tolist())
    designs: dict[str, Design] = {}
    for category, design in evidence.designs.items():
        blocks = tuple(
            replace(b, nodes=tuple(names[next(order)] for _ in b.nodes)) if b.attribute == "maker" else b
            for b in design.layout.blocks
        )
        designs[category] = replace(design, layout=replace(design.layout, blocks=blocks))
    return replace(evidence, designs=designs)


def cold_scores(
    categories: Sequence[GroceryCategory], fold: Fold, scored: Mapping[int, Choices]
) -> dict[str, Floats]:
    """(hidden categories,) log-likelihood a choice by method."""
    scores: dict[str, list[float]] = {}
    for i in fold.hidden.tolist():
        category, shared = categories[i].name, categories[i].attributes
        layout = categories[i].sets.design.layout
        hierarchy = fold.hierarchy.prior_mean(category)
        pooled = fold.pooled.prior_mean(category)
        process = fold.process.mean(category, pooled, {category})
        maker = np.zeros(layout.width, bool)
        for block in layout.blocks:
            maker[block.columns] = block.attribute == "maker"
        numbers = np.arange(layout.width) < shared
        means = {
            "no part-worths": np.zeros(layout.width),
            "mean": fold.mean.prior_mean(category) * numbers,
            "hierarchy": hierarchy * numbers,
            "department": fold.department.mean(category, pooled, {category}) * numbers,
            "process": process * numbers,
            "process, never bought": fold.unbought.mean(category, pooled, {category}) * numbers,
            "process, features shuffled": fold.shuffled.mean(category, pooled, {category}) * numbers,
            "process and makers": process * numbers + pooled * maker,
            "process and makers without signals": process * numbers + hierarchy * maker,
            "process and makers dealt out": process * numbers + fold.dealt.prior_mean(category) * maker,
            "process and values": process,
        }
        for name, mean in means.items():
            scores.setdefault(name, []).append(log_likelihood(scored[i], mean))
    return {name: np.array(values) for name, values in scores.items()}


def log_likelihood(choices: Choices, part_worths: Floats) -> float:
    """Mean over the choices."""
    return float(choices.log_likelihood(choices.utility(part_worths)).mean())


def thin_scores(
    category: GroceryCategory,
    number: int,
    means: Mapping[str, tuple[Floats, Floats]],
    scored: Mapping[str, Choices],
) -> dict[tuple[str, int, str], tuple[float, float]]:
    """By group, own choices and method, log-likelihood a choice on the scored weeks and on those that choose.

    Args:
        category: Its choices.
        number: Its number, of which the draw of its own choices depends.
        means: By method, (columns,) prior mean and variances.
        scored: The choices of the scored weeks, by group of households.
    """
    generator = np.random.default_rng([SEED, number])
    drawn = generator.permutation(np.flatnonzero(category.learned))
    validation = category.sets.choices.take(category.chosen & ~_seventh(category))
    width = category.sets.design.layout.width
    priors = dict(means) | {f"ridge {v}": (np.zeros(width), np.full(width, v)) for v in RIDGES}
    scores = {}
    for size in SIZES:
        own = category.sets.choices.take(drawn[:size])
        for name, (mean, variance) in priors.items():
            part_worths, _ = optimum(own, mean, 1.0 / variance, tolerance=1e-6)
            chosen = log_likelihood(validation, part_worths) if len(validation) else np.nan
            for group, choices in scored.items():
                scores[group, size, name] = (log_likelihood(choices, part_worths), chosen)
    return scores


def _seventh(category: GroceryCategory) -> Truths:
    return seventh(category.sets.choices.person)


def gain(name: str, scores: Mapping[str, Floats], over: str, bar: float | None = None) -> dict[str, Any]:
    """A row: mean gain over another method, with its error over the categories."""
    difference = scores[name] - scores[over]
    difference = difference[np.isfinite(difference)]
    error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    return {"name": f"{name} over {over}", "value": float(difference.mean()), "error": error, "bar": bar}


def rows(options: Namespace) -> list[dict[str, Any]]:
    """Every figure of a cut: name, value, error, bar."""
    cut = CUTS[options.cut]
    categories = read_categories(Path(options.choices), cut)
    own = {c.name: c.sets.take(c.learned & ~_seventh(c)) for c in categories}
    ontology, evidence = groceries(categories), evidence_of(categories, own)
    dealt = makers_dealt_out(evidence)
    groups = {
        group: {i: one for i, c in enumerate(categories) if len(one := _scored(c, left_out))}
        for group, left_out in scored_groups(options.sevens).items()
    }
    names = [c.name for c in categories]
    result = []
    for scheme, fold_of in folds(cosines(name_vectors(names))).items():
        if options.scheme not in (None, scheme):
            continue
        cold: dict[str, dict[str, Floats]] = {group: {} for group in groups}
        thin: dict[tuple[str, int, str], list[tuple[float, float]]] = {}
        pairs: list[PairGain] = []
        for number in range(FOLDS):
            began = time.perf_counter()
            fold = learned_without(evidence, dealt, own, np.flatnonzero(fold_of == number))
            left_out = fold.leave_out
            print(
                f"{scheme}, fold {number}: leaving out categories, the process gains {left_out.mean():.4f} ± "
                f"{left_out.std(ddof=1) / len(left_out) ** 0.5:.4f}; {time.perf_counter() - began:.0f} s",
                flush=True,
            )
            for group, scored in groups.items():
                visible = np.array([i for i in fold.hidden.tolist() if i in scored])
                for name, values in cold_scores(categories, replace(fold, hidden=visible), scored).items():
                    cold[group][name] = np.concatenate([cold[group].get(name, np.zeros(0)), values])
            seen = {i: groups[""][i] for i in fold.hidden.tolist() if i in groups[""]}
            pairs += pair_gains(categories, evidence, ontology, (fold.pooled, fold.process), seen)
            if scheme != "siblings known":
                continue
            for i in (i for i in seen if categories[i].learned.sum() >= ENOUGH):
                of_category = {group: scored[i] for group, scored in groups.items() if i in scored}
                thinned = thin_scores(categories[i], i, _priors(fold, names[i]), of_category)
                for key, pair in thinned.items():
                    thin.setdefault(key, []).append(pair)
        for group, scores in cold.items():
            of_scheme = _cold_rows(scores) + (rule_rows(pairs) if not group else [])
            of_scheme = [{**row, "name": f"{scheme}: {row['name']}"} for row in of_scheme]
            of_scheme += _thin_rows({key[1:]: found for key, found in thin.items() if key[0] == group})
            result += [{**row, "name": f"{options.cut}{group}, {row['name']}"} for row in of_scheme]
        print(json.dumps(result), flush=True)
    return result


def _scored(category: GroceryCategory, left_out: bool) -> Choices:
    """The scored choices of a group of households; none of a category with too few choices."""
    enough = category.scored.sum() >= SCORED and category.learned.sum() >= LEARNED
    return category.sets.choices.take(category.scored & (_seventh(category) == left_out) & enough)


def _priors(fold: Fold, category: str) -> dict[str, tuple[Floats, Floats]]:
    pooled, variance = fold.pooled.prior_mean(category), fold.pooled.variance(category)
    process = fold.process.mean(category, pooled, {category})
    predicted = fold.process.variance(category, variance, {category})
    return {
        "hierarchy": (pooled, variance),
        "process": (process, predicted),
        "process, pooled variances": (process, variance),
    }


def _cold_rows(scores: Mapping[str, Floats]) -> list[dict[str, Any]]:
    level = {"name": "mean", "value": float(scores["mean"].mean()), "error": None, "bar": None}
    return [
        level,
        gain("no part-worths", scores, "mean"),
        gain("hierarchy", scores, "mean"),
        gain("department", scores, "mean"),
        gain("process", scores, "mean"),
        gain("process", scores, "hierarchy", 0.005),
        gain("process", scores, "department", 0.005),
        gain("process, never bought", scores, "department"),
        gain("process, features shuffled", scores, "department"),
        gain("process and makers", scores, "process", 0.003),
        gain("process and makers", scores, "process and makers dealt out", 0.002),
        gain("process and makers without signals", scores, "process"),
        gain("process and values", scores, "process"),
    ]


def _thin_rows(scores: Mapping[tuple[int, str], Sequence[tuple[float, float]]]) -> list[dict[str, Any]]:
    result = []
    for size, bar in zip(SIZES, (-2.693, -2.648, -2.626), strict=True):
        of_size = {name: np.array(pairs) for (n, name), pairs in scores.items() if n == size}
        if not of_size:
            continue
        ridges = [name for name in of_size if name.startswith("ridge")]
        best = max(ridges, key=lambda name: float(np.nanmean(of_size[name][:, 1])))
        values = {name: pairs[:, 0] for name, pairs in of_size.items()} | {"ridge": of_size[best][:, 0]}
        level = {"value": float(values["process"].mean()), "error": None, "bar": bar}
        result.append({"name": f"thin, {size} own choices: process", **level})
        for name in ("hierarchy", "process, pooled variances", "ridge"):
            row = gain("process", values, name)
            result.append({**row, "name": f"thin, {size} own choices: {row['name']}"})
    return result


def main() -> None:
    """Runs one cut and prints the line."""
    parser = script_parser(__doc__, needs="choice sets made from the groceries")
    parser.add_argument("--choices", required=True, help="folder of the choice sets")
    parser.add_argument(
        "--cut", choices=list(CUTS), default="earlier", help="weeks that are scored (earlier)"
    )
    parser.add_argument("--scheme", help="only these folds: 'siblings known' or 'siblings removed'")
    parser.add_argument(
        "--sevens", action="store_true", help="also score the households that are left out otherwise"
    )
    options = parser.parse_args()
    if options.cut == "later":
        log_final_run(f"cold, sevens: {options.sevens}")
    began = time.perf_counter()
    about = environment("scipy")
    table = rows(options)
    show("categories without own choices, or with few", ["figure", "value", "error", "bar"],
         [[r["name"], r["value"], r["error"], r["bar"]] for r in table])  # fmt: skip
    line = {r["name"]: r["value"] for r in table}
    line |= {"seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    finish(f"groceries-cold-{options.cut}", line, {"environment": about, "rows": table})
    print(json.dumps(about))


if __name__ == "__main__":
    command(main)
