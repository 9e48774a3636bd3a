"""``kgrank demo run``: all of the demo, each step as the command that a person would type."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from kgrank.cli.common import EXTRAS, note
from kgrank.cli.learning.steps import run_steps

STORE, RESULTS = "graph.lb", "out"
"""Below the demo shop's folder: the graph, and what a run writes."""


def run(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder of the demo shop; made where there is none.")
    ] = Path("demo-shop"),
) -> None:
    """Show all of kgrank: check an ontology, build a shop, load, train, rank, compare with the known truth.

    Everything is written into one folder. A demo shop that is there already is used as it is.

    Example: kgrank demo run demo-shop
    """
    from kgrank.demo.files import TRUTH, refuse_other_files

    refuse_other_files(folder)
    chart = find_spec(EXTRAS["plots"]) is not None
    if not chart:
        note("note: no chart will be drawn; for charts: pip install 'kgrank[plots]'")
    run_steps(_steps(folder, build=not (folder / TRUTH).is_file(), chart=chart))


def _steps(folder: Path, *, build: bool, chart: bool) -> Iterator[list[str]]:
    """The words after ``kgrank`` of each step."""
    shop, store, results = str(folder), str(folder / STORE), folder / RESULTS
    yield ["ontology", "check", "fashion"]
    if build:
        yield ["demo", "build", shop]
    yield ["load", shop, "--ontology", "fashion", "--store", store]
    data = ["--data.folder", shop, "--data.store", store]
    yield ["train", "--config", "fashion", *data, "--out", str(results)]
    yield ["rank", "dresses", "--store", store, "--limit", "5", "--explain"]
    drawn = ["--chart", str(results / "importance.png")] if chart else []
    yield ["demo", "report", shop, "--weights", str(results / "weights.json"), *drawn]
