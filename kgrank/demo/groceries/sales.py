"""Which products of a category were on offer in a store and week, and at which prices, by what people bought.

On offer are products that some store sold in the week or the twelve before, and that this store has ever sold up
to then or ten stores sold in those weeks. What the household itself bought in that week does not count, so that a
choice decides neither its alternatives nor a price.

The price of a product is the mean over the other households' purchases of the week in all stores, else over all
purchases of the last week with any among the twelve before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints, Truths

WINDOW = 12
"""Weeks before the purchase in which a product may have been sold last."""
STAPLE = 10
"""A product that so many stores sold is on offer in every store."""
LAST_WEEK = 53


class Sales:
    """The purchases of one category by store, week and product, and what each household bought in each week."""

    def __init__(self, purchases: pl.DataFrame, products: Ints, stores: Ints) -> None:
        self.product = np.searchsorted(products, purchases["product"].to_numpy())
        self.store = np.searchsorted(stores, purchases["store"].to_numpy())
        self.week = purchases["week"].to_numpy()
        self.log_price = purchases["log_price"].to_numpy()
        self.discount = purchases["discount"].to_numpy()
        self.products = len(products)
        self.stores = len(stores)
        weeks = LAST_WEEK + 1
        _, self.shopper_week = np.unique(
            purchases["household"].to_numpy() * (weeks + 1) + self.week, return_inverse=True
        )
        _, self.basket = np.unique(purchases["basket"].to_numpy(), return_inverse=True)
        shape = (self.products, weeks)
        self.count, self.price_sum, self.discount_sum = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        at = (self.product, self.week)
        np.add.at(self.count, at, 1)
        np.add.at(self.price_sum, at, self.log_price)
        np.add.at(self.discount_sum, at, self.discount)

    def on_offer(self, rows: Ints) -> tuple[Truths, Truths]:
        """Whether what was bought was on offer without this purchase, and what else was.

        Args:
            rows: Purchases.

        Returns:
            (rows,) and (rows, products).
        """
        week, store, product = self.week[rows], self.store[rows], self.product[rows]
        sold = np.zeros((self.stores, self.count.shape[1], self.products), np.int32)
        np.add.at(sold, (self.store, self.week, self.product), 1)
        ever = np.cumsum(sold, 1, dtype=np.int32)
        recent = ever.copy()
        recent[:, WINDOW + 1 :] -= ever[:, : -(WINDOW + 1)]
        shopper_store = self.shopper_week * self.stores + self.store
        own_purchases = self._by_product(self.shopper_week).at(self.shopper_week[rows])
        own_here = self._by_product(shopper_store).at(shopper_store[rows])
        # A store in which the household bought the product itself is none of the ten.
        selling = (recent > 0).sum(0)[week] - (own_here > 0)
        sold_here = ever[store, week] - own_here > 0
        available = (recent.sum(0)[week] - own_purchases > 0) & (sold_here | (selling >= STAPLE))
        choice = np.arange(len(rows)), product
        bought = available[choice]
        available &= self._by_product(self.basket).at(self.basket[rows]) == 0
        available[choice] = False
        return bought, available

    def prices(self, rows: Ints, alternative: Ints) -> tuple[Floats, Floats, Truths]:
        """(rows, alternatives) log price, discount, and whether they are known."""
        week = self.week[rows][:, None]
        shopper_key = self.shopper_week[rows][:, None] * self.products + alternative
        key = self.shopper_week * self.products + self.product
        now = self.count[alternative, week] - _Sums(key).at(shopper_key)
        before = self._week_before()[alternative, week]
        at = alternative, np.maximum(before, 0)

        def mean(sums: Floats, value: Floats) -> Floats:
            others = (sums[alternative, week] - _Sums(key, value).at(shopper_key)) / np.maximum(now, 1)
            means: Floats = np.where(now > 0, others, sums[at] / np.maximum(self.count[at], 1))
            return means

        price, discount = mean(self.price_sum, self.log_price), mean(self.discount_sum, self.discount)
        return price, discount, (now > 0) | (before >= 0)

    def _week_before(self) -> Ints:
        """(products, weeks) the last week with sales among the twelve before, or -1."""
        before = np.full(self.count.shape, -1)
        last = np.full(self.products, -1)
        for week in range(self.count.shape[1]):
            before[:, week] = np.where(last >= week - WINDOW, last, -1)
            last = np.where(self.count[:, week] > 0, week, last)
        return before

    def _by_product(self, group: Ints) -> _ByProduct:
        return _ByProduct(_Sums(group * self.products + self.product), self.products)


class _Sums:
    """Sums of values by key, or counts; 0 for a key that is not there."""

    def __init__(self, key: Ints, value: Floats | None = None) -> None:
        self.keys, index = np.unique(key, return_inverse=True)
        self.sums = np.bincount(index, value)

    def at(self, key: Ints) -> Floats:
        """The sum of each key."""
        index = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        sums: Floats = np.where(self.keys[index] == key, self.sums[index], 0.0)
        return sums


@dataclass(frozen=True)
class _ByProduct:
    """Counts by group and product."""

    sums: _Sums
    products: int

    def at(self, group: Ints) -> Floats:
        """(groups, products) the counts of some groups."""
        return self.sums.at(group[:, None] * self.products + np.arange(self.products))
