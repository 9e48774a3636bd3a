"""An ontology from a folder of Turtle files."""

from __future__ import annotations

from pathlib import Path

from kgrank.errors import InputError
from kgrank.ontology.check import Examination, examine
from kgrank.ontology.model import Ontology
from kgrank.resources import ontology_folder


def read_ontology(source: Path | str) -> Ontology:
    """The ontology in a folder of Turtle files, or the shipped one of this name (``fashion``), checked.

    Raises:
        InputError: The folder is missing, or the check finds errors; the first one is named with its place.
    """
    folder = ontology_folder(source)
    examination = examine(folder)
    refuse_errors(folder, examination)
    assert examination.ontology is not None
    return examination.ontology


def refuse_errors(folder: Path, examination: Examination) -> None:
    """Raises the first error of an examination, with its place and how many more there are.

    Raises:
        InputError: There are errors.
    """
    if not examination.errors:
        return
    first, *more = examination.errors
    count = f" (and {len(more)} more error{'s' if len(more) > 1 else ''})" if more else ""
    raise InputError(
        f"{first.code} {first.text}{count}",
        where=f"{folder / first.file}:{first.line}:{first.column}",
        todo=f"{first.advice.rstrip('.?')}{'?' if first.advice.endswith('?') else '.'} "
        f"All of them: kgrank ontology check {folder}",
    )
