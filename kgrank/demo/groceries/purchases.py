"""Purchases of goods, with the shelf price and the discount of each."""

from __future__ import annotations

import polars as pl

from kgrank.demo.groceries.package import GroceryTables

NOT_GOODS = (
    "FUEL", "COUPON", "MISCELLANEOUS", "TRAVEL & LEISURE", "PHOTO & VIDEO", "POSTAL CENTER", "CHARITABLE CONT",
    "CNTRL/STORE SUP", "PROD-WHS SALES", "GM MERCH EXP", "RESTAURANT",
)  # fmt: skip
"""Departments that sell fuel, services and coupons."""

_COUPONS = "COUPON/MISC ITEMS"
_MOST_DISCOUNT = 0.9


def usable_purchases(tables: GroceryTables) -> pl.DataFrame:
    """Purchases of goods in the stores whose promotions are known.

    Returns:
        A row a purchase, in the order of the transactions: household, store, week, basket, product, category,
        department, ``log_price`` (natural logarithm of the shelf price of one piece in USD, before the loyalty
        card's discount), ``discount`` (the card's discount as a share of the shelf price).
    """
    stores = tables.promotions.select("store_id").unique().collect()
    goods = (
        pl.col("product_category").is_not_null()
        & (pl.col("product_category") != _COUPONS)
        & ~pl.col("department").is_in(NOT_GOODS)
    )
    paid = (pl.col("quantity") > 0) & (pl.col("sales_value") > 0)
    lines = (
        tables.transactions.filter(paid)
        .join(stores, on="store_id", how="semi", maintain_order="left")
        .join(tables.products.filter(goods), on="product_id", maintain_order="left")
    )
    # sales_value is what the retailer gets: the card's discount and coupons that it matches are taken off.
    shelf = (pl.col("sales_value") + pl.col("retail_disc") + pl.col("coupon_match_disc")) / pl.col("quantity")
    return lines.filter(shelf > 0).select(
        pl.col("household_id").alias("household"),
        pl.col("store_id").alias("store"),
        "week",
        pl.col("basket_id").alias("basket"),
        pl.col("product_id").alias("product"),
        pl.col("product_category").alias("category"),
        "department",
        shelf.log().alias("log_price"),
        (pl.col("retail_disc") / pl.col("quantity") / shelf).clip(0, _MOST_DISCOUNT).alias("discount"),
    )
