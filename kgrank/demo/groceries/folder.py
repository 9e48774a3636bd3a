"""The folder of ``kgrank demo groceries``: ontology, choice tasks, mapping, run configuration."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import yaml

from kgrank.demo.groceries.choice_sets import CategoryChoices
from kgrank.demo.groceries.ontology import grocery_ontology
from kgrank.demo.groceries.package import PACKAGE
from kgrank.demo.groceries.segments import MAPPING as PEOPLE_MAPPING
from kgrank.demo.groceries.segments import PEOPLE, people_table, segment_names
from kgrank.demo.groceries.tasks import MAPPING, TASKS, task_table
from kgrank.errors import InputError
from kgrank.files import make_folder, write_file, write_text
from kgrank.ontology.check.parse import turtle_files
from kgrank.ontology.imports.fold import fold
from kgrank.ontology.imports.write import write_plan

ABOUT, ONTOLOGY, MAPPING_FILE, RUN, STORE, RESULTS = (
    "groceries.json", "ontology", "mapping.yaml", "run.yaml", "graph.lb", "out",
)  # fmt: skip


def refuse_other_files(folder: Path) -> None:
    """Refuses a folder in which the groceries would come among a person's own files; makes a new one.

    Raises:
        InputError: The folder holds something else, is a file, or cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("a file stands where the groceries would go", where=folder, todo="Name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / ABOUT).is_file():
        raise InputError(
            "the folder is not empty and holds no groceries",
            where=folder,
            expected="a new or empty folder",
            todo="Name another one.",
        )
    make_folder(folder)


def most_bought(categories: Sequence[CategoryChoices], number: int) -> list[CategoryChoices]:
    """The categories with most purchases in the weeks of train, by name."""
    ranked = sorted(categories, key=lambda c: (-c.purchases_by_part[0], c.name))
    return sorted(ranked[:number], key=lambda c: c.name)


def write_folder(categories: Sequence[CategoryChoices], folder: Path, demographics: pl.DataFrame) -> None:
    """Writes the folder; a graph store and results that are there are kept.

    Households of which ``demographics`` says who lives there are in segments.

    Raises:
        InputError: The folder holds something else, or cannot be written.
    """
    refuse_other_files(folder)
    # What the folder is comes first: by it an unfinished one is known, and made again.
    write_text(folder / ABOUT, json.dumps(_about(categories), indent=1) + "\n")
    ontology = grocery_ontology(categories)
    for path in turtle_files(folder / ONTOLOGY):
        path.unlink()
    plan = replace(ontology.plan, segments=segment_names())
    write_plan(plan, fold(plan), folder / ONTOLOGY)
    table = task_table(categories, ontology)
    write_file(folder / TASKS, lambda file: table.write_parquet(file))
    people = people_table(demographics, _households(categories))
    write_file(folder / PEOPLE, lambda file: people.write_parquet(file))
    mapping = {**MAPPING, "people": [dict(PEOPLE_MAPPING)]}
    write_text(folder / MAPPING_FILE, yaml.safe_dump(mapping, sort_keys=False))
    write_text(folder / RUN, _run_text(folder))
    write_text(folder / "README.txt", _readme(categories))


def _about(categories: Sequence[CategoryChoices]) -> dict[str, object]:
    return {
        "package": PACKAGE,
        "categories": len(categories),
        "choices": [sum(c.counts[part] for c in categories) for part in range(3)],
        "households": len(_households(categories)),
        "purchases looked at": sum(c.left_out[0] for c in categories),
        "purchases left out": sum(c.left_out[1] for c in categories),
    }


def _households(categories: Sequence[CategoryChoices]) -> set[int]:
    return set().union(*(c.household.tolist() for c in categories))


def _run_text(folder: Path) -> str:
    run = {"data": {"store": str(folder / STORE)}, "out": str(folder / RESULTS)}
    return "# Paths are as seen from the folder in which kgrank demo groceries ran.\n" + yaml.safe_dump(
        run, sort_keys=False, allow_unicode=True
    )


def _readme(categories: Sequence[CategoryChoices]) -> str:
    return f"""Groceries from the Python package {PACKAGE}, as a shop that kgrank reads.

The package is MIT; its text says that the data are provided by 84.51° for research and educational purposes, are
simulated after real shopping, and are not to be used for commercial decisions or as research on real consumers.

{ONTOLOGY}/      {len(categories)} categories below their departments, and what may decide in each
{TASKS}  purchases of the weeks 9 to 44, each with up to 19 products that were on offer beside it
{PEOPLE}  who lives in the household, where it is known: about a third; the others count without
{MAPPING_FILE}   which column of these means what
{RUN}       the run; its paths are as seen from the folder in which kgrank demo groceries ran

What was on offer is not in the data. It is reconstructed from what others bought: products that some store sold in
the week or the twelve before, and this store ever or ten stores then; what the household itself bought in the week
decides neither the alternatives nor their prices. The rarest products are missing from the alternatives.
"""
