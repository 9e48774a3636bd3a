"""``kgrank init``: from a shop's files to an ontology, a mapping and a run, with what was assumed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from kgrank.cli.common import out as console
from kgrank.cli.common import print_json, waiting
from kgrank.errors import InputError

if TYPE_CHECKING:
    from kgrank.profiling.page import Page

_SHOWN = 8
"""Doubts that are printed; the page has all."""


def init_command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILES...",
            help="Products, and logs of events: csv, tsv, xlsx, Parquet, JSON or JSON Lines; text also as .gz. Or "
            "a folder whose files have the standard names, or a mapping.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The new folder; by default named after the first file."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For a folder: its mapping, instead of a proposed one."),
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Take new columns, categories, brands and values up in a folder that init wrote.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")] = False,
) -> None:
    """Propose an ontology, a mapping and a run for a shop's own files, and say what was assumed.

    Nothing is asked, and nothing that exists is overwritten.

    Example: kgrank init products.csv log.jsonl.gz --out my-shop

    Example: kgrank init . --mapping my-shop/mapping.yaml --out my-shop-2

    Example: kgrank init --update my-shop products.csv
    """
    from kgrank.profiling.folder import folder_of, initialise, page_document

    if update is not None and out is not None:
        raise InputError("--out and --update at once", expected="one of them")
    if update is not None:
        _update(update, files or [], json=json)
        return
    if not files:
        raise InputError("no file is named", expected="kgrank init products.csv [events…]")
    with waiting("profiling the files"):
        done = initialise(files, out or folder_of(files), mapping)
    if json:
        print_json(
            {"folder": str(done.folder), "summary": list(done.page.summary), **page_document(done.page)}
        )
    else:
        _print(done.folder, done.page)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("init")(init_command)


def _update(folder: Path, files: list[Path], *, json: bool) -> None:
    """Takes up what is new, and says what it was."""
    from kgrank.profiling.update import update

    with waiting("comparing the files with the ontology"):
        done = update(folder, files)
    values = [f"{attribute}: {', '.join(texts)}" for attribute, texts in done.values.items()]
    news = {
        "attributes": done.attributes,
        "categories": done.categories,
        "brands": done.brands,
        "values": values,
        "spellings": done.spellings,
    }
    if json:
        print_json(
            {"folder": str(folder), **{k: list(v) for k, v in news.items()}, "values": dict(done.values)}
        )
        return
    for kind, texts in news.items():
        if texts:
            console.print(Text(f"New {kind}: {'; '.join(texts)}"))
    if done.empty:
        console.print("Nothing is new.")


def _print(folder: Path, page: Page) -> None:
    from kgrank.profiling.folder import HTML, MAPPING, ONTOLOGY, RUN, TEXT
    from kgrank.profiling.page import where

    for line in page.summary:
        console.print(Text(line))
    if page.doubts:
        console.print()
        console.print(Text(f"Doubtful ({len(page.doubts)}; all are in {folder / TEXT} and {folder / HTML}):"))
        for doubt in page.doubts[:_SHOWN]:
            console.print(Text(f"  {where(doubt)}: {doubt.text}"))
    console.print()
    console.print(Text(f"Wrote {folder / ONTOLOGY}, {folder / MAPPING} and {folder / RUN}. Next:"))
    for step in page.next_steps:
        console.print(Text(f"  {step}"))
