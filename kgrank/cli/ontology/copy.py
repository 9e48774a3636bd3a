"""``kgrank ontology copy``: an ontology to edit, from one that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kgrank.cli.common import out
from kgrank.cli.ontology.check import Source
from kgrank.errors import InputError
from kgrank.files import make_folder, write_bytes
from kgrank.ontology.check.parse import turtle_files
from kgrank.resources import ontology_folder


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(copy)


def copy(
    source: Source,
    folder: Annotated[Path, typer.Argument(metavar="NEW", help="A new or empty folder.")],
) -> None:
    """Copy the Turtle files of an ontology into a new folder, to edit them there.

    Example: kgrank ontology copy fashion my-fashion
    """
    files = turtle_files(ontology_folder(source))
    if not files:
        raise InputError("no .ttl file in this folder", where=source, expected="a folder of Turtle files")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("there is something already", where=folder, expected="a new or empty folder")
    make_folder(folder)
    for file in files:
        write_bytes(folder / file.name, file.read_bytes())
    out.print(Text(f"copied {', '.join(f.name for f in files)} to {folder}"))
