"""``kgrank ontology fmt``, ``lint`` and ``merge``: the files as texts."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kgrank.cli.common import out, print_json
from kgrank.cli.ontology import plural, print_messages
from kgrank.ontology.check import examine
from kgrank.ontology.check.advice import advise
from kgrank.ontology.files import write_text
from kgrank.ontology.layout import format_folder
from kgrank.ontology.read import refuse_errors

_Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder with the Turtle files.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("fmt")(fmt)
    app.command("lint")(lint)


def fmt(
    folder: _Folder,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file differs.")] = False,
    sort: Annotated[
        bool, typer.Option("--sort", help="Sort things by notation, below each heading comment.")
    ] = False,
) -> None:
    """Lay out all files in one way; what they say and their comments stay.

    Example: kgrank ontology fmt ontology/fashion --check
    """
    changed = format_folder(folder, sort=sort)
    for path, (_, tidy) in changed.items():
        if not check:
            write_text(path, tidy)
        out.print(Text(f"{'would change' if check else 'changed'} {path}"))
    if not changed:
        out.print("nothing to change")
    if check and changed:
        raise typer.Exit(1)


def lint(
    folder: _Folder,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where there is advice.")] = False,
) -> None:
    """Give advice on an ontology without errors: shared synonyms, attributes to move up, values alike.

    Example: kgrank ontology lint ontology/fashion
    """
    found = examine(folder)
    refuse_errors(folder, found)
    advice = advise(folder, found)
    if json:
        print_json({"folder": str(folder), "advice": [asdict(m) for m in advice]})
    else:
        print_messages(folder, advice)
        out.print(plural(len(advice), "piece") + " of advice")
    if strict and advice:
        raise typer.Exit(1)
