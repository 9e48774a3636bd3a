"""Which products were on display or in the mailer, by store and week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints

PROMOTIONS = ("display", "display_end", "mailer", "mailer_front")
"""Any display; at the end of an aisle or in front; anywhere in the mailer; on its front or back page."""

_NONE = "0"
_END_OR_FRONT = ["1", "3", "4", "5", "6"]
_FRONT_OR_BACK = ["D", "F", "H", "L", "Z"]
_WEEKS = 54


@dataclass(frozen=True)
class Promotions:
    """The promotions of some products.

    Attributes:
        products: (products,) ids, ascending.
        stores: (stores,) ids, ascending.
        keys: (rows,) ascending: (product · stores + store) · 54 + week, by index.
        flags: (rows,) a bit for each of ``PROMOTIONS``.
    """

    products: Ints
    stores: Ints
    keys: Ints
    flags: Ints

    def at(self, product: Ints, store: Ints, week: Ints) -> Floats:
        """1 or 0 for each of ``PROMOTIONS`` in a last axis.

        Args:
            product: Ids that are among ``products``.
            store: Ids that are among ``stores``.
            week: Weeks; the three broadcast.
        """
        if not len(self.keys):
            return np.zeros((*np.broadcast_shapes(product.shape, store.shape, week.shape), len(PROMOTIONS)))
        index = np.searchsorted(self.products, product) * len(self.stores) + np.searchsorted(
            self.stores, store
        )
        wanted = index * _WEEKS + week
        row = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        flags = np.where(self.keys[row] == wanted, self.flags[row], 0)
        return (flags[..., None] >> np.arange(len(PROMOTIONS)) & 1).astype(float)


def read_promotions(table: pl.LazyFrame, purchases: pl.DataFrame) -> Promotions:
    """The promotions of all products and stores of some purchases.

    Args:
        table: product_id, store_id, week, display_location, mailer_location.
        purchases: Of ``usable_purchases``.
    """
    products = purchases["product"].unique().sort()
    stores = purchases["store"].unique().sort()
    display, mailer = pl.col("display_location"), pl.col("mailer_location")
    marks = (display != _NONE, display.is_in(_END_OR_FRONT), mailer != _NONE, mailer.is_in(_FRONT_OR_BACK))
    rows = (
        table.filter(
            pl.col("product_id").is_in(products.implode()), pl.col("store_id").is_in(stores.implode())
        )
        .select(
            pl.col("product_id").cast(pl.Int64),
            pl.col("store_id").cast(pl.Int64),
            pl.col("week").cast(pl.Int64),
            flags=pl.sum_horizontal(mark.cast(pl.UInt8) * 2**bit for bit, mark in enumerate(marks)),
        )
        .collect()
    )
    product_ids, store_ids = products.to_numpy(), stores.to_numpy()
    index = np.searchsorted(product_ids, rows["product_id"].to_numpy()) * len(store_ids)
    index += np.searchsorted(store_ids, rows["store_id"].to_numpy())
    keys = index * _WEEKS + rows["week"].to_numpy()
    order = np.argsort(keys, kind="stable")
    return Promotions(product_ids, store_ids, keys[order], rows["flags"].to_numpy()[order])
