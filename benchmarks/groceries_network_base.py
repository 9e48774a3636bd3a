"""Choices of households in categories in which they never bought, by the model that the network is compared with.

Population part-worths of each category, and each household's taste in the columns that all categories share,
learned from its purchases in other categories, both in closed form; nothing of the graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints, Truths
from kgrank.demo.groceries.package import read_tables
from kgrank.errors import InputError

SHARED = 9
"""Columns that all categories share; those of values come after them."""

ALTERNATIVES = 20
VALUES = {"maker": (12, 2), "kind": (12, 3)}
"""Of each attribute with values: how many get a column, and products of the least of them."""

SHARED_VARIANCE, VALUE_VARIANCE = 4.0, 0.5
NEWTON_STEPS, EM_ROUNDS = 25, 10
WEEK_SPAN = 64
HELD_BACK = 7
"""Households whose number ends in this digit are looked at only when a design is final."""


@dataclass(frozen=True)
class Cut:
    """The weeks of a comparison: the graph up to one, then the weights of terms, then the scored choices."""

    name: str
    graph: int
    weights: tuple[int, int]
    scored: tuple[int, int]


EARLY = Cut("weeks 37–40", 32, (33, 36), (37, 40))
LATE = Cut("weeks 45–53", 40, (41, 44), (45, 53))


@dataclass(frozen=True)
class NewChoices:
    """Choices in categories new to the household; the first alternative is the one taken.

    Attributes:
        utility: (choices, alternatives) by the population's part-worths.
        taste: (choices, alternatives) what the household's shared taste adds.
        valid: (choices, alternatives) which alternatives there are.
        product: (choices, alternatives) product numbers of the retailer.
        category: (choices,).
        household: (choices,) household numbers of the retailer.
    """

    utility: Floats
    taste: Floats
    valid: Truths
    product: Ints
    category: Ints
    household: Ints

    def take(self, rows: Truths) -> NewChoices:
        """The choices of a mask."""
        return NewChoices(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True)
class Purchases:
    """Purchases of a number of weeks in the compared categories, a row each.

    Attributes:
        household: Household numbers of the retailer.
        product: Product numbers.
        category: Category numbers.
        week: Of the year.
    """

    household: Ints
    product: Ints
    category: Ints
    week: Ints

    def until(self, week: int) -> Purchases:
        """The purchases up to a week."""
        rows = self.week <= week
        return Purchases(**{name: values[rows] for name, values in vars(self).items()})


@dataclass(frozen=True)
class Products:
    """The catalogue of the compared categories: product number, category, maker and type."""

    number: Ints
    category: Ints
    maker: Ints
    kind: Any


def read_purchases(names: list[str]) -> tuple[Purchases, Products]:
    """The purchases and the products of the named categories, sorted by name."""
    tables = read_tables()
    products = tables.products.filter(pl.col("product_category").is_in(names))
    products = products.select(
        pl.col("product_id").cast(pl.Int64),
        "product_category",
        pl.col("manufacturer_id").cast(pl.Int64),
        pl.col("product_type").fill_null(""),
    ).sort("product_id")
    rows = tables.transactions.with_columns(pl.col("product_id").cast(pl.Int64))
    rows = rows.join(products, on="product_id")

    def category(frame: pl.DataFrame) -> Ints:
        return np.searchsorted(np.array(names), frame["product_category"].to_numpy().astype(str))

    household, product, week = (
        rows[name].cast(pl.Int64).to_numpy() for name in ("household_id", "product_id", "week")
    )
    number, maker = products["product_id"].to_numpy(), products["manufacturer_id"].to_numpy()
    kind = products["product_type"].to_numpy().astype(str)
    return Purchases(household, product, category(rows), week), Products(
        number, category(products), maker, kind
    )


@dataclass(frozen=True)
class _Category:
    """The choice sets of a category: ``columns`` (choices, alternatives, columns), shared ones first."""

    number: int
    columns: Any
    valid: Truths
    product: Ints
    household: Ints
    week: Ints


def category_names(folder: Path) -> list[str]:
    """The names of the categories, in the order of their files.

    Raises:
        InputError: There are no choice sets in the folder.
    """
    about = folder / "about.json"
    if not about.is_file():
        raise InputError("there are no choice sets", where=folder, todo="Name their folder with --choices.")
    return [one["name"] for one in json.loads(about.read_text(encoding="utf-8"))["categories"]]


def _categories(folder: Path, count: int, until: int) -> Iterator[_Category]:
    """The choice sets, with a column for each value that enough products on offer up to a week have."""
    for number in range(count):
        with np.load(folder / f"{number:03d}.npz", allow_pickle=True) as stored:
            data = {name: stored[name] for name in stored.files}
        alternative = data["alt"].astype(np.int64)
        columns, valid = data["X"], data["valid"]
        pad = ALTERNATIVES - valid.shape[1]
        if pad:
            alternative = np.pad(alternative, ((0, 0), (0, pad)))
            valid = np.pad(valid, ((0, 0), (0, pad)))
            columns = np.pad(columns, ((0, 0), (0, pad), (0, 0)))
        week = data["week"].astype(np.int64)
        on_offer = np.unique(alternative[week <= until][valid[week <= until]])
        parts = [columns]
        for name, (most, least) in VALUES.items():
            labels, counts = np.unique(data[name][on_offer], return_counts=True)
            order = np.lexsort((np.arange(len(labels)), -counts))[:most]
            for label in (labels[k] for k in order if counts[k] >= least and labels[k] != ""):
                has = (data[name] == label)[alternative] & valid
                parts.append(has[..., None].astype(np.float32))
        yield _Category(
            number,
            np.concatenate(parts, -1),
            valid,
            np.where(valid, data["pid"].astype(np.int64)[alternative], -1),
            data["household"].astype(np.int64),
            week,
        )


def probabilities(utility: Any, valid: Truths) -> tuple[Floats, Floats]:
    """Probabilities of the alternatives, and the log-likelihood of each choice, of its first alternative."""
    utility = np.where(valid, utility, -np.inf)
    utility = utility - utility.max(1, keepdims=True)
    odds = np.exp(utility)
    total = odds.sum(1, keepdims=True)
    return odds / total, utility[:, 0] - np.log(total[:, 0])


def fit(columns: Any, valid: Truths, offset: Any, precision: Floats) -> Floats:
    """The optimum of a conditional logit under a normal prior with mean 0, by Newton's method."""
    weights = np.zeros(columns.shape[2])
    flat = columns.reshape(-1, columns.shape[2]).astype(np.float32)

    def value(point: Floats) -> float:
        return float(probabilities(offset + columns @ point, valid)[1].sum() - 0.5 * precision @ point**2)

    best = value(weights)
    for _ in range(NEWTON_STEPS):
        probability = probabilities(offset + columns @ weights, valid)[0].astype(np.float32)
        mean = np.einsum("nj,njd->nd", probability, columns)
        gradient = (columns[:, 0] - mean).sum(0, dtype=np.float64) - precision * weights
        scaled = flat * np.sqrt(probability.reshape(-1, 1))
        hessian = (scaled.T @ scaled - mean.T @ mean).astype(float) + np.diag(precision)
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while (new := value(weights + size * step)) < best - 1e-9 and size > 1e-3:
            size /= 2
        weights = weights + size * step
        gain, best = new - best, max(new, best)
        if gain < 1e-6 * len(valid):
            break
    return weights


@dataclass(frozen=True)
class _Cells:
    """What each household's choices in a category say of the shared columns, at the population's optimum."""

    category: Ints
    household: Ints
    gradient: Floats
    information: Floats


def _tastes(cells: _Cells, people: int) -> tuple[Floats, Floats]:
    """(people, shared) each household's taste, and (people, shared, shared) its precision, by EM.

    A household's taste is normal around 0, and its deviation in each category is normal around that taste.
    """
    identity = np.eye(SHARED)
    between, within = 0.1 * identity, 0.1 * identity
    count = len(cells.category)
    for rounds_left in range(EM_ROUNDS, -1, -1):
        # What a cell says of the taste when its own deviation is integrated out.
        shrink = np.linalg.inv(identity + cells.information @ within)
        message, linear = shrink @ cells.information, np.einsum("nij,nj->ni", shrink, cells.gradient)
        precision, score = np.zeros((people, SHARED, SHARED)), np.zeros((people, SHARED))
        np.add.at(precision, cells.household, message)
        np.add.at(score, cells.household, linear)
        precision += np.linalg.inv(between)
        covariance = np.linalg.inv(precision)
        mean = np.einsum("nij,nj->ni", covariance, score)
        if not rounds_left:
            break
        between = (mean.T @ mean + covariance.sum(0)) / people
        inner = np.linalg.inv(cells.information + np.linalg.inv(within))
        residual = cells.gradient - np.einsum("nij,nj->ni", cells.information, mean[cells.household])
        deviation = np.einsum("nij,nj->ni", inner, residual)
        moved = inner @ cells.information
        spread = np.einsum("nij,njk,nlk->il", moved, covariance[cells.household], moved, optimize=True)
        within = (deviation.T @ deviation + inner.sum(0) + spread) / count
        between, within = (between + between.T) / 2, (within + within.T) / 2
    return mean, precision


def new_choices(folder: Path, cut: Cut, purchases: Purchases) -> tuple[NewChoices, NewChoices]:
    """The choices of the weeks of the weights and of the scored weeks in categories new to the household."""
    names = category_names(folder)
    cells, asked = list[_Cells](), list[tuple[_Category, Any]]()
    for category in _categories(folder, len(names), cut.graph):
        rows = category.week <= cut.graph
        precision = np.full(category.columns.shape[2], 1 / VALUE_VARIANCE)
        precision[:SHARED] = 1 / SHARED_VARIANCE
        columns, valid = category.columns[rows], category.valid[rows]
        weights = fit(columns, valid, 0.0, precision)
        cells.append(_cells_of(category, rows, probabilities(columns @ weights, valid)[0]))
        later = (category.week >= cut.weights[0]) & (category.week <= cut.scored[1])
        kept = _part(category, later)
        asked.append((kept, kept.columns @ weights))
    joined = _Cells(**{n: np.concatenate([getattr(c, n) for c in cells]) for n in vars(cells[0])})
    households = np.unique(np.concatenate([purchases.household, joined.household]))
    joined = _Cells(
        joined.category, np.searchsorted(households, joined.household), joined.gradient, joined.information
    )
    mean, _ = _tastes(joined, len(households))
    parts = dict[tuple[int, int], NewChoices]()
    for weeks in (cut.weights, cut.scored):
        bought = purchases.until(weeks[0] - 1)
        known = np.unique(bought.household * 1000 + bought.category)
        new = [_new_of(c, u, weeks, known, households, mean) for c, u in asked]
        parts[weeks] = NewChoices(**{n: np.concatenate([getattr(x, n) for x in new]) for n in vars(new[0])})
    return parts[cut.weights], parts[cut.scored]


def _part(category: _Category, rows: Truths) -> _Category:
    """The shared columns and the choices of a mask; all columns are needed for the utility."""
    fields: Mapping[str, Any] = {n: v[rows] for n, v in vars(category).items() if n != "number"}
    return _Category(number=category.number, **fields)


def _cells_of(category: _Category, rows: Truths, probability: Floats) -> _Cells:
    """Gradient and information of each household's choices, by the shared columns."""
    columns = category.columns[rows][..., :SHARED].astype(float)
    mean = np.einsum("nj,njk->nk", probability, columns)
    information = np.einsum("nj,njk,njl->nkl", probability, columns, columns, optimize=True)
    information -= mean[:, :, None] * mean[:, None]
    household, inverse = np.unique(category.household[rows], return_inverse=True)
    gradient, summed = np.zeros((len(household), SHARED)), np.zeros((len(household), SHARED, SHARED))
    np.add.at(gradient, inverse, columns[:, 0] - mean)
    np.add.at(summed, inverse, information)
    return _Cells(np.full(len(household), category.number), household, gradient, summed)


def _new_of(
    category: _Category,
    utility: Any,
    weeks: tuple[int, int],
    known: Ints,
    households: Ints,
    taste: Floats,
) -> NewChoices:
    """The choices of some weeks by households that never bought in the category before."""
    rows = (category.week >= weeks[0]) & (category.week <= weeks[1])
    rows &= ~np.isin(category.household * 1000 + category.number, known)
    who = np.searchsorted(households, category.household[rows])
    liking = np.einsum("njk,nk->nj", category.columns[rows][..., :SHARED], taste[who])
    return NewChoices(
        utility=utility[rows].astype(float),
        taste=liking.astype(float),
        valid=category.valid[rows],
        product=category.product[rows],
        category=np.full(int(rows.sum()), category.number),
        household=category.household[rows],
    )
