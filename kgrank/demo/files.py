"""The demo shop as files, in the standard columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kgrank.csv_cells import write_csv
from kgrank.demo.dirt import DIRT, soil_events, soil_items
from kgrank.demo.shop import DemoShop
from kgrank.documents import load_json
from kgrank.errors import InputError
from kgrank.files import make_folder, write_file, write_text

TRUTH = "truth.json"


def write(shop: DemoShop, folder: Path) -> None:
    """Writes items.csv, events.parquet, truth.json and README.txt; a few rows are damaged on purpose.

    A demo shop in the folder is replaced; its graph store, and any other file, is kept.

    Raises:
        InputError: The folder holds something else, or is a file.
    """
    refuse_other_files(folder)
    rng = np.random.default_rng([shop.seed, 1])
    make_folder(folder)
    # The truth comes first: by it an unfinished folder is known as the demo's, and made again.
    write_text(folder / TRUTH, json.dumps(shop.truth, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    write_csv(folder / "items.csv", soil_items(shop.items, rng))
    write_file(folder / "events.parquet", soil_events(shop.events, shop.items, rng).write_parquet)
    write_text(folder / "README.txt", _readme(shop))


def refuse_other_files(folder: Path) -> None:
    """Refuses a folder in which a demo shop would come among a person's own files.

    Raises:
        InputError: The folder holds something else, or is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("a file stands where the demo shop would go", where=folder, todo="Name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / TRUTH).is_file():
        raise InputError(
            "the folder is not empty and holds no demo shop",
            where=folder,
            expected="a new or empty folder",
            todo="Name another one.",
        )


def read_truth(folder: Path) -> dict[str, Any]:
    """The truth behind a demo shop.

    Raises:
        InputError: The folder holds no demo shop, or its truth cannot be read.
    """
    path = folder / TRUTH
    if not path.is_file():
        raise InputError(
            "no such file", where=path, expected="a demo shop", todo=f"Make one: kgrank demo build {folder}"
        )
    try:
        truth: dict[str, Any] = load_json(path.read_text(encoding="utf-8"))
        complete = truth["generated"] and truth["importance"]["average_shopper"]
    except (ValueError, KeyError, TypeError):
        complete = None
    if not complete:
        raise InputError(
            "not the truth of a demo shop", where=path, todo=f"Make it again: kgrank demo build {folder}"
        )
    return truth


def _readme(shop: DemoShop) -> str:
    kinds = dict(shop.events["kind"].value_counts().iter_rows())
    damage = "\n".join(f"  {count:>4}  {what}" for what, count in DIRT.items())
    return f"""A generated fashion shop (seed {shop.seed}). No item, brand or shopper is real.

items.csv       {len(shop.items):,} items in 7 categories, 10 attributes each; 3 % of the values are missing
events.parquet  {shop.events["user"].n_unique():,} shoppers: {kinds["search"]:,} searches,
                {kinds["impression"]:,} impressions, {kinds["view"]:,} views, {kinds["cart"]:,} carts,
                {kinds["purchase"]:,} purchases
truth.json      what the shoppers were generated from, to compare with what is learned

Damaged on purpose, for the cleaning report to find:
{damage}

Make it again:  kgrank demo build DIR --seed {shop.seed}
"""
