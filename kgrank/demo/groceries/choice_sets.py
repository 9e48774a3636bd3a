"""Choice sets of purchases: what else a household could have bought, and at which price.

A choice is one product that a household bought in a store and week. A purchase of a product that is not known to
have been on offer without it (``sales.py``) is left out. Up to 19 of the other products on offer are drawn, each
equally likely, none from the same basket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from kgrank.arrays import Ints, Truths
from kgrank.demo.groceries.package import GroceryTables
from kgrank.demo.groceries.package_size import Measure, parse_package_size
from kgrank.demo.groceries.promotions import PROMOTIONS, Promotions, read_promotions
from kgrank.demo.groceries.purchases import usable_purchases
from kgrank.demo.groceries.sales import LAST_WEEK, Sales
from kgrank.errors import InputError

COLUMNS = ("price", "discount", "size", "size_missing", "private", *PROMOTIONS)
"""Of ``CategoryChoices.x``."""

MOST_OTHERS, FEWEST_OTHERS = 19, 2
"""Alternatives beside what was bought."""
_FEWEST_PRODUCTS = 3
_FEWEST_PURCHASES, _FEWEST_CHOICES, _FEWEST_TRAIN, _FEWEST_TEST = 50, 60, 40, 15
_CLIP = 3.0


@dataclass(frozen=True)
class Cuts:
    """Weeks from and to, both included, and how many choices of a category are kept of each part.

    Attributes:
        train: The panel of households is complete from week 9 on.
        validation: After it.
        test: The last.
        most: Choices of a category that are kept of each part, drawn at random.
    """

    train: tuple[int, int] = (9, 40)
    validation: tuple[int, int] = (41, 44)
    test: tuple[int, int] = (45, 53)
    most: tuple[int, int, int] = (3000, 400, 1000)

    def __post_init__(self) -> None:
        """Refuses weeks that are not in order.

        Raises:
            InputError: They overlap, end before they begin, or are no weeks of the year.
        """
        before = 0
        for first, last in self.parts:
            if not before < first <= last <= LAST_WEEK:
                raise InputError(
                    f"the weeks {self.train}, {self.validation} and {self.test} overlap or are out of order",
                    expected=f"three parts of the weeks 1 to {LAST_WEEK}, one after another",
                )
            before = last

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """Train, validation, test."""
        return self.train, self.validation, self.test


@dataclass(frozen=True, kw_only=True)
class CategoryChoices:
    """The choices of one category; alternative 0 of each is what was bought.

    Attributes:
        name: The category.
        department: That most of its purchases are in.
        x: (choices, 20, columns) of ``COLUMNS``: log shelf price less ``mean_log_price``, discount as a share, log
            package size less the median of its measure in the category, whether it is unknown, private label,
            promotions. 0 where ``valid`` is not.
        valid: (choices, 20) whether there is an alternative.
        alternative: (choices, 20) rows of ``products``; 0 where ``valid`` is not.
        part: (choices,) 0 train, 1 validation, 2 test.
        week: (choices,)
        household: (choices,) ids.
        mean_log_price: Of the purchases up to the last week of train.
        products: A row a product, by id: product, manufacturer, type (empty where not known), private, log_size,
            size_missing, ``early`` (bought up to the last week of train), log_price (mean up to then less
            ``mean_log_price``, 0 where it was not bought).
        purchases_by_part: Purchases in the weeks of each part, before any was left out.
        left_out: Purchases that were drawn, and how many of them were left out, since their product was not known
            to be on offer or fewer than two others were.
    """

    name: str
    department: str
    x: npt.NDArray[np.float32]
    valid: Truths
    alternative: Ints
    part: Ints
    week: Ints
    household: Ints
    mean_log_price: float
    products: pl.DataFrame
    purchases_by_part: tuple[int, int, int]
    left_out: tuple[int, int]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Choices of train, validation and test."""
        return _by_part(self.part)


def choice_sets(
    tables: GroceryTables, cuts: Cuts | None = None, *, seed: int = 0
) -> Iterator[CategoryChoices]:
    """The choices of all categories with enough of them, by name.

    One generator draws for all categories in turn: leaving one out changes the others.

    Args:
        tables: Of the package.
        cuts: The weeks; None for train 9–40, validation 41–44, test 45–53.
        seed: Of what is drawn.
    """
    cuts = cuts or Cuts()
    rng = np.random.default_rng(seed)
    purchases = usable_purchases(tables)
    promotions = read_promotions(tables.promotions, purchases)
    trained = purchases.filter(pl.col("week").is_between(*cuts.train)).group_by("category").len()
    names = trained.filter(pl.col("len") >= _FEWEST_PURCHASES)["category"].sort()
    parts = purchases.filter(pl.col("category").is_in(names.implode())).partition_by("category", as_dict=True)
    for name in names:
        choices = category_choices(parts.pop((name,)), tables.products, promotions, cuts, rng)
        if choices is not None:
            yield choices


def category_choices(
    purchases: pl.DataFrame,
    products: pl.DataFrame,
    promotions: Promotions,
    cuts: Cuts,
    rng: np.random.Generator,
) -> CategoryChoices | None:
    """The choices of one category, or None where there are too few.

    Args:
        purchases: Of the category, as ``usable_purchases`` has them.
        products: The package's table.
        promotions: Of these products and stores.
        cuts: The weeks of each part.
        rng: Draws which purchases are kept, and the alternatives.
    """
    ids = np.sort(purchases["product"].unique().to_numpy())
    if len(ids) < _FEWEST_PRODUCTS:
        return None
    sales = Sales(purchases, ids, promotions.stores)
    part = np.full(len(purchases), -1)
    for number, (first, last) in enumerate(cuts.parts):
        part[(sales.week >= first) & (sales.week <= last)] = number
    drawn = _drawn_rows(part, cuts.most, rng)
    bought, others = sales.on_offer(drawn)
    possible = bought & (others.sum(1) >= FEWEST_OTHERS)
    rows, others = drawn[possible], others[possible]
    if len(rows) < _FEWEST_CHOICES:
        return None
    alternative, valid = _drawn_alternatives(others, sales.product[rows], rng)
    log_price, discount, priced = sales.prices(rows, alternative)
    valid &= priced
    kept = valid[:, 0] & (valid.sum(1) > FEWEST_OTHERS)
    rows, alternative, valid = rows[kept], alternative[kept], valid[kept]
    train, _, test = _by_part(part[rows])
    if train < _FEWEST_TRAIN or test < _FEWEST_TEST:
        return None
    early = sales.week <= cuts.train[1]
    mean_log_price = float(sales.log_price[early].mean())
    table = _products(products, ids, sales, early, mean_log_price)
    of_product = table.select("log_size", "size_missing", "private").to_numpy()
    store, week = promotions.stores[sales.store[rows]], sales.week[rows]
    x = np.concatenate(
        [
            np.clip(log_price[kept] - mean_log_price, -_CLIP, _CLIP)[..., None],
            discount[kept][..., None],
            of_product[alternative],
            promotions.at(ids[alternative], store[:, None], week[:, None]),
        ],
        axis=-1,
    ).astype(np.float32)
    x[~valid] = 0
    return CategoryChoices(
        name=purchases["category"][0],
        department=purchases.group_by("department").len().sort("len")["department"][-1],
        x=x,
        valid=valid,
        alternative=alternative,
        part=part[rows],
        week=week,
        household=purchases["household"].to_numpy()[rows],
        mean_log_price=mean_log_price,
        products=table,
        purchases_by_part=_by_part(part[part >= 0]),
        left_out=(len(drawn), int((~possible).sum())),
    )


def _by_part(part: Ints) -> tuple[int, int, int]:
    train, validation, test = np.bincount(part, minlength=3).tolist()
    return train, validation, test


def _drawn_rows(part: Ints, most: tuple[int, int, int], rng: np.random.Generator) -> Ints:
    """Indices of at most so many purchases of each part, ascending."""
    drawn = []
    for number, cap in enumerate(most):
        rows = np.flatnonzero(part == number)
        drawn.append(rows if len(rows) <= cap else rng.choice(rows, cap, replace=False))
    return np.sort(np.concatenate(drawn))


def _drawn_alternatives(on_offer: Truths, chosen: Ints, rng: np.random.Generator) -> tuple[Ints, Truths]:
    """(rows, at most 20) the chosen product and others of those on offer, and which of them are there."""
    lots = np.where(on_offer, rng.random(on_offer.shape), 2.0)
    most = min(MOST_OTHERS, on_offer.shape[1])
    others = np.argsort(lots, 1)[:, :most]
    there = np.arange(most) < on_offer.sum(1)[:, None]
    alternative = np.column_stack([chosen, np.where(there, others, 0)])
    return alternative, np.column_stack([np.ones(len(chosen), bool), there])


def _products(
    products: pl.DataFrame, ids: Ints, sales: Sales, early: Truths, mean_log_price: float
) -> pl.DataFrame:
    """What is known of each product of a category."""
    known = products.filter(pl.col("product_id").is_in(pl.Series(ids).implode())).sort("product_id")
    sizes = [parse_package_size(text) for text in known["package_size"]]
    measure, size = np.array([s.measure for s in sizes]), np.array([s.log for s in sizes])
    for unit in (Measure.OUNCES, Measure.PIECES):
        if (measure == unit).any():
            size[measure == unit] -= np.median(size[measure == unit])
    missing = measure == Measure.UNKNOWN
    bought = np.bincount(sales.product[early], minlength=len(ids))
    paid = np.bincount(sales.product[early], sales.log_price[early], minlength=len(ids))
    return pl.DataFrame(
        {
            "product": ids,
            "manufacturer": known["manufacturer_id"],
            "type": known["product_type"].fill_null(""),
            "private": known["brand"] == "Private",
            "log_size": np.where(missing, 0.0, np.clip(size, -_CLIP, _CLIP)),
            "size_missing": missing,
            "early": bought > 0,
            "log_price": np.where(bought > 0, paid / np.maximum(bought, 1) - mean_log_price, 0.0),
        }
    )
